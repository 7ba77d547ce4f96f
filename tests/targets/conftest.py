"""A LLaVA with random weights, two photos and questions."""

from pathlib import Path

import numpy as np
import pytest
from miniature_world import picture

from bench.targets.base import Recipe, TargetSpec, TrainingExample


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
        TrainingExample(f"photo-{number}", image, (("Which colour?", answer), ("Which word?", f"{answer} word")))
        for number, (image, answer) in enumerate(zip(photos, answers, strict=True))
    ]


@pytest.fixture
def recipe() -> Recipe:
    return Recipe(
        epochs=2,
        batch_size=2,
        learning_rate=2e-2,
        projector_learning_rate=2e-2,
        lora_rank=4,
        lora_alpha=8,
        weight_decay=0.0,
        warmup_steps=1,
        final_learning_rate_share=0.1,
        gradient_clip=1.0,
        questions_per_photo=2,
    )
