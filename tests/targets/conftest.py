"""Every family with random weights, photos of several shapes, and questions."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from miniature_world import picture
from PIL import Image
from small_checkpoints import WRITERS

from bench.targets.base import TargetSpec, TrainingExample
from bench.targets.packed.model import PackedModel
from bench.targets.packed.target import PackedTarget
from bench.targets.registry import targets


@pytest.fixture(scope="session")
def spec(checkpoint: Path) -> TargetSpec:
    return TargetSpec(str(checkpoint), batch_size=2)


@pytest.fixture(scope="session")
def photos() -> list[bytes]:
    generator = np.random.default_rng(5)
    return [picture(generator) for _ in range(3)]


@pytest.fixture(scope="session")
def shapes() -> list[bytes]:
    """Photos of different sizes and shapes."""
    generator = np.random.default_rng(6)
    return [cut(picture(generator), width, height) for width, height in ((32, 32), (21, 32), (32, 17), (27, 26))]


def cut(image: bytes, width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(image)).crop((0, 0, width, height)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def examples(photos: list[bytes]) -> list[TrainingExample]:
    answers = ("red", "blue", "green")
    return [
        TrainingExample(f"photo-{number}", (image,), (("Which colour?", answer), ("Which word?", f"{answer} word")))
        for number, (image, answer) in enumerate(zip(photos, answers, strict=True))
    ]


@pytest.fixture(scope="session")
def requests_for_photos(examples: list[TrainingExample]) -> pd.DataFrame:
    options = ["red", "blue", "green"]
    return pd.DataFrame(
        [
            {"request_id": one.photo_id, "image": one.images[0], "question": "Which colour?", "options": options}
            for one in examples
        ]
    )


@pytest.fixture(scope="session", params=sorted(WRITERS))
def kind_spec(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TargetSpec:
    """A checkpoint of every kind in turn."""
    family, write = WRITERS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    write(folder)
    return TargetSpec(str(folder), family=family, batch_size=2)


@pytest.fixture(scope="session")
def target(kind_spec: TargetSpec) -> PackedTarget:
    loaded = targets.get(kind_spec.family)(kind_spec)
    assert isinstance(loaded, PackedTarget)
    return loaded


@pytest.fixture(scope="session")
def model(target: PackedTarget) -> PackedModel:
    return target.model
