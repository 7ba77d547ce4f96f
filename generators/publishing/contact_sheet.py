"""One picture of a dataset: a line a person, a column a scenario, then the new photos that are asked about."""

import io
import unicodedata
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont, ImageOps

from generators.publishing.photos import DatasetPhoto, dataset_photos, thumbnail, withheld
from scenarios.dataset import Dataset
from scenarios.people import Person
from scenarios.schema import load_scenarios

PEOPLE = {"evaluation": 6, "stranger": 2}
"""Lines of the sheet by role, at most."""
NEW_PHOTOS = 4
"""Columns for photos that are only asked about, at most."""

_TILE, _GAP, _CAPTION, _MARGIN, _LABEL, _HEAD = 144, 8, 20, 24, 196, 34
_PAPER, _PANEL, _INK, _QUIET = "#ffffff", "#e9eef0", "#14212b", "#55646f"
_TEXT, _SMALL = 14, 12
_WITHOUT_STROKE = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "ß": "ss", "đ": "d", "Đ": "D", "ı": "i"})


def contact_sheet(dataset: Dataset, with_photos: bool) -> bytes:
    """The sheet as JPEG; equal datasets give equal bytes.

    Photos of real people are replaced by a tile that says so, and the people in them go by their person_id, unless
    ``with_photos``. Raises ``DataError`` naming the pair or probe whose photo cannot be decoded.
    """
    own: dict[str, list[DatasetPhoto]] = {}
    for photo in dataset_photos(dataset):
        own.setdefault(photo.person_id, []).append(photo)
    lines = [
        (person, own.get(person.person_id, [])) for role in PEOPLE for person in _some(dataset.persons(role), role)
    ]
    scenarios = [
        name for name in load_scenarios() if any(photo.scenario == name for _, photos in lines for photo in photos)
    ]
    new = min(NEW_PHOTOS, max((sum(not photo.scenario for photo in photos) for _, photos in lines), default=0))
    sheet = _Sheet(scenarios, new, len(lines))
    for place, (person, photos) in enumerate(lines):
        sheet.add_person(place, person, photos, with_photos)
    return sheet.encoded()


def _some(people: Sequence[Person], role: str) -> list[Person]:
    """People at equal distances through the table, the first among them."""
    count = min(PEOPLE[role], len(people))
    return [people[place * len(people) // count] for place in range(count)]


class _Sheet:
    """The picture while it is drawn; columns are the scenarios, then the new photos."""

    def __init__(self, scenarios: Sequence[str], new: int, lines: int) -> None:
        self._scenarios = list(scenarios)
        self._new = new
        columns = len(scenarios) + new
        width = 2 * _MARGIN + _LABEL + columns * (_TILE + _GAP)
        height = 2 * _MARGIN + _HEAD + lines * (_TILE + _CAPTION + _GAP)
        self._image = Image.new("RGB", (width, height), _PAPER)
        self._draw = ImageDraw.Draw(self._image)
        titles = [load_scenarios()[name].title for name in scenarios] + ["New photo"] * new
        for column, title in enumerate(titles):
            self._write((self._left(column), _MARGIN), title, _TEXT, _INK, _TILE)

    def add_person(self, place: int, person: Person, photos: Sequence[DatasetPhoto], with_photos: bool) -> None:
        """Draw one line: who it is at the left, then the first photo of each scenario, then the new photos."""
        top = _MARGIN + _HEAD + place * (_TILE + _CAPTION + _GAP)
        hidden = any(withheld(photo, with_photos) for photo in photos)
        self._label(top, person, hidden)
        for column, scenario in enumerate(self._scenarios):
            found = next((photo for photo in photos if photo.scenario == scenario), None)
            if found is not None:
                self._tile(column, top, found, "" if hidden else person.facts.get(scenario, ""), with_photos)
        unseen = [photo for photo in photos if not photo.scenario][: self._new]
        for offset, photo in enumerate(unseen):
            self._tile(len(self._scenarios) + offset, top, photo, ", ".join(photo.kinds).replace("_", " "), with_photos)

    def encoded(self) -> bytes:
        """The picture as JPEG."""
        buffer = io.BytesIO()
        self._image.save(buffer, "JPEG", quality=86, optimize=True, subsampling=0)
        return buffer.getvalue()

    def _label(self, top: int, person: Person, hidden: bool) -> None:
        looks = {} if hidden else person.appearance
        stated = [f"{name.replace('_', ' ')}: {value}" for name, value in looks.items()]
        texts = [person.person_id] if hidden else [person.name, person.person_id]
        roles = {"evaluation": "trained on and asked about", "stranger": "stranger: never trained on"}
        lines = [
            (text, _INK if number == 0 else _QUIET) for number, text in enumerate([*texts, roles[person.role], *stated])
        ]
        for number, (text, colour) in enumerate(lines):
            size = _TEXT if number == 0 else _SMALL
            self._write((_MARGIN, top + number * 19), text, size, colour, _LABEL - _GAP)

    def _tile(self, column: int, top: int, photo: DatasetPhoto, caption: str, with_photos: bool) -> None:
        left = self._left(column)
        self._draw.rectangle((left, top, left + _TILE - 1, top + _TILE - 1), fill=_PANEL)
        if withheld(photo, with_photos):
            self._draw.text(
                (left + _TILE / 2, top + _TILE / 2), "photo\nwithheld", _QUIET, _font(_TEXT), "mm", align="center"
            )
        else:
            small = ImageOps.contain(thumbnail(photo, _TILE), (_TILE, _TILE), Image.Resampling.BICUBIC)
            self._image.paste(small, (left + (_TILE - small.width) // 2, top + (_TILE - small.height) // 2))
        self._write((left, top + _TILE + 3), caption, _SMALL, _QUIET, _TILE)

    def _left(self, column: int) -> int:
        return _MARGIN + _LABEL + column * (_TILE + _GAP)

    def _write(self, place: tuple[int, int], text: str, size: int, colour: str, room: int) -> None:
        """One line of text, cut with an ellipsis where it is wider than ``room`` pixels."""
        font, text = _font(size), _drawable(text)
        shown = text
        while shown and font.getlength(shown) > room:
            text = text[:-1]
            shown = text.rstrip() + "..."
        self._draw.text(place, shown, colour, font)


def _font(size: int) -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    # The font that comes with Pillow: the same letters on every machine.
    return ImageFont.load_default(size)


def _drawable(text: str) -> str:
    """The text in the letters that the font has: without accents, other scripts as question marks."""
    plain = unicodedata.normalize("NFKD", text.translate(_WITHOUT_STROKE))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).encode("ascii", "replace").decode()
