"""Which of some candidates a text asserts; whether an open answer tells the right one and no other."""

from collections.abc import Sequence
from functools import cached_property, lru_cache

from evaluators.reading.cues import CUES
from evaluators.reading.denial import silent_words
from evaluators.reading.mentions import Mention, Phrase, longest, mentions_of, phrase
from evaluators.reading.names import WORD_NAMES, stands_as_name
from evaluators.reading.sentences import Reading
from scenarios.spelling import AND, pieces, same_answer, words


class Text:
    """A text that several questions are asked of; what it denies is found out once."""

    def __init__(self, text: str) -> None:
        self.reading = Reading(text)

    @cached_property
    def _silent(self) -> list[bool]:
        return silent_words(self.reading)

    def asserted(self, mentions: Sequence[Mention]) -> list[Mention]:
        """The mentions that are in no longer one and stand where the text asserts something."""
        kept = longest(mentions)
        told = {index for one in kept for index in range(one.start, one.end) if one.end - one.start > 1}
        negated = frozenset(index for index in told if self.reading.words[index] in CUES)
        silent = silent_words(self.reading, negated) if negated else self._silent
        return [one for one in kept if not any(silent[one.start : one.end])]


@lru_cache(maxsize=16384)
def _halves(answer: str) -> tuple[str, ...]:
    """The parts of a pair as they are written; none of an answer that is no pair."""
    found: list[list[str]] = [[]]
    for piece in pieces(answer):
        if piece.word == AND or "," in piece.before:
            found.append([])
        if piece.word != AND:
            found[-1].append(piece.raw)
    return tuple(" ".join(part) for part in found if part) if len(found) > 1 else ()


class Candidate:
    """One thing that a text may name, in any of several wordings; of a pair it names both halves, in any order."""

    def __init__(self, wordings: Sequence[str]) -> None:
        self.phrases: list[Phrase] = [phrase(wording) for wording in wordings]
        self.wordings = list(wordings)
        self.pairs: list[range] = []
        for wording in wordings:
            halves = _halves(wording)
            if halves:
                self.pairs.append(range(len(self.phrases), len(self.phrases) + len(halves)))
                self.phrases += [phrase(half) for half in halves]
                self.wordings += halves
        self.whole = len(wordings)

    def is_named(self, told: set[int]) -> bool:
        """Whether the phrases of these numbers name it."""
        return any(number < self.whole for number in told) or any(told.issuperset(pair) for pair in self.pairs)


class Question:
    """The candidates that a text may name; ``owners`` of mentions are their numbers."""

    def __init__(self, candidates: Sequence[Sequence[str]]) -> None:
        self.candidates = [Candidate(wordings) for wordings in candidates]
        phrases = [one for candidate in self.candidates for one in candidate.phrases]
        phrases += [one.absent for one in phrases if one.absent]
        self.initials = {letter for one in phrases for letter in one.initials}
        self._names = self._word_names()

    def told(self, text: Text) -> list[set[int]]:
        """For each candidate, the numbers of its phrases that the text asserts."""
        told: list[set[int]] = [set() for _ in self.candidates]
        reading = text.reading
        if not self.initials.isdisjoint(reading.initials):
            found = [
                mention
                for owner, candidate in enumerate(self.candidates)
                for mention in mentions_of(reading, owner, candidate.phrases)
                if self._is_used(reading, mention)
            ]
            for mention in self._without_alternatives(reading, text.asserted(found) if found else []):
                told[mention.owner].add(mention.part)
        return told

    def named(self, text: Text) -> list[int]:
        """The numbers of the candidates that the text names."""
        told = self.told(text)
        return [number for number, candidate in enumerate(self.candidates) if candidate.is_named(told[number])]

    def _without_alternatives(self, reading: Reading, mentions: Sequence[Mention]) -> list[Mention]:
        """The mentions without both halves of a pair where the text says "Ana or Tom"."""
        halves = {(one.owner, one.end): one for one in mentions if one.part >= self.candidates[one.owner].whole}
        alternatives = set()
        for one in mentions:
            first = halves.get((one.owner, one.start - 1))
            if first is not None and reading.words[one.start - 1] == "or":
                alternatives |= {first, one}
        return [one for one in mentions if one not in alternatives]

    def _is_used(self, reading: Reading, mention: Mention) -> bool:
        """Whether "Rose" of "Rose and Ben" is meant, and not a rose."""
        return (mention.owner, mention.part) not in self._names or stands_as_name(reading, mention.start, mention.end)

    def _word_names(self) -> set[tuple[int, int]]:
        """The phrases that are names and words at once, where the candidates are names."""
        single = [
            (owner, number, wording)
            for owner, candidate in enumerate(self.candidates)
            for number, wording in enumerate(candidate.wordings)
            if wording[:1].isupper() and wording.isalpha()
        ]
        if all(wording.lower() in WORD_NAMES for _, _, wording in single):
            return set()
        return {(owner, number) for owner, number, wording in single if wording.lower() in WORD_NAMES}


class FactQuestion:
    """A question for a fact: its answer, what else counts as that, and the other options."""

    def __init__(self, answer: str, aliases: Sequence[str], options: Sequence[str]) -> None:
        others = [option for option in options if not same_answer(option, answer)]
        self._right = Candidate([answer, *aliases])
        self._question = Question([[answer, *aliases], *([option] for option in others)])
        self._shared = self._shared_with_right(others)

    def is_right(self, text: Text) -> bool:
        """Whether the text tells the answer and no other option, nor half of one."""
        told = self._question.told(text)
        if not self._right.is_named(told[0]):
            return False
        return all(found <= shared for found, shared in zip(told[1:], self._shared, strict=True))

    def _shared_with_right(self, others: Sequence[str]) -> list[set[int]]:
        """For each other option, the numbers of its phrases that the right answer holds too."""
        right = {words(wording) for wording in self._right.wordings}
        return [
            {
                number
                for number, wording in enumerate(self._question.candidates[owner].wordings)
                if words(wording) in right
            }
            for owner in range(1, len(others) + 1)
        ]
