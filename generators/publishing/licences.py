"""Licences by the names that the hub and SPDX give them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

OTHER = "other"
"""What the hub calls a licence that is not on its list."""

_SPDX = """
    Apache-2.0 MIT Unlicense ISC BSD-2-Clause BSD-3-Clause AFL-3.0 Artistic-2.0 BSL-1.0 ECL-2.0 EPL-2.0 EUPL-1.2 WTFPL
    Zlib MPL-2.0 GPL-2.0 GPL-3.0 AGPL-3.0 LGPL-2.1 LGPL-3.0 CC0-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0
    CC-BY-SA-3.0 CC-BY-SA-4.0 CC-BY-NC-2.0 CC-BY-NC-3.0 CC-BY-NC-4.0 CC-BY-ND-4.0 CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0
    CC-BY-NC-SA-2.0 CC-BY-NC-SA-3.0 CC-BY-NC-SA-4.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 CDLA-Sharing-1.0 C-UDA-1.0
    OFL-1.1 MS-PL
"""
# The hub leaves the version out of these names.
_WITHOUT_VERSION = {"odc-by": "ODC-By-1.0", "odbl": "ODbL-1.0", "pddl": "PDDL-1.0", "gfdl": "GFDL-1.3-or-later"}
_ALSO_CALLED = {"cc0": "cc0-1.0", "odc-by-1.0": "odc-by", "odbl-1.0": "odbl", "pddl-1.0": "pddl"}


@dataclass(frozen=True)
class Licence:
    """A licence as the hub's header wants it.

    ``identifier`` is the hub's, or ``other``; then ``name`` says which. ``url`` is the SPDX page of a known one, ''
    otherwise; ``text`` is how the dataset calls it.
    """

    identifier: str
    name: str
    url: str
    text: str


def licence_of(stated: Iterable[str]) -> Licence:
    """The licence of a whole from those of its photos: their own where they share one, else ``other``, named mixed."""
    texts = list(dict.fromkeys(text.strip() for text in stated))
    if len(texts) > 1 and len({_identifier(text) or text for text in texts}) > 1:
        return Licence(OTHER, "mixed", "", "mixed: " + ", ".join(text or "not stated" for text in texts))
    text = texts[0] if texts else ""
    identifier = _identifier(text)
    if identifier is None:
        return Licence(OTHER, _slug(text) or "not-stated", "", text or "not stated")
    return Licence(identifier, "", f"https://spdx.org/licenses/{_known()[identifier]}.html", text)


def _known() -> dict[str, str]:
    """Hub identifier -> SPDX identifier."""
    return {name.lower(): name for name in _SPDX.split()} | _WITHOUT_VERSION


def _identifier(text: str) -> str | None:
    slug = _slug(text)
    slug = _ALSO_CALLED.get(slug, slug)
    return slug if slug in _known() else None


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")
