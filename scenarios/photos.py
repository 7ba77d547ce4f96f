"""The photo table: what a photo source hands over, one row a photo."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from bench.core.errors import DataError
from scenarios.people import Person
from scenarios.schema import load_scenarios, load_visible

SOURCES = ("rendered", "real", "synthesized")
PROVENANCE_COLUMNS = ("source", "generator", "licence", "consent")
PHOTO_COLUMNS = (
    "photo_id",
    "person_id",
    "scenario",
    "image",
    "face_box",
    "visible",
    "shows",
    *PROVENANCE_COLUMNS,
    "description",
)
"""Columns of a photo table. ``scenario`` is '' for a portrait that shows only the person, ``image`` holds encoded
bytes, ``face_box`` is [x0, y0, x1, y1] in pixels or None, ``visible`` is topic -> option (may be empty), ``shows``
lists the affiliated things and companions in the photo ([]: there is none; None: nobody said), ``source`` is one of
``SOURCES``, ``description`` is '' where one of the scenario's is to be taken."""

_TEXT_COLUMNS = ("photo_id", "person_id", "scenario", *PROVENANCE_COLUMNS, "description")


def photo_records(photos: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as dictionaries with plain lists, and None where a face box or ``shows`` is missing."""
    records = [{str(name): value for name, value in row.items()} for row in photos.to_dict("records")]
    for record in records:
        box, shows = _plain(record["face_box"]), _plain(record["shows"])
        record["face_box"] = [int(edge) for edge in box] if isinstance(box, list) else None
        record["shows"] = [str(thing) for thing in shows] if isinstance(shows, list) else None
        record["visible"] = _plain(record["visible"]) or {}
    return records


def check_photos(people: Sequence[Person], photos: pd.DataFrame) -> None:
    """Raise ``DataError`` naming the column, the photo and the field where the photo table does not fit the people."""
    missing = [column for column in PHOTO_COLUMNS if column not in photos.columns]
    if missing:
        raise DataError(f"photo table: column '{missing[0]}' is missing; needed are {', '.join(PHOTO_COLUMNS)}.")
    check_unique(photos["photo_id"], "photo table")
    by_id = {person.person_id: person for person in people}
    for row in photos.to_dict("records"):
        problem = _problem(row, by_id)
        if problem is not None:
            raise DataError(f"photo '{row['photo_id']}': {problem}.")


def check_unique(identifiers: "pd.Series[Any]", table: str) -> None:
    """Raise ``DataError`` naming the first identifier that two rows share, and both rows (counted from 0)."""
    for problem in repeated(identifiers):
        raise DataError(f"{table}: {problem}.")


def repeated(identifiers: "pd.Series[Any]") -> Iterator[str]:
    """One sentence for each identifier that two rows share, with both rows (counted from 0)."""
    for identifier in identifiers[identifiers.duplicated()].unique():
        rows = [row for row, other in enumerate(identifiers) if other == identifier]
        where = f"in rows {rows[0]} and {rows[1]} (counted from 0)"
        yield f"{identifiers.name} '{identifier}' stands there twice, {where}"


def shows_problem(shows: Any) -> str | None:
    """What is wrong with a value of the column ``shows``, or None."""
    shows = _plain(shows)
    if shows is None or (isinstance(shows, list) and all(isinstance(thing, str) and thing.strip() for thing in shows)):
        return None
    return f"shows must be a list of texts, empty where nothing is to be seen, or missing, not {shows!r}"


def face_box_problem(box: Any) -> str | None:
    """What is wrong with a value of the column ``face_box``, or None."""
    box = _plain(box)
    if box is None:
        return None
    whole = isinstance(box, list) and len(box) == 4 and all(_is_number(edge) for edge in box)
    if whole and 0 <= box[0] < box[2] and 0 <= box[1] < box[3]:
        return None
    return f"face_box {box} must be x0, y0, x1, y1 in pixels with x0 < x1 and y0 < y1, or missing"


def source_problem(source: str) -> str | None:
    """What is wrong with a value of the column ``source``, or None."""
    return None if source in SOURCES else f"source '{source}' is not one of {', '.join(SOURCES)}"


def first_problem(problems: Iterable[str | None]) -> str | None:
    """The first that is a problem; those after it are not looked at."""
    return next((problem for problem in problems if problem is not None), None)


def _problem(row: Mapping[Any, Any], people: Mapping[str, Person]) -> str | None:
    def text_problem() -> str | None:
        wrong = next((column for column in _TEXT_COLUMNS if not isinstance(row[column], str)), None)
        return wrong and f"{wrong} must be a text, not {row[wrong]!r}"

    checks = (
        text_problem,
        lambda: _person_problem(row, people),
        lambda: source_problem(row["source"]),
        lambda: None if isinstance(row["image"], bytes) else "image must be the encoded photo as bytes",
        lambda: face_box_problem(row["face_box"]),
        lambda: shows_problem(row["shows"]),
        lambda: _visible_problem(row["visible"]),
    )
    return first_problem(check() for check in checks)


def _person_problem(row: Mapping[Any, Any], people: Mapping[str, Person]) -> str | None:
    person, scenario, known = people.get(row["person_id"]), row["scenario"], load_scenarios()
    if person is None:
        return f"person_id '{row['person_id']}' is no person of this dataset"
    if scenario and scenario not in known:
        return f"scenario '{scenario}' is not one of {', '.join(known)} or ''"
    if scenario and person.role == "stranger":
        return f"scenario '{scenario}': a stranger's photo is not trained on, so it must show only the person ('')"
    if scenario and scenario not in person.facts:
        return f"scenario '{scenario}' is not among the facts of person '{person.person_id}'"
    return None


def _visible_problem(visible: Any) -> str | None:
    topics = load_visible()
    visible = _plain(visible)
    if visible is None:
        return None
    if not isinstance(visible, Mapping):
        return f"visible must be a mapping of topic and option, not {visible!r}"
    for topic, option in visible.items():
        if topic not in topics:
            return f"visible topic '{topic}' is not one of {', '.join(topics)}"
        if option not in topics[topic].options:
            return f"visible {topic} '{option}' is not one of {', '.join(topics[topic].options)}"
    return None


def _plain(value: Any) -> Any:
    """Arrays and tuples as lists, and None for the NaN that a frame puts where a row has no value."""
    if isinstance(value, tuple):
        return list(value)
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    return None if isinstance(value, float) and value != value else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
