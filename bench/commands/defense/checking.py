"""A quick look at whether a defense keeps its contract, for its author; the contract tests look closer."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.core.digests import digest_json
from bench.core.errors import VeilBenchError
from bench.defenses.base import Budget, Defense, DefenseContext, Photo, ProtectedPhoto
from bench.defenses.mistakes import LARGEST_CUT
from bench.defenses.registry import build_defense

if TYPE_CHECKING:
    import torch

BUDGET = Budget(eps=8)
SIZES = ((48, 48), (48, 64))
"""Height and width of the generated pictures: a defense must not rely on one size."""


@dataclass(frozen=True)
class Check:
    """One rule, whether it is kept, and what was seen."""

    rule: str
    passed: bool
    seen: str


def check_defense(name: str) -> Iterator[Check]:
    """Try the defense on two generated pictures, one check a rule. Raises UsageError for an unknown name."""
    build_defense(name)
    rules = {
        "options": _options,
        "budget": _budget,
        "scale": _scale,
        "determinism": _determinism,
        "order": _order,
        "random state": _random_state,
    }
    for rule, look in rules.items():
        yield _checked(rule, look, name)


def _checked(rule: str, look: Callable[[str], str], name: str) -> Check:
    try:
        return Check(rule, True, look(name))
    except VeilBenchError as error:
        return Check(rule, False, str(error))
    except Exception as error:  # whatever an author's code raises is a finding, not a reason to stop
        return Check(rule, False, f"{type(error).__name__}: {' '.join(str(error).split())}")


def _options(name: str) -> str:
    """Options survive JSON and rebuild the defense."""
    options = build_defense(name).options()
    if build_defense(name, json.loads(json.dumps(options))).options() != options:
        raise VeilBenchError("an option changes on its way through JSON: use numbers, texts, truth values and lists.")
    return f"{len(options)} options survive JSON" if options else "it has none"


def _budget(name: str) -> str:
    """The saved file holds the budget; the harness itself raises where it does not."""
    defense = build_defense(name)
    largest = max(one.largest_change for one in _protect(defense, _pictures()))
    if defense.visible:
        return f"a visible edit, held to no budget; largest change {largest} grey levels"
    return f"largest change {largest} of {BUDGET.eps:g} grey levels"


def _scale(name: str) -> str:
    """Most of the change is left: clipping would make any picture, a black one included, look like a defense."""
    cut_off = max(one.cut_off for one in _protect(build_defense(name), _pictures()))
    if cut_off > LARGEST_CUT:
        raise VeilBenchError(
            f"the budget cut off {cut_off:.0%} of the change: return grey levels 0 to 255 near the photo's, in the"
            " order red, green, blue, and not 8-bit numbers that have run over."
        )
    return f"the budget cut off {cut_off:.0%} of the change"


def _determinism(name: str) -> str:
    """Equal seeds give equal files, whatever the global random state is."""
    _seed_everything(1)
    first = _images(build_defense(name), _pictures())
    _seed_everything(2)
    if _images(build_defense(name), _pictures()) != first:
        raise VeilBenchError("two runs differ: take random numbers from context.generator(photo_id) only.")
    return "two runs give equal files"


def _order(name: str) -> str:
    """The order in which photos are given changes nothing."""
    if _images(build_defense(name), _pictures()[::-1]) != _images(build_defense(name), _pictures()):
        raise VeilBenchError("the order of the photos changes the result: draw each photo's numbers for itself.")
    return "any order gives equal files"


def _random_state(name: str) -> str:
    """Other people's random numbers stay what they were."""
    before = _global_state()
    _protect(build_defense(name), _pictures())
    if _global_state() != before:
        raise VeilBenchError("it draws from a global random state: use context.generator(photo_id).")
    return "global random states are left alone"


def _protect(defense: Defense, pictures: list[Photo]) -> list[ProtectedPhoto]:
    return defense.protect(pictures, DefenseContext(BUDGET, seed=4, surrogates=(_RandomEncoder(),)))


def _images(defense: Defense, pictures: list[Photo]) -> dict[str, bytes]:
    return {one.photo_id: one.image for one in _protect(defense, pictures)}


def _pictures() -> list[Photo]:
    """Random pictures with a face box; one holds only black and white, so that clipping matters."""
    draw = np.random.default_rng(0)
    levels = [draw.integers(0, 256, (*SIZES[0], 3)), draw.integers(0, 2, (*SIZES[1], 3)) * 255]
    return [Photo(f"picture-{place}", one.astype(np.uint8), (12, 8, 36, 40)) for place, one in enumerate(levels)]


def _seed_everything(seed: int) -> None:
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _global_state() -> str:
    import torch

    numpy_state = [np.asarray(part).tolist() for part in np.random.get_state(legacy=True)]
    return digest_json([repr(random.getstate()), numpy_state, torch.random.get_rng_state().tolist()])


class _RandomEncoder:
    """A surrogate that needs no checkpoint: a fixed random convolution, 16 tokens of width 24 for any size."""

    def encode(self, images: "torch.Tensor") -> "torch.Tensor":
        import torch

        weights = torch.randn(24, 3, 5, 5, generator=torch.Generator().manual_seed(3)) / 9
        hidden = torch.tanh(8 * torch.nn.functional.conv2d(images - 0.5, weights.to(images), stride=2))
        return torch.nn.functional.adaptive_avg_pool2d(hidden, 4).flatten(2).transpose(1, 2)
