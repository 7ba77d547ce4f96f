"""dp2vl: what it does to features, and that its bytes depend on the seed and the photos alone."""

from typing import Any

import numpy as np
import pytest
import torch

from bench.core.errors import UsageError
from bench.defenses.base import Budget, DefenseContext, DefenseError, Photo, ProtectedPhoto, Surrogate
from bench.defenses.registry import build_defense
from bench.defenses.views import NUMBERS_PER_VIEW, ViewRange, Views, apply_views, views_from_uniform

Protected = dict[str, ProtectedPhoto]


def protect(photos: list[Photo], *surrogates: Surrogate, seed: int = 0, eps: float = 8, **options: Any) -> Protected:
    context = DefenseContext(Budget(eps=eps), seed, surrogates)
    protected = build_defense("dp2vl", {"steps": 20} | options).protect(photos, context)
    return {one.photo_id: one for one in protected}


def tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.tensor(pixels).permute(2, 0, 1)[None].float() / 255


def similarity(photos: list[Photo], protected: Protected, surrogate: Surrogate, view: Views | None = None) -> float:
    """Mean cosine similarity of the pooled features, centred on the mean of the clean photos as they are."""
    centre = torch.stack([surrogate.encode(tensor(photo.pixels))[0] for photo in photos]).mean(0)
    found = []
    for photo in photos:
        pair = [tensor(photo.pixels), tensor(protected[photo.photo_id].pixels)]
        seen = pair if view is None else [apply_views(image, view) for image in pair]
        clean, changed = ((surrogate.encode(image)[0] - centre).mean(0) for image in seen)
        found.append(torch.nn.functional.cosine_similarity(clean, changed, dim=0).item())
    return float(np.mean(found))


def attackers_views(count: int) -> list[Views]:
    """Views that the defense has not drawn."""
    numbers = torch.rand(count, NUMBERS_PER_VIEW, generator=torch.Generator().manual_seed(99))
    limits = ViewRange(scale=(0.8, 1.0), identity=0.0)
    return [views_from_uniform(numbers[index : index + 1], limits) for index in range(count)]


@pytest.mark.parametrize("eps", [8, 4, 6.4])
def test_holds_the_budget_after_the_png_round_trip(photos: list[Photo], surrogate: Surrogate, eps: float) -> None:
    black_and_white = np.random.default_rng(0).integers(0, 2, (32, 32, 3), dtype=np.uint8) * 255
    given = [*photos, Photo("black-and-white", black_and_white)]
    protected = protect(given, surrogate, eps=eps, steps=5)
    for photo in given:
        change = np.abs(protected[photo.photo_id].pixels.astype(int) - photo.pixels.astype(int))
        assert change.max() == int(eps)


def test_turns_the_features_around(photos: list[Photo], surrogate: Surrogate) -> None:
    noise = {p.photo_id: p for p in build_defense("noise").protect(photos, DefenseContext())}
    assert similarity(photos, noise, surrogate) > 0.7
    assert similarity(photos, protect(photos, surrogate, transformations=False), surrogate) < -0.7
    assert similarity(photos, protect(photos, surrogate, steps=50), surrogate) < -0.5


def test_with_transformations_it_holds_under_views_it_has_not_drawn(photos: list[Photo], surrogate: Surrogate) -> None:
    def under_views(protected: Protected) -> float:
        return float(np.mean([similarity(photos, protected, surrogate, view) for view in attackers_views(8)]))

    with_views = under_views(protect(photos, surrogate, steps=50))
    without = under_views(protect(photos, surrogate, steps=50, transformations=False))
    assert with_views < -0.2
    assert without > 0.2


@pytest.mark.parametrize("transformations", [True, False])
def test_bytes_depend_on_neither_order_nor_batch_size(
    photos: list[Photo], surrogate: Surrogate, transformations: bool
) -> None:
    def images(given: list[Photo], batch_size: int) -> dict[str, bytes]:
        made = protect(given, surrogate, batch_size=batch_size, transformations=transformations, steps=10)
        return {name: one.image for name, one in made.items()}

    expected = images(photos, 16)
    assert images(photos[::-1], 16) == expected
    assert images(photos, 1) == expected
    assert images([*photos[3:], *photos[:3]], 2) == expected


def test_equal_seeds_agree_and_different_seeds_differ(photos: list[Photo], surrogate: Surrogate) -> None:
    first, again, other = (protect(photos, surrogate, seed=seed, steps=3) for seed in (5, 5, 6))
    for photo in photos:
        assert first[photo.photo_id].image == again[photo.photo_id].image
        assert first[photo.photo_id].image != other[photo.photo_id].image


def test_global_random_state_has_no_part_in_it(photos: list[Photo], surrogate: Surrogate) -> None:
    torch.manual_seed(1)
    before = protect(photos, surrogate, steps=3)
    torch.manual_seed(2)
    after = protect(photos, surrogate, steps=3)
    assert all(before[name].image == after[name].image for name in before)


def test_two_surrogates_are_both_turned_around(photos: list[Photo], surrogate: Surrogate) -> None:
    class Mirrored:
        def encode(self, images: torch.Tensor) -> torch.Tensor:
            return surrogate.encode(1 - images.flip(-2))[:, :8]

    protected = protect(photos, surrogate, Mirrored(), transformations=False, steps=40)
    assert similarity(photos, protected, surrogate) < -0.5
    assert similarity(photos, protected, Mirrored()) < -0.5


def test_more_draws_change_the_result_and_still_turn(photos: list[Photo], surrogate: Surrogate) -> None:
    one, three = (protect(photos, surrogate, draws=draws) for draws in (1, 3))
    assert any(one[name].image != three[name].image for name in one)
    assert similarity(photos, three, surrogate) < -0.5


def test_features_of_two_lengths_share_one_centre(photos: list[Photo]) -> None:
    class Patches:
        """A token for each patch of 8 pixels: larger photos have more tokens."""

        def encode(self, images: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.unfold(images, 8, stride=8).transpose(1, 2)

    protected = protect(photos, Patches(), steps=3)
    assert [one.largest_change for one in protected.values()] == [8] * len(photos)


def test_one_photo_alone_needs_the_zero_centre(photos: list[Photo], surrogate: Surrogate) -> None:
    with pytest.raises(UsageError, match="at least two photos"):
        protect(photos[:1], surrogate)
    assert protect(photos[:1], surrogate, centre="zero", steps=2)["photo-0"].largest_change == 8


def test_features_that_are_not_finite_name_a_photo(photos: list[Photo], surrogate: Surrogate) -> None:
    class Broken:
        def encode(self, images: torch.Tensor) -> torch.Tensor:
            return surrogate.encode(images) * float("nan")

    with pytest.raises(DefenseError, match="'photo-0'"):
        protect(photos, Broken(), steps=2)


def test_features_of_a_wrong_shape_are_refused(photos: list[Photo]) -> None:
    class Flat:
        def encode(self, images: torch.Tensor) -> torch.Tensor:
            return images.flatten(1)

    with pytest.raises(DefenseError, match="Flat returned features of shape"):
        protect(photos, Flat(), steps=2)


def test_progress_reaches_the_total(photos: list[Photo], surrogate: Surrogate) -> None:
    reports: list[tuple[int, int]] = []
    context = DefenseContext(
        surrogates=(surrogate,), report=lambda done, total, note: reports.append((done, total)) if note else None
    )
    build_defense("dp2vl", {"steps": 4, "batch_size": 2}).protect(photos, context)
    assert reports == [(step, 12) for step in range(1, 13)]  # two photos of one size, four of the other
