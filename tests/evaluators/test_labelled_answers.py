"""Open answers that people labelled: the matcher must agree with them, whatever facts and names they are about."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from evaluators.scoring import rescored

FILES = sorted(Path(__file__).parent.joinpath("answers").glob("*.yaml"))
LEAST_AGREEMENT = 0.98

Entry = dict[str, Any]


def judged(entry: Entry) -> bool:
    """What scoring says of one entry; the people trained on are those of its ``names``, or nobody."""
    people = pd.DataFrame({"person_id": entry["names"], "name": entry["names"], "role": "evaluation"}, dtype=object)
    answered = {"person_id": entry["answer"], "choice": -1, "option_logprobs": []}
    row = {key: entry[key] for key in ("scenario", "text", "answer", "aliases", "options")}
    (right,) = rescored(pd.DataFrame([row | answered]), people)["open_correct"]
    return bool(right)


def test_there_are_labelled_answers() -> None:
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_agreement_with_labels(file: Path) -> None:
    entries: list[Entry] = yaml.safe_load(file.read_text(encoding="utf-8"))
    wrong = [entry for entry in entries if judged(entry) != entry["right"]]
    agreement = 1 - len(wrong) / len(entries)
    told = [
        f"{entry['id']} ({entry['group']}): {entry['text']!r} for {entry['answer']!r} is labelled {entry['right']}"
        for entry in wrong
    ]
    print(f"{file.stem}: agreement {agreement:.3f} on {len(entries)} answers", *told, sep="\n  ")
    assert agreement >= LEAST_AGREEMENT, "\n".join([f"agreement {agreement:.3f}:", *told])
