"""Packed questions give what questions asked alone would give, in every family."""

import pandas as pd
import pytest
import torch
from native_model import log_likelihood, native_inputs

from bench.core.progress import quiet
from bench.targets.packed.model import PackedModel
from bench.targets.packed.target import PackedTarget
from bench.targets.packed.text import SHORTEST_LIMIT
from bench.targets.training.finetuning import packed_loss

PAIRS = (("Which colour?", "red"), ("What is it called in full?", "a longer answer"), ("Why?", "no"))


def test_the_loss_of_packed_questions_is_the_native_loss(model: PackedModel, shapes: list[bytes]) -> None:
    rows = [[model.text.conversation(*pair) for pair in pairs] for pairs in (PAIRS, PAIRS[:1], PAIRS[1:])]
    with torch.no_grad():
        features = [model.features(model.pixels(photo)[None]) for photo in shapes[:3]]
        packed = float(packed_loss(model, features, rows))
    asked = [
        (photo, pair) for photo, pairs in zip(shapes, (PAIRS, PAIRS[:1], PAIRS[1:]), strict=False) for pair in pairs
    ]
    native = [log_likelihood(model, photo, *pair) for photo, pair in asked]
    assert packed == pytest.approx(-sum(value for value, _ in native) / sum(count for _, count in native), abs=1e-5)


def test_answers_and_choices_are_the_native_ones(target: PackedTarget, shapes: list[bytes]) -> None:
    model, options = target.model, ["red", "blue", "a rather long option"]
    requests = pd.DataFrame(
        [
            {"request_id": f"{place}-{question}", "image": photo, "question": question, "options": listed}
            for place, photo in enumerate(shapes)
            for question, listed in (("Which colour?", options), ("Why is it so?", []), ("Who?", options[:2]))
        ]
    )
    answers = target.answer(requests, None, quiet())
    assert list(answers["request_id"]) == list(requests["request_id"])
    for request, answer in zip(requests.itertuples(), answers.itertuples(), strict=True):
        inputs = native_inputs(model, request.image, request.question)
        whole = model.network.generate(**inputs, max_new_tokens=SHORTEST_LIMIT, do_sample=False)[0]
        generated = whole[inputs["input_ids"].shape[1] :].tolist()
        assert answer.text == model.text.decode(generated)
        ended = bool(model.end_tokens & set(generated))
        assert answer.status == ("ok" if ended and answer.text else "invalid")
        native = [log_likelihood(model, request.image, request.question, option)[0] for option in request.options]
        assert answer.option_logprobs == pytest.approx(native, abs=1e-3)
        assert answer.choice == (max(range(len(native)), key=native.__getitem__) if native else -1)


def test_answers_do_not_depend_on_what_else_is_asked(target: PackedTarget, shapes: list[bytes]) -> None:
    requests = pd.DataFrame(
        [
            {"request_id": f"{place}-{question}", "image": photo, "question": question, "options": ["yes", "no way"]}
            for place, photo in enumerate(shapes)
            for question in ("Which colour?", "Who?")
        ]
    )
    together = target.answer(requests, None, quiet())
    for place in range(len(requests)):
        alone = target.answer(requests.iloc[[place]], None, quiet()).iloc[0]
        assert alone["text"] == together["text"][place]
        assert alone["option_logprobs"] == pytest.approx(together["option_logprobs"][place], abs=1e-4)
