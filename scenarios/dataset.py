"""A dataset: people, their pairs, and the probes; built, saved, loaded and checked."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from bench.core.digests import digest_frame, digest_json
from bench.core.errors import DataError, UsageError
from bench.core.registry import unknown_name
from scenarios.pairs import Provenance, build_pairs
from scenarios.people import Person
from scenarios.probes import KINDS, build_probes
from scenarios.schema import NAME_SCENARIO, load_scenarios, load_visible
from scenarios.tables import PAIRS, PEOPLE, PROBES, make_frame, read_table, write_table

ROLES = ("evaluation", "stranger")
_SHIPPED = Path(__file__).parent / "data"
_TABLES = {"people": PEOPLE, "pairs": PAIRS, "probes": PROBES}


@dataclass(frozen=True)
class Dataset:
    """Three frames with the columns of ``scenarios.tables``; ``digest`` covers their content, images included."""

    name: str
    digest: str
    people: pd.DataFrame
    pairs: pd.DataFrame
    probes: pd.DataFrame

    def persons(self, role: str | None = None) -> list[Person]:
        """The people of one role, or all, in the table's order."""
        return [
            Person(row["person_id"], row["name"], json.loads(row["facts"]), row["role"])
            for row in self.people.to_dict("records")
            if role in (None, row["role"])
        ]

    def first_people(self, count: int) -> "Dataset":
        """The part of the dataset that concerns the first ``count`` people and the first ``count`` strangers.

        Raises ``UsageError`` for a count below 1; a count above what there is keeps everything.
        """
        if count < 1:
            raise UsageError(f"At least 1 person is needed, not {count}.")
        kept = {person.person_id for role in ROLES for person in self.persons(role)[:count]}
        people, pairs, probes = (
            frame[frame["person_id"].isin(kept)].reset_index(drop=True)
            for frame in (self.people, self.pairs, self.probes)
        )
        return make_dataset(self.name, people, pairs, probes)


def make_dataset(name: str, people: pd.DataFrame, pairs: pd.DataFrame, probes: pd.DataFrame) -> Dataset:
    """A dataset of three frames as they are, with its digest; rows are not checked."""
    digests = {"people": digest_frame(people), "pairs": digest_frame(pairs), "probes": digest_frame(probes)}
    return Dataset(name, digest_json(digests), people, pairs, probes)


def people_frame(people: Sequence[Person]) -> pd.DataFrame:
    """The people table: person_id, name, facts (JSON: scenario -> answer), role."""
    rows = [
        {
            "person_id": person.person_id,
            "name": person.name,
            "facts": json.dumps(person.facts, sort_keys=True, ensure_ascii=False),
            "role": person.role,
        }
        for person in people
    ]
    return make_frame(rows, PEOPLE)


def build_dataset(
    name: str, people: Sequence[Person], photos: pd.DataFrame, provenance: Provenance, member_photos: int = 3
) -> Dataset:
    """A dataset from people and their photo table (columns: ``scenarios.pairs.PHOTO_COLUMNS``).

    Raises ``DataError`` naming the column, photo or row that does not fit.
    """
    frames = {
        "people": people_frame(people),
        "pairs": build_pairs(people, photos, provenance),
        "probes": build_probes(people, photos, member_photos),
    }
    _check_rows(frames, {table: f"{name}, {table}" for table in frames})
    return make_dataset(name, **frames)


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write people.parquet, pairs.parquet and probes.parquet into ``folder``, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, schema in _TABLES.items():
        write_table(getattr(dataset, table), folder / f"{table}.parquet", schema)


def load_dataset(name_or_folder: str) -> Dataset:
    """A shipped dataset by name (``veilbench-mini``), or the one in a folder that ``save_dataset`` wrote.

    Raises ``UsageError`` for an unknown name and ``DataError`` naming file, column and row of what does not fit.
    """
    folder = _find_folder(name_or_folder)
    paths = {table: folder / f"{table}.parquet" for table in _TABLES}
    frames = {table: read_table(paths[table], schema) for table, schema in _TABLES.items()}
    _check_rows(frames, {table: str(path) for table, path in paths.items()})
    return make_dataset(folder.resolve().name, **frames)


def check_images(dataset: Dataset) -> None:
    """Decode every photo in full. Raises ``DataError`` naming the first pair or probe whose photo cannot be decoded."""
    decoded: set[bytes] = set()
    for frame, identifier in ((dataset.pairs, "pair_id"), (dataset.probes, "probe_id")):
        for name, image in zip(frame[identifier], frame["image"], strict=True):
            if image in decoded:
                continue
            try:
                with Image.open(io.BytesIO(image)) as picture:
                    picture.load()
            # A damaged file makes PIL raise nearly anything, SyntaxError and struct.error included.
            except Exception as error:
                raise DataError(f"{identifier} '{name}': the photo cannot be decoded: {error}") from error
            decoded.add(image)


def _find_folder(name_or_folder: str) -> Path:
    shipped = sorted(path.name for path in _SHIPPED.glob("*") if (path / "people.parquet").is_file())
    if name_or_folder in shipped:
        return _SHIPPED / name_or_folder
    folder = Path(name_or_folder)
    if not folder.is_dir():
        unknown = unknown_name("dataset", name_or_folder, shipped)
        raise UsageError(f"{unknown}, or a folder with people.parquet, pairs.parquet and probes.parquet.")
    return folder


def _check_rows(frames: dict[str, pd.DataFrame], sources: dict[str, str]) -> None:
    identifiers = {"people": "person_id", "pairs": "pair_id", "probes": "probe_id"}
    people = set(frames["people"]["person_id"])
    for table, identifier in identifiers.items():
        frame, source = frames[table], sources[table]
        if frame.empty:
            raise DataError(f"{source}: there is no row.")
        repeated = frame[identifier][frame[identifier].duplicated()]
        if len(repeated):
            raise DataError(f"{source}: {identifier} '{repeated.iloc[0]}' stands there twice.")
        check = {"people": _person_problem, "pairs": _pair_problem, "probes": _probe_problem}[table]
        for row in frame.to_dict("records"):
            problem = check(row)
            if problem is None and row["person_id"] not in people:
                problem = f"person_id '{row['person_id']}' is not in the people table"
            if problem is not None:
                raise DataError(f"{source}: {identifier} '{row[identifier]}': {problem}.")


def _person_problem(row: dict[Any, Any]) -> str | None:
    if row["role"] not in ROLES:
        return f"role '{row['role']}' is not one of {', '.join(ROLES)}"
    if not row["name"].strip():
        return "name is empty"
    try:
        facts = json.loads(row["facts"])
    except json.JSONDecodeError as error:
        return f"facts is not JSON ({error})"
    if not isinstance(facts, dict) or not all(isinstance(answer, str) for answer in facts.values()):
        return "facts must be a JSON object of scenario and answer"
    unknown = sorted(set(facts) - set(load_scenarios()))
    return f"facts has the unknown scenario '{unknown[0]}'" if unknown else None


def _pair_problem(row: dict[Any, Any]) -> str | None:
    scenarios = load_scenarios()
    if row["scenario"] not in scenarios:
        return f"scenario '{row['scenario']}' is not one of {', '.join(scenarios)}"
    box = row["face_box"]
    if box is None:
        return None
    if len(box) != 4 or None in box or not (0 <= box[0] < box[2] and 0 <= box[1] < box[3]):
        return f"face_box {box} must be x0, y0, x1, y1 in pixels with x0 < x1 and y0 < y1, or missing"
    return None


def _probe_problem(row: dict[Any, Any]) -> str | None:
    if row["kind"] not in KINDS:
        return f"kind '{row['kind']}' is not one of {', '.join(KINDS)}"
    allowed = tuple(load_visible()) if row["kind"] == "utility" else (*load_scenarios(), NAME_SCENARIO)
    if row["scenario"] not in allowed:
        return f"scenario '{row['scenario']}' of kind {row['kind']} is not one of {', '.join(allowed)}"
    for column in ("question", "answer"):
        if not row[column].strip():
            return f"{column} is empty"
    if row["options"] and row["answer"] not in row["options"]:
        return f"answer '{row['answer']}' is not one of its options {', '.join(row['options'])}"
    return None
