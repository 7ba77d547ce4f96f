"""Where a phrase stands in a text, whichever way it is spelt."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from evaluators.reading.cues import (
    BEFORE_ABSENT,
    COMPOUND_TAILS,
    COMPOUNDS,
    DEGREES,
    FINITE,
    PREPOSITIONS,
    PRONOUNS,
    word_set,
)
from evaluators.reading.scripts import is_unspaced, part, stem
from evaluators.reading.sentences import JOINT, SEAM, SPACE, Reading
from scenarios.spelling import ARTICLES, one_variant, pieces, singular

_COPULAS = word_set("is are was were look looks seem seems appear appears")
_BESIDE_A_THING = word_set("that which he she they wears wear drives drive has owns rides colour color of hers")
_NEVER_HALVES = FINITE | PREPOSITIONS | PRONOUNS | ARTICLES | word_set("and or as of to no not so am be if us up")
_NEVER_HALVES -= {"up"}
_COMPOUND_STEMS = frozenset((singular(one), singular(two)) for one, two in COMPOUNDS)


CONTRACTED = word_set("is not am are have would will")
"""Short forms of verbs and of "not", which are fastened to any word: "Ana'll"."""


class Mention(NamedTuple):
    """A phrase of candidate ``owner`` at the words ``start`` up to ``end``; ``part`` is which of its phrases."""

    owner: int
    part: int
    start: int
    end: int


class Phrase(NamedTuple):
    """What is looked for: the words as one, and where in that one word a new word begins."""

    joined: str
    seams: frozenset[int]
    reversed: tuple[str, str] | None
    """Of two words such as "red glasses" also "glasses are red"."""
    absent: "Phrase | None" = None
    """Of an answer such as "no glasses" what is said to be absent."""

    @property
    def initials(self) -> str:
        """The letters that the first word of the phrase, as it may stand in a text, begins with."""
        return self.joined[:1] + (self.reversed[0][:1] if self.reversed else "")


@lru_cache(maxsize=16384)
def phrase(text: str) -> Phrase:
    """A phrase ready to be looked for; articles do not count."""
    told = [word for piece in pieces(text) for word in (part(piece.word) if is_unspaced(piece.word) else (piece.word,))]
    told = [word for word in told if word not in ARTICLES] or told
    whole, seams = "", set()
    for number, word in enumerate(told):
        last = number == len(told) - 1
        seams.add(len(whole))
        whole = _append(whole, singular(stem(word)) if last else one_variant(word))
    swapped = (singular(stem(told[1])), singular(stem(told[0]))) if len(told) == 2 else None
    absent = phrase(" ".join(told[1:])) if told[0:1] == ["no"] and len(told) > 1 else None
    return Phrase(whole, frozenset(seams), swapped, absent)


def places(reading: Reading, wanted: Phrase) -> Iterator[tuple[int, int]]:
    """Where the phrase stands, as (first word, one past its last word)."""
    if not wanted.joined:
        return
    for place in reading.initials.get(wanted.joined[0], ()):
        end = _match(reading, wanted, place)
        if end and _stands_alone(reading, reading.content[place], end):
            yield reading.content[place], end
    if wanted.reversed:
        yield from _reversed(reading, *wanted.reversed)
    if wanted.absent:
        yield from _absent(reading, wanted.absent)


def longest(mentions: Sequence[Mention]) -> list[Mention]:
    """The mentions that are not inside a longer one: "brick wall" does not name "wall"."""
    return [
        one
        for one in mentions
        if not any(
            other.start <= one.start and one.end <= other.end and other.end - other.start > one.end - one.start
            for other in mentions
        )
    ]


def _match(reading: Reading, wanted: Phrase, place: int) -> int:
    """One past the last word of the phrase that begins at this place in ``content``; 0 where it does not."""
    content, told = reading.content, ""
    while place < len(content):
        index = content[place]
        length = len(told)
        if length and length not in wanted.seams and not _may_join(reading, content[place - 1], index):
            return 0
        if _append(told, reading.stems[index]) == wanted.joined:
            return index + 1
        told = _append(told, one_variant(reading.words[index]))
        if not wanted.joined.startswith(told):
            # "houses" as the last of several words is longer than its one form.
            return 0
        place += 1
        if place < len(content) and not _runs_on(reading, index, content[place]):
            return 0
    return 0


def _append(told: str, word: str) -> str:
    """Two words as one; two numbers in a row stay apart."""
    return f"{told}.{word}" if told[-1:].isdigit() and word[:1].isdigit() else told + word


def _runs_on(reading: Reading, index: int, following: int) -> bool:
    """Whether nothing but spaces, hyphens and articles stands between two words."""
    return all(reading.gaps[between] in (SPACE, JOINT, SEAM) for between in range(index + 1, following + 1))


def _may_join(reading: Reading, index: int, following: int) -> bool:
    """Whether two words may be a phrase's one word: "house-boat" and "pick up", but not "do g" or "cab in"."""
    if following != index + 1 or reading.gaps[following] != SPACE:
        return following == index + 1
    pair = (reading.words[index], reading.words[following])
    return all(len(word) > 1 and word not in _NEVER_HALVES for word in pair)


def _stands_alone(reading: Reading, start: int, end: int) -> bool:
    """Whether the words are no part of a compound: "dog-eared", "Ana-Maria", "hot dog"."""
    words, gaps, stems = reading.words, reading.gaps, reading.stems
    if end < len(reading) and gaps[end] == JOINT and words[end] not in COMPOUND_TAILS and words[end] not in CONTRACTED:
        return False
    first_end = start + 1
    if gaps[start] == JOINT and start and (end == first_end or gaps[first_end] == JOINT):
        return False
    before = start and gaps[start] in (SPACE, JOINT) and (stems[start - 1], stems[start]) in _COMPOUND_STEMS
    after = end < len(reading) and gaps[end] in (SPACE, JOINT) and (stems[end - 1], stems[end]) in _COMPOUND_STEMS
    return not before and not (after and not reading.possessive[end - 1])


def _reversed(reading: Reading, thing: str, quality: str) -> Iterator[tuple[int, int]]:
    """Where "glasses are red" stands for "red glasses"."""
    for index, stem_here in enumerate(reading.stems):
        if stem_here != thing:
            continue
        place = index + 1
        while place < min(index + 4, len(reading) - 1) and reading.words[place] in _BESIDE_A_THING:
            place += 1
        if place >= len(reading) or reading.words[place] not in _COPULAS:
            continue
        place += 1
        while place < len(reading) and reading.words[place] in DEGREES and reading.gaps[place] == SPACE:
            place += 1
        ends = place + 1 == len(reading) or reading.gaps[place + 1] != JOINT if place < len(reading) else False
        if ends and reading.gaps[place] == SPACE and reading.stems[place] == quality:
            yield index, place + 1


def _absent(reading: Reading, thing: Phrase) -> Iterator[tuple[int, int]]:
    """Where "not wearing any glasses" or "without glasses" stands for "no glasses"."""
    for start, end in places(reading, thing):
        before = start - 1
        while before >= 0 and reading.words[before] in BEFORE_ABSENT and reading.gaps[before + 1] == SPACE:
            before -= 1
        if before >= 0 and reading.words[before] in ("not", "without", "never") and reading.gaps[before + 1] == SPACE:
            yield before, end


def mentions_of(reading: Reading, owner: int, phrases: Iterable[Phrase]) -> Iterator[Mention]:
    """All places of a candidate's phrases."""
    for number, wanted in enumerate(phrases):
        for start, end in places(reading, wanted):
            yield Mention(owner, number, start, end)
