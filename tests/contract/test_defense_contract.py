"""What every registered defense keeps, whoever wrote it."""

import json
import random
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from bench.defenses.base import Budget, Defense, DefenseContext, Photo, ProtectedPhoto, Surrogate
from bench.defenses.registry import build_defense, defenses
from scenarios.pixels import decode_pixels

every_defense = pytest.mark.parametrize("name", defenses.names())


def protect(
    name: str, photos: Sequence[Photo], surrogate: Surrogate, seed: int = 0, eps: float = 8
) -> list[ProtectedPhoto]:
    context = DefenseContext(Budget(eps=eps), seed=seed, surrogates=(surrogate,))
    return build_defense(name).protect(photos, context)


@every_defense
@pytest.mark.parametrize("eps", [8, 2.5])
def test_the_saved_file_holds_the_budget(name: str, photos: list[Photo], surrogate: Surrogate, eps: float) -> None:
    for photo, protected in zip(photos, protect(name, photos, surrogate, eps=eps), strict=True):
        saved = decode_pixels(photo.photo_id, protected.image)
        change = int(np.abs(saved.astype(int) - photo.pixels.astype(int)).max())
        assert protected.photo_id == photo.photo_id
        assert np.array_equal(saved, protected.pixels)
        assert change == protected.largest_change
        assert defenses.get(name).visible or change <= eps


@every_defense
def test_equal_seeds_give_equal_bytes_in_any_order_and_random_state(
    name: str, photos: list[Photo], surrogate: Surrogate
) -> None:
    def images(given: Sequence[Photo], global_seed: int) -> dict[str, bytes]:
        torch.manual_seed(global_seed)
        np.random.seed(global_seed)
        random.seed(global_seed)
        return {one.photo_id: one.image for one in protect(name, given, surrogate, seed=4)}

    assert images(photos, 1) == images(photos[::-1], 2)


@every_defense
def test_global_random_state_is_left_alone(name: str, photos: list[Photo], surrogate: Surrogate) -> None:
    def state() -> str:
        return repr((torch.random.get_rng_state().tolist(), random.getstate(), np.random.get_state(legacy=False)))

    before = state()
    protect(name, photos, surrogate)
    assert state() == before


@every_defense
def test_options_survive_json_and_rebuild_the_defense(name: str) -> None:
    defense = build_defense(name)
    options = json.loads(json.dumps(defense.options()))
    assert build_defense(name, options).options() == defense.options()


@every_defense
def test_it_is_described_and_says_where_it_comes_from(name: str) -> None:
    kind = defenses.get(name)
    assert issubclass(kind, Defense)
    assert kind.__doc__ and kind.__doc__.strip() != (Defense.__doc__ or "").strip()
    assert defenses.origin(name)
    assert build_defense(name).name == name


@every_defense
def test_progress_never_falls_nor_passes_the_total(name: str, photos: list[Photo], surrogate: Surrogate) -> None:
    reports: list[tuple[int, int]] = []
    context = DefenseContext(surrogates=(surrogate,), report=lambda done, total, note: reports.append((done, total)))
    build_defense(name).protect(photos, context)
    assert reports == sorted(reports)
    assert all(0 <= done <= total for done, total in reports)


@every_defense
def test_no_photos_give_no_photos(name: str, surrogate: Surrogate) -> None:
    assert protect(name, [], surrogate) == []
