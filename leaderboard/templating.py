"""How templates become text: everything is escaped."""

import json
from functools import cache
from pathlib import Path

import jinja2

from leaderboard.boards.wording import budget_text, options_text, rank_text
from leaderboard.figures import SHADES, STRIP_WIDTH, figure_of, seconds_text, signed, strip_place
from leaderboard.schema import plain

TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment() -> jinja2.Environment:
    """The project's templates, with what they may call; one for the whole process."""
    # autoescape=True and not select_autoescape: names and answers come from models and from other people's files.
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        figure=figure_of,
        signed=signed,
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
