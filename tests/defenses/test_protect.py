"""The final protect: budget, rounding, the PNG round trip, and errors that name the photo."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.core.errors import DataError, UsageError
from bench.defenses.base import Budget, Defense, DefenseContext, DefenseError, Photo, Surrogate

Change = Callable[[Photo], Any]


class Arbitrary(Defense):
    """Returns whatever it is told to."""

    def __init__(self, *, change: Change) -> None:
        self.change = change

    def perturb(self, photos: Sequence[Photo], context: DefenseContext) -> Sequence[Any]:
        return [self.change(photo) for photo in photos]


class ArbitraryVisible(Arbitrary):
    visible = True


def photo(level: int = 100, photo_id: str = "beach-3") -> Photo:
    return Photo(photo_id, np.full((6, 5, 3), level, dtype=np.uint8))


def protect(change: Change, eps: float = 8, level: int = 100) -> np.ndarray:
    (protected,) = Arbitrary(change=change).protect([photo(level)], DefenseContext(Budget(eps=eps)))
    with Image.open(io.BytesIO(protected.image)) as picture:
        assert picture.format == "PNG"
        assert np.array_equal(np.array(picture), protected.pixels)
    return protected.pixels


@pytest.mark.parametrize(
    ("value", "eps", "expected"),
    [
        (104.0, 8, 104),
        (100.6, 8, 101),  # rounded, not truncated
        (500.0, 8, 108),
        (-500.0, 8, 92),
        (200.0, 6.4, 106),  # the largest whole change within 6.4
        (106.7, 6.8, 106),  # rounding would go past the budget
        (200.0, 0, 100),
    ],
)
def test_projects_and_rounds(value: float, eps: float, expected: int) -> None:
    assert np.unique(protect(lambda photo: np.full(photo.pixels.shape, value), eps)).tolist() == [expected]


@pytest.mark.parametrize(("level", "change", "expected"), [(253, 8.0, 255), (3, -8.0, 0)])
def test_stays_within_what_a_pixel_can_show(level: int, change: float, expected: int) -> None:
    assert np.unique(protect(lambda photo: photo.pixels + change, level=level)).tolist() == [expected]


def test_largest_change_is_what_the_file_shows() -> None:
    def one_pixel(photo: Photo) -> np.ndarray:
        changed = photo.pixels.astype(np.float32)
        changed[2, 3, 1] -= 5
        return changed

    (protected,) = Arbitrary(change=one_pixel).protect([photo()], DefenseContext())
    assert protected.largest_change == 5


def test_a_visible_edit_is_not_held_to_the_budget() -> None:
    defense = ArbitraryVisible(change=lambda photo: np.zeros(photo.pixels.shape))
    (protected,) = defense.protect([photo()], DefenseContext())
    assert protected.largest_change == 100


def test_results_come_in_the_order_of_the_photos() -> None:
    photos = [photo(level, f"photo-{9 - level}") for level in range(5)]
    protected = Arbitrary(change=lambda photo: photo.pixels).protect(photos, DefenseContext())
    assert [one.photo_id for one in protected] == [one.photo_id for one in photos]
    assert [int(one.pixels[0, 0, 0]) for one in protected] == list(range(5))


def test_an_author_sees_photos_sorted_by_id() -> None:
    seen: list[str] = []

    def remember(photo: Photo) -> np.ndarray:
        seen.append(photo.photo_id)
        return photo.pixels

    Arbitrary(change=remember).protect([photo(photo_id=name) for name in "bca"], DefenseContext())
    assert seen == ["a", "b", "c"]


def with_nan(photo: Photo) -> np.ndarray:
    values = photo.pixels.astype(np.float32)
    values[0, 0, 0] = np.nan
    return values


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (with_nan, "not finite"),
        (lambda photo: photo.pixels * np.inf, "not finite"),
        (lambda photo: np.zeros((3, 6, 5)), r"shape \(3, 6, 5\)"),
        (lambda photo: np.zeros((6, 5)), r"shape \(6, 5\)"),
        (lambda photo: np.full(photo.pixels.shape, "x"), "numbers"),
        (lambda photo: None, "numbers"),
    ],
)
def test_an_authors_bad_picture_names_the_photo(change: Change, complaint: str) -> None:
    with pytest.raises(DefenseError, match=complaint) as caught:
        protect(change)
    assert "beach-3" in str(caught.value)


def test_a_wrong_number_of_pictures_is_refused() -> None:
    class Forgetful(Defense):
        def perturb(self, photos: Sequence[Photo], context: DefenseContext) -> Sequence[Any]:
            return []

    with pytest.raises(DefenseError, match="0 pictures for 1 photos"):
        Forgetful().protect([photo()], DefenseContext())


def test_an_author_cannot_change_the_photo_it_is_measured_against() -> None:
    def in_place(photo: Photo) -> np.ndarray:
        photo.pixels[:] = 0
        return photo.pixels

    with pytest.raises(ValueError, match="read-only"):
        protect(in_place)


def test_the_photo_does_not_follow_the_callers_array() -> None:
    pixels = np.full((4, 4, 3), 9, dtype=np.uint8)
    kept = Photo("a", pixels)
    pixels[:] = 200
    assert kept.pixels.max() == 9


def test_no_photos_give_no_photos() -> None:
    assert Arbitrary(change=with_nan).protect([], DefenseContext()) == []


def test_two_photos_of_one_id_are_refused() -> None:
    with pytest.raises(DataError, match="'beach-3' is given twice"):
        Arbitrary(change=lambda photo: photo.pixels).protect([photo(), photo(photo_id="a"), photo()], DefenseContext())


def test_a_missing_surrogate_is_wrong_use(surrogate: Surrogate) -> None:
    class Needy(Arbitrary):
        needs = frozenset({"surrogates"})

    needy = Needy(change=lambda photo: photo.pixels)
    with pytest.raises(UsageError, match="surrogate"):
        needy.protect([photo()], DefenseContext())
    assert len(needy.protect([photo()], DefenseContext(surrogates=(surrogate,)))) == 1


def test_every_photo_without_what_is_needed_is_counted_and_the_first_named() -> None:
    class Boxed(Arbitrary):
        needs = frozenset({"face_box"})

    framed = Photo("c", photo().pixels, (0, 0, 3, 3))
    boxed = Boxed(change=lambda photo: photo.pixels)
    with pytest.raises(DataError, match=r"needs face_box .* 2 of 3 photos have none, 'a' first"):
        boxed.protect([photo(), framed, photo(photo_id="a")], DefenseContext())
    assert len(boxed.protect([framed], DefenseContext())) == 1


@pytest.mark.parametrize("needs", [frozenset({"facebox"}), "face_box"])
def test_an_unknown_need_is_refused_where_the_class_is_made(needs: Any) -> None:
    with pytest.raises(TypeError, match="must be a set of some of: face_box, surrogates"):
        type("Needy", (Arbitrary,), {"needs": needs})


def coloured() -> Photo:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    return Photo("beach-3", pixels)


def in_blue_green_red(photo: Photo) -> np.ndarray:
    """With an honest change, in the order that OpenCV reads and writes."""
    return photo.pixels[..., ::-1].astype(np.float32) + 3


@pytest.mark.parametrize("kind", [Arbitrary, ArbitraryVisible])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda photo: photo.pixels / 255, r"values from 0\.00 to 1\.00, where grey levels 0 to 255"),
        (lambda photo: photo.pixels / 127.5 - 1, r"values from -1\.00 to 1\.00"),
        (lambda photo: (photo.pixels / 255 - 0.45) / 0.27, "multiply by 255"),
        (in_blue_green_red, "blue, green, red"),
    ],
)
def test_a_picture_in_another_scale_or_order_is_no_defense(kind: type[Arbitrary], change: Change, said: str) -> None:
    with pytest.raises(DefenseError, match=f"{said}.* for photo 'beach-3'"):
        kind(change=change).protect([coloured()], DefenseContext())


def test_a_dark_or_grey_photo_may_stay_as_it_is() -> None:
    for level in (0, 1, 2, 3, 90):
        assert np.unique(protect(lambda photo: photo.pixels * 0.99, level=level)).max() <= level
    assert ArbitraryVisible(change=lambda photo: photo.pixels * 0).protect([coloured()], DefenseContext())


@pytest.mark.parametrize(("value", "cut_off"), [(104.0, 0.0), (108.0, 0.0), (116.0, 0.5), (60.0, 0.8), (100.0, 0.0)])
def test_what_the_budget_cut_off_is_told(value: float, cut_off: float) -> None:
    [protected] = Arbitrary(change=lambda photo: np.full(photo.pixels.shape, value)).protect(
        [photo()], DefenseContext(Budget(eps=8))
    )
    assert protected.cut_off == pytest.approx(cut_off)


def test_protect_cannot_be_overridden() -> None:
    with pytest.raises(TypeError, match="may not override protect"):
        type("Cheat", (Defense,), {"protect": lambda self, photos, context: []})


@pytest.mark.parametrize(("norm", "eps"), [("l2", 8), ("linf", -1), ("linf", 256), ("linf", float("nan"))])
def test_an_impossible_budget_is_wrong_use(norm: str, eps: float) -> None:
    with pytest.raises(UsageError, match="budget"):
        Budget(norm, eps)


def test_a_photos_random_state_depends_on_seed_and_id_alone() -> None:
    import torch

    def draw(seed: int, photo_id: str) -> list[float]:
        return torch.rand(4, generator=DefenseContext(seed=seed).generator(photo_id)).tolist()

    assert draw(1, "a") == draw(1, "a")
    assert len({tuple(draw(seed, name)) for seed in (1, 2, 11) for name in ("a", "b", "1a")}) == 9


def test_a_picture_that_shows_nothing_any_more_is_no_defense_unless_it_is_visible() -> None:
    night = np.full((20, 20, 3), 60, np.uint8)
    night[:10] = 90
    context = DefenseContext(Budget(eps=80))

    def flattened(photo: Photo) -> Any:
        return np.full(photo.pixels.shape, 75)

    with pytest.raises(DefenseError, match="photo 'night' that shows nothing: all of it has about the colour 75, 75"):
        Arbitrary(change=flattened).protect([Photo("night", night)], context)
    assert ArbitraryVisible(change=flattened).protect([Photo("night", night)], context)[0].largest_change == 15
    assert Arbitrary(change=flattened).protect([photo(70)], context)[0].largest_change == 5
