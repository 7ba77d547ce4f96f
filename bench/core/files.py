"""Files that are there whole or not at all."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
