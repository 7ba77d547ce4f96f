"""Vision features of photos, and a folder that keeps them: what is frozen is computed once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.digests import digest_json
from bench.core.files import write_whole

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class PhotoFeatures:
    """Features of one photo, or of several views of it.

    ``values`` (views, tokens, width), before the projector · ``grid`` rows and columns of patches of each view.
    """

    values: "torch.Tensor"
    grid: tuple[int, int]

    def on_cpu(self) -> "PhotoFeatures":
        """The same, out of an accelerator's memory: a few thousand photos would fill it."""
        return PhotoFeatures(self.values.cpu(), self.grid)

    def view(self, index: int) -> "PhotoFeatures":
        """One view alone."""
        return PhotoFeatures(self.values[index : index + 1], self.grid)


class FeatureCache:
    """One file a photo under ``folder``/<tower digest>. Without a folder nothing is kept.

    A file that cannot be read, or be written because the disk is full, costs the time to compute the features, no
    more.
    """

    def __init__(self, folder: Path | None, tower: str) -> None:
        self._folder = folder / tower if folder is not None else None

    def get(self, key: object, compute: Callable[[], PhotoFeatures]) -> PhotoFeatures:
        """The features under ``key`` (JSON values), computed where they are not there yet."""
        if self._folder is None:
            return compute()
        path = self._folder / f"{digest_json(key)}.safetensors"
        found = _read(path)
        if found is None:
            found = compute()
            _write(path, found)
        return found


def _read(path: Path) -> PhotoFeatures | None:
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            rows, columns = (int(side) for side in file.metadata()["grid"].split("x"))
            values: torch.Tensor = file.get_tensor("values")
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        return None
    return PhotoFeatures(values, (rows, columns))


def _write(path: Path, features: PhotoFeatures) -> None:
    from safetensors.torch import save

    rows, columns = features.grid
    content = save({"values": features.values.contiguous().cpu()}, metadata={"grid": f"{rows}x{columns}"})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError:
        return
