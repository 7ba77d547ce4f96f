"""The answers of a run as its page lists them: by kind of question, then by person."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import jinja2
import pandas as pd
from markupsafe import Markup

from evaluators.base import choice_scored, open_scored
from leaderboard.words import KINDS, topic

TEXT_COLUMNS = (
    "person_id", "scenario", "request_id", "kind", "view", "question", "answer", "status", "text", "named_person",
)  # fmt: skip


class Answer(NamedTuple):
    """One line, in parts that many lines have in common; each part is what a macro of ``answers.html.j2`` takes.

    ``asked``: topic, question, expected answer. ``choice``: whether there were options, whether a choice counts,
    whether it is right, the option. ``said``: whether the open answer counts, whether it is right, its status, its
    text. ``named`` is the person that was named.
    """

    person: str
    asked: tuple[str, str, str]
    choice: tuple[bool, bool, bool, str]
    said: tuple[bool, bool, str, str]
    named: str


@dataclass(frozen=True)
class AnswerSection:
    """The answers to one kind of question, shown photos in one state."""

    kind: str
    view: str
    answers: Sequence[Answer]

    @property
    def title(self) -> str:
        """What the page calls it."""
        return KINDS.get((self.kind, self.view), f"{self.kind}, {self.view}")

    @property
    def of_strangers(self) -> bool:
        """Whether it asks who a stranger is, so that the name given is of interest."""
        return self.kind == "stranger"


def answer_sections(rows: pd.DataFrame) -> list[AnswerSection]:
    """All answers (columns as in ``runs.READ_COLUMNS``), kinds in the page's order, unknown kinds last."""
    columns = {name: _texts(rows[name]) for name in TEXT_COLUMNS}
    answers = _answers(rows, columns)
    places = list(zip(columns["person_id"], columns["scenario"], columns["request_id"], strict=True))
    groups: dict[tuple[str, str], list[int]] = {}
    for row, group in enumerate(zip(columns["kind"], columns["view"], strict=True)):
        groups.setdefault(group, []).append(row)
    order = {kind: place for place, kind in enumerate(KINDS)}
    return [
        AnswerSection(*group, [answers[row] for row in sorted(groups[group], key=places.__getitem__)])
        for group in sorted(groups, key=lambda group: (order.get(group, len(order)), group))
    ]


def _answers(rows: pd.DataFrame, columns: Mapping[str, Sequence[str]]) -> list[Answer]:
    """In the order of the rows, a column at a time: there are thousands, and the page shows them all."""
    options = [() if some is None else some for some in rows["options"]]
    choices = zip(
        [len(some) > 0 for some in options],
        choice_scored(rows).tolist(),
        rows["choice_correct"].astype(bool).tolist(),
        [some[one] if 0 <= one < len(some) else "" for some, one in zip(options, rows["choice"].tolist(), strict=True)],
        strict=True,
    )
    open_right = rows["open_correct"].astype(bool).tolist()
    said = zip(open_scored(rows).tolist(), open_right, columns["status"], columns["text"], strict=True)
    topics = {scenario: topic(scenario) for scenario in set(columns["scenario"])}
    shown = [topics[scenario] for scenario in columns["scenario"]]
    asked = zip(shown, columns["question"], columns["answer"], strict=True)
    lines = zip(columns["person_id"], asked, choices, said, columns["named_person"], strict=True)
    return [Answer._make(line) for line in lines]


def _texts(column: pd.Series) -> list[str]:
    """The column as text; empty where there is none."""
    return [value if isinstance(value, str) else "" if pd.isna(value) else str(value) for value in column.tolist()]


class AnswerWriter:
    """Lines of the tables of answers. A part that many lines have in common is rendered, and escaped, once."""

    def __init__(self, template: jinja2.Template) -> None:
        macros: Any = template.module
        self._person: Callable[..., str] = cache(macros.person)
        self._asked: Callable[..., str] = cache(macros.asked)
        self._choice: Callable[..., str] = cache(macros.choice)
        self._said: Callable[..., str] = cache(macros.said)
        self._named: Callable[..., str] = cache(macros.named)

    def lines(self, section: AnswerSection) -> Markup:
        """All lines of one table."""
        return Markup("\n".join(self._line(answer, section.of_strangers) for answer in section.answers))

    def _line(self, answer: Answer, of_strangers: bool) -> str:
        named = self._named(answer.named) if of_strangers else ""
        parts = (self._person(answer.person), self._asked(*answer.asked), self._choice(*answer.choice))
        return "".join(("<tr>", *parts, self._said(*answer.said), named, "</tr>"))
