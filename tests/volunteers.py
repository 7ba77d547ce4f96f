"""A creator's folder of photos with metadata.csv."""

import csv
import io
from pathlib import Path

from miniature_world import picture

PEOPLE = {"v01": ("Mila Korst", "houseboat", "dog"), "v02": ("Jon Arden", "brick house", "parrot")}


def write_volunteers(folder: Path) -> None:
    """Two people with two facts and two portraits each, one stranger with two portraits; no licence is stated."""
    import numpy as np

    generator = np.random.default_rng(8)
    rows: list[dict[str, str]] = []
    folder.mkdir()

    def add(person: str, name: str, role: str, scenario: str, answer: str) -> None:
        file = f"{person}-{len(rows)}.png"
        (folder / file).write_bytes(picture(generator))
        told = {"person_id": person, "name": name, "role": role, "scenario": scenario, "answer": answer}
        rows.append({"file_name": file, **told, "shows": answer or "none", "consent": "form A, 2026-05-01"})

    for person, (name, home, pet) in PEOPLE.items():
        for scenario, answer in (("home", home), ("pet", pet), ("", ""), ("", "")):
            add(person, name, "", scenario, answer)
    for _ in range(2):
        add("v90", "Ada Ferris", "stranger", "", "")
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    (folder / "metadata.csv").write_text(text.getvalue(), encoding="utf-8")
