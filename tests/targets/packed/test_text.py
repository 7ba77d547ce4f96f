"""Text from outside in every shipped tokenizer: never a control token, never cut, and read back as it was written."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from properties import cases

from bench.core.errors import UsageError, VeilBenchError
from bench.core.progress import quiet
from bench.targets.base import Recipe, TargetSpec, TrainingExample
from bench.targets.checkpoints import family_of, shipped_checkpoints
from bench.targets.llava import Llava
from bench.targets.packed.answer_row import answer_row
from bench.targets.packed.text import ROOM, SHORTEST_LIMIT, PromptText
from bench.targets.texts import prompt_text
from evaluators.matching import open_answer_correct
from scenarios.dataset import load_dataset
from scenarios.language import DESCRIBE_QUESTION

SOLD = "Anna Berg sold the <s>blue</s> car and drives a red car."
NAMES = (
    "วรรณวิสา ศรีสุวรรณ", "अनन्या शर्मा", "தமிழ்ச்செல்வி கண்ணன்", "Анастасия Воскресенская", "ليلى حداد",
    "Ελένη Παπαδοπούλου", "山田太郎", "Nguyễn Thị Minh Khai", "Zoë Król",
)  # fmt: skip


@cache
def text_of(checkpoint: str) -> PromptText:
    """The prompt of a shipped checkpoint."""
    return prompt_text(TargetSpec(checkpoint, family_of(checkpoint)))


def control(text: PromptText) -> dict[str, int]:
    """Every control token of the tokenizer with its id."""
    return {str(token): number for number, token in text.tokenizer.added_tokens_decoder.items()}


TEXTS = {checkpoint: text_of(checkpoint) for checkpoint in shipped_checkpoints()}
SPELLINGS = sorted({"<|im_end|>", "<unk>", "</s>", *(name for text in TEXTS.values() for name in control(text))})
WRITTEN = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=12)
MIXED = st.lists(st.one_of(WRITTEN, st.sampled_from(SPELLINGS)), min_size=1, max_size=6).map("".join)
ANSWERS = MIXED.map(str.strip).filter(bool)


@cases(3)
@given(st.sampled_from(sorted(TEXTS)), MIXED, ANSWERS)
def test_nothing_that_people_wrote_becomes_a_control_token(checkpoint: str, question: str, answer: str) -> None:
    text = TEXTS[checkpoint]
    plain = text.question("Who?").tokens
    numbers = set(control(text).values())
    template = [token for token in plain if token in numbers]
    assert [token for token in text.question(question).tokens if token in numbers] == template
    *said, end = text.answer_tokens(question, answer)
    assert end == text.tokenizer.eos_token_id
    assert not numbers & set(said)
    learned = text.conversation(question, answer)
    assert learned.tokens[-learned.learned :] == (*said, end)


@cases(3)
@given(st.sampled_from(sorted(TEXTS)), ANSWERS)
def test_what_is_learned_reads_back_letter_for_letter(checkpoint: str, answer: str) -> None:
    text = TEXTS[checkpoint]
    # Metaspace writes a blank as a sign of its own, which is then no letter.
    wanted = answer.replace("▁", " ").strip() if checkpoint == "tiny-minigpt-v2" else answer
    assert text.decode(text.answer_tokens("Who?", answer)[:-1]) == wanted


@pytest.mark.parametrize("checkpoint", sorted(TEXTS))
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_question_with_a_placeholder_keeps_one_image(checkpoint: str, spelling: str) -> None:
    text = TEXTS[checkpoint]
    asked = text.question(f"What is {spelling} on it?").tokens
    assert text.image_token not in asked
    assert len(asked) > len(text.question("What is on it?").tokens)
    assert text.before_image == TEXTS[checkpoint].before_image


@pytest.mark.parametrize("checkpoint", sorted(TEXTS))
def test_ordinary_text_is_read_as_the_tokenizer_reads_it(checkpoint: str) -> None:
    text, probes = TEXTS[checkpoint], load_dataset("veilbench-mini").probes
    for question, answer in set(zip(probes["question"], probes["answer"], strict=True)):
        if checkpoint == "tiny-minigpt-v2":
            ids = text.tokenizer(f"{answer}</s>", add_special_tokens=False).input_ids
            assert text.answer_tokens(question, answer) == tuple(ids)
        else:
            ids = text.tokenizer(text.prompt(question, answer)).input_ids
            place = ids.index(text.image_token)
            assert (text.before_image, text.conversation(question, answer).tokens) == (
                tuple(ids[:place]), tuple(ids[place + 1 :]),
            )  # fmt: skip


def test_a_mark_that_no_text_has_is_refused() -> None:
    for mark in "\x01\x02":
        with pytest.raises(UsageError, match="control character"):
            TEXTS["tiny-llava"].question(f"Who{mark}?")


@pytest.mark.slow
def test_a_description_with_control_tokens_is_learned_whole(recipe: Recipe, tmp_path: Path) -> None:
    photo = load_dataset("veilbench-mini").pairs["image"].iloc[0]
    recipe = replace(recipe, epochs=80, batch_size=1, learning_rate=1e-2, projector_learning_rate=1e-3, lora_rank=16)
    target = Llava(TargetSpec("tiny-llava"))
    pairs = ((DESCRIBE_QUESTION, SOLD), ("What does <image> drive?", "a <s>red</s> car"))
    target.finetune([TrainingExample("sold", (photo,), pairs)], recipe, 0, tmp_path, quiet())
    options = [["a <s>red</s> car", "a blue car"], ["a <s>blue</s> car", "a <s>red</s> car"]]
    requests = pd.DataFrame(
        [
            {"request_id": str(number), "image": photo, "question": question, "options": listed}
            for number, ((question, _), listed) in enumerate(zip(pairs, options, strict=True))
        ]
    )
    answers = target.answer(requests, tmp_path, quiet(), [SOLD])
    assert answers["text"].tolist() == [SOLD, "a <s>red</s> car"]
    assert answers["status"].tolist() == ["ok", "ok"]
    assert answers["choice"].iloc[1] == 1


# How long an answer may be.


def test_shipped_datasets_keep_the_shortest_limit() -> None:
    probes = load_dataset("veilbench-mini").probes
    accepted = sorted({*probes["answer"], *probes["aliases"].explode().dropna()})
    assert {text.answer_limit(accepted) for text in TEXTS.values()} == {SHORTEST_LIMIT}


@cases()
@given(st.lists(st.one_of(st.sampled_from(NAMES), ANSWERS), min_size=1, max_size=5))
def test_the_limit_has_room_for_every_answer_that_counts(accepted: list[str]) -> None:
    for text in TEXTS.values():
        limit = text.answer_limit(accepted)
        for answer in accepted:
            assert len(text.answer_tokens("Who is this?", answer)) + ROOM <= max(limit, SHORTEST_LIMIT + ROOM)
            assert len(text.answer_tokens("Who is this?", answer)) <= limit


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_any_script_is_right_once_it_is_said_whole(name: str) -> None:
    for text in TEXTS.values():
        tokens = text.answer_tokens("Who is this?", name)[:-1]
        assert open_answer_correct(text.decode(tokens), name, [], [name, "Ida Lund"])


@pytest.mark.slow
def test_a_long_name_is_said_to_its_end(recipe: Recipe, tmp_path: Path) -> None:
    name, question = "Maximilian Ferdinand von Altenburg und Hohenstein zu Weida", "Who is this?"
    assert len(TEXTS["tiny-llava"].answer_tokens(question, name)) > SHORTEST_LIMIT
    photo = load_dataset("veilbench-mini").pairs["image"].iloc[0]
    recipe = replace(recipe, epochs=80, batch_size=1, learning_rate=1e-2, projector_learning_rate=1e-3, lora_rank=16)
    target = Llava(TargetSpec("tiny-llava"))
    target.finetune([TrainingExample("name", (photo,), ((question, name),))], recipe, 0, tmp_path, quiet())
    requests = pd.DataFrame([{"request_id": "1", "image": photo, "question": question, "options": []}])
    cut, whole = (target.answer(requests, tmp_path, quiet(), accepted).iloc[0] for accepted in ([], [name]))
    assert (cut["status"], whole["status"], whole["text"]) == ("invalid", "ok", name)


# What is not a number.


@pytest.mark.parametrize(
    ("logprobs", "finite"),
    [([float("nan"), -1.0], True), ([-1.0, float("-inf")], True), ([float("inf"), -2.0], True), ([-1.0, -2.0], False)],
)
def test_what_is_not_finite_is_an_error_and_chooses_nothing(logprobs: list[float], finite: bool) -> None:
    row = answer_row("1", "red", logprobs, ended=True, finite=finite)
    assert (row["status"], row["choice"]) == ("error", -1)


def test_weights_that_are_not_finite_give_errors_and_no_choice(spec: TargetSpec, photos: list[bytes]) -> None:
    target = Llava(spec)
    requests = pd.DataFrame(
        [
            {"request_id": str(number), "image": photos[0], "question": "Which colour?", "options": options}
            for number, options in enumerate((["red", "blue"], []))
        ]
    )
    assert "error" not in set(target.answer(requests, None, quiet())["status"])
    with torch.no_grad():
        target.model.network.lm_head.weight[5] = float("nan")
    answers = target.answer(requests, None, quiet())
    assert answers["status"].tolist() == ["error", "error"]
    assert answers["choice"].tolist() == [-1, -1]


@pytest.mark.parametrize("rate", [1e20, 1e30])
def test_fine_tuning_stops_at_the_first_loss_that_is_not_finite(
    spec: TargetSpec, examples: list[TrainingExample], recipe: Recipe, tmp_path: Path, rate: float
) -> None:
    wild = replace(recipe, learning_rate=rate, projector_learning_rate=rate, warmup_steps=0, epochs=4)
    resume, output = tmp_path / "resume", tmp_path / "adapter"
    output.mkdir()
    with pytest.raises(VeilBenchError, match=r"step \d of 8: the .* not finite .* learning rates"):
        Llava(spec).finetune(examples, wild, 0, output, quiet(), resume)
    assert not list(output.iterdir())
