"""Texts compared as answers are compared: by words, whatever the case and the punctuation."""

from scenarios.spelling import pieces, singular


def words(text: str) -> tuple[str, ...]:
    """The words of a text as answers are compared, articles included: somebody may be called An."""
    return tuple(piece.word for piece in pieces(text))


def says(text: str, phrase: str) -> bool:
    """Whether the words of ``phrase`` stand in ``text``, in a row. An empty phrase is said nowhere."""
    return _holds(words(text), words(phrase))


def speaks_of(shown: str, phrase: str) -> bool:
    """Whether one of two names of a thing contains the other, singular or plural.

    "two dogs" speaks of "dog", and "Goran" of "Goran and Hana": half of an answer gives it away, too.
    """
    one, other = _singular(words(shown)), _singular(words(phrase))
    return _holds(one, other) or _holds(other, one)


def _singular(spoken: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(singular(word) for word in spoken)


def _holds(text: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    length = len(phrase)
    return bool(length) and any(text[start : start + length] == phrase for start in range(len(text) - length + 1))
