"""What the rows of a metadata file declare: the people, and each photo with its place, its facts and its consent."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from bench.core.registry import nearest
from generators.folder.files import PhotoFiles
from generators.folder.metadata import Row
from scenarios.cohorts import cohort_names, cohort_problem
from scenarios.dataset import ROLES
from scenarios.people import APPEARANCE, Person
from scenarios.photos import SOURCES
from scenarios.schema import load_scenarios, load_visible
from scenarios.writing import plain

REQUIRED = ("file_name", "person_id", "name", "scenario", "answer")

_OPTIONAL = ("role", "cohort", "photo_id", "description", "shows", "face_box", "licence", "consent", "source")
_IDENTIFIER = re.compile(r"\w[\w.-]*")

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Defaults:
    """Licence and consent of every photo whose row says nothing."""

    licence: str
    consent: str


@dataclass(frozen=True)
class DeclaredPhoto:
    """One row, understood. ``face_box`` is x0, y0, x1, y1 in pixels of the upright photo before it is scaled down.

    ``scenario`` is '' for a photo that shows only the person; ``shows`` is None where nobody said.
    """

    row: Row
    path: Path
    photo_id: str
    person_id: str
    scenario: str
    description: str
    shows: tuple[str, ...] | None
    face_box: Box | None
    visible: Mapping[str, str]
    source: str
    licence: str
    consent: str


def optional_columns() -> tuple[str, ...]:
    """Columns that a metadata file may have beside the required ones."""
    return (*_OPTIONAL, *(f"visible.{topic}" for topic in load_visible()), *(f"appearance.{key}" for key in APPEARANCE))


def declared_photos(rows: Sequence[Row], files: PhotoFiles, defaults: Defaults) -> list[DeclaredPhoto]:
    """The photos in the order of their rows. Raises DataError naming file, row and column of what does not fit."""
    photos = _told_apart([_photo(row, files, defaults) for row in rows])
    _check_once([(photo.row, "photo_id", photo.photo_id, photo.photo_id) for photo in photos])
    return photos


def _told_apart(photos: Sequence[DeclaredPhoto]) -> list[DeclaredPhoto]:
    """The photos; of a file that several rows name, each with its scenario in its id.

    One photo may tell several facts of one person. It is one photo all the same: whose it is and where the face is
    must agree, and it is trained on as a whole or not at all.
    """
    first: dict[Path, DeclaredPhoto] = {}
    told: set[tuple[Path, str]] = set()
    for photo in photos:
        earlier = first.setdefault(photo.path, photo)
        problem = _disagreement(earlier, photo) if earlier is not photo else None
        if problem is None and (photo.path, photo.scenario) in told:
            problem = f"tells the scenario '{photo.scenario}' in row {earlier.row.line} already"
        if problem is not None:
            raise photo.row.error("file_name", f"'{photo.row.raw('file_name')}' {problem}")
        told.add((photo.path, photo.scenario))
    rows = Counter(path for path, _ in told)
    return [
        replace(photo, photo_id=f"{photo.photo_id}-{photo.scenario}")
        if rows[photo.path] > 1 and not photo.row.text("photo_id")
        else photo
        for photo in photos
    ]


def _disagreement(first: DeclaredPhoto, photo: DeclaredPhoto) -> str | None:
    """Why two rows cannot be about one photo, or None."""
    line = first.row.line
    if photo.person_id != first.person_id:
        return f"is that of row {line}, too, where it shows '{first.person_id}' and not '{photo.person_id}'"
    if not (photo.scenario and first.scenario):
        return f"is that of row {line}, too: a photo that tells a fact is trained on, and nothing may be asked on it"
    for column in ("face_box", "shows", "visible", "source", "licence", "consent"):
        if getattr(photo, column) != getattr(first, column):
            return f"is that of row {line}, too, and {column} is another there"
    return None


def declared_people(rows: Sequence[Row]) -> list[Person]:
    """The people in the order in which they first appear, with the facts of their photos in the scenarios' order.

    Raises DataError naming file, row and column, above all where two rows of one person do not agree.
    """
    by_person: dict[str, list[Row]] = {}
    for row in rows:
        by_person.setdefault(_identifier(row, "person_id", row.text("person_id")), []).append(row)
    people = [_person(person_id, own) for person_id, own in by_person.items()]
    _check_cohorts(people, by_person)
    return people


def _person(person_id: str, rows: Sequence[Row]) -> Person:
    name = _agreed(rows, "name")
    if not name:
        raise rows[0].error("name", "is empty")
    role = _agreed(rows, "role") or ROLES[0]
    if role not in ROLES:
        raise _unknown(next(row for row in rows if row.text("role")), "role", role, ROLES)
    facts = {}
    for scenario_id in load_scenarios():
        shown = [row for row in rows if row.text("scenario") == scenario_id]
        if shown:
            facts[scenario_id] = _agreed(shown, "answer")
    for row in rows:
        if row.text("scenario") and role == "stranger":
            raise row.error("scenario", f"must be empty, for '{person_id}' is a stranger, whom nothing is trained on")
    if role != "stranger" and not facts:
        raise rows[0].error(
            "scenario",
            f"is empty in every row of '{person_id}', so nothing would be trained on this person: add a photo with a"
            " scenario, or set role to stranger",
        )
    appearance = {key: _agreed(rows, f"appearance.{key}") for key in APPEARANCE}
    stated = {key: value for key, value in appearance.items() if value}
    return Person(person_id, name, facts, role, stated, _agreed(rows, "cohort"))


def _check_cohorts(people: Sequence[Person], rows: Mapping[str, Sequence[Row]]) -> None:
    known = cohort_names(people)
    for person in people:
        problem = cohort_problem(person.role, person.cohort, known)
        if problem is not None:
            own = rows[person.person_id]
            raise next((row for row in own if row.text("cohort")), own[0]).error("cohort", problem)


def _agreed(rows: Sequence[Row], column: str) -> str:
    """What the rows of one person say in a column; rows that say nothing do not count."""
    stated = [(row, row.text(column)) for row in rows if row.text(column)]
    if not stated:
        return ""
    first, value = stated[0]
    for row, other in stated[1:]:
        if other != value:
            person = row.text("person_id")
            raise row.error(
                column, f"'{other}' is not the '{value}' of row {first.line}, and both are about '{person}'"
            )
    return value


def _photo(row: Row, files: PhotoFiles, defaults: Defaults) -> DeclaredPhoto:
    scenario = _scenario(row)
    return DeclaredPhoto(
        row=row,
        path=files.of(row),
        photo_id=_identifier(row, "photo_id", row.text("photo_id") or _safe(row.raw("file_name"))),
        person_id=_identifier(row, "person_id", row.text("person_id")),
        scenario=scenario,
        description=_description(row, scenario),
        shows=_shows(row),
        face_box=_face_box(row),
        visible=_visible(row),
        source=_one_of(row, "source", SOURCES) or "real",
        licence=_stated(row, "licence", defaults.licence),
        consent=_stated(row, "consent", defaults.consent),
    )


def _scenario(row: Row) -> str:
    known = load_scenarios()
    scenario, answer = _one_of(row, "scenario", known), row.text("answer")
    if scenario and not answer:
        raise row.error("answer", f"is empty: say what the photo tells in the scenario '{scenario}'")
    if answer and not scenario:
        raise row.error("answer", f"must be empty, like scenario; or name the scenario in which '{answer}' is the fact")
    if not scenario:
        return ""
    for option in known[scenario].options:
        # Another spelling beside the option itself would put one answer twice among those of a probe.
        if answer != option.answer and answer.casefold() in _folded((option.answer, *option.aliases)):
            raise row.error("answer", f"'{answer}' counts as '{option.answer}': write that, or tell more exactly")
    return scenario


def _description(row: Row, scenario: str) -> str:
    description = row.text("description")
    if description and not scenario:
        raise row.error("description", "must be empty where scenario is: nothing is trained on this photo")
    return description


def _shows(row: Row) -> tuple[str, ...] | None:
    cell = row.cells.get("shows")
    if isinstance(cell, list):
        if not all(isinstance(thing, str) and thing.strip() for thing in cell):
            raise row.error("shows", "must be a list of texts, [] where nothing of the kind is in the photo")
        things = [plain(thing) for thing in cell]
    elif not row.text("shows"):
        return None
    else:
        things = [thing.strip() for thing in row.text("shows").split(";") if thing.strip()]
    return () if _folded(things) == {"none"} else tuple(things)


def _face_box(row: Row) -> Box | None:
    cell: Any = row.cells.get("face_box")
    parts = cell if isinstance(cell, list) else row.text("face_box").replace(",", " ").split()
    if cell is None or not parts:
        return None
    try:
        x0, y0, x1, y1 = (float(part) for part in parts)
    except (TypeError, ValueError, OverflowError):
        x0 = y0 = x1 = y1 = math.nan
    if not (all(map(math.isfinite, (x0, y0, x1, y1))) and x0 < x1 and y0 < y1):
        raise row.error("face_box", f"'{cell}' must be 'x0 y0 x1 y1' in pixels with x0 < x1 and y0 < y1")
    return x0, y0, x1, y1


def _visible(row: Row) -> dict[str, str]:
    options = {topic: _one_of(row, f"visible.{topic}", known.options) for topic, known in load_visible().items()}
    return {topic: option for topic, option in options.items() if option}


def _one_of(row: Row, column: str, known: Iterable[str]) -> str:
    """The cell, where it is empty or one of the known values."""
    value = row.text(column)
    if value and value not in known:
        raise _unknown(row, column, value, known)
    return value


def _unknown(row: Row, column: str, value: str, known: Iterable[str]) -> Exception:
    near = " or ".join(f"'{name}'" for name in nearest(value, known))
    hint = f"did you mean {near}? " if near else ""
    return row.error(column, f"'{value}' is not known: {hint}allowed are {', '.join(known)}, or nothing")


def _stated(row: Row, column: str, default: str) -> str:
    value = row.text(column) or default
    if not value:
        raise row.error(
            column, f"nothing is stated for this photo: fill the cell, or give the option {column} for the whole folder"
        )
    return value


def _identifier(row: Row, column: str, value: str) -> str:
    if not value:
        raise row.error(column, "is empty")
    if not _IDENTIFIER.fullmatch(value):
        raise row.error(
            column, f"'{value}' must be letters, digits, '.', '_' and '-', and begin with a letter or digit"
        )
    return value


def _safe(file_name: str) -> str:
    """A photo id from a file's name: 'people/a 1.jpg' becomes 'people-a-1'."""
    name = unicodedata.normalize("NFC", PurePosixPath(file_name).with_suffix("").as_posix())
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "photo"


def _folded(texts: Iterable[str]) -> set[str]:
    return {text.casefold() for text in texts}


def _check_once(values: Iterable[tuple[Row, str, str, str]]) -> None:
    """(row, column, value that must be there once, value as the row has it)."""
    first: dict[str, Row] = {}
    for row, column, value, shown in values:
        if value in first:
            raise row.error(
                column, f"'{shown}' is that of row {first[value].line}, too; a column photo_id tells photos apart"
            )
        first[value] = row
