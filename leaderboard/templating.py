"""How templates become text: everything is escaped, and what Jinja has compiled is kept as Python keeps its own."""

import json
import sys
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import jinja2
from jinja2.bccache import Bucket

from bench.core.digests import digest_bytes
from bench.core.files import write_whole
from leaderboard.boards.wording import budget_text, options_text, rank_text
from leaderboard.figures import SHADES, STRIP_WIDTH, figure, seconds_text, strip_place
from leaderboard.schema import plain

TEMPLATES = Path(__file__).parent / "templates"

# autoescape=True and not select_autoescape: names and answers come from models and from other people's files.
OPTIONS: dict[str, Any] = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True, "optimized": False}


class CompiledTemplates(jinja2.BytecodeCache):
    """Compiled templates in ``__pycache__`` beside them; nothing is kept where that folder cannot be written.

    Compiling takes a quarter of the time that a whole page set does.
    """

    folder = Path(cache_from_source(str(TEMPLATES / "template.py"))).parent

    def get_source_checksum(self, source: str) -> str:
        """What the compiled template rests on: its source, the version of Jinja, and how that is set up."""
        return digest_bytes(repr((source, jinja2.__version__, OPTIONS)).encode())

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read it where it is there and still holds."""
        with suppress(OSError), self._path(bucket).open("rb") as file:
            bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it for the next process."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                self.folder.mkdir(parents=True, exist_ok=True)
                write_whole(self._path(bucket), bucket.bytecode_to_string())

    def _path(self, bucket: Bucket) -> Path:
        return self.folder / f"{bucket.key}.{sys.implementation.cache_tag}.jinja"


@cache
def environment() -> jinja2.Environment:
    """The project's templates, with what they may call; one for the whole process."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        bytecode_cache=CompiledTemplates(),
        **OPTIONS,
    )
    made.globals.update(
        figure=lambda measurement: figure([measurement]),
        budget_text=budget_text,
        options_text=options_text,
        rank_text=rank_text,
        seconds=seconds_text,
        strip_width=STRIP_WIDTH,
        shades=range(SHADES),
        strip_zero=strip_place(0),
        strip_one=strip_place(1),
    )
    made.filters["pretty"] = lambda value: json.dumps(plain(value), indent=2, sort_keys=True, ensure_ascii=False)
    return made
