"""Whom a text names, of the people who were trained on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from evaluators.reading.cues import AUXILIARIES, DETERMINERS, FINITE, PREPOSITIONS, PRONOUNS, TURNS, word_set
from evaluators.reading.facts import Text
from evaluators.reading.mentions import CONTRACTED, Mention
from evaluators.reading.names import FUNCTION_NAMES, TITLES, stands_as_name
from evaluators.reading.scripts import is_unspaced, part, stem
from evaluators.reading.sentences import JOINT, SPACE, Reading
from scenarios.spelling import pieces

_BEFORE_SURNAMES = FINITE | PREPOSITIONS | PRONOUNS | DETERMINERS | AUXILIARIES | TURNS | FUNCTION_NAMES | TITLES
_BEFORE_SURNAMES |= word_set(
    "of like not see meet recognise recognize know think believe say guess call named called person man woman photo"
    " picture portrait name answer everybody young old inspector since than"
)


class _Form(NamedTuple):
    """One way to call a person."""

    owner: int
    words: tuple[str, ...]
    kind: Literal["full", "first", "last"]


class NameQuestion:
    """Who of these people is named: by the full name in any order, the first name, the surname, or another name."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._people: list[str] = []
        self._surnames: list[str] = []
        self._starting: dict[str, tuple[_Form, ...]] = {}
        for person, name in names.items():
            self._add(person, name, ())

    def beside(self, person: str, name: str, aliases: Sequence[str]) -> "NameQuestion":
        """The question about one more person, or about one of these who is called by other names, too."""
        if person in self._people and all(self._calls(person, alias) for alias in aliases):
            return self
        question = NameQuestion({})
        question._people, question._surnames = [*self._people], [*self._surnames]
        question._starting = dict(self._starting)
        question._add(person, name, aliases)
        return question

    def _add(self, person: str, name: str, aliases: Sequence[str]) -> None:
        owner, groups = len(self._people), _groups(name)
        self._people.append(person)
        self._surnames.append(groups[-1][-1] if groups else "")
        others = [_Form(owner, tuple(word for group in _groups(alias) for word in group), "first") for alias in aliases]
        for form in dict.fromkeys([*_forms(owner, groups), *others]):
            if form.words:
                self._starting[form.words[0]] = (*self._starting.get(form.words[0], ()), form)

    def _calls(self, person: str, alias: str) -> bool:
        """Whether this alias is one of the person's names anyway."""
        spelt = tuple(word for group in _groups(alias) for word in group)
        forms = self._starting.get(spelt[0], ()) if spelt else ()
        return not spelt or any(form.words == spelt and self._people[form.owner] == person for form in forms)

    def named(self, text: Text) -> str:
        """The one person whom the text asserts; "" for none or several."""
        reading = text.reading
        found = [
            Mention(form.owner, 0, index, index + len(form.words))
            for index, word in enumerate(reading.words)
            for form in self._starting.get(stem(word), ())
            if _spells(reading, index, form.words) and self._stands(reading, index, form)
        ]
        people = {self._people[mention.owner] for mention in text.asserted(found)} if found else set()
        return people.pop() if len(people) == 1 else ""

    def _stands(self, reading: Reading, start: int, form: _Form) -> bool:
        """Whether the words are the name and no part of another one."""
        end = start + len(form.words)
        if _is_fastened(reading, start, end):
            return False
        if form.kind == "full":
            return len(form.words) > 1 or stands_as_name(reading, start, end)
        if not stands_as_name(reading, start, end):
            return False
        return self._own_surname_follows(reading, end, form.owner) if form.kind == "first" else _leads(reading, start)

    def _own_surname_follows(self, reading: Reading, end: int, owner: int) -> bool:
        """Whether after a first name there is no surname, or in the end the person's own: not "Ana Lopez"."""
        following: list[str] = []
        while end < len(reading) and _is_name_like(reading, end):
            following.append(stem(reading.words[end]))
            end += 1
        return not following or self._surnames[owner] in following


def _groups(name: str) -> list[tuple[str, ...]]:
    """The words of a name, one tuple for each that spaces part: "Jean-Luc Moreau" has two."""
    return [
        tuple(
            stem(word)
            for piece in pieces(one)
            for word in (part(piece.word) if is_unspaced(piece.word) else (piece.word,))
        )
        for one in name.split()
        if pieces(one)
    ]


def _forms(owner: int, groups: Sequence[tuple[str, ...]]) -> Iterator[_Form]:
    """What a person is called by: the full name, the surname before the first name, the first name, the surname."""
    orders = [groups, [*groups[1:], *groups[:1]], [*groups[-1:], *groups[:-1]], groups[1:]]
    for order in orders if len(groups) > 2 else orders[: len(groups)]:
        yield _Form(owner, sum(order, ()), "full")
        yield _Form(owner, tuple("".join(group) for group in order), "full")
    if len(groups) > 1:
        for group in {groups[0], ("".join(groups[0]),)}:
            yield _Form(owner, group, "first")
        for group in {groups[-1], ("".join(groups[-1]),)}:
            yield _Form(owner, group, "last")


def _spells(reading: Reading, start: int, form: tuple[str, ...]) -> bool:
    """Whether the words of the form stand here, with nothing but spaces, hyphens and commas between them."""
    end = start + len(form)
    if end > len(reading) or (len(form) > 1 and not all(gap in " ,-|" for gap in reading.gaps[start + 1 : end])):
        return False
    return all(stem(word) == wanted for word, wanted in zip(reading.words[start:end], form, strict=True))


def _is_fastened(reading: Reading, start: int, end: int) -> bool:
    """Whether a hyphen joins the name to another word: "Ana-Maria"; "Ana'll" is Ana."""
    after = end < len(reading) and reading.gaps[end] == JOINT and reading.words[end] not in CONTRACTED
    return after or (start > 0 and reading.gaps[start] == JOINT)


def _is_name_like(reading: Reading, index: int) -> bool:
    """Whether a word after a first name looks like a surname: it has a capital letter where these tell something."""
    if reading.gaps[index] != SPACE or not reading.capitals[index] or reading.shouts:
        return False
    # In a long text with capitals throughout one of them tells nothing.
    return reading.words[index] not in FUNCTION_NAMES and (len(reading) < 4 or reading.case_tells)


def _leads(reading: Reading, start: int) -> bool:
    """Whether a surname stands alone: after a small word, and not "Maria Petrov"."""
    if start == 0 or reading.gaps[start] != SPACE or reading.capitals[start] is None:
        return True
    return reading.words[start - 1] in _BEFORE_SURNAMES
