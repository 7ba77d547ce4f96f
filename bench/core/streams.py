"""Standard output and error that end no work: neither a character nor a closed stream is a reason to."""

import io
import os
import sys


def make_streams_lenient() -> None:
    """Write what an encoding lacks as an escape, and let a stream that was closed at the start take everything."""
    # In this order, so that each gets the number that it must have: else a file opened later would get it, and what a
    # library prints would stand in that file.
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
