"""What a target cannot be told or cannot say: too long for it, misread by an engine, changed by its tokenizer.

Only a checkpoint's small files are read, and its tokenizer only where a text may be affected.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.targets.base import TargetSpec
from bench.targets.checkpoints import resolve_checkpoint
from bench.targets.loading import load_tokenizer
from bench.targets.packed.model import PackedModel
from bench.targets.packed.target import PackedTarget
from bench.targets.packed.text import HIDDEN, QUESTION_MARK, PromptText
from bench.targets.registry import targets
from scenarios.dataset import Dataset
from scenarios.language import training_conversations

SURELY_SHORT = 256
"""Bytes. A tokenizer makes at most a token of a byte, and every model reads more than that."""
LONGEST_CONTEXT = 4096
"""Tokens, where a checkpoint says nothing."""


@dataclass(frozen=True)
class Told:
    """A question, what is answered to it, and in which row of which table it stands. ``asked``: a querier asks it."""

    row: str
    question: str
    answer: str
    asked: bool


def told_in(dataset: Dataset) -> list[Told]:
    """Everything that targets are trained on, and asked, once."""
    people = {person.person_id: person for person in dataset.persons("evaluation")}
    found: dict[tuple[str, str, bool], Told] = {}
    for pair in dataset.pairs[["pair_id", "person_id", "scenario", "description"]].to_dict("records"):
        if pair["person_id"] in people:
            said = training_conversations(people[pair["person_id"]], pair["scenario"], pair["description"])
            for question, answer in said:
                found.setdefault((question, answer, False), Told(f"pair '{pair['pair_id']}'", question, answer, False))
    for probe in dataset.probes[["probe_id", "question", "answer", "aliases", "options"]].to_dict("records"):
        for answer in (probe["answer"], *probe["aliases"], *probe["options"]):
            told = Told(f"probe '{probe['probe_id']}'", probe["question"], answer, True)
            found.setdefault((told.question, told.answer, True), told)
    return list(found.values())


def no_text(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """(row, what is wrong) of every text with a character that stands for something else in prompts."""
    for one in told_in(dataset):
        for mark in (QUESTION_MARK, HIDDEN):
            if mark in one.question or mark in one.answer:
                yield one.row, f"holds the control character {mark!r}, which is no text: take it out"


def too_long(spec: TargetSpec, dataset: Dataset) -> Iterator[tuple[str, str]]:
    """(row, what is wrong) of every text that takes more positions than the target's language model has."""
    long = [one for one in told_in(dataset) if len(f"{one.question}{one.answer}".encode()) > SURELY_SHORT]
    if not long:
        return
    folder, kind = resolve_checkpoint(spec.checkpoint), _loaded_as(spec)
    if kind is None:
        return
    text, config = prompt_text(spec), _config(folder)
    most = int(config.get("text_config", config).get("max_position_embeddings", LONGEST_CONTEXT))
    shown = len(text.before_image) + kind.image_positions(config)
    for one in long:
        taken = shown + len(text.conversation(one.question, one.answer).tokens)
        if taken > most:
            yield (
                one.row,
                (
                    f"'{_begun(one.answer)}' takes {taken:,} tokens with its photo and question, and"
                    f" {spec.checkpoint} reads at most {most:,}: shorten it"
                ),
            )


def misread(spec: TargetSpec, dataset: Dataset) -> Iterator[tuple[str, str]]:
    """(row, control token) of every text with which a querier's words would become one where an engine tokenizes.

    In process none ever does; an engine that is shown embeddings reads no words at all.
    """
    kind = _loaded_as(spec)
    if kind is None or kind.prompt_embeds:
        return
    yield from ((row, token) for row, token, asked in control_spellings(spec, dataset) if asked)


def control_spellings(spec: TargetSpec, dataset: Dataset) -> Iterator[tuple[str, str, bool]]:
    """(row, control token, whether it is asked) of every text that spells a control token of the target."""
    file = resolve_checkpoint(spec.checkpoint) / "tokenizer.json"
    if not file.exists():
        return
    added = [token["content"] for token in json.loads(file.read_text(encoding="utf-8")).get("added_tokens", ())]
    spelled = re.compile("|".join(map(re.escape, sorted(added, key=len, reverse=True))) or "(?!)")
    for one in told_in(dataset):
        found = spelled.search(one.question) or spelled.search(one.answer)
        if found:
            yield one.row, found[0], one.asked


def unsayable(text: PromptText, answers: list[str]) -> Iterator[tuple[str, str]]:
    """(answer, what comes back) of each that the tokenizer does not give back letter for letter."""
    for answer in answers:
        tokens = text.answer_tokens("", answer)
        back = text.decode(tokens[:-1])
        if back != answer.strip():
            yield answer, back


def prompt_text(spec: TargetSpec) -> PromptText:
    """The prompt of a target without its weights. Raises UsageError for a family that answers in a way of its own."""
    folder, kind = resolve_checkpoint(spec.checkpoint), _loaded_as(spec)
    assert kind is not None, "who asks has looked"
    config = _config(folder)
    image_token = config.get("image_token_id") or config.get("image_token_index")
    return kind.words(load_tokenizer(folder), int(image_token), kind.answer_lead)


def _loaded_as(spec: TargetSpec) -> type[PackedModel] | None:
    """What the target's checkpoint is loaded as; None for a family that answers in a way of its own."""
    family = targets.get(spec.family)
    return family.loads if issubclass(family, PackedTarget) else None


def _config(folder: Path) -> Any:
    return json.loads((folder / "config.json").read_text(encoding="utf-8"))


def _begun(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"
