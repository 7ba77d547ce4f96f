"""Random views: what each number does, and that the gradient arrives."""

import pytest
import torch

from bench.defenses.views import NUMBERS_PER_VIEW, ViewRange, Views, apply_views, views_from_uniform


def view(
    scale: float = 1.0, shift_x: float = 0.0, shift_y: float = 0.0, mirror: float = 1.0, gain: float = 1.0
) -> Views:
    return Views(
        torch.tensor([scale]),
        torch.tensor([shift_x]),
        torch.tensor([shift_y]),
        torch.tensor([mirror]),
        torch.full((1, 3), gain),
    )


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(1, 3, 12, 20, generator=torch.Generator().manual_seed(0))


def test_the_identity_view_is_the_photo(image: torch.Tensor) -> None:
    torch.testing.assert_close(apply_views(image, view()), image)


def test_a_mirrored_view_is_the_photo_from_right_to_left(image: torch.Tensor) -> None:
    torch.testing.assert_close(apply_views(image, view(mirror=-1.0)), image.flip(-1))


def test_a_shift_is_a_share_of_the_side(image: torch.Tensor) -> None:
    seen = apply_views(image, view(shift_x=0.1, shift_y=0.25))
    torch.testing.assert_close(seen[..., :9, :18], image[..., 3:, 2:])


def test_a_smaller_scale_sees_less() -> None:
    ramp = torch.linspace(0, 1, 21).expand(1, 3, 21, 21)
    seen = apply_views(ramp, view(scale=0.5))
    torch.testing.assert_close(seen[0, 0, 0, [0, 10, 20]], torch.tensor([0.25, 0.5, 0.75]))


def test_colour_is_clamped_to_what_a_pixel_can_show(image: torch.Tensor) -> None:
    seen = apply_views(image, view(gain=1.5))
    torch.testing.assert_close(seen, (1.5 * image).clamp(max=1))
    assert seen.max() == 1


def test_drawn_views_stay_in_range_and_vary() -> None:
    limits = ViewRange(scale=(0.8, 1.1), shift=0.1, colour=0.2, flip=0.5, identity=0.25)
    numbers = torch.rand(4000, NUMBERS_PER_VIEW, generator=torch.Generator().manual_seed(1))
    views = views_from_uniform(numbers, limits)
    assert 0.8 <= views.scale.min() < 0.82 and 1.08 < views.scale.max() <= 1.1
    assert views.shift_x.abs().max() <= 0.1 and views.shift_y.abs().max() > 0.09
    assert views.gains.min() >= 0.64 - 1e-6 and views.gains.max() <= 1.44 + 1e-6
    assert (views.mirror == -1).float().mean() == pytest.approx(0.5 * 0.75, abs=0.03)
    untouched = (views.scale == 1) & (views.shift_x == 0) & (views.gains == 1).all(1)
    assert untouched.float().mean() == pytest.approx(0.25, abs=0.03)


def test_the_gradient_of_a_view_reaches_every_seen_pixel(image: torch.Tensor) -> None:
    image.requires_grad_(True)
    apply_views(image, view(scale=0.9, mirror=-1.0)).sum().backward()
    assert image.grad is not None
    assert (image.grad[..., 2:-2, 2:-2] > 0).all()


def test_photos_that_are_seen_as_they_are_are_known() -> None:
    numbers = torch.rand(40, NUMBERS_PER_VIEW, generator=torch.Generator().manual_seed(1))
    views = views_from_uniform(numbers, ViewRange())
    assert views.changing().tolist() == (numbers[:, 0] >= ViewRange().identity).nonzero()[:, 0].tolist()


def test_the_views_of_some_photos_show_what_all_views_show_of_them() -> None:
    numbers = torch.rand(6, NUMBERS_PER_VIEW, generator=torch.Generator().manual_seed(2))
    images = torch.rand(6, 3, 12, 20, generator=torch.Generator().manual_seed(0))
    views, some = views_from_uniform(numbers, ViewRange()), torch.tensor([1, 4])
    torch.testing.assert_close(apply_views(images[some], views.of(some)), apply_views(images, views)[some])
