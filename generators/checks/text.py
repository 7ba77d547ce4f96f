"""Texts compared as people read them: by words, whatever the case, the accents and the punctuation."""

import re
import unicodedata


def words(text: str) -> tuple[str, ...]:
    """The words of a text, lower case, without accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(character for character in plain if not unicodedata.combining(character)).casefold()
    return tuple(re.findall(r"[^\W_]+", plain))


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
    return tuple(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in spoken)


def _holds(text: tuple[str, ...], phrase: tuple[str, ...]) -> bool:
    length = len(phrase)
    return bool(length) and any(text[start : start + length] == phrase for start in range(len(text) - length + 1))
