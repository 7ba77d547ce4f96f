"""A dataset: people, their pairs, and the probes; built, saved, loaded and checked."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.core.digests import digest_json
from bench.core.errors import DataError, UsageError
from bench.core.registry import unknown_name
from scenarios.cohorts import cohort_names, cohort_problem, first_of_each, in_cohorts
from scenarios.pairs import build_pairs
from scenarios.people import APPEARANCE, Person
from scenarios.photos import face_box_problem, first_problem, repeated, shows_problem, source_problem
from scenarios.pixels import decode_pixels, photo_problem
from scenarios.probes import KINDS, build_probes
from scenarios.schema import NAME_SCENARIO, load_scenarios, load_visible
from scenarios.spelling import repeated_spelling
from scenarios.tables import PAIRS, PEOPLE, PROBES, make_frame, read_table, table_digest, write_table

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
            Person(
                person_id=row["person_id"],
                name=row["name"],
                facts=json.loads(row["facts"]),
                role=row["role"],
                appearance=json.loads(row["appearance"]),
                cohort=row["cohort"],
            )
            for row in self.people.to_dict("records")
            if role in (None, row["role"])
        ]

    @property
    def cohorts(self) -> tuple[str, ...]:
        """Names of the cohorts, sorted; only the empty one where all people are trained together."""
        return cohort_names(self.persons("evaluation"))

    def of_cohorts(self, names: Sequence[str]) -> "Dataset":
        """The part that concerns these cohorts: their people, their own strangers, and strangers to all cohorts.

        It is the dataset itself where that is everybody. Raises ``UsageError`` for an unknown name, telling near ones.
        """
        known = [name for name in self.cohorts if name]
        for name in names:
            if name not in self.cohorts:
                raise unknown_name("cohort", name, known)
        return self._part([person for person in self.persons() if in_cohorts(person, names)])

    def of_cohort(self, name: str) -> "Dataset":
        """The part that concerns one cohort. Raises as ``of_cohorts``."""
        return self.of_cohorts((name,))

    def first_people(self, count: int) -> "Dataset":
        """The part that concerns the first ``count`` people and the first ``count`` strangers of each cohort.

        Raises ``UsageError`` for a count below 1; a count above what there is keeps everything.
        """
        if count < 1:
            raise UsageError(f"At least 1 person is needed, not {count}.")
        return self._part(first_of_each(self.persons(), count))

    def _part(self, people_kept: Sequence[Person]) -> "Dataset":
        if len(people_kept) == len(self.people):
            return self
        kept = {person.person_id for person in people_kept}
        people, pairs, probes = (
            frame[frame["person_id"].isin(kept)].reset_index(drop=True)
            for frame in (self.people, self.pairs, self.probes)
        )
        return make_dataset(self.name, people, pairs, probes)


def make_dataset(name: str, people: pd.DataFrame, pairs: pd.DataFrame, probes: pd.DataFrame) -> Dataset:
    """A dataset of three frames as they are, with its digest; rows are not checked."""
    digests = {"people": table_digest(people), "pairs": table_digest(pairs), "probes": table_digest(probes)}
    return Dataset(name, digest_json(digests), people, pairs, probes)


def people_frame(people: Sequence[Person]) -> pd.DataFrame:
    """The people table: person_id, name, facts (JSON: scenario -> answer), role, appearance (JSON), cohort."""
    rows = [
        {
            "person_id": person.person_id,
            "name": person.name,
            "facts": _json_of(person.facts),
            "role": person.role,
            "appearance": _json_of(person.appearance),
            "cohort": person.cohort,
        }
        for person in people
    ]
    return make_frame(rows, PEOPLE)


def _json_of(texts: Mapping[str, str]) -> str:
    return json.dumps(dict(texts), sort_keys=True, ensure_ascii=False)


def build_dataset(name: str, people: Sequence[Person], photos: pd.DataFrame, member_photos: int = 3) -> Dataset:
    """A dataset from people and their photo table (columns: ``scenarios.photos.PHOTO_COLUMNS``).

    Raises ``DataError`` naming the column, photo or row that does not fit.
    """
    frames = {
        "people": people_frame(people),
        "pairs": build_pairs(people, photos),
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
    folder = dataset_folder(name_or_folder)
    frames = read_tables(folder)
    _check_rows(frames, {table: str(folder / f"{table}.parquet") for table in _TABLES})
    return make_dataset(folder.resolve().name, **frames)


def read_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """The three tables in a folder by name, rows unchecked. Raises ``DataError`` naming file, column and row."""
    return {table: read_table(folder / f"{table}.parquet", schema) for table, schema in _TABLES.items()}


def check_images(dataset: Dataset) -> None:
    """Decode every photo in full.

    Raises ``DataError`` naming the first pair or probe whose photo cannot be decoded or that nobody could look at.
    """
    decoded: set[bytes] = set()
    for frame, identifier in ((dataset.pairs, "pair_id"), (dataset.probes, "probe_id")):
        for name, image in zip(frame[identifier], frame["image"], strict=True):
            if image in decoded:
                continue
            problem = photo_problem(decode_pixels(name, image))
            if problem:
                raise DataError(f"{identifier} '{name}': the photo {problem}.")
            decoded.add(image)


def shipped_datasets() -> list[str]:
    """Names of the datasets that come with the project."""
    return sorted(path.name for path in _SHIPPED.glob("*") if (path / "people.parquet").is_file())


def dataset_folder(name_or_folder: str) -> Path:
    """The folder of a shipped dataset, or the folder itself. Raises ``UsageError`` where there is neither."""
    shipped = shipped_datasets()
    if name_or_folder in shipped:
        return _SHIPPED / name_or_folder
    folder = Path(name_or_folder)
    if not folder.is_dir():
        unknown = unknown_name("dataset", name_or_folder, shipped)
        raise UsageError(f"{unknown}, or a folder with people.parquet, pairs.parquet and probes.parquet.")
    if not any((folder / f"{table}.parquet").exists() for table in _TABLES):
        raise UsageError(
            f"{folder} is a folder without people.parquet, pairs.parquet and probes.parquet, so it is no dataset;"
            f" `veilbench data build {folder}` makes one of a folder of photos."
        )
    return folder


def _check_rows(frames: dict[str, pd.DataFrame], sources: dict[str, str]) -> None:
    for table, row, problem in row_problems(frames):
        raise DataError(f"{sources[table]}: {row}{problem}.")


def row_problems(frames: dict[str, pd.DataFrame]) -> Iterator[tuple[str, str, str]]:
    """(table, which row, what is wrong) of every row that does not fit, in the order of the tables."""
    roles = dict(zip(frames["people"]["person_id"], frames["people"]["role"], strict=True))
    cohorts = set(frames["people"].loc[frames["people"]["role"] == "evaluation", "cohort"])
    for table, (identifier, find_problem) in _ROW_CHECKS.items():
        frame = frames[table]
        if frame.empty:
            yield table, "", "there is no row"
        yield from ((table, "", problem) for problem in repeated(frame[identifier]))
        for row in frame.to_dict("records"):
            problem = find_problem(row)
            if problem is None and table == "people":
                misplaced = cohort_problem(row["role"], row["cohort"], cohorts)
                problem = misplaced and f"cohort {misplaced}"
            if problem is None and row["person_id"] not in roles:
                problem = f"person_id '{row['person_id']}' is not in the people table"
            if problem is None and table == "pairs" and roles[row["person_id"]] == "stranger":
                problem = f"person_id '{row['person_id']}' is a stranger, on whom nothing may be trained"
            if problem is not None:
                yield table, f"{identifier} '{row[identifier]}': ", problem


def _person_problem(row: dict[Any, Any]) -> str | None:
    if row["role"] not in ROLES:
        return f"role '{row['role']}' is not one of {', '.join(ROLES)}"
    if not row["name"].strip():
        return "name is empty"
    return first_problem(
        _texts_problem(row, column, keys, what)
        for column, keys, what in (
            ("facts", tuple(load_scenarios()), "scenario"),
            ("appearance", APPEARANCE, "key"),
        )
    )


def _texts_problem(row: dict[Any, Any], column: str, keys: Sequence[str], what: str) -> str | None:
    """What is wrong with a cell that must be a JSON object of some of ``keys`` and texts, or None."""
    try:
        texts = json.loads(row[column])
    except json.JSONDecodeError as error:
        return f"{column} is not JSON ({error})"
    if not isinstance(texts, dict) or not all(isinstance(text, str) and text.strip() for text in texts.values()):
        return f"{column} must be a JSON object of {what} and text, with some of {', '.join(keys)}, or {{}}"
    unknown = sorted(set(texts) - set(keys))
    return f"{column} has the unknown {what} '{unknown[0]}'; known are {', '.join(keys)}" if unknown else None


def _pair_problem(row: dict[Any, Any]) -> str | None:
    scenarios = load_scenarios()
    if row["scenario"] not in scenarios:
        return f"scenario '{row['scenario']}' is not one of {', '.join(scenarios)}"
    return first_problem(
        (source_problem(row["source"]), face_box_problem(row["face_box"]), shows_problem(row["shows"]))
    )


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
    twice = repeated_spelling(row["options"])
    if twice is not None:
        return f"options '{twice[0]}' and '{twice[1]}' are one answer in two spellings"
    return first_problem((source_problem(row["source"]), shows_problem(row["shows"])))


_ROW_CHECKS: dict[str, tuple[str, Callable[[dict[Any, Any]], str | None]]] = {
    "people": ("person_id", _person_problem),
    "pairs": ("pair_id", _pair_problem),
    "probes": ("probe_id", _probe_problem),
}
