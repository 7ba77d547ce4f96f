"""A MiniGPT-v2 with random weights."""

from pathlib import Path

import pytest
import torch
from small_minigpt import write_minigpt_v2

from bench.targets.base import TargetSpec
from bench.targets.minigpt.modeling import MiniGPTv2ForConditionalGeneration
from bench.targets.minigpt_v2 import MiniGPTv2


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("minigpt")
    write_minigpt_v2(made)
    return made


@pytest.fixture
def network(folder: Path) -> MiniGPTv2ForConditionalGeneration:
    return MiniGPTv2ForConditionalGeneration.from_pretrained(folder).eval()


@pytest.fixture(scope="session")
def minigpt(folder: Path) -> MiniGPTv2:
    return MiniGPTv2(TargetSpec(str(folder), family="minigpt_v2", batch_size=2))


@pytest.fixture
def pixels() -> torch.Tensor:
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
