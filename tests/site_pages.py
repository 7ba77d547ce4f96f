"""A built site as a browser without JavaScript finds it."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path


class Page(HTMLParser):
    """Tags, links and table cells of a page, as a browser without JavaScript finds them."""

    VOID = frozenset({"meta", "link", "img", "br", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.heads_without_scope = 0
        self.images_without_text = 0
        self.tables: list[list[list[str]]] = []
        self._open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(text)
        self.unbalanced += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in self.VOID:
            self._open.append(tag)
        self.links += [value for key in ("href", "src") if (value := given.get(key)) and value != "data:,"]
        if "id" in given:
            self.ids.append(str(given["id"]))
        self.heads_without_scope += tag == "th" and "scope" not in given
        self.images_without_text += tag == "img" and not given.get("alt")
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """SVG shapes close themselves."""

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.unbalanced.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if "table" in self._open and ("td" in self._open or "th" in self._open):
            self.tables[-1][-1][-1] += data


def pages(site: Path) -> Iterator[tuple[Path, Page]]:
    """Every page of a site."""
    for path in sorted(site.rglob("*.html")):
        yield path, Page(path.read_text())


def rows_of(table: list[list[str]], name: str) -> list[list[str]]:
    """Lines of a table in which a cell begins with that name."""
    return [row for row in table if any(cell.strip().startswith(name) for cell in row[:2])]


def table_of(site: Path, heading: str) -> list[list[str]]:
    """The first table of the index with that text in a heading."""
    tables = Page((site / "index.html").read_text()).tables
    return next(table for table in tables if any(heading in cell for cell in table[0]))
