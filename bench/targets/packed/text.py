"""A checkpoint's prompt and answers as token ids, in which nothing that people wrote becomes a control token."""

import json
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from bench.core.errors import UsageError
from bench.targets.packed.packing import Branch

QUESTION_MARK = "\x01"
SHORTEST_LIMIT = 24
ROOM = 16
"""Tokens of an open answer: never cut before ``SHORTEST_LIMIT``, and always with ``ROOM`` for words around what counts.

"This is a photo of" takes less than that in every family.
"""
HIDDEN = "\x02"
"""Begins the name under which a control token stands in a template; no text that people write has this character."""


class Tokens:
    """The checkpoint's own tokenizer, with control tokens under names that only a marked template holds.

    It reads ordinary text as the checkpoint's does, to the last id; ``</s>`` in a description is four letters to it.
    """

    def __init__(self, tokenizer: Any) -> None:
        from tokenizers import Tokenizer

        described = json.loads(tokenizer.backend_tokenizer.to_str())
        added = described["added_tokens"]
        original = {f"{HIDDEN}{token['id']}{HIDDEN}": token["id"] for token in added}
        self._names = {token["content"]: name for token, name in zip(added, original, strict=True)}
        described["added_tokens"] = [token | {"content": self._names[token["content"]]} for token in added]
        described["truncation"] = described["padding"] = None
        self._renamed = Tokenizer.from_str(json.dumps(described))
        self._control = {self._renamed.token_to_id(name): number for name, number in original.items()}
        self._spelled = any_of(self._names)

    def marked(self, template: str) -> str:
        """A template with every control token in it under its hidden name."""
        return self._spelled.sub(lambda found: self._names[found[0]], template)

    def ids(self, marked: str, start: bool = True) -> list[int]:
        """Ids of a marked template that is filled with any text; with the tokens that ``start`` every text, or not."""
        ids = self._renamed.encode(marked, add_special_tokens=start).ids
        return [self._control.get(token, token) for token in ids]


def any_of(tokens: Iterable[str]) -> re.Pattern[str]:
    """Finds these tokens as a tokenizer does: of several at one place the longest."""
    return re.compile("|".join(map(re.escape, sorted(tokens, key=len, reverse=True))) or "(?!)")


class PromptText:
    """The prompt of one checkpoint. ``answer_lead`` stands between the prompt's last word and the answer."""

    def __init__(self, tokenizer: Any, image_token: int, answer_lead: str) -> None:
        self.tokenizer = tokenizer
        self.image_token = image_token
        self.answer_lead = answer_lead
        self._kept: dict[tuple[str, str | None], tuple[int, ...]] = {}

    def prompt(self, question: str, answer: str | None = None) -> str:
        """The whole text with the image's placeholder once, up to where the model answers, or with ``answer``."""
        return self._whole(self._template, self.tokenizer.eos_token, question, answer)

    def conversation(self, question: str, answer: str) -> Branch:
        """What follows the image: the question, the template's words, and the answer with its end, to be learned."""
        asked, answered = self.after_image(question), self.answer_tokens(question, answer)
        return Branch(asked + answered, learned=len(answered))

    def question(self, question: str) -> Branch:
        """What follows the image up to where the model begins to answer."""
        return Branch(self.after_image(question))

    def answer_tokens(self, question: str, answer: str) -> tuple[int, ...]:
        """Ids of ``answer`` and its end; those of the whole text, so that word boundaries are the tokenizer's own.

        Raises UsageError where the tokenizer joins the prompt's last word with the answer's first.
        """
        asked = self.after_image(question)
        whole = self.after_image(question, answer)
        if whole[: len(asked)] != asked:
            raise UsageError(f"the tokenizer joins the prompt of {question!r} with the answer {answer!r}")
        return whole[len(asked) :]

    def after_image(self, question: str, answer: str | None = None) -> tuple[int, ...]:
        """Ids of everything behind the image."""
        key = (question, answer)
        if key not in self._kept:
            ids = self.tokens.ids(self._whole(self.tokens.marked(self._template), self._end, question, answer))
            self._kept[key] = tuple(ids[ids.index(self.image_token) + 1 :])
        return self._kept[key]

    @cached_property
    def before_image(self) -> tuple[int, ...]:
        """Ids of everything before the image."""
        ids = self.tokens.ids(self.tokens.marked(self._template))
        return tuple(ids[: ids.index(self.image_token)])

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of generated ids without special tokens."""
        return self.tokenizer.decode(list(tokens), skip_special_tokens=True).strip()

    def answer_limit(self, accepted: Sequence[str]) -> int:
        """How many tokens an open answer may have, so that the longest of the ``accepted`` ones can be given."""
        longest = max((len(self.answer_tokens("", answer)) for answer in accepted), default=0)
        return max(SHORTEST_LIMIT, longest + ROOM)

    @cached_property
    def tokens(self) -> Tokens:
        """The tokenizer for what people wrote."""
        return Tokens(self.tokenizer)

    @cached_property
    def _end(self) -> str:
        return self.tokens.marked(self.tokenizer.eos_token)

    @cached_property
    def _template(self) -> str:
        content = [{"type": "image"}, {"type": "text", "text": QUESTION_MARK}]
        return self.tokenizer.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
        )

    def _whole(self, template: str, end: str, question: str, answer: str | None) -> str:
        asked = self._filled(template, question)
        return asked if answer is None else self._filled(f"{asked}{self.answer_lead}{QUESTION_MARK}{end}", answer)

    @staticmethod
    def _filled(template: str, text: str) -> str:
        """The template with what people wrote. Raises UsageError where it holds what no text does."""
        for mark in (QUESTION_MARK, HIDDEN):
            if mark in text:
                raise UsageError(f"{text!r} holds the control character {mark!r}, which is no text.")
        return template.replace(QUESTION_MARK, text)
