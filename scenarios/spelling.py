"""The one way in which answers and options are compared: what counts as one spelling, and what as another word.

One spelling: capital and small letters, an accent on a Latin or Greek letter, a hyphen, a space or nothing between
two words, singular and plural, a possessive ending, an article, "&" for "and", and the order of "Ana and Tom".
In every other script marks carry meaning and stay: मोर is not मीरा, か is not が, й is not и. Dropped there is only
what its own readers leave out: the dots of ё, a stress mark on Cyrillic, the vowel points of Arabic and Hebrew.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

ARTICLES = frozenset({"a", "an", "the"})
AND = "and"


class Piece(NamedTuple):
    """One word of a text as ``pieces`` finds it."""

    word: str
    """Folded: ``fold`` says how."""
    raw: str
    """As it is written."""
    before: str
    """What stands between the piece before it and this one; nothing where they are written as one ("isn't")."""
    possessive: bool = False


def pieces(text: str) -> list[Piece]:
    """The words of a text in a row. "isn't" reads "is not", "it's" reads "it is", "Ana's" reads "Ana", "&" "and"."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_QUOTES))
        text = _INVISIBLE.sub("", text).replace("\u200b", " ")
    found: list[Piece] = []
    end = 0
    for match in (_ASCII_WORD if text.isascii() else _word_pattern()).finditer(text):
        raw, before, end = match.group(), text[end : match.start()], match.end()
        if "'" in raw:
            found += _parted(raw, before)
        elif raw in "&+":
            found.append(Piece(AND, raw, before))
        elif raw.lower() == "cannot":
            found += [Piece("can", raw, before), Piece("not", raw[3:], "")]
        else:
            found.append(Piece(fold(raw), raw, before, text[end : end + 2] == "' "))
    return found if text.isascii() else [piece for piece in found if piece.word]


@lru_cache(maxsize=65536)
def fold(word: str) -> str:
    """A word in small letters, without the marks that a reader may leave out; see the head of this module."""
    if word.isascii():
        return word.lower()
    kept: list[str] = []
    base = ""
    for character in unicodedata.normalize("NFKD", _NUNATION.sub("", word)):
        if unicodedata.category(character)[0] != "M":
            base = character
            kept.append(character)
        elif not _is_optional(character, base):
            kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept)).casefold().translate(_LETTERS)


@lru_cache(maxsize=65536)
def words(text: str) -> tuple[str, ...]:
    """The folded words of a text without its articles; of a text that is nothing but articles, these."""
    spoken = tuple(piece.word for piece in pieces(text))
    return tuple(word for word in spoken if word not in ARTICLES) or spoken


@lru_cache(maxsize=65536)
def singular(word: str) -> str:
    """One form for a folded English word in singular and plural; not always the singular that people write."""
    word = one_variant(_IRREGULAR.get(word, word))
    if len(word) < 4 or not word.isascii() or word in _NO_PLURALS:
        return word
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word.endswith("ie"):
        return word[:-2] + "y"
    silent = word.endswith(("se", "xe", "ze", "che", "she", "oe"))
    return word[:-1] if silent else word


def one_variant(word: str) -> str:
    """One form for a folded word that British and American English spell apart."""
    return _VARIANTS.get(word, word)


def joined(spoken: Sequence[str]) -> str:
    """Words written as one, the last in one form for singular and plural. Two numbers in a row stay apart."""
    text = ""
    for word in (*map(one_variant, spoken[:-1]), *(singular(word) for word in spoken[-1:])):
        text += "." + word if text[-1:].isdigit() and word[:1].isdigit() else word
    return text


@lru_cache(maxsize=65536)
def parts(answer: str) -> tuple[str, ...]:
    """The parts of an answer such as "Ana and Tom" or "Ana, Tom & Mia", joined and sorted; else the one part."""
    found: list[list[str]] = [[]]
    for piece in pieces(answer):
        if piece.word == AND or "," in piece.before:
            found.append([])
        if piece.word not in (AND, *ARTICLES):
            found[-1].append(piece.word)
    told = sorted({joined(part) for part in found if part})
    return tuple(told) or (joined(words(answer)) or answer.strip().casefold(),)


def same_answer(one: str, other: str) -> bool:
    """Whether two answers are one but for spelling and order: "Ana & Tom" and "Tom and Ana"."""
    return one == other or parts(one) == parts(other)


def repeated_spelling(options: Iterable[str]) -> tuple[str, str] | None:
    """The first two options that are one answer but for spelling and order, or None."""
    seen: dict[tuple[str, ...], str] = {}
    for option in options:
        spelt = parts(option)
        if spelt in seen:
            return seen[spelt], option
        seen[spelt] = option
    return None


def _parted(raw: str, before: str) -> list[Piece]:
    """The pieces of a word with an apostrophe."""
    stem, _, ending = raw.rpartition("'")
    low, tail = fold(stem), ending.lower()
    if tail == "t" and low.endswith("n"):
        return [Piece(_NEGATED.get(low, low[:-1]), stem, before), Piece("not", ending, "'")]
    if tail == "s" and low not in _BEFORE_IS:
        return [Piece(low.replace("'", ""), stem, before, possessive=True)]
    if tail in _SHORTENED:
        return [Piece(low, stem, before), Piece(_SHORTENED[tail], ending, "'")]
    if tail != ending or not raw[0].isupper() or len(stem) < 3:
        # A French or Italian article stands apart from its noun; O'Brien is one word.
        between = " " if low in _ELIDED else ""
        return [Piece(low.replace("'", ""), stem, before), Piece(fold(ending), ending, between)]
    # A name with a case ending: Ayşe'nin.
    return [Piece(low, stem, before)]


def _is_optional(mark: str, base: str) -> bool:
    """Whether a combining mark on this letter is left out by some who write the word."""
    if base < "\u0400":
        return True
    if base <= "\u052f":
        return (mark in "\u0300\u0301" and base in "аеиоуыэюяАЕИОУЫЭЮЯ") or (mark == "\u0308" and base in "еЕ")
    return any(low <= mark <= high for low, high in _VOWEL_POINTS)


@cache
def _word_pattern() -> re.Pattern[str]:
    """Words with the combining marks inside them, which ``\\w`` does not hold."""
    # Above the last block of scripts there are only marks that change how a letter looks, which are gone by then.
    codes = [code for code in range(0x300, 0x1F000) if unicodedata.category(chr(code)) in ("Mn", "Mc")]
    known = frozenset(codes)
    starts = (code for code in codes if code - 1 not in known)
    ends = (code for code in codes if code + 1 not in known)
    marks = "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True))
    return re.compile(rf"[^\W_](?:[^\W_]|[{marks}])*(?:'(?:[^\W_]|[{marks}])+)*|&|(?<=\s)\+(?=\s)")


_ASCII_WORD = re.compile(r"[A-Za-z0-9]+(?:'[A-Za-z]+)*|&|(?<=\s)\+(?=\s)")
_INVISIBLE = re.compile("[\u00ad\u034f\u0640\u200c-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_NUNATION = re.compile("\u064b\u0627|\u0627\u064b")
"""The Arabic ending of an indefinite object: a mark, and the letter that carries it."""
_VOWEL_POINTS = (("\u0591", "\u05c7"), ("\u064b", "\u0652"), ("\u0654", "\u0655"), ("\u0670", "\u0670"))
_QUOTES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "´": "'", "＇": "'"})
_LETTERS = str.maketrans(
    {"ł": "l", "đ": "d", "ø": "o", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ħ": "h", "ŧ": "t"}
)
"""Latin letters that are not a plain letter and a mark to Unicode, but are written as one where it is missing."""
_NEGATED = {"can": "can", "won": "will", "shan": "shall", "ain": "is"}
_SHORTENED = {"s": "is", "m": "am", "re": "are", "ve": "have", "d": "would", "ll": "will"}
_BEFORE_IS = frozenset(
    [
        "it",
        "he",
        "she",
        "that",
        "this",
        "there",
        "here",
        "what",
        "who",
        "where",
        "let",
        "everything",
        "something",
        "name",
    ]
)
_ELIDED = frozenset(["l", "d", "c", "n", "j", "m", "t", "s", "qu", "un", "dell", "all", "nell", "dall", "sull"])
_NO_PLURALS = frozenset({"glasses", "clothes", "news"})
_VARIANTS = {
    "gray": "grey",
    "blonde": "blond",
    "theatre": "theater",
    "centre": "center",
    "jewellery": "jewelry",
    "colour": "color",
    "coloured": "colored",
}
_IRREGULAR = {
    "mice": "mouse",
    "geese": "goose",
    "children": "child",
    "men": "man",
    "women": "woman",
    "people": "person",
    "wolves": "wolf",
    "knives": "knife",
    "scarves": "scarf",
    "loaves": "loaf",
    "calves": "calf",
    "leaves": "leaf",
}
