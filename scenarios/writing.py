"""How text is written down: one form for what looks the same, and a name for what cannot be seen."""

import unicodedata

_JOINERS = "\u200c\u200d"
"""Persian, Indic scripts and emoji need them between two characters."""


def plain(text: str) -> str:
    """The text in composed Unicode (NFC), with ordinary blanks for all others, none around it, and one at a time."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def invisible(text: str) -> str | None:
    """The first character that nobody sees and no name has, such as ``U+200B ZERO WIDTH SPACE``, or None.

    Line ends and tabs are blanks. A joiner counts where it joins nothing.
    """
    for place, character in enumerate(text):
        joins = character in _JOINERS and 0 < place < len(text) - 1 and not text[place + 1].isspace()
        hidden = unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co", "Cs") and not character.isspace()
        if hidden and not joins:
            return f"U+{ord(character):04X} {unicodedata.name(character, 'a control character')}"
    return None
