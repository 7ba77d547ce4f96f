"""Does an open answer name the right thing? What it asserts counts, in any spelling, and one thing only.

Known limits: English is understood best, the negations of some other languages by a small table. Scripts without
spaces are parted at small words (``evaluators.reading.scripts``), so there a rare word may be missed.
"""

from collections.abc import Mapping, Sequence

from evaluators.reading.facts import FactQuestion, Question, Text
from evaluators.reading.people import NameQuestion


def named(text: str, candidates: Sequence[Sequence[str]]) -> list[int]:
    """The indexes of the candidates that the text asserts; a candidate is a list of phrases of which one suffices.

    A phrase inside a longer one that is named there does not count: "brick wall" does not name "wall".
    """
    return Question(candidates).named(Text(text))


def open_answer_correct(text: str, answer: str, aliases: Sequence[str], options: Sequence[str]) -> bool:
    """Whether the text asserts the answer (or an alias of it) and none of the other options.

    Of another option such as "Ilka and Jorik" either half is enough to spoil the answer.
    """
    return FactQuestion(answer, aliases, options).is_right(Text(text))


def named_person(text: str, names: Mapping[str, str]) -> str:
    """The key of the one person whom the text asserts, by full name, first name or surname; "" for none or several.

    A name that is a word, too, needs a capital letter where the text's case tells anything.
    """
    return NameQuestion(names).named(Text(text))
