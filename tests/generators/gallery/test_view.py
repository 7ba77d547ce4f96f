"""The gallery: one folder that works from disk, shows nobody real unasked, and takes every text for text."""

import html
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from published_example import HOSTILE, REAL_PERSON, example

from bench.core.errors import DataError, UsageError
from generators.gallery.view import build_gallery
from scenarios.dataset import make_dataset

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Links(HTMLParser):
    """Addresses, ids and labels of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.links += [value for key in ("href", "src") if (value := given.get(key)) and value != "data:,"]
        self.ids |= {str(given["id"])} if "id" in given else set()


def data_of(page: Path) -> dict[str, Any]:
    """The data that the page's script reads."""
    script = (page.parent / "assets" / "data.js").read_text(encoding="ascii")
    return json.loads(script.removeprefix("window.gallery = ").removesuffix(";\n"))


def photos_of(page: Path) -> list[dict[str, Any]]:
    """Every photo of the page's data."""
    return [photo for person in data_of(page)["people"] for photo in person["photos"]]


def test_it_works_from_disk_with_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = build_gallery(example(), tmp_path / "gallery", with_photos=False)
    parsed = Links(page.read_text(encoding="utf-8"))
    for link in parsed.links:
        assert link[1:] in parsed.ids if link.startswith("#") else (page.parent / link).is_file(), link
    script = (page.parent / "assets" / "gallery.js").read_text()
    style = (page.parent / "assets" / "gallery.css").read_text()
    assert not re.search(r"https?:|fetch\(|XMLHttpRequest|import\b", script + page.read_text())
    assert not re.search(r"url\(|@import", style)
    # Whatever the script looks for is on the page.
    assert set(re.findall(r'find\("([a-z-]+)"\)', script)) <= parsed.ids


def test_script_never_writes_markup(tmp_path: Path) -> None:
    page = build_gallery(example(), tmp_path / "gallery", with_photos=False)
    script = (page.parent / "assets" / "gallery.js").read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", script)


def test_every_photo_with_its_description_and_questions(tmp_path: Path) -> None:
    dataset = example()
    page = build_gallery(dataset, tmp_path / "gallery", with_photos=False)
    data, photos = data_of(page), photos_of(page)
    described = {photo["id"]: photo["description"] for photo in photos if photo["trained"]}
    assert described == dict(zip(dataset.pairs["pair_id"], dataset.pairs["description"], strict=True))
    asked = [data["asked"][place] | {"kind": kind} for photo in photos for place, kind in photo["asked"]]
    columns = ["scenario", "question", "answer", "kind"]
    assert sorted(tuple(question[name] for name in columns) for question in asked) == sorted(
        dataset.probes[columns].itertuples(index=False, name=None)
    )
    assert all(not question["options"] or question["answer"] in question["options"] for question in asked)


def test_thumbnails_are_small_and_carry_nothing_else(tmp_path: Path) -> None:
    dataset = example()
    buffer = io.BytesIO()
    Image.new("RGB", (1000, 500), (0, 0, 255)).save(buffer, "JPEG", comment=b"at the old mill")
    pairs = dataset.pairs.copy()
    pairs["image"] = [buffer.getvalue(), *pairs["image"][1:]]
    changed = make_dataset("squares", dataset.people, pairs, dataset.probes)
    page = build_gallery(changed, tmp_path / "gallery", with_photos=False)
    files = sorted((page.parent / "photos").iterdir())
    assert {f"photos/{file.name}" for file in files} == {photo["file"] for photo in photos_of(page)}
    sizes = []
    for file in files:
        assert b"old mill" not in file.read_bytes()
        with Image.open(file) as image:
            assert image.format == "JPEG"
            sizes.append(image.size)
    assert max(sizes) == (224, 112)


def test_real_people_only_where_they_are_asked_for(tmp_path: Path) -> None:
    dataset = example(real=True)
    kept = build_gallery(dataset, tmp_path / "kept", with_photos=False)
    given = build_gallery(dataset, tmp_path / "given", with_photos=True)
    hidden = [photo for photo in photos_of(kept) if photo["file"] is None]
    assert len(hidden) == 9
    assert len(list((given.parent / "photos").iterdir())) - len(list((kept.parent / "photos").iterdir())) == 9
    for file in (kept.parent / "photos").iterdir():
        with Image.open(file) as image:
            _, green, blue = image.getpixel((20, 20))
            assert green < 80 < blue, file
    assert "9 photos show real people and are withheld" in " ".join(kept.read_text().split())
    assert "withheld from this page" not in given.read_text()


def test_equal_datasets_give_equal_pages(tmp_path: Path) -> None:
    for name in ("one", "two"):
        build_gallery(example(), tmp_path / name, with_photos=False)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert len(files) > 50
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_gallery_is_replaced_and_nothing_else_is(tmp_path: Path) -> None:
    output = tmp_path / "gallery"
    build_gallery(example(real=True), output, with_photos=True)
    build_gallery(example(real=True), output, with_photos=False)
    assert len(list((output / "photos").iterdir())) == 49
    (output / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="no gallery"):
        build_gallery(example(), output, with_photos=False)
    assert (output / "notes.txt").read_text() == "mine"


def test_a_damaged_photo_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    dataset = example()
    pairs = dataset.pairs.copy()
    pairs["image"] = [pairs["image"][0][:60], *pairs["image"][1:]]
    with pytest.raises(DataError, match="evaluation-000-0"):
        build_gallery(make_dataset("x", dataset.people, pairs, dataset.probes), tmp_path / "gallery", with_photos=False)
    assert not list(tmp_path.iterdir())


def test_progress_ends_with_the_last_photo(tmp_path: Path) -> None:
    reports: list[tuple[int, int]] = []
    build_gallery(
        example(), tmp_path / "gallery", with_photos=False, report=lambda done, total, _: reports.append((done, total))
    )
    assert reports == [(done, 58) for done in range(1, 59)]


def shown(page: Path, profile: Path, query: str = "") -> str:
    """The page's elements after its scripts ran."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += ["--disable-component-update", "--disable-sync", f"--user-data-dir={profile}", "--window-size=1200,900"]
    command = [str(CHROMIUM), *flags, "--dump-dom", page.resolve().as_uri() + query]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.skipif(CHROMIUM is None, reason="no browser")
def test_a_browser_shows_people_and_takes_their_names_for_text(tmp_path: Path) -> None:
    page = build_gallery(example(real=True, hostile=True), tmp_path / "gallery", with_photos=False)
    found = shown(page, tmp_path / "profile")
    assert "<title>squares" in found
    assert html.escape(HOSTILE, quote=False) in found and HOSTILE not in found
    assert len(re.findall(r'<article class="person"', found)) == 8
    assert found.count('<span class="withheld">') == 9
    assert found.count('loading="lazy"') == 49
    assert "8 people, 58 photos" in found


@pytest.mark.skipif(CHROMIUM is None, reason="no browser")
def test_a_browser_filters_by_person_scenario_role_and_kind(tmp_path: Path) -> None:
    page = build_gallery(example(), tmp_path / "gallery", with_photos=False)
    person = next(person for person in data_of(page)["people"] if person["id"] == REAL_PERSON)
    one = shown(page, tmp_path / "profile", f"#who={person['name'].replace(' ', '+')}&scenario=home&kind=training")
    assert re.findall(r'<article class="person" aria-label="([^"]*)"', one) == [person["name"]]
    assert "1 person, 1 photo" in one
    strangers = shown(page, tmp_path / "profile", "#role=stranger&kind=utility&scenario=hair")
    assert "2 people, 4 photos" in strangers
    assert re.search(r'<li class="right"><span[^>]*>✓ </span>red', strangers)
