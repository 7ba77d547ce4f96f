"""none, noise and blur."""

import numpy as np
import pytest

from bench.core.errors import DataError, UsageError
from bench.defenses.base import Budget, DefenseContext, Photo
from bench.defenses.registry import build_defense, defenses


def grey(photo_id: str = "a", size: int = 64) -> Photo:
    return Photo(photo_id, np.full((size, size, 3), 128, dtype=np.uint8))


def test_none_changes_nothing(photos: list[Photo]) -> None:
    for photo, protected in zip(photos, build_defense("none").protect(photos, DefenseContext()), strict=True):
        assert np.array_equal(photo.pixels, protected.pixels)
        assert protected.largest_change == 0


@pytest.mark.parametrize(("eps", "largest"), [(8, 8), (6.4, 6), (1, 1)])
def test_noise_is_uniform_over_all_whole_numbers_of_the_budget(eps: float, largest: int) -> None:
    (protected,) = build_defense("noise").protect([grey(size=128)], DefenseContext(Budget(eps=eps)))
    change = protected.pixels.astype(int) - 128
    values, counts = np.unique(change, return_counts=True)
    assert values.tolist() == list(range(-largest, largest + 1))
    assert counts.max() < 1.2 * counts.min()  # 2900 or more expected of each


def test_noise_of_a_photo_depends_on_seed_and_id_only() -> None:
    def bytes_of(seed: int, *names: str) -> dict[str, bytes]:
        protected = build_defense("noise").protect([grey(name) for name in names], DefenseContext(seed=seed))
        return {one.photo_id: one.image for one in protected}

    together = bytes_of(3, "b", "a", "c")
    assert bytes_of(3, "a") == {"a": together["a"]}
    assert bytes_of(3, "c", "a", "b") == together
    assert len({together["a"], together["b"], bytes_of(4, "a")["a"]}) == 3


def test_blur_changes_the_face_and_nothing_else() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    (protected,) = build_defense("blur").protect([Photo("a", pixels, (16, 8, 48, 40))], DefenseContext())
    face = np.zeros((64, 64), dtype=bool)
    face[8:40, 16:48] = True
    assert np.array_equal(protected.pixels[~face], pixels[~face])
    assert protected.pixels[face].std() < 0.2 * pixels[face].std()
    assert protected.largest_change > 8


def test_blur_grows_with_strength() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    photo = Photo("a", pixels, (16, 8, 48, 40))
    spreads = [
        build_defense("blur", {"strength": strength}).protect([photo], DefenseContext())[0].pixels[8:40, 16:48].std()
        for strength in (0.02, 0.1, 0.4)
    ]
    assert spreads[0] > spreads[1] > spreads[2]


def test_blur_without_a_face_box_names_the_photo() -> None:
    with pytest.raises(DataError, match=r"defense 'blur' needs face_box .* 1 of 1 photos have none, 'beach-3' first"):
        build_defense("blur").protect([grey("beach-3")], DefenseContext())


def test_an_unknown_defense_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="noise"):
        build_defense("nois")


def test_an_unknown_option_names_the_defense_and_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"dp2vl.*did you mean .steps."):
        build_defense("dp2vl", {"step": 3})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("blur", {"strength": 0}),
        ("blur", {"strength": "much"}),
        ("dp2vl", {"steps": 0}),
        ("dp2vl", {"steps": "ten"}),
        ("dp2vl", {"centre": "median"}),
        ("dp2vl", {"momentum": 1.0}),
        ("dp2vl", {"step_size": 0}),
        ("dp2vl", {"scale": [1.2, 0.8]}),
        ("dp2vl", {"shift": 0.7}),
        ("noise", {"strength": 1}),
    ],
)
def test_a_wrong_option_is_wrong_use_and_names_the_defense(name: str, options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=name):
        build_defense(name, options)


def test_a_defense_knows_its_name_and_where_it_comes_from() -> None:
    assert build_defense("noise").name == "noise"
    assert "bench.defenses.noise" in defenses.origin("noise")
