"""The family ``minigpt_v2``: the published prompt and picture, answers as by the plain network, a Llama to serve."""

import io
from pathlib import Path

import pandas as pd
import pytest
import torch
from PIL import Image

from bench.core.digests import digest_tree
from bench.core.errors import UsageError
from bench.core.progress import quiet
from bench.targets.base import Recipe, TargetSpec, TrainingExample
from bench.targets.loading import load_image_processor
from bench.targets.minigpt_v2 import LoadedMiniGPTv2, MiniGPTv2

OPTIONS = ["red", "blue", "a rather long option"]


def whole_prompt(model: LoadedMiniGPTv2, question: str, answer: str) -> torch.Tensor:
    """Ids of a conversation with the image's tokens, segment by segment as the published code makes them."""
    segments = ("[INST] <Img>", f"</Img> {question} [/INST]", f"{answer}</s>")
    before, after, answered = (model.tokenizer(text, add_special_tokens=False).input_ids for text in segments)
    image = [model.image_token] * model.network.config.image_tokens
    return torch.tensor([[model.tokenizer.bos_token_id, *before, *image, *after, *answered]])


def picture(model: LoadedMiniGPTv2, photo: bytes) -> torch.Tensor:
    return load_image_processor(model.folder)(Image.open(io.BytesIO(photo)), return_tensors="pt")["pixel_values"]


def test_prompt_and_ids_are_the_published_ones(minigpt: MiniGPTv2) -> None:
    model = minigpt.model
    assert model.text.prompt("Which?", "red") == "[INST] <Img><ImageHere></Img> Which? [/INST] red</s>"
    ids = [*model.text.before_image, *[model.image_token] * 16, *model.text.conversation("Which?", "red").tokens]
    assert ids == whole_prompt(model, "Which?", "red")[0].tolist()
    assert model.tokenizer.convert_ids_to_tokens(model.text.answer_tokens("Which?", "red")) == [
        "▁",
        "r",
        "e",
        "d",
        "</s>",
    ]
    assert model.text.decode(model.text.answer_tokens("Which?", "naïve")) == "naïve"


def test_photos_are_shown_as_blips_processor_shows_them(minigpt: MiniGPTv2, shapes: list[bytes]) -> None:
    for photo in shapes:
        ours = minigpt.model.preprocessing(minigpt.model.pixels(photo)[None])
        assert torch.allclose(ours, picture(minigpt.model, photo), atol=1e-6)


def test_encoding_is_differentiable(minigpt: MiniGPTv2, photos: list[bytes]) -> None:
    image = minigpt.model.pixels(photos[0])[None].requires_grad_(True)
    features = minigpt.encode(image)
    assert features.shape == (1, 64, 32)
    features.square().sum().backward()
    assert image.grad is not None and image.grad.abs().max() > 0


def test_answers_and_choices_are_those_of_the_plain_network(minigpt: MiniGPTv2, shapes: list[bytes]) -> None:
    model = minigpt.model
    asked = [(photo, question) for photo in shapes[:2] for question in ("Which colour?", "Why?")]
    requests = pd.DataFrame(
        [
            {"request_id": str(place), "image": photo, "question": question, "options": OPTIONS}
            for place, (photo, question) in enumerate(asked)
        ]
    )
    answers = minigpt.answer(requests, None, quiet())
    for (photo, question), row in zip(asked, answers.itertuples(), strict=True):
        for option, logprob in zip(OPTIONS, row.option_logprobs, strict=True):
            ids = whole_prompt(model, question, option)
            count = len(model.text.answer_tokens(question, option))
            with torch.no_grad():
                logits = model.network(input_ids=ids, pixel_values=picture(model, photo)).logits
            native = logits[0, -count - 1 : -1].log_softmax(-1).gather(1, ids[0, -count:, None]).sum()
            assert logprob == pytest.approx(float(native), abs=1e-4)
        assert row.choice == max(range(3), key=row.option_logprobs.__getitem__)


def test_an_adapter_changes_the_answers_and_leaves_the_base_alone(
    minigpt: MiniGPTv2, examples: list[TrainingExample], recipe: Recipe, tmp_path: Path
) -> None:
    image = examples[0].images[0]
    requests = pd.DataFrame([{"request_id": "a", "image": image, "question": "Which colour?", "options": OPTIONS}])
    before = minigpt.answer(requests, None, quiet())
    minigpt.finetune(examples, recipe, 0, tmp_path, quiet())
    tuned = minigpt.answer(requests, tmp_path, quiet())
    assert tuned["option_logprobs"][0][0] > before["option_logprobs"][0][0] + 1
    pd.testing.assert_frame_equal(minigpt.answer(requests, None, quiet()), before)


def test_the_llama_is_served_alone(minigpt: MiniGPTv2, tmp_path: Path) -> None:
    from transformers import AutoTokenizer, LlamaForCausalLM

    served = minigpt.served_folder(tmp_path / "llama")
    llama = LlamaForCausalLM.from_pretrained(served).eval()
    shown = torch.randn(1, 7, 32)
    with torch.no_grad():
        hidden = minigpt.model.run(shown, torch.zeros(1, 1, 7, 7).fill_(-1e9).triu(1), torch.arange(7)[None])
        assert torch.allclose(llama(inputs_embeds=shown).logits, minigpt.model.logits(hidden), atol=1e-4)
    assert AutoTokenizer.from_pretrained(served).eos_token_id == minigpt.model.tokenizer.eos_token_id
    digest = digest_tree(served)
    assert digest_tree(minigpt.served_folder(tmp_path / "llama")) == digest
    assert [path.name for path in tmp_path.iterdir()] == ["llama"]


def test_a_processor_that_resizes_otherwise_is_refused(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    settings = tmp_path / "preprocessor_config.json"
    settings.write_text(settings.read_text().replace('"resample": 3', '"resample": 2'))
    with pytest.raises(UsageError, match="photos must be resized to a square"):
        LoadedMiniGPTv2(TargetSpec(str(tmp_path), family="minigpt_v2"))
