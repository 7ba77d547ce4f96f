"""Pictures of what a defense does to a photo."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from leaderboard_example import png, portrait

from bench.core.errors import DataError
from leaderboard.pictures import Picture
from leaderboard.site import build_site

Write = Callable[..., Path]
TITLE = "Quick look"


def test_the_difference_is_sixteenfold_around_grey(write: Write, tmp_path: Path) -> None:
    from PIL import Image

    original = np.full((4, 4, 3), 100, dtype=np.uint8)
    protected = original.copy()
    protected[0, 0] = (103, 100, 92)
    site = build_site(TITLE, write(), [Picture("dp2vl", png(original), png(protected))], tmp_path / "site").parent
    images = [np.asarray(Image.open(path)) for path in site.glob("pictures/*.png")]
    (difference,) = [image for image in images if image[1, 1, 0] == 128]
    assert difference[0, 0].tolist() == [128 + 48, 128, 0]
    assert "Largest change 8 of 255" in (site / "index.html").read_text()


@pytest.mark.parametrize(
    ("protected", "message"), [(b"no photo", "dp2vl.*cannot be decoded"), (png(np.zeros((9, 9, 3), np.uint8)), "size")]
)
def test_a_broken_picture_names_its_defense(write: Write, tmp_path: Path, protected: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        build_site(TITLE, write(), [Picture("dp2vl", png(portrait()), protected)], tmp_path / "site")
