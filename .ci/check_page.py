"""Checks that a run's JSON and page hold a row for every defense and attack, and that a second run is cached."""

import json
import sys
from html.parser import HTMLParser
from pathlib import Path

EXPECTED = {(defense, attack) for defense in ("none", "noise", "dp2vl") for attack in ("naive", "augment")}


class Text(HTMLParser):
    """The words of a page and the links on it."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.links = "", []

    def handle_data(self, data: str) -> None:
        """Collect text."""
        self.words += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect links."""
        self.links += [value for name, value in attrs if tag == "a" and name == "href" and value]


result = json.loads(Path(sys.argv[1]).read_text())
found = {(run["defense"], run["attack"]) for run in result["runs"]}
assert found >= EXPECTED, f"missing runs: {EXPECTED - found}"
page = Path(result["page"])
text = Text()
text.feed(page.read_text())
for defense, _ in EXPECTED:
    assert defense in text.words, f"{page}: no row for {defense}"
local = [link for link in text.links if "://" not in link and not link.startswith("#")]
for link in local:
    assert (page.parent / link.split("#")[0]).exists(), f"{page}: dead link {link}"
for record in result["records"]:
    assert Path(record).exists(), f"no record {record}"
print(f"{len(found)} runs, {len(local)} links and {len(result['records'])} records checked")
