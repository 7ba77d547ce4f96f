"""What the contract tests hand to every plugin: a few photos, a small encoder, scored rows."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from bench.defenses.base import Photo, Surrogate
from bench.defenses.photo import encode_png
from evaluators.scoring import score_answers


class FixedEncoder:
    """A random convolution that never changes: 9 tokens of width 12 for a photo of any size."""

    def __init__(self) -> None:
        self.weights = torch.randn(12, 3, 5, 5, generator=torch.Generator().manual_seed(3)) / 9

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Features (photos, 9, 12), each photo's independent of the batch."""
        hidden = torch.tanh(8 * torch.nn.functional.conv2d(images - 0.5, self.weights, stride=2))
        return torch.nn.functional.adaptive_avg_pool2d(hidden, 3).flatten(2).transpose(1, 2)


@pytest.fixture(scope="session")
def surrogate() -> Surrogate:
    return FixedEncoder()


@pytest.fixture(scope="session")
def photos() -> list[Photo]:
    """Four photos of two sizes with a face box each; one is black and white, so that clipping matters."""
    generator = np.random.default_rng(0)
    pictures = [generator.integers(0, 256, (24, 24 + 8 * (number % 2), 3)) for number in range(3)]
    pictures.append(generator.integers(0, 2, (24, 24, 3)) * 255)
    return [Photo(f"photo-{number}", pixels.astype(np.uint8), (6, 4, 18, 20)) for number, pixels in enumerate(pictures)]


@pytest.fixture
def answer_rows() -> pd.DataFrame:
    """Scored rows of every kind, view and status, for two trained people and a stranger."""
    people = pd.DataFrame(
        {
            "person_id": ["p1", "p2", "s1"],
            "name": ["Amara Vell", "Bram Oster", "Cleo Quist"],
            "role": ["evaluation", "evaluation", "stranger"],
        }
    )
    fact = {"scenario": "pet", "answer": "dog", "aliases": [], "options": ["dog", "cat"]}
    name = {"scenario": "name", "answer": "Amara Vell", "aliases": ["Amara"], "options": []}
    visible = {"scenario": "hair", "answer": "red", "aliases": [], "options": ["red", "grey"]}
    cases = [("held_out", "clean", fact), ("held_out", "clean", name), ("member", "clean", fact)]
    cases += [("member", "protected", fact), ("member", "protected", name)]
    cases += [("stranger", "clean", name), ("stranger", "clean", fact), ("utility", "clean", visible)]
    requests: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    for kind, view, question in cases:
        for person in ["s1"] if kind in ("stranger", "utility") else ["p1", "p2"]:
            for status, text in (("ok", "Amara has a dog"), ("ok", "cat"), ("invalid", ""), ("error", "")):
                request_id = f"r{len(requests):03d}"
                row = {"request_id": request_id, "probe_id": request_id, "person_id": person, "kind": kind}
                requests.append(row | {"view": view, "image": b"photo", "question": "?"} | question)
                choice = len(text) % 2 if question["options"] and status != "error" else -1
                answer = {"request_id": request_id, "text": text, "choice": choice, "status": status}
                answers.append(answer | {"option_logprobs": [-1.0, -2.0][: len(question["options"])]})
    return score_answers(pd.DataFrame(requests), pd.DataFrame(answers), people)


@pytest.fixture
def photo_rows(photos: list[Photo]) -> pd.DataFrame:
    """Each photo beside a copy of itself with one grey level changed; the first beside an equal copy."""
    return pd.DataFrame(
        {
            "photo_id": [photo.photo_id for photo in photos],
            "person_id": ["p1", "p1", "p2", "p2"],
            "scenario": ["pet", "home", "pet", "home"],
            "original": [encode_png(photo.pixels) for photo in photos],
            "protected": [encode_png(photo.pixels ^ np.uint8(min(number, 1))) for number, photo in enumerate(photos)],
        }
    )
