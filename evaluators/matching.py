"""Does an open answer name the right thing? Whole words only, and one thing only.

Known limits: a negation is understood only where it stands right before the name ("not a dog"); scripts without
spaces between words have no word boundaries to go by, so there an answer matches as a whole or not at all.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

ARTICLES = frozenset({"a", "an", "the"})
NEGATIONS = frozenset({"not", "never", "without", "neither", "nor"})


@lru_cache(maxsize=65536)
def words(text: str) -> tuple[str, ...]:
    """The words of a text, lower case, without accents, punctuation, articles and possessive endings.

    "&" reads "and", "isn't" reads "is not", a hyphen parts two words.
    """
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").replace("‘", "'"))
    plain = "".join(character for character in plain if not unicodedata.combining(character)).casefold()
    plain = plain.replace("&", " and ").replace("can't", "can not").replace("won't", "will not")
    plain = re.sub(r"n't\b", " not", plain)
    plain = re.sub(r"(?<=\w)'s\b", "", plain)
    plain = plain.replace("'", "")
    return tuple(word for word in re.findall(r"[^\W_]+", plain) if word not in ARTICLES)


def named(text: str, candidates: Sequence[Sequence[str]]) -> list[int]:
    """The indexes of the candidates that the text names; a candidate is a list of phrases of which one suffices.

    A phrase inside a longer one that is named there does not count: "brick wall" does not name "wall".
    """
    spoken = words(text)
    found: list[tuple[int, int, int]] = []
    for index, phrases in enumerate(candidates):
        for phrase in phrases:
            found.extend((index, start, end) for start, end in _places(spoken, words(phrase)))
    kept = {
        index
        for index, start, end in found
        if not any(a <= start and end <= b and b - a > end - start for _, a, b in found)
        and not (start > 0 and spoken[start - 1] in NEGATIONS)
    }
    return sorted(kept)


def open_answer_correct(text: str, answer: str, aliases: Sequence[str], options: Sequence[str]) -> bool:
    """Whether the text names the answer (or an alias of it) and none of the other options.

    Of another option such as "Ilka and Jorik" either half is enough to spoil the answer.
    """
    right = words(answer)
    others = [_with_halves(option, right) for option in options if words(option) != right]
    return named(text, [[answer, *aliases], *others]) == [0]


def _with_halves(option: str, right: Sequence[str]) -> list[str]:
    """An option and, where it is a pair, both of its halves that the right answer does not share."""
    halves = option.split(" and ")
    return [option, *(half for half in halves if len(halves) > 1 and not _places(right, words(half)))]


def _places(spoken: Sequence[str], phrase: Sequence[str]) -> list[tuple[int, int]]:
    """Where the phrase's words stand in a row, as (start, end); an empty phrase stands nowhere."""
    length = len(phrase)
    if not length:
        return []
    return [
        (start, start + length)
        for start in range(len(spoken) - length + 1)
        if tuple(spoken[start : start + length]) == tuple(phrase)
    ]
