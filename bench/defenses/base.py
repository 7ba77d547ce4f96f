"""The contract of a defense: an author writes ``perturb``, the final ``protect`` holds the budget."""

import hashlib
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, final

import numpy as np
import numpy.typing as npt

from bench.core.errors import DataError, UsageError, VeilBenchError
from bench.core.progress import ReportProgress, quiet
from bench.defenses.mistakes import likely_mistake
from bench.defenses.needs import OF_OWNER, OF_PHOTOS, owner_lacks, photos_lack, unknown_needs
from bench.defenses.photo import Photo, ProtectedPhoto, encode_png
from scenarios.pixels import Pixels, content_problem, decode_pixels

if TYPE_CHECKING:
    import torch

__all__ = ["Budget", "Defense", "DefenseContext", "DefenseError", "Photo", "ProtectedPhoto", "Surrogate"]


class DefenseError(VeilBenchError):
    """A defense broke its contract; the message names the defense and the photo."""


@dataclass(frozen=True)
class Budget:
    """How far a protected photo may be from the original: ``eps`` in 8-bit grey levels, per pixel and channel."""

    norm: str = "linf"
    eps: float = 8.0

    def __post_init__(self) -> None:
        """Refuse a budget that means nothing with ``UsageError``."""
        if self.norm != "linf":
            raise UsageError(f"budget: unknown norm '{self.norm}': allowed is 'linf'.")
        if not (math.isfinite(self.eps) and 0 <= self.eps <= 255):
            raise UsageError(f"budget: eps must be between 0 and 255 grey levels, got {self.eps}.")

    @property
    def whole_levels(self) -> int:
        """The largest change that an 8-bit file can hold within the budget."""
        return math.floor(self.eps)


class Surrogate(Protocol):
    """An encoder that a defense optimises against; every ``Target`` is one."""

    def encode(self, images: "torch.Tensor") -> "torch.Tensor":
        """Map images (photos, 3, height, width) in [0, 1] to features (photos, tokens, width), differentiably.

        Features of one photo may not depend on the other photos in the batch.
        """


@dataclass(frozen=True)
class DefenseContext:
    """What a defense may use beside the photos. ``device`` is where tensors are made; surrogates must be there too."""

    budget: Budget = field(default_factory=Budget)
    seed: int = 0
    surrogates: Sequence[Surrogate] = ()
    device: str = "cpu"
    report: ReportProgress = field(default_factory=quiet)

    def generator(self, photo_id: str) -> "torch.Generator":
        """Return the photo's own random state: a CPU generator that depends on the seed and the photo's id alone.

        Every call starts the same sequence anew: draw all of a photo's random numbers from one generator.
        """
        import torch

        digest = hashlib.sha256(f"{self.seed}\0{photo_id}".encode()).digest()
        return torch.Generator(device="cpu").manual_seed(int.from_bytes(digest[:8], "big") >> 1)


class Defense(ABC):
    """A way to change photos before they are shared.

    A subclass takes keyword options only, keeps each in an attribute of the same name, and writes ``perturb``.
    ``visible`` marks an edit that anyone sees, such as a blurred face: it is shown as such and not held to the
    budget. ``needs`` names what it cannot do without (``bench.defenses.needs``): a suite that lacks it is refused
    before anything is computed. ``name`` is the name under which it was built from the registry.
    """

    name: str = ""
    visible: ClassVar[bool] = False
    needs: ClassVar[Collection[str]] = ()

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Refuse a subclass that overrides ``protect``, or that needs something unknown, with ``TypeError``."""
        super().__init_subclass__(**keywords)
        if "protect" in cls.__dict__:
            raise TypeError(f"{cls.__name__} may not override protect: write perturb, the budget is held around it.")
        unknown = unknown_needs(cls.needs)
        if unknown or isinstance(cls.needs, str):
            known = ", ".join((*OF_PHOTOS, *OF_OWNER))
            raise TypeError(f"{cls.__name__}: needs = {cls.needs!r} must be a set of some of: {known}.")

    def options(self) -> dict[str, Any]:
        """Every constructor option with its value, so that ``type(self)(**self.options())`` repeats the defense."""
        parameters = [name for name in inspect.signature(type(self).__init__).parameters if name != "self"]
        return {} if type(self).__init__ is object.__init__ else {name: getattr(self, name) for name in parameters}

    @abstractmethod
    def perturb(self, photos: Sequence[Photo], context: DefenseContext) -> Sequence[npt.NDArray[np.float32]]:
        """Return for each photo, in the given order, an array of its shape in grey levels 0 to 255.

        Photos come sorted by id. Values need not be whole nor within the budget: ``protect`` sees to both.
        """

    @final
    def protect(self, photos: Sequence[Photo], context: DefenseContext) -> list[ProtectedPhoto]:
        """Perturb, project onto the budget, round, save as PNG, reload, verify; in the order of ``photos``.

        Raises ``DataError`` for two photos of one id and for one that lacks what is needed, ``UsageError`` where the
        owner does not give what is needed, and ``DefenseError`` naming the photo where ``perturb`` returns a wrong
        shape, a value that is not finite, what is no picture in grey levels (``bench.defenses.mistakes``), or, unless
        it is visible, a picture that shows nothing any more.
        """
        # Sorted, so that the order in which photos are given changes no byte even for methods that look at all.
        ordered = sorted(photos, key=lambda photo: photo.photo_id)
        for first, second in pairwise(ordered):
            if first.photo_id == second.photo_id:
                raise DataError(f"photo '{first.photo_id}' is given twice.")
        lacking = owner_lacks(self.needs, context)
        if lacking:
            raise UsageError(f"{self._label()} {lacking}.")
        names = [photo.photo_id for photo in ordered]
        lacking = photos_lack(self.needs, names, lambda need: [getattr(photo, need) for photo in ordered])
        if lacking:
            raise DataError(f"{self._label()} {lacking}.")
        if not ordered:
            return []
        perturbed = self.perturb(tuple(ordered), context)
        if len(perturbed) != len(ordered):
            raise DefenseError(f"{self._label()} returned {len(perturbed)} pictures for {len(ordered)} photos.")
        finished = {
            photo.photo_id: self._finish(photo, values, context.budget)
            for photo, values in zip(ordered, perturbed, strict=True)
        }
        return [finished[photo.photo_id] for photo in photos]

    def _finish(self, photo: Photo, values: Any, budget: Budget) -> ProtectedPhoto:
        """One photo through projection, rounding, the PNG file and back."""
        wanted = np.rint(self._checked(photo, values))
        original = photo.pixels.astype(np.float64)
        held = np.clip(wanted, original - budget.whole_levels, original + budget.whole_levels)
        levels = wanted if self.visible else held
        change = np.abs(wanted - original).sum()
        pixels: Pixels = np.clip(levels, 0, 255).astype(np.uint8)
        image = encode_png(pixels)
        reloaded = decode_pixels(photo.photo_id, image)
        largest_change = int(np.abs(reloaded.astype(np.int16) - photo.pixels.astype(np.int16)).max())
        if not self.visible and largest_change > budget.eps:
            raise DefenseError(
                f"{self._label()} changed photo '{photo.photo_id}' by {largest_change} grey levels, "
                f"the budget allows {budget.eps:g}."
            )
        shows_nothing = content_problem(reloaded)
        if shows_nothing and not self.visible and not content_problem(photo.pixels):
            raise DefenseError(f"{self._label()} returned a picture for photo '{photo.photo_id}' that {shows_nothing}.")
        cut_off = float(np.abs(wanted - levels).sum() / change) if change else 0.0
        return ProtectedPhoto(photo.photo_id, image, reloaded, largest_change, cut_off)

    def _checked(self, photo: Photo, values: Any) -> npt.NDArray[np.float64]:
        """The author's array as float64, refused with the photo's name where it is no picture of that photo."""
        array = np.asarray(values)
        if array.dtype.kind not in "fiu" or array.shape != photo.pixels.shape:
            raise DefenseError(
                f"{self._label()} returned {array.dtype} of shape {array.shape} for photo '{photo.photo_id}' "
                f"of shape {photo.pixels.shape}; numbers of that shape are expected."
            )
        levels = array.astype(np.float64)
        if not np.isfinite(levels).all():
            raise DefenseError(f"{self._label()} returned values that are not finite for photo '{photo.photo_id}'.")
        mistake = likely_mistake(photo.pixels, levels)
        if mistake:
            raise DefenseError(f"{self._label()} returned {mistake} for photo '{photo.photo_id}'.")
        return levels

    def _label(self) -> str:
        return f"defense '{self.name or type(self).__name__}'"
