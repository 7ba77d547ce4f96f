"""A small dataset to be published: six people with photos of plain colours, two strangers, one of the six real."""

import io
from dataclasses import asdict, replace

import pandas as pd
from PIL import Image

from scenarios.dataset import Dataset, build_dataset
from scenarios.pairs import Provenance
from scenarios.people import Person, fictitious_people

RENDERED = Provenance("rendered", "squares/1 seed 7", "CC0-1.0", "not needed: nobody is shown")
REAL = Provenance("real", "camera", "CC-BY-4.0", "signed release 12")
HOSTILE = '<script>document.title="taken"</script> | [x](y) `z` *w*'
REAL_PERSON = "evaluation-002"
SIDE = 40
SCENARIOS = ("home", "pet", "valuables", "vehicle", "friends", "partner", "workplace")


def colour(number: int, real: bool) -> tuple[int, int, int]:
    """Real photos are green, all others are blue; each number has its own shade."""
    return (number, 250, 10) if real else (number, 10, 250)


def picture(number: int, real: bool) -> bytes:
    """A PNG of one colour that carries a comment and a place."""
    from PIL.PngImagePlugin import PngInfo

    told = PngInfo()
    told.add_text("Comment", "taken at the old mill")
    buffer = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), colour(number, real)).save(buffer, "PNG", pnginfo=told)
    return buffer.getvalue()


def example(real: bool = False, hostile: bool = False) -> Dataset:
    """The dataset; with a real person, and with a name that is markup, where asked for."""
    evaluated = [
        replace(person, facts={name: person.facts[name] for name in SCENARIOS}, appearance={"age_group": "old"})
        for person in fictitious_people(6, seed=5, role="evaluation")
    ]
    evaluated[1] = replace(evaluated[1], appearance={})
    if hostile:
        evaluated[0] = replace(evaluated[0], name=HOSTILE)
    if real:
        evaluated[2] = replace(evaluated[2], facts=evaluated[2].facts | {"home": "houseboat"})
    strangers = fictitious_people(2, 6, "stranger", [person.first_name for person in evaluated])
    rows: list[dict[str, object]] = []
    for person in [*evaluated, *strangers]:
        rows += _photos(person, len(rows), real and person.person_id == REAL_PERSON)
    return build_dataset("squares", [*evaluated, *strangers], pd.DataFrame(rows))


def _photos(person: Person, first: int, real: bool) -> list[dict[str, object]]:
    scenarios = [*SCENARIOS, "", ""] if person.role == "evaluation" else ["", ""]
    return [
        {
            "photo_id": f"{person.person_id}-{number}",
            "person_id": person.person_id,
            "scenario": scenario,
            "image": picture(first + number, real),
            "face_box": [4, 4, 20, 20],
            "visible": {"hair": "red"},
            "shows": [person.facts[scenario]] if scenario else [],
            **asdict(REAL if real else RENDERED),
            "description": "",
        }
        for number, scenario in enumerate(scenarios)
    ]
