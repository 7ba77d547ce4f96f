"""A LLaVA with random weights, two photos and questions."""

from pathlib import Path

import numpy as np
import pytest
from miniature_world import picture

from bench.targets.base import TargetSpec, TrainingExample


@pytest.fixture(scope="session")
def spec(checkpoint: Path) -> TargetSpec:
    return TargetSpec(str(checkpoint), batch_size=2)


@pytest.fixture(scope="session")
def photos() -> list[bytes]:
    generator = np.random.default_rng(5)
    return [picture(generator) for _ in range(3)]


@pytest.fixture(scope="session")
def examples(photos: list[bytes]) -> list[TrainingExample]:
    answers = ("red", "blue", "green")
    return [
        TrainingExample(f"photo-{number}", (image,), (("Which colour?", answer), ("Which word?", f"{answer} word")))
        for number, (image, answer) in enumerate(zip(photos, answers, strict=True))
    ]
