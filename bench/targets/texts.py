"""What a target cannot be told or cannot say: too long for it, misread by an engine, changed by its tokenizer.

Only a checkpoint's small files are read, and its tokenizer only where a text may be affected.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import UsageError
from bench.targets.base import TargetSpec
from bench.targets.checkpoints import positions, resolve_checkpoint
from bench.targets.loading import load_tokenizer, read_config
from bench.targets.packed.model import PackedModel
from bench.targets.packed.target import PackedTarget
from bench.targets.packed.text import HIDDEN, QUESTION_MARK, PromptText, any_of
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


def no_text(told: Sequence[Told]) -> Iterator[tuple[str, str]]:
    """(row, what is wrong) of every text with a character that stands for something else in prompts."""
    for one in told:
        for mark in (QUESTION_MARK, HIDDEN):
            if mark in one.question or mark in one.answer:
                yield one.row, f"holds the control character {mark!r}, which is no text: take it out"


def too_long(spec: TargetSpec, told: Sequence[Told]) -> Iterator[tuple[str, str]]:
    """(row, what is wrong) of every text that takes more positions than the target's language model has."""
    long = [one for one in told if len(f"{one.question}{one.answer}".encode()) > SURELY_SHORT]
    kind = _loaded_as(spec)
    if not long or kind is None:
        return
    folder = resolve_checkpoint(spec.checkpoint)
    text, most = _text_of(kind, folder), positions(folder, LONGEST_CONTEXT)
    shown = len(text.before_image) + kind.image_positions(read_config(folder))
    for one in long:
        taken = shown + len(text.conversation(one.question, one.answer).tokens)
        if taken > most:
            problem = (
                f"takes {taken:,} tokens with its photo and question, and {spec.checkpoint} reads at most {most:,}"
            )
            yield one.row, f"'{_begun(one.answer)}' {problem}: shorten it"


def misread(spec: TargetSpec, told: Sequence[Told]) -> Iterator[tuple[str, str]]:
    """(row, control token) of every text with which a querier's words would become one where an engine tokenizes.

    In process none ever does; an engine that is shown embeddings reads no words at all.
    """
    kind = _loaded_as(spec)
    if kind is not None and not kind.prompt_embeds:
        yield from control_spellings(spec, [one for one in told if one.asked])


def control_spellings(spec: TargetSpec, told: Sequence[Told]) -> Iterator[tuple[str, str]]:
    """(row, control token) of every text that spells a control token of the target."""
    file = resolve_checkpoint(spec.checkpoint) / "tokenizer.json"
    if not file.exists():
        return
    added = json.loads(file.read_text(encoding="utf-8")).get("added_tokens", ())
    spelled = any_of(token["content"] for token in added)
    for one in told:
        found = spelled.search(one.question) or spelled.search(one.answer)
        if found:
            yield one.row, found[0]


def unsayable(text: PromptText, answers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(answer, what comes back) of each that the tokenizer does not give back letter for letter."""
    for answer in answers:
        tokens = text.answer_tokens("", answer)
        back = text.decode(tokens[:-1])
        if back != answer.strip():
            yield answer, back


def prompt_text(spec: TargetSpec) -> PromptText:
    """The prompt of a target without its weights. Raises UsageError for a family that answers in a way of its own."""
    kind = _loaded_as(spec)
    if kind is None:
        raise UsageError(f"family '{spec.family}' answers in a way of its own, whose prompts are not known here.")
    return _text_of(kind, resolve_checkpoint(spec.checkpoint))


def _text_of(kind: type[PackedModel], folder: Path) -> PromptText:
    config = read_config(folder)
    image_token = int(config.get("image_token_id") or config["image_token_index"])
    return kind.words(load_tokenizer(folder), image_token, kind.answer_lead)


def _loaded_as(spec: TargetSpec) -> type[PackedModel] | None:
    """What the target's checkpoint is loaded as; None for a family that answers in a way of its own."""
    family = targets.get(spec.family)
    return family.loads if issubclass(family, PackedTarget) else None


def _begun(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"
