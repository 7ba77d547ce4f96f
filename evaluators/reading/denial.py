"""Which words of a text name nothing that the text asserts: denied, asked, feared, or left open.

A cue ("not", "I doubt", "rather than") reaches forward to the end of its clause, some reach back to its beginning
("a dog can be ruled out"). A clause ends at "but", at a full stop, and at a comma or "and" that a new subject and verb
follow. A cue that is denied itself denies nothing: "there is no doubt", "never without her dog".
"""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from evaluators.reading import cues
from evaluators.reading.cues import BACK, BOTH, CUES, IF, INSTEAD, LEXICAL, NEGATOR, NEUTRAL, NO, SEEMING, VOID
from evaluators.reading.sentences import COMMA, SPACE, STOP, TOLD, Reading, Segment
from scenarios.spelling import AND

_CLAUSE_ENDS = cues.CONTRAST | cues.JOINING


class _Cue(NamedTuple):
    kind: str
    start: int
    end: int


def silent_words(reading: Reading, spoken_for: frozenset[int] = frozenset()) -> list[bool]:
    """For each word, whether what it names is not asserted. ``spoken_for`` are words of an answer ("no beard")."""
    silent = [False] * len(reading)
    for number, segment in enumerate(reading.segments):
        _Clause(reading, segment, spoken_for, silent).mark()
        if segment.asks and _is_question(reading, number):
            _fill(silent, segment.start, segment.end)
    _mark_refused(reading, silent)
    _mark_relatives(reading, silent)
    return silent


def _fill(silent: list[bool], start: int, end: int) -> None:
    silent[start:end] = [True] * (end - start)


class _Clause:
    """One segment, with the places in it where a new clause begins."""

    def __init__(self, reading: Reading, segment: Segment, spoken_for: frozenset[int], silent: list[bool]) -> None:
        self.words, self.gaps = reading.words, reading.gaps
        self.start, self.end, self.asks = segment
        self.silent = silent
        self.cues = [cue for cue in _cues(reading, segment) if spoken_for.isdisjoint(range(cue.start, cue.end))]
        self.held = {index for cue in self.cues for index in range(cue.start + 1, cue.end)}

    @cached_property
    def begins(self) -> list[int]:
        """Where a new clause begins."""
        return [
            index
            for index in range(self.start + 1, self.end)
            if (self.gaps[index] == COMMA or self.words[index] in _CLAUSE_ENDS) and self._begins_clause(index)
        ]

    def mark(self) -> None:
        """Silence what the segment's cues reach."""
        void = {number for number, cue in enumerate(self.cues) if cue.kind == NEUTRAL}
        void |= {cancelled for number in range(len(self.cues)) for cancelled in self._cancelled(number)}
        for number, cue in enumerate(self.cues):
            if number in void or self._is_tag(cue) or (cue.kind == SEEMING and not self._is_corrected(cue)):
                continue
            if cue.kind in (BACK, BOTH) or (cue.kind in (NEGATOR, NO) and self._denies_subject(cue)):
                _fill(self.silent, self._clause_start(cue), cue.start)
            if cue.kind != BACK:
                _fill(self.silent, cue.end, self._reach(cue))
        self._mark_comparison()

    def _is_corrected(self, cue: _Cue) -> bool:
        """Whether "but it is" follows what only seems to be."""
        if "but" not in self.words[cue.end : self.end]:
            return False
        after = self.words[self.words.index("but", cue.end) + 1 : self.end]
        return after[:1] in (["actually"], ["really"], ["in"]) or (
            after[:1] != ["i"] and after[1:2] in (["is"], ["was"], ["has"], ["are"]) and "not" not in after[:3]
        )

    def _cancelled(self, number: int) -> tuple[int, ...]:
        """A cue that is denied by the one before it denies nothing, nor does what denies it."""
        cue = self.cues[number]
        denies = cue.kind in (LEXICAL, INSTEAD, BOTH) or self.words[cue.start] in ("without", "no", "missing")
        before = self.cues[number - 1] if number else None
        if not denies or before is None or before.kind not in (NEGATOR, NO, LEXICAL):
            return ()
        between = range(before.end, cue.start)
        if (
            self.words[cue.start] == "no"
            and before.kind != LEXICAL
            and "that" not in self.words[before.end : cue.start]
        ):
            return ()
        parted = any(self.gaps[index] == COMMA or self.words[index] in cues.JOINING for index in between)
        if parted or self.gaps[cue.start] == COMMA or any(before.end <= begin <= cue.start for begin in self.begins):
            return ()
        return number - 1, number

    def _reach(self, cue: _Cue) -> int:
        """Where the scope of a cue ends."""
        end = next((begin for begin in self.begins if begin >= cue.end), self.end)
        if cue.kind == NEGATOR and self._is_beside_the_fact(cue):
            return cue.end
        if cue.kind == NO and cue.end < self.end and self.gaps[cue.end] == COMMA:
            return cue.end
        for index in range(cue.end + 1 if cue.kind != NEGATOR else cue.end, end):
            if self._ends_at(cue, index, end):
                return index
        return end

    def _ends_at(self, cue: _Cue, index: int, end: int) -> bool:
        """Whether the scope of a cue ends before this word, inside its clause."""
        word = self.words[index]
        if self.gaps[index] == COMMA:
            return self._is_turn(cue, index, end)
        if cue.kind not in (NO, INSTEAD):
            # "Ruling out dog and cat leaves the parrot."
            return cue.kind == LEXICAL and word in ("leaves", "leaving")
        if word in cues.PREPOSITIONS:
            return not self.words[index - 1].endswith("ing")
        if word == "than":
            return "other" in self.words[cue.end : index]
        return word == AND or word in cues.FINITE

    def _is_turn(self, cue: _Cue, comma: int, end: int) -> bool:
        """Whether a comma ends the scope ("not a dog, a cat") or parts a list ("no dog, cat or parrot")."""
        rest = self.words[comma:end]
        if cue.kind in (IF, INSTEAD) and "or" not in rest and "nor" not in rest:
            return True
        if {"or", "nor", "oder", "ou", "ni", "或", "或者"} & set(rest):
            return False
        if rest[0] in cues.DETERMINERS or cue.kind in (IF, VOID):
            return True
        if cue.kind == NO:
            return AND in rest
        return AND not in rest and COMMA not in self.gaps[comma + 1 : end]

    def _is_beside_the_fact(self, cue: _Cue) -> bool:
        """Whether a negation denies only what the person is or does: "is not smiling"."""
        following = cue.end
        while following < self.end and self.words[following] in cues.DEGREES:
            following += 1
        return following < self.end and self.words[following] in cues.UNRELATED

    def _denies_subject(self, cue: _Cue) -> bool:
        """Whether a negation denies what stands before it: "a dog it is not", "a dog is not in the photo"."""
        if cue.start == self.start or cue.start in self.begins:
            return False
        after = [word for word in self.words[cue.end : self.end] if word not in ("be", "even", "actually", "really")]
        if not after or (cue.end < self.end and self.gaps[cue.end] == COMMA):
            return True
        verb = cue.start - 1
        while verb > self.start and (self.words[verb] in cues.TURNS or self.words[verb] in cues.DEGREES):
            verb -= 1
        if cue.kind == NO or self.words[verb] not in cues.AUXILIARIES:
            return False
        if len(after) <= 2 and after[0] in cues.VERBS_AT_END and after[-1] in (after[0], "one", "any", "it"):
            return True
        if len(after) == 2 and after[0] in ("her", "his", "their"):
            return True
        return any(tuple(after[: len(phrase)]) == phrase for phrase in cues.COMPLEMENTS)

    def _clause_start(self, cue: _Cue) -> int:
        """Where the clause begins that a cue denies backwards."""
        # Neither "it is" before "not" nor the last of a list is a clause: "a dog, it is not", "a dog or a cat is not".
        starts = [begin for begin in self.begins if self._says_something(begin, cue.start)]
        if self.words[cue.start - 1] in ("are", "were", "do", "have"):
            starts = [begin for begin in starts if self.words[begin] not in cues.JOINING]
        start = max(starts, default=self.start)
        comma = next((index for index in range(cue.start - 1, start, -1) if self.gaps[index] == COMMA), start)
        is_list = any(word in cues.JOINING for word in self.words[comma : cue.start])
        return comma if self._says_something(comma, cue.start) and not is_list else start

    def _says_something(self, start: int, end: int) -> bool:
        """Whether more than a pronoun and its verb stands between two places."""
        return any(word not in cues.AUXILIARIES and word not in cues.PRONOUNS for word in self.words[start:end])

    def _is_tag(self, cue: _Cue) -> bool:
        """Whether a cue stands in a tag such as "isn't it?" at the end of a guess."""
        if not self.asks or self.end - cue.start > 3:
            return False
        commas = [index for index in range(self.start + 1, cue.start + 1) if self.gaps[index] == COMMA]
        return bool(commas) and self.words[commas[-1]] in cues.AUXILIARIES

    def _begins_clause(self, index: int) -> bool:
        word, after_comma = self.words[index], self.gaps[index] == COMMA
        if index in self.held:
            return False
        if word in cues.CONTRAST:
            return True
        if not after_comma and word not in cues.JOINING:
            return False
        subject = index + 1 if word in cues.JOINING else index
        if subject >= self.end:
            return False
        if after_comma and self.words[subject] in cues.TURNS:
            return self.words[subject : subject + 2] not in (["rather", "than"], ["instead", "of"])
        return self._starts_with_subject(subject) or (self.words[subject] in cues.FINITE and word not in ("or", "so"))

    def _starts_with_subject(self, index: int) -> bool:
        """Whether a subject and its verb stand here: "it is", "the pet is"."""
        if self.words[index] in cues.PRONOUNS:
            return index + 1 < self.end
        if self.words[index] not in cues.DETERMINERS:
            return False
        for following in range(index + 1, min(index + 5, self.end)):
            if self.gaps[following] == COMMA:
                return False
            if self.words[following] in cues.FINITE:
                return following > index + 1
        return False

    def _mark_comparison(self) -> None:
        """Silence what is less likely: "more like a cat than a dog"."""
        for index in range(self.start + 2, self.end if "than" in self.words else 0):
            earlier = self.words[self.start : index - 1]
            if self.words[index] == "than" and ({"more", "rather", "sooner"} & set(earlier)):
                _fill(self.silent, index, next((begin for begin in self.begins if begin > index), self.end))


def _cues(reading: Reading, segment: Segment) -> Iterator[_Cue]:
    """The cues of a segment from left to right, the longest where several begin at one word."""
    words, past = reading.words, segment.start
    for index in range(segment.start, segment.end):
        if index < past or words[index] not in CUES:
            continue
        for phrase, kind in CUES[words[index]]:
            past = index + len(phrase)
            if past <= segment.end and tuple(words[index:past]) == phrase:
                yield _Cue(kind, index, past)
                break
        else:
            past = index


def _is_question(reading: Reading, number: int) -> bool:
    """Whether a segment with a question mark asks; "A dog?" is a guess, and "Is it a dog? Yes" an answer."""
    answered = number + 1 < len(reading.segments) and (reading.words[reading.segments[number + 1].start] in cues.YES)
    while number and reading.gaps[reading.segments[number].start] == TOLD:
        number -= 1
    return not answered and reading.words[reading.segments[number].start] in cues.QUESTION_WORDS


def _mark_refused(reading: Reading, silent: list[bool]) -> None:
    """Silence what a "no" that stands alone refers to, as in "A dog? No"."""
    start = 0
    edges = [index for index in range(len(reading)) if index == 0 or reading.gaps[index] in (COMMA, STOP, "?", ":")]
    for begin, end in zip(edges, [*edges[1:], len(reading)], strict=True):
        said = reading.words[begin:end]
        if all(word in cues.BARE or word in cues.INTENSIFIERS for word in said) and cues.BARE & set(said):
            _fill(silent, start, begin)
            start = end
        elif all(word in cues.YES for word in said):
            start = end
        elif reading.gaps[begin] != COMMA:
            start = begin


def _mark_relatives(reading: Reading, silent: list[bool]) -> None:
    """Silence what belongs to somebody else: "her neighbour's dog", "her neighbour has a dog"."""
    for index, possessive in enumerate(reading.possessive):
        end = index + 1
        if reading.stems[index] not in cues.RELATIVES or end == len(reading):
            continue
        if possessive:
            while end < min(index + 4, len(reading)) and reading.gaps[end] == SPACE:
                if reading.words[end] in cues.FINITE:
                    break
                end += 1
        elif reading.words[end] in cues.OWNING:
            while end < len(reading) and reading.gaps[end] == SPACE and reading.words[end] not in _CLAUSE_ENDS:
                end += 1
        else:
            continue
        _fill(silent, index + 1, end)
