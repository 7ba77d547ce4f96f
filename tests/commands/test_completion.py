"""Names that the shell completes."""

import os
import subprocess
import sys

import pytest
from miniature_world import environment_for

PROGRAM = "import sys; sys.argv = ['veilbench']; from bench.cli import main; main()"


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("run f", {"families"}),
        ("store gc q", {"quick"}),
        ("list reci", {"recipes"}),
        ("defense check dp", {"dp2vl"}),
        ("target check tiny-q", {"tiny-qwen2-vl"}),
        ("data card veilbench-m", {"veilbench-mini"}),
        ("run --backend v", {"vllm"}),
        ("data build x --generator dif", {"diffusion"}),
        ("run nonsense", set()),
    ],
)
def test_the_shell_is_told_what_fits(words: str, completed: set[str]) -> None:
    line = f"veilbench {words}"
    asked = {
        "_VEILBENCH_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
    }
    environment = {**os.environ, **environment_for(asked)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, check=False)
    assert set(done.stdout.split()) == completed, done.stderr
