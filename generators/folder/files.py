"""Which photos lie in a folder, and which of them a row means; nothing outside the folder is ever opened."""

import os
import unicodedata
from pathlib import Path, PurePosixPath

from bench.core.errors import DataError
from bench.core.registry import nearest
from generators.folder.metadata import Row

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".heic", ".heif", ".hif"}
    | {".avif", ".gif", ".bmp", ".tif", ".tiff", ".dng", ".raw", ".jp2", ".jxl"}
)
"""Endings of picture files, those that cannot be read included: each needs a row or has to leave the folder."""


class PhotoFiles:
    """The files below ``folder``, hidden ones left out, by their name relative to it.

    Names are compared in composed Unicode: one system writes 'ü' as one letter and another as two.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = folder.resolve()
        self._files = {_composed(path.relative_to(folder).as_posix()): path for path in _files_below(folder)}

    def of(self, row: Row) -> Path:
        """The file that the row's ``file_name`` means.

        Raises DataError naming the row for a name that leads out of the folder, and for one that is not there.
        """
        given = row.raw("file_name")
        if not given:
            raise row.error("file_name", "is empty")
        if "\\" in given:
            raise row.error("file_name", f"'{given}' must have / between folder and file, not \\")
        name = PurePosixPath(given)
        if not self._holds(self._folder / name):
            raise row.error("file_name", f"'{given}' leads out of the folder")
        key = _composed(name.as_posix())
        if key not in self._files:
            near = " or ".join(f"'{candidate}'" for candidate in nearest(key, self._files))
            hint = f"; did you mean {near}?" if near else ""
            raise row.error("file_name", f"there is no file '{given}' in the folder{hint}")
        return self._files[key]

    def check_all_named(self, named: set[Path], metadata: str) -> None:
        """Raise DataError naming the first photo without a row: nobody said that it may be used."""
        left = sorted(path for path in self._files.values() if path.suffix.lower() in SUFFIXES and path not in named)
        if left:
            others = f" (and {len(left) - 1} more)" if len(left) > 1 else ""
            raise DataError(
                f"{left[0]}{others} has no row in {metadata}: add one with its consent, or take the photo away."
            )

    def _holds(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self._root)
        except (OSError, ValueError, RuntimeError):  # a name with a zero byte, or links in a circle
            return False


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _files_below(folder: Path) -> list[Path]:
    found: list[Path] = []
    for place, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = (Path(place) / name for name in sorted(files) if not name.startswith("."))
        found.extend(path for path in paths if path.is_file())
    return found
