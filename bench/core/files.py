"""Files and folders that are there whole or not at all, and pointers that stand in the place of files."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNFINISHED = ".unfinished"
_WHOLE = "whole"
_NOBODYS = frozenset({UNFINISHED, "lost+found"})
"""What lies in a folder without making it somebody's: our own leavings, and what a new disk may have."""
_POINTER = b"version https://git-lfs.github.com/"
POINTER_ADVICE = "is a pointer of Git LFS and not the file itself: run `git lfs pull` in its folder"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file beside ``path``, with its suffix, to be written inside the block; then it takes the place of ``path``.

    Whoever is stopped on the way, or finds the disk full, leaves ``path`` as it was.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}-{threading.get_ident()}.partial{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Put ``content`` in place at once, over whatever was there."""
    with whole_file(path) as partial:
        partial.write_bytes(content)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """An empty folder to be filled inside the block; then what it holds is in ``folder``, over entries of those names.

    A ``folder`` that is not there yet appears in one step. One that is there may be a mount point, the current folder
    or a link to one: it stays, and gets the entries one by one when all are written; ``held`` makes up for a process
    that is killed over that. The empty folder's parent is hidden and goes at the end; what the block puts there stays
    when it is stopped, for the next block to go on from.
    """
    is_there = folder.is_dir()
    unfinished = folder / UNFINISHED if is_there else folder.with_name(f".{folder.name}{UNFINISHED}")
    partial = unfinished / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if is_there:
            partial.rename(unfinished / _WHOLE)
            _move_in(folder)
        else:
            partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        with suppress(OSError):  # there is something in it to go on from
            unfinished.rmdir()
        raise
    shutil.rmtree(unfinished, ignore_errors=True)


def held(folder: Path) -> set[str]:
    """Names of what somebody keeps in a folder; none where it is not there.

    What ``whole_folder`` was killed over moving in is moved in first.
    """
    if not folder.exists():
        return set()
    if (folder / UNFINISHED / _WHOLE).is_dir():
        _move_in(folder)
    return {entry.name for entry in folder.iterdir()} - _NOBODYS


def _move_in(folder: Path) -> None:
    whole = folder / UNFINISHED / _WHOLE
    for entry in sorted(whole.iterdir(), key=Path.is_file):  # what a page shows comes before the page
        earlier = folder / entry.name
        if earlier.is_dir() and not earlier.is_symlink():
            shutil.rmtree(earlier)
        elif entry.is_dir():
            earlier.unlink(missing_ok=True)
        entry.replace(earlier)
    whole.rmdir()


def flush_tree(folder: Path) -> None:
    """Wait until every file and folder below is on the disk, so that a power failure after a rename loses none."""
    for path in folder.rglob("*"):
        flush(path)
    flush(folder)


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lfs_pointers(folder: Path) -> list[str]:
    """Files below ``folder``, relative to it, of which a clone without Git LFS holds but the pointer; sorted."""
    small = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_size < 1024)
    return [path.relative_to(folder).as_posix() for path in small if path.read_bytes().startswith(_POINTER)]
