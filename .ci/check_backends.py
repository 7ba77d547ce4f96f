"""Checks that two runs of one suite, answered by transformers and by vLLM, say the same of every run."""

import json
import sys
from pathlib import Path
from typing import Any

TOLERANCE = 1e-3
"""Of a share of right answers: two probes whose options are as good as tied may be told apart differently."""


def measured(result: Path) -> dict[tuple[str, ...], float]:
    """Run and metric -> value."""
    found = {}
    for path in json.loads(result.read_text())["records"]:
        record: dict[str, Any] = json.loads(Path(path).read_text())
        spec = record["spec"]
        for metric in record["metrics"]:
            key = (spec["target"], spec["defense"], spec["attack"], metric["name"], metric["scenario"] or "")
            found[key] = metric["value"]
    return found


here, served = (measured(Path(name)) for name in sys.argv[1:3])
assert here.keys() == served.keys(), f"only one backend measured {here.keys() ^ served.keys()}"
assert len({target for target, *_ in here}) >= 3, "all three families must be among the targets"
apart = {
    key: (here[key], served[key]) for key in here if here[key] is not None and abs(here[key] - served[key]) > TOLERANCE
}
assert not apart, f"transformers and vLLM disagree on {len(apart)} of {len(here)}: {dict(list(apart.items())[:5])}"
print(f"transformers and vLLM agree on {len(here)} metrics of {len({key[:3] for key in here})} runs")
