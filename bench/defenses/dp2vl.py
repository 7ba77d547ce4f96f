"""DP²-VL, reimplemented from the abstract of arXiv 2603.23925 and from nothing else.

The abstract says: imperceptible perturbations push the original representations toward an antithetical region,
which shifts the dataset as a whole in the encoders' embedding space, so that fine-tuning overfits and clean query
photos stay apart from protected ones. The loss, the steps, the random views, the centre and every number here are
our documented choices, not the paper's.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from bench.core.errors import UsageError
from bench.defenses.base import Defense, DefenseContext, DefenseError, Surrogate
from bench.defenses.photo import Photo
from bench.defenses.registry import defenses
from bench.defenses.views import NUMBERS_PER_VIEW, ViewRange, Views, apply_views, views_from_uniform

if TYPE_CHECKING:
    import torch


@defenses.register("dp2vl")
class Dp2Vl(Defense):
    """Mirror each photo's features at the dataset's mean (reimplemented from the abstract; the choices are ours).

    Each step lowers the cosine similarity, pooled and token by token, between the centred features of the protected
    photo and those of the clean photo under the same random view, averaged over the surrogates. Signed steps with
    momentum, projected onto the budget each time, from a uniform random start.

    ``steps``; ``step_size`` in grey levels, lowered linearly to its share ``final_step`` so that the last views weigh
    evenly; ``momentum`` in [0, 1); ``transformations`` switches the random views
    (the expectation that makes it hold against an attacker who augments) and ``draws`` is their number a step, each
    costing two forward passes and a backward one; ``scale``, ``shift`` and ``colour`` are the views' ranges (see
    ``ViewRange``); ``centre`` is ``dataset`` (mean of the clean photos that are protected together, per token where
    all have equally many) or ``zero``; ``batch_size`` photos of one size share a pass.

    A photo's random numbers and its place in the mean depend on neither order nor batch size. ``batch_size`` can
    still move the last bit of a device's arithmetic, as with every batched model.
    """

    needs = frozenset({"surrogates"})

    def __init__(
        self,
        *,
        steps: int = 50,
        step_size: float = 1.2,
        final_step: float = 1.0,
        momentum: float = 0.8,
        transformations: bool = True,
        draws: int = 1,
        scale: Sequence[float] = (0.8, 1.05),
        shift: float = 0.09,
        colour: float = 0.15,
        centre: str = "dataset",
        batch_size: int = 16,
    ) -> None:
        _require(steps >= 1 and draws >= 1 and batch_size >= 1, "steps, draws and batch_size must be at least 1")
        _require(step_size > 0, f"step_size must be above 0 grey levels, got {step_size}")
        _require(0 < final_step <= 1, f"final_step must be above 0 and at most 1, got {final_step}")
        _require(0 <= momentum < 1, f"momentum must be at least 0 and below 1, got {momentum}")
        _require(centre in ("dataset", "zero"), f"unknown centre '{centre}': allowed are 'dataset' and 'zero'")
        _require(len(scale) == 2 and 0 < scale[0] <= scale[1] < 2, f"scale must be two rising shares, got {scale}")
        _require(0 <= shift < 0.5 and 0 <= colour < 1, "shift must be in [0, 0.5) and colour in [0, 1)")
        self.steps = steps
        self.step_size = step_size
        self.final_step = final_step
        self.momentum = momentum
        self.transformations = transformations
        self.draws = draws
        self.scale = list(scale)
        self.shift = shift
        self.colour = colour
        self.centre = centre
        self.batch_size = batch_size

    def perturb(self, photos: Sequence[Photo], context: DefenseContext) -> Sequence[npt.NDArray[np.float32]]:
        """Return the shifted photos; ``UsageError`` for a single photo with the dataset's mean as centre."""
        batches = list(self._batches(photos))
        centres = [self._centre(surrogate, photos, batches, context) for surrogate in context.surrogates]
        shifted: dict[str, npt.NDArray[np.float32]] = {}
        for number, batch in enumerate(batches):
            pixels = self._shift(batch, centres, context, number * self.steps, len(batches) * self.steps)
            shifted.update({photo.photo_id: values for photo, values in zip(batch, pixels, strict=True)})
        return [shifted[photo.photo_id] for photo in photos]

    def _batches(self, photos: Sequence[Photo]) -> Iterator[list[Photo]]:
        """Photos of one size together, at most ``batch_size`` at a time."""
        by_size = sorted(photos, key=lambda photo: (photo.pixels.shape, photo.photo_id))
        for _, group in groupby(by_size, key=lambda photo: photo.pixels.shape):
            same_size = list(group)
            for start in range(0, len(same_size), self.batch_size):
                yield same_size[start : start + self.batch_size]

    def _centre(
        self, surrogate: Surrogate, photos: Sequence[Photo], batches: Sequence[list[Photo]], context: DefenseContext
    ) -> "torch.Tensor":
        """The point at which features are mirrored, (tokens, width) or, where token counts differ, (1, width)."""
        import torch

        if self.centre == "zero":
            return torch.zeros(1, 1, device=context.device)
        if len(photos) < 2:
            raise UsageError(
                "dp2vl: the dataset's mean needs at least two photos that are protected together: "
                "give more photos or set centre to 'zero'."
            )
        features: dict[str, torch.Tensor] = {}
        with torch.no_grad():
            for batch in batches:
                encoded = _encode(surrogate, _images(batch, context.device)).double()
                features.update({photo.photo_id: values for photo, values in zip(batch, encoded, strict=True)})
        if len({values.shape[0] for values in features.values()}) > 1:
            features = {name: values.mean(0, keepdim=True) for name, values in features.items()}
        # Summed in float64 in the order of the ids, so that the batches leave no trace in the mean.
        total = torch.zeros_like(next(iter(features.values())))
        for name in sorted(features):
            total += features[name]
        return (total / len(features)).float()

    def _shift(
        self,
        batch: Sequence[Photo],
        centres: Sequence["torch.Tensor"],
        context: DefenseContext,
        done_before: int,
        total: int,
    ) -> list[npt.NDArray[np.float32]]:
        """Optimise one batch of photos of one size; returns grey levels."""
        import torch

        clean = _images(batch, context.device)
        limit, step_size = context.budget.eps / 255, self.step_size / 255
        start, views = self._draw(batch, context)
        change = _within(start * limit, clean, limit)
        velocity = torch.zeros_like(clean)
        with torch.no_grad():
            fixed = _centred(context.surrogates, clean, centres)
        for step in range(self.steps):
            gradient = torch.zeros_like(clean)
            similarity = 0.0
            for view in views[step]:
                change.requires_grad_(True)
                with torch.no_grad():
                    goal = _goal(context.surrogates, clean, view, centres, fixed)
                features = _centred(context.surrogates, _seen(clean + change, view), centres)
                loss = _similarity(features, goal)
                gradient += torch.autograd.grad(loss.sum(), change)[0]
                change = change.detach()
                similarity += loss.mean().item() / len(views[step])
            # Divided by its own size, photo by photo: momentum then weighs every step alike.
            strength = gradient.abs().mean((1, 2, 3), keepdim=True)
            _require_finite(strength, batch)
            velocity = self.momentum * velocity + gradient / strength.clamp(min=1e-20)
            reach = step_size * (1 - (1 - self.final_step) * step / self.steps)
            change = _within(change - reach * velocity.sign(), clean, limit)
            context.report(done_before + step + 1, total, f"cosine {similarity:.2f}")
        levels = ((clean + change) * 255).permute(0, 2, 3, 1).float().cpu().numpy()
        return list(levels)

    def _draw(self, batch: Sequence[Photo], context: DefenseContext) -> tuple["torch.Tensor", list[list[Views | None]]]:
        """The random start in [-1, 1] and the views of each step, photo by photo from the photo's own generator."""
        import torch

        starts, numbers = [], []
        for photo in batch:
            generator = context.generator(photo.photo_id)
            height, width = photo.pixels.shape[:2]
            starts.append(2 * torch.rand(3, height, width, generator=generator) - 1)
            numbers.append(torch.rand(self.steps, self.draws, NUMBERS_PER_VIEW, generator=generator))
        start = torch.stack(starts).to(context.device)
        if not self.transformations:
            return start, [[None]] * self.steps
        uniform = torch.stack(numbers).to(context.device)
        limits = ViewRange(scale=(self.scale[0], self.scale[1]), shift=self.shift, colour=self.colour)
        views = [
            [views_from_uniform(uniform[:, step, draw], limits) for draw in range(self.draws)]
            for step in range(self.steps)
        ]
        return start, [list(of_step) for of_step in views]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise UsageError(f"dp2vl: {message}.")


def _require_finite(strength: "torch.Tensor", batch: Sequence[Photo]) -> None:
    """Stop where a gradient is no number: its sign is zero, and the photo would pass as protected."""
    for photo, finite in zip(batch, strength.flatten().isfinite().tolist(), strict=True):
        if not finite:
            raise DefenseError(f"dp2vl: a surrogate's gradient is not finite for photo '{photo.photo_id}'.")


def _images(batch: Sequence[Photo], device: str) -> "torch.Tensor":
    """Photos of one size as (photos, 3, height, width) in [0, 1]."""
    import torch

    levels = torch.tensor(np.stack([photo.pixels for photo in batch]), device=device)
    return levels.permute(0, 3, 1, 2).float().contiguous() / 255


def _within(change: "torch.Tensor", clean: "torch.Tensor", limit: float) -> "torch.Tensor":
    """The change, cut to the budget and to what a pixel can show."""
    return (clean + change.clamp(-limit, limit)).clamp(0, 1) - clean


def _seen(images: "torch.Tensor", view: Views | None) -> "torch.Tensor":
    return images if view is None else apply_views(images, view)


def _encode(surrogate: Surrogate, images: "torch.Tensor") -> "torch.Tensor":
    """Features (photos, tokens, width), refused where the surrogate returns another shape."""
    features = surrogate.encode(images)
    if features.ndim != 3 or features.shape[0] != images.shape[0]:
        raise DefenseError(
            f"dp2vl: surrogate {type(surrogate).__name__} returned features of shape {tuple(features.shape)} "
            f"for {images.shape[0]} photos; (photos, tokens, width) is expected."
        )
    return features


def _centred(
    surrogates: Sequence[Surrogate], images: "torch.Tensor", centres: Sequence["torch.Tensor"]
) -> list["torch.Tensor"]:
    return [_encode(surrogate, images).float() - centre for surrogate, centre in zip(surrogates, centres, strict=True)]


def _goal(
    surrogates: Sequence[Surrogate],
    clean: "torch.Tensor",
    view: Views | None,
    centres: Sequence["torch.Tensor"],
    fixed: Sequence["torch.Tensor"],
) -> list["torch.Tensor"]:
    """Centred features of the clean photos under ``view``; ``fixed`` are those of the photos as they are."""
    changing = view.changing() if view is not None else None
    if view is None or changing is None or not len(changing):
        return list(fixed)
    encoded = _centred(surrogates, _seen(clean[changing], view.of(changing)), centres)
    return [same.index_copy(0, changing, new) for same, new in zip(fixed, encoded, strict=True)]


def _similarity(features: Sequence["torch.Tensor"], goals: Sequence["torch.Tensor"]) -> "torch.Tensor":
    """Cosine similarity in [-1, 1] a photo: mean over surrogates of the pooled and the token-wise one."""
    import torch
    from torch.nn.functional import cosine_similarity

    per_surrogate = [
        (cosine_similarity(a.mean(1), b.mean(1), dim=-1) + cosine_similarity(a, b, dim=-1).mean(1)) / 2
        for a, b in zip(features, goals, strict=True)
    ]
    return torch.stack(per_surrogate).mean(0)
