"""No character ends a command."""

import io
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from miniature_world import environment_for
from properties import cases
from rich.table import Table

from bench.commands.options import print_json, print_table
from bench.core.progress import ProgressDisplay
from bench.core.streams import make_streams_lenient

ENCODINGS = st.sampled_from(["cp1252", "ascii", "latin-1", "utf-8", "shift_jis", "koi8-r", "gb18030"])
TEXTS = st.text(max_size=12) | st.sampled_from(["王小明", "Zoë Król", "photo-\udce9.png", "–…×≥", "วรรณวิสา"])


@cases()
@given(ENCODINGS, TEXTS)
def test_whatever_is_printed_comes_out_as_far_as_the_encoding_has_it(encoding: str, text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        output, errors = (io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2))
        patch.setattr(sys, "stdout", output)
        patch.setattr(sys, "stderr", errors)
        make_streams_lenient()
        print(text)
        with ProgressDisplay() as display:
            display.task(text)(1, 1, text)
        table = Table(title="people")
        table.add_column("name")
        table.add_row(text.replace("[", "("))
        print_table(table)
        output.flush()
        errors.flush()
        printed = output.buffer.getvalue()
        assert printed.startswith(text.encode(encoding, "backslashreplace"))
        assert "1 of 1".encode(encoding) in errors.buffer.getvalue()


@cases()
@given(ENCODINGS, st.dictionaries(TEXTS, TEXTS, max_size=3))
def test_json_stays_what_it_is_in_every_encoding(encoding: str, value: dict[str, str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        output = io.TextIOWrapper(io.BytesIO(), encoding)
        patch.setattr(sys, "stdout", output)
        make_streams_lenient()
        print_json(value)
        output.flush()
        assert json.loads(output.buffer.getvalue().decode(encoding)) == value


def test_a_stream_that_is_closed_takes_everything() -> None:
    program = (
        "import os, sys\n"
        "from bench.core.streams import make_streams_lenient\n"
        "make_streams_lenient()\n"
        "print('out')\n"
        "print('error', file=sys.stderr)\n"
        "assert (sys.stdout.fileno(), sys.stderr.fileno()) == (1, 2)\n"
        "os._exit(7)\n"
    )
    shell = f'exec {sys.executable} -c "$PROGRAM" >&- 2>&-'
    done = subprocess.run(["sh", "-c", shell], env=environment_for({"PROGRAM": program}), check=False, timeout=60)
    assert done.returncode == 7
