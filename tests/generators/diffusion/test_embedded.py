"""The shipped diffusion model, and what its pipeline keeps whatever the weights."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from bench.core.errors import UsageError
from generators.diffusion.embedded.synthesizer import EMBEDDED, EmbeddedSynthesizer, pipeline_folder
from generators.diffusion.synthesis import SynthesisRequest
from scenarios.dataset import load_dataset

LARGEST_CHECKPOINT = 15_000_000


def pixels(image: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(image))).astype(int)


@pytest.fixture(scope="module")
def requests() -> list[SynthesisRequest]:
    pairs = load_dataset("veilbench-mini").pairs.iloc[[0, 1, 30]]
    prompts = ("a photo of a person in a red top, beside a brown dog", "a portrait of a person", "words nobody taught")
    return [
        SynthesisRequest(f"photo-{number}", row["person_id"], prompt, (row["image"],), number)
        for number, (row, prompt) in enumerate(zip(pairs.to_dict("records"), prompts, strict=True))
    ]


def made(requests: list[SynthesisRequest], **options: Any) -> dict[str, bytes]:
    return {photo.photo_id: photo.image for photo in EmbeddedSynthesizer(steps=2, **options).synthesize(requests)}


def test_the_checkpoint_is_small() -> None:
    assert 0 < sum(path.stat().st_size for path in EMBEDDED.rglob("*") if path.is_file()) <= LARGEST_CHECKPOINT


def test_a_photo_depends_on_its_request_alone(requests: list[SynthesisRequest]) -> None:
    together, alone = made(requests, batch_size=3), made(requests[1:2], batch_size=1)
    assert pixels(together["photo-1"]).shape == (64, 64, 3)
    assert np.abs(pixels(together["photo-1"]) - pixels(alone["photo-1"])).max() <= 1


def test_seed_prompt_and_reference_all_count(requests: list[SynthesisRequest]) -> None:
    first = requests[0]
    variants = [
        first,
        SynthesisRequest("seed", first.person_id, first.prompt, first.references, first.seed + 1),
        SynthesisRequest("prompt", first.person_id, requests[1].prompt, first.references, first.seed),
        SynthesisRequest("reference", first.person_id, first.prompt, requests[2].references, first.seed),
    ]
    photos = list(made(variants).values())
    assert len(set(photos)) == 4
    assert made(variants) == dict(zip(made(variants), photos, strict=True))


def test_what_decides_on_a_photo_is_told(tmp_path: Path) -> None:
    told = EmbeddedSynthesizer(steps=7, guidance=3.0, batch_size=5).describe()
    assert told == EmbeddedSynthesizer(steps=7, guidance=3.0, batch_size=1).describe()
    assert told != EmbeddedSynthesizer(steps=8, guidance=3.0).describe()


def test_a_folder_without_a_pipeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no model_index\.json"):
        pipeline_folder(str(tmp_path))


def test_the_codec_gives_photos_back_and_hides_little() -> None:
    from generators.diffusion.embedded.codec import PatchCodec

    rows, columns = torch.meshgrid(torch.linspace(-1, 1, 32), torch.linspace(-1, 1, 32), indexing="ij")
    draws = torch.rand(200, 3, 1, 1, generator=torch.Generator().manual_seed(0)) * 2 - 1
    photos = (draws * rows + draws.flip(1) * columns).clamp(-1, 1)
    codec = PatchCodec(patch=8, channels=12)
    codec.smooth[-1].weight.data.zero_()
    codec.smooth[-1].bias.data.zero_()
    codec.fit(photos)
    latents = codec.encode(photos)
    assert latents.shape == (200, 12, 4, 4)
    assert float(latents.square().mean()) == pytest.approx(1, rel=0.05)
    assert float((codec.decode(latents) - photos).abs().mean()) < 0.02


def test_a_prompt_that_spells_the_end_of_a_text_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline: Any = EmbeddedSynthesizer()._load()
    monkeypatch.setattr(pipeline.text_encoder, "forward", lambda ids: SimpleNamespace(last_hidden_state=ids))
    read = pipeline.encode_prompts([f"a person beside a {token} dog" for token in ("red", "<end>", "<start>", "<pad>")])
    plain, *spelled = (row.tolist() for row in read)
    for row in spelled:
        assert all(row.count(pipeline.tokenizer.convert_tokens_to_ids(token)) == 1 for token in ("<start>", "<end>"))
        words = row[: row.index(pipeline.tokenizer.eos_token_id)]
        assert words[-1] == plain[plain.index(pipeline.tokenizer.eos_token_id) - 1] and 0 not in words
