"""Markdown from templates in which other people's texts stay text."""

import re
from typing import Any

import jinja2
from markupsafe import Markup

from generators.publishing.summary import Spread


def markdown_environment() -> jinja2.Environment:
    """Templates of this package; every text is shown letter by letter unless it is marked as Markdown."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("generators.publishing", "templates"),
        # Jinja escapes for HTML only; names, answers and statements come from other people's files.
        finalize=escape,
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters = {"code": code, "share": share, "count": count, "spread": spread}
    environment.filters.update(filters)
    return environment


def escape(value: Any) -> Any:
    """Text as Markdown that shows it letter by letter, on one line; anything else as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    line = re.sub(r"\s+", " ", value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#~$])", r"\\\1", line)


def code(value: str) -> Markup:
    """Text as a code span; a bar would end the table's cell, and a backtick the span."""
    return Markup("`" + " ".join(value.split()).replace("`", "'").replace("|", "/") + "`")


def share(value: float | None) -> str:
    """A share of one with two decimals."""
    return "–" if value is None else f"{value:.2f}"


def count(value: int) -> str:
    """A whole number with its thousands apart."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def spread(value: Spread | None) -> str:
    """Least to most with the median, or the one number that all share."""
    if value is None:
        return "–"
    if value.least == value.most:
        return str(value.least)
    return f"{value.least} to {value.most}, median {value.middle:g}"


def size(number: int) -> str:
    """A number of bytes for people."""
    return f"{number / 1e6:.1f} MB" if number >= 100_000 else f"{number / 1e3:.1f} kB"
