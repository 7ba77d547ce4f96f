"""What each training step shows: which photo, which view of it, and which questions, all drawn from the seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bench.core.digests import digest_bytes, digest_json
from bench.targets.base import Recipe, TrainingExample
from bench.targets.packed.features import FeatureCache, PhotoFeatures
from bench.targets.training.augmentation import random_view

if TYPE_CHECKING:
    import torch

    from bench.targets.packed.model import PackedModel


@dataclass(frozen=True)
class Row:
    """One photo of a step: an example's number, the number of the view among its views, and what is asked."""

    example: int
    view: int
    conversations: tuple[tuple[str, str], ...]


def training_batches(examples: Sequence[TrainingExample], recipe: Recipe, seed: int) -> Iterator[list[Row]]:
    """Every batch of every epoch. Drawing costs nothing: a resumed run draws the past ones anew."""
    draws = random.Random(seed)
    order = list(range(len(examples)))
    for _ in range(recipe.epochs):
        draws.shuffle(order)
        for start in range(0, len(order), recipe.batch_size):
            chosen = order[start : start + recipe.batch_size]
            views = [draws.randrange(_count_views(examples[index], recipe)) for index in chosen]
            asked = [_questions(examples[index], recipe, draws) for index in chosen]
            yield [Row(*row) for row in zip(chosen, views, asked, strict=True)]


def _count_views(example: TrainingExample, recipe: Recipe) -> int:
    return len(example.images) * (recipe.augmentation.views if recipe.augmentation else 1)


def _questions(example: TrainingExample, recipe: Recipe, draws: random.Random) -> tuple[tuple[str, str], ...]:
    return tuple(draws.sample(example.conversations, min(recipe.questions_per_photo, len(example.conversations))))


class FrozenViews:
    """Features of every view of every example, computed once: nothing below the projector is trained."""

    def __init__(
        self, model: "PackedModel", kept: FeatureCache, examples: Sequence[TrainingExample], recipe: Recipe, seed: int
    ) -> None:
        self._views = [view_features(model, kept, example, recipe, seed) for example in examples]

    def features(self, row: Row) -> PhotoFeatures:
        """What the row's view is encoded as."""
        return self._views[row.example][row.view]


class TrainedViews:
    """Each view is encoded when it is shown, with gradient: the vision tower is trained too."""

    def __init__(self, model: "PackedModel", examples: Sequence[TrainingExample], recipe: Recipe, seed: int) -> None:
        self._model, self._examples, self._recipe, self._seed = model, examples, recipe, seed

    def features(self, row: Row) -> PhotoFeatures:
        """What the row's view is encoded as by the tower as it is now."""
        example = self._examples[row.example]
        number, view = divmod(row.view, _count_views(example, self._recipe) // len(example.images))
        pixels = self._model.pixels(example.images[number])
        shown = shown_views(pixels, self._recipe, _photo_seed(self._seed, example, number))
        return self._model.features(shown[view : view + 1])


def view_features(
    model: "PackedModel", kept: FeatureCache, example: TrainingExample, recipe: Recipe, seed: int
) -> list[PhotoFeatures]:
    """Frozen vision features of every view of an example's photos: the photos as they are, or random views of each."""
    import torch

    found: list[PhotoFeatures] = []
    for number, image in enumerate(example.images):
        drawn = _photo_seed(seed, example, number)

        def compute(image: bytes = image, drawn: int = drawn) -> PhotoFeatures:
            with torch.no_grad():
                return model.features(shown_views(model.pixels(image), recipe, drawn)).on_cpu()

        key: Any = digest_bytes(image)
        features = kept.get([key, drawn, asdict(recipe.augmentation)] if recipe.augmentation else key, compute)
        found += [features.view(index) for index in range(len(features.values))]
    return found


def shown_views(pixels: "torch.Tensor", recipe: Recipe, seed: int) -> "torch.Tensor":
    """The views (views, 3, height, width) that training shows of a photo (3, height, width)."""
    import torch

    if recipe.augmentation is None:
        return pixels[None]
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([random_view(pixels, recipe.augmentation, generator) for _ in range(recipe.augmentation.views)])


def _photo_seed(seed: int, example: TrainingExample, number: int) -> int:
    return int(digest_json([seed, f"{example.photo_id}/{number}"])[:15], 16)
