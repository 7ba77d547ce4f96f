"""What a photo of any size becomes: the size and the pixels that the library's own processors make."""

import io
import math
import random

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.image_transforms import get_resize_output_image_size
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil, smart_resize

from bench.core.errors import UsageError
from bench.targets.preprocessing import ClipPreprocessing, QwenPreprocessing, SquarePreprocessing
from scenarios.pixels import LEAST_SIDE, MOST_STRETCHED, decode_pixels, shape_problem

LARGEST = 4096
TINY_QWEN, QWEN2, QWEN3 = (14, 56 * 56, 112 * 112), (14, 56 * 56, 14 * 14 * 4 * 1280), (16, 256 * 256, 4096 * 4096)


def clip(edge: int) -> CLIPImageProcessorPil:
    return CLIPImageProcessorPil(size={"shortest_edge": edge}, crop_size={"height": edge, "width": edge})


def qwen(patch: int, fewest: int, most: int) -> Qwen2VLImageProcessorPil:
    return Qwen2VLImageProcessorPil(patch_size=patch, size={"shortest_edge": fewest, "longest_edge": most})


def every_side() -> list[tuple[int, int]]:
    """Heights and widths: every shorter side up to the largest, against longer ones that are near, far, and drawn."""
    draws = random.Random(12)
    sizes = []
    for short in range(1, LARGEST + 1):
        longer = {short, short + 1, 2 * short - 1, LARGEST, draws.randint(short, LARGEST)}
        for long in sorted(side for side in longer if side <= LARGEST):
            sizes += [(short, long), (long, short)]
    return sizes


@pytest.mark.parametrize("edge", [112, 224, 336])
def test_the_shorter_side_is_resized_to_what_the_library_says(edge: int) -> None:
    ours = ClipPreprocessing.of(clip(edge))
    for height, width in every_side():
        photo = np.broadcast_to(np.uint8(0), (3, height, width))
        theirs = get_resize_output_image_size(photo, edge, default_to_square=False, input_data_format="channels_first")
        assert ours.resized(height, width) == theirs


@pytest.mark.parametrize("settings", [TINY_QWEN, QWEN2, QWEN3])
def test_patches_are_cut_from_the_size_that_the_library_says(settings: tuple[int, int, int]) -> None:
    patch, fewest, most = settings
    ours = QwenPreprocessing.of(qwen(*settings))
    for height, width in every_side():
        if max(height, width) <= MOST_STRETCHED * min(height, width):
            theirs = smart_resize(height, width, 2 * patch, fewest, most)
            assert tuple(patch * side for side in ours.grid(height, width)) == theirs


def drawn_sizes(count: int) -> list[tuple[int, int]]:
    """Heights and widths that a dataset accepts, small ones and strips as often as large ones."""
    draws = random.Random(7)
    sizes = [(382, 512), (512, 382), (764, 1024), (LEAST_SIDE, LEAST_SIDE), (LEAST_SIDE, 600), (500, LEAST_SIDE)]
    while len(sizes) < count:
        size = tuple(round(math.exp(draws.uniform(math.log(LEAST_SIDE), math.log(200)))) for _ in range(2))
        if shape_problem(size) is None:
            sizes.append((size[0], size[1]))
    return sizes


def test_every_family_sees_the_pixels_of_the_librarys_processor() -> None:
    square = BlipImageProcessorPil(size={"height": 112, "width": 112})
    families = [
        (clip(112), ClipPreprocessing.of(clip(112))),
        (qwen(*TINY_QWEN), QwenPreprocessing.of(qwen(*TINY_QWEN))),
        (square, SquarePreprocessing(112, tuple(square.image_mean), tuple(square.image_std))),
    ]
    noise = np.random.default_rng(3).integers(0, 256, (1200, 1200, 3), dtype=np.uint8)
    for height, width in drawn_sizes(200):
        buffer = io.BytesIO()
        Image.fromarray(noise[:height, :width]).save(buffer, "PNG", compress_level=0)
        image = buffer.getvalue()
        shown = torch.from_numpy(decode_pixels("drawn", image)).permute(2, 0, 1)[None].float() / 255
        for processor, ours in families:
            theirs = processor(Image.open(io.BytesIO(image)), return_tensors="pt")["pixel_values"]
            assert (ours(shown).reshape(theirs.shape) - theirs).abs().max() < 1e-5, (height, width)


def test_a_strip_at_the_limit_is_shown_by_every_family() -> None:
    strip = torch.rand(1, 3, LEAST_SIDE, LEAST_SIDE * MOST_STRETCHED)
    assert ClipPreprocessing.of(clip(336))(strip).shape == (1, 3, 336, 336)
    assert QwenPreprocessing.of(qwen(*QWEN2))(strip).isfinite().all()
    with pytest.raises(ValueError, match="aspect ratio"):
        smart_resize(LEAST_SIDE, LEAST_SIDE * MOST_STRETCHED + 1)


def test_a_processor_that_would_pad_is_refused() -> None:
    padding = CLIPImageProcessorPil(size={"shortest_edge": 100}, crop_size={"height": 112, "width": 100})
    with pytest.raises(UsageError, match="must fit"):
        ClipPreprocessing.of(padding)
