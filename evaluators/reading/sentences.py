"""A text as a row of words, with what stands between them."""

from functools import cached_property
from typing import NamedTuple

from evaluators.reading.cues import word_set
from evaluators.reading.scripts import is_unspaced, part, stem
from scenarios.spelling import ARTICLES, Piece, pieces, singular

STOP, ASKED, TOLD, COMMA, SPACE, JOINT, SEAM = ".", "?", ":", ",", " ", "-", "|"
"""What stands before a word: the end of a sentence, of a question, a colon, a comma, a space, a hyphen, or nothing at
all in a script that has no spaces."""

_COMMAS = frozenset(",،、，/·・")
_TITLES = word_set("mr mrs ms dr st prof mme sr sra")


class Segment(NamedTuple):
    """A stretch of words without a full stop inside, and whether it ends with a question mark."""

    start: int
    end: int
    asks: bool


class Reading:
    """The words of one text; lists of equal length, one entry a word.

    ``words`` are folded, ``stems`` have in one form what ``scenarios.spelling.singular`` and the endings of a script
    tell apart, ``gaps`` is what stands before each, ``capitals`` whether it begins with a capital letter (None where
    its script has none), ``possessive`` whether an "'s" was dropped from it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.words: list[str] = []
        self.gaps: list[str] = []
        self.capitals: list[bool | None] = []
        self.possessive: list[bool] = []
        for piece in pieces(text):
            self._add(piece)
        self.stems = [singular(stem(word)) for word in self.words]

    def __len__(self) -> int:
        """How many words there are."""
        return len(self.words)

    @cached_property
    def content(self) -> list[int]:
        """Where the words stand that are no articles."""
        return [index for index, word in enumerate(self.words) if word not in ARTICLES]

    @cached_property
    def initials(self) -> dict[str, list[int]]:
        """First letter -> the places in ``content`` of the words that begin with it."""
        found: dict[str, list[int]] = {}
        for place, index in enumerate(self.content):
            found.setdefault(self.words[index][0], []).append(place)
            if self.stems[index][:1] != self.words[index][0]:
                found.setdefault(self.stems[index][:1], []).append(place)
        return found

    @cached_property
    def segments(self) -> list[Segment]:
        """The text cut at full stops, colons, brackets and the like."""
        starts = [index for index, gap in enumerate(self.gaps) if index == 0 or gap in (STOP, ASKED, TOLD)]
        ends = [*starts[1:], len(self)]
        final = "?" in self.text[-3:] or "？" in self.text[-3:]
        asks = [*(self.gaps[end] == ASKED for end in ends[:-1]), final]
        return [Segment(start, end, ask) for start, end, ask in zip(starts, ends, asks, strict=True) if end > start]

    @cached_property
    def case_tells(self) -> bool:
        """Whether capitals tell anything: some words have one and some do not."""
        return True in self.capitals and False in self.capitals

    @cached_property
    def shouts(self) -> bool:
        """Whether the text is in capitals throughout."""
        return self.text.isupper()

    def begins_sentence(self, index: int) -> bool:
        """Whether a word stands where every word has a capital letter."""
        return index == 0 or self.gaps[index] in (STOP, ASKED, TOLD)

    def _add(self, piece: Piece) -> None:
        gap = _gap(piece.before, piece.raw)
        if gap == STOP and self.words and self.words[-1] in _TITLES and piece.before.startswith(". "):
            gap = SPACE
        capital = None if piece.raw[0].lower() == piece.raw[0].upper() else piece.raw[0].isupper()
        parted = part(piece.word) if is_unspaced(piece.word) else (piece.word,)
        for number, word in enumerate(parted):
            self.words.append(word)
            self.gaps.append(SEAM if number else gap)
            self.capitals.append(capital)
            self.possessive.append(piece.possessive)


def _gap(before: str, raw: str) -> str:
    """Which kind of gap a stretch of blanks and punctuation is."""
    if before == " ":
        return SPACE
    if before in ("", "-", "_", "'", "‑", "‐"):
        return JOINT
    for mark in before:
        if mark in "?？؟":
            return ASKED
        if mark in ".!;()[]{}…।。！；–—|=>→":
            return STOP if mark not in "–—=>→" else TOLD
        if mark in ":：":
            return TOLD
    if "--" in before or before.strip() == "-":
        return TOLD
    if "\n" in before and (not raw[0].islower() or before.count("\n") > 1):
        return STOP
    return COMMA if _COMMAS & set(before) else SPACE
