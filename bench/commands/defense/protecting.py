"""``veilbench.protect``: photos through a defense, for notebooks and scripts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.core.device import detect_device
from bench.core.errors import DataError
from bench.core.progress import ReportProgress, quiet
from bench.defenses.base import Budget, DefenseContext
from bench.defenses.photo import Photo, ProtectedPhoto, decode_photo
from bench.defenses.registry import build_defense
from bench.targets.base import TargetSpec
from bench.targets.checkpoints import family_of
from bench.targets.registry import build_target


def protect(
    defense: str,
    photos: Sequence[Photo | str | Path],
    *,
    options: Mapping[str, Any] | None = None,
    eps: float = 8.0,
    surrogates: Sequence[str] = ("tiny-llava",),
    seed: int = 0,
    report: ReportProgress | None = None,
) -> list[ProtectedPhoto]:
    """Protect photos with a registered defense, in their order; each result holds PNG bytes and the pixels in them.

    ``photos`` are ``Photo`` objects or image files, ``eps`` the budget in 8-bit grey levels, ``surrogates`` the
    checkpoints that a defense optimises against where it does so at all. Raises UsageError for an unknown defense,
    option or checkpoint, and DataError naming the file that cannot be read.
    """
    built = build_defense(defense, options)
    specs = [TargetSpec(name, family_of(name)) for name in surrogates] if "surrogates" in built.needs else []
    context = DefenseContext(
        budget=Budget(eps=eps),
        seed=seed,
        surrogates=[build_target(spec) for spec in specs],
        device=detect_device(),
        report=report or quiet(),
    )
    return built.protect([_opened(photo) for photo in photos], context)


def _opened(photo: Photo | str | Path) -> Photo:
    if isinstance(photo, Photo):
        return photo
    try:
        return decode_photo(str(photo), Path(photo).read_bytes())
    except OSError as error:
        raise DataError(f"{photo}: {error.strerror or error}") from error
