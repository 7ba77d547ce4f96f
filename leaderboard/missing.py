"""Runs of a suite that have no result, so that nobody reads the others as if these had never been asked for."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bench.core.errors import DataError
from leaderboard.schema import BASE, UNDEFENDED, Role

MISSING_FILE = "missing.json"
"""Stands beside the records, so that a page built from them later tells of these runs, too."""


@dataclass(frozen=True)
class MissingRun:
    """A run without a record, and why. ``label`` is the defense's name in the suite, ``target`` the checkpoint's.

    ``cohort`` is empty where all people of the dataset were to be trained together.
    """

    label: str
    attack: str
    target: str
    ratio: float
    seed: int
    reason: str
    cohort: str = ""

    @property
    def role(self) -> Role:
        """What it would be to its suite."""
        if self.attack == BASE:
            return "base"
        return "undefended" if self.label == UNDEFENDED else "defense"

    @property
    def sentence(self) -> str:
        """What a refused number says."""
        where = f" on cohort {self.cohort}" if self.cohort else ""
        return f"the run of training seed {self.seed}{where} is missing: {self.reason}"

    def concerns(self, target: str, ratio: float) -> bool:
        """Whether it would stand among the runs of that target and protection ratio; controls serve every ratio."""
        return self.target == target and (self.role != "defense" or self.ratio == ratio)


def missing_file(missing: Sequence[MissingRun]) -> bytes:
    """The content of ``MISSING_FILE``."""
    return (json.dumps([asdict(one) for one in missing], indent=1, ensure_ascii=False) + "\n").encode()


def read_missing(folder: Path) -> tuple[MissingRun, ...]:
    """The runs that a folder of records names as missing, if it names any. Raises DataError for a broken file."""
    path = folder / MISSING_FILE
    if not path.is_file():
        return ()
    try:
        return TypeAdapter(tuple[MissingRun, ...]).validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "file"
        raise DataError(f"{path}: field {field}: {first['msg']}.") from error
