"""Where a fine-tuning run stands, on disk, so that a killed one goes on."""

import contextlib
import hashlib
import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core.digests import digest_bytes, digest_code, digest_json
from bench.core.files import write_whole
from bench.targets.base import Recipe, TrainingExample

if TYPE_CHECKING:
    from bench.targets.packed.model import PackedModel

DIGEST_BYTES = 32
TIMES_LONGER = 10
"""Training goes on for so many times what the last save took, before the next."""


class TrainingState:
    """The state of one run in a file whose name is a digest of all the run's arguments.

    So no run ever goes on from another one's state. A file that is damaged, or cannot be written because the disk is
    full, costs the time since the last sound one, no more. Without a file nothing is kept.
    """

    def __init__(self, file: Path | None, tuned: Any, optimiser: Any, seconds: float) -> None:
        """A save every ``seconds`` at most, less often where saving takes long; 0 saves behind every step."""
        self._file, self._optimiser, self._seconds = file, optimiser, seconds
        self._weights = {name: p for name, p in tuned.named_parameters() if p.requires_grad}
        self._due = time.monotonic() + seconds

    def restore(self) -> int:
        """Put weights, optimiser and random state back; returns how many steps were done, 0 where nothing is kept."""
        import torch

        state = _read(self._file)
        if state is None or state["weights"].keys() != self._weights.keys():
            return 0
        with torch.no_grad():
            for name, weight in self._weights.items():
                weight.copy_(state["weights"][name])
        self._optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["random"])
        if torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["random_cuda"])
        return int(state["done"])

    def keep(self, done: int) -> None:
        """Write the state behind step ``done`` where the last save is long enough ago."""
        begun = time.monotonic()
        if self._file is not None and begun >= self._due:
            _write(self._file, self._content(done))
            ended = time.monotonic()
            self._due = ended + max(self._seconds, TIMES_LONGER * (ended - begun)) if self._seconds else ended

    def forget(self) -> None:
        """Remove the file: the run is complete."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.unlink()

    def _content(self, done: int) -> bytes:
        import torch

        state = {
            "done": done,
            "weights": {name: weight.detach() for name, weight in self._weights.items()},
            "optimiser": self._optimiser.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        return buffer.getvalue()


def state_file(
    folder: Path | None, model: "PackedModel", examples: Sequence[TrainingExample], recipe: Recipe, seed: int
) -> Path | None:
    """The file in ``folder`` for a run with these arguments, this checkpoint and this code."""
    from bench.targets.checkpoints import checkpoint_digest

    if folder is None:
        return None
    trained = [[one.photo_id, [digest_bytes(image) for image in one.images], one.conversations] for one in examples]
    checkpoint = checkpoint_digest(model.spec.checkpoint)
    run = digest_json([digest_code(["bench.targets"]), checkpoint, model.spec, recipe, seed, trained])
    return folder / f"training-{run[:32]}.state"


def _read(file: Path | None) -> Any:
    """The content of a state file; None where it is missing or damaged."""
    import torch

    try:
        content = file.read_bytes() if file is not None else b""
    except OSError:
        return None
    digest, state = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    if not state or hashlib.sha256(state).digest() != digest:
        return None
    return torch.load(io.BytesIO(state), map_location="cpu", weights_only=True)


def _write(file: Path, state: bytes) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, hashlib.sha256(state).digest() + state)
    except OSError:
        return
