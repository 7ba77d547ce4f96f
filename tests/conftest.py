"""What several folders of tests share."""

import sys
from pathlib import Path

import pytest

# Tests are imported without their folder on the path. Modules that they share stand here, and are imported by name,
# also by the workers that tests start.
sys.path.insert(0, str(Path(__file__).parent))

from miniature_world import write_checkpoint
from run_fixtures import dataset, first_run, miniature

from bench.targets.base import Recipe

__all__ = ["dataset", "first_run", "miniature"]


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process runs all tests that look at the same run of a suite, so that it is computed once."""
    for item in items:
        if "first_run" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("first run"))


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a LLaVA with random weights."""
    folder = tmp_path_factory.mktemp("checkpoint")
    write_checkpoint(folder)
    return folder


@pytest.fixture
def recipe() -> Recipe:
    """A recipe of few steps that trains without augmentation."""
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
