"""What was checked once needs no second check: verdicts, as empty files that are named by what was checked."""

from functools import cache
from pathlib import Path

from bench.core.digests import digest_code, digest_json
from bench.core.store import ArtifactStore
from leaderboard.evidence.scorer import scorer_digest
from leaderboard.evidence.tables import named_files
from leaderboard.schema import Record


def verdicts_folder(store: ArtifactStore) -> Path:
    """Where a store keeps verdicts; like all that it keeps, they may vanish and are found again."""
    return store.kept / "verdicts"


def verdict_name(record: Record, record_digest: str) -> str:
    """The name of the verdict on a record: it covers every byte that was looked at, and the code that looked."""
    named = {field: file.digest for field, file in named_files(record).items()}
    looked = {"scorer": scorer_digest(record.evaluators), "checks": _checks_digest()}
    return digest_json({"record": record_digest, **named, **looked})


@cache
def _checks_digest() -> str:
    return digest_code(["leaderboard.evidence"])


class Verdicts:
    """Verdicts in a folder. One that cannot be read or written costs a second check and nothing else."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def has(self, name: str) -> bool:
        """Whether that record was found to say what its tables say."""
        try:
            return self._folder is not None and (self._folder / name).is_file()
        except OSError:
            return False

    def keep(self, name: str) -> None:
        """Remember that it was."""
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / name).touch()
        except OSError:
            pass
