"""Packed questions give what questions asked alone would give."""

import io

import pandas as pd
import pytest
import torch
from PIL import Image

from bench.core.progress import quiet
from bench.targets.base import TargetSpec
from bench.targets.finetuning import packed_loss
from bench.targets.llava import Llava, LoadedLlava

PAIRS = (("Which colour?", "red"), ("What is it called in full?", "a longer answer"), ("Why?", "no"))


@pytest.fixture(scope="module")
def model(spec: TargetSpec) -> LoadedLlava:
    return LoadedLlava(spec)


def alone(model: LoadedLlava, image: bytes, question: str, answer: str = "") -> dict[str, torch.Tensor]:
    """Inputs of one question on one photo, made by transformers' own processor and chat template."""
    content = [{"type": "image"}, {"type": "text", "text": question}]
    prompt = model.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    text = prompt + (f" {answer}</s>" if answer else "")
    return model.processor(text=text, images=Image.open(io.BytesIO(image)), return_tensors="pt")


def log_likelihood(model: LoadedLlava, image: bytes, question: str, answer: str) -> tuple[float, int]:
    """Of ``answer`` and its end, and how many tokens these are, by the model's native forward pass."""
    inputs = alone(model, image, question, answer)
    count = inputs["input_ids"].shape[1] - alone(model, image, question)["input_ids"].shape[1]
    with torch.no_grad():
        scores = model.network(**inputs).logits.log_softmax(-1)[0, -count - 1 : -1]
    return float(scores.gather(1, inputs["input_ids"][0, -count:, None]).sum()), count


def test_the_loss_of_packed_questions_is_the_native_loss(model: LoadedLlava, photos: list[bytes]) -> None:
    rows = [[model.conversation(*pair) for pair in PAIRS], [model.conversation(*PAIRS[0])], []]
    with torch.no_grad():
        packed = float(packed_loss(model, model.vision_features(photos[:2]), rows[:2]))
    asked = [(photos[0], pair) for pair in PAIRS] + [(photos[1], PAIRS[0])]
    native = [log_likelihood(model, photo, *pair) for photo, pair in asked]
    assert packed == pytest.approx(-sum(value for value, _ in native) / sum(count for _, count in native), abs=1e-5)


def test_answers_and_choices_are_the_native_ones(model: LoadedLlava, spec: TargetSpec, photos: list[bytes]) -> None:
    options = ["red", "blue", "a rather long option"]
    requests = pd.DataFrame(
        [
            {"request_id": f"{place}-{question}", "image": photo, "question": question, "options": listed}
            for place, photo in enumerate(photos)
            for question, listed in (("Which colour?", options), ("Why is it so?", []), ("Who?", options[:2]))
        ]
    )
    answers = Llava(spec).answer(requests, None, quiet())
    assert list(answers["request_id"]) == list(requests["request_id"])
    for request, answer in zip(requests.itertuples(), answers.itertuples(), strict=True):
        inputs = alone(model, request.image, request.question)
        whole = model.network.generate(**inputs, max_new_tokens=24, do_sample=False)[0]
        generated = whole[inputs["input_ids"].shape[1] :]
        assert answer.text == model.decode(generated.tolist())
        assert answer.status == ("ok" if 2 in generated.tolist() and answer.text else "invalid")
        native = [log_likelihood(model, request.image, request.question, option)[0] for option in request.options]
        assert answer.option_logprobs == pytest.approx(native, abs=1e-3)
        assert answer.choice == (max(range(len(native)), key=native.__getitem__) if native else -1)


def test_the_encoder_sees_what_the_processor_shows(model: LoadedLlava) -> None:
    generator = torch.Generator().manual_seed(1)
    for height, width in ((32, 32), (48, 40), (30, 61)):
        image = torch.randint(0, 256, (height, width, 3), generator=generator, dtype=torch.uint8)
        picture = Image.fromarray(image.numpy())
        shown = model.processor.image_processor(picture, return_tensors="pt")["pixel_values"] * 0.5 + 0.5
        ours = model.preprocessing(image.permute(2, 0, 1)[None].float() / 255) * 0.5 + 0.5
        assert (ours - shown).abs().max() < 1.01 / 255
        assert (ours - shown).abs().mean() < 1e-3


def test_the_encoder_is_differentiable_and_equals_the_answering_path(model: LoadedLlava, photos: list[bytes]) -> None:
    images = torch.stack([model.pixels(photo) for photo in photos]).requires_grad_()
    features = model.encode(images)
    assert torch.allclose(features, model.vision_features(photos), atol=1e-5)
    (gradient,) = torch.autograd.grad(features.square().sum(), images)
    assert (gradient.abs().amax((1, 2, 3)) > 0).all()
