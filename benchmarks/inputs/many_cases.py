"""Try every property of inputs on many drawn cases, and print how many each was tried on.

    python benchmarks/inputs/many_cases.py --cases 2000

A property is a hypothesis test marked ``inputs`` (tests/properties.py). Exit code 1 where one fails: hypothesis prints
the smallest input that it found.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEST = re.compile(r"^(tests/\S+::\S+):$")
COUNT = re.compile(r"(\d+) passing(?: examples)?, (\d+) failing")


def counts(printed: str) -> dict[str, int]:
    """How many cases each test was tried on, from what ``--hypothesis-show-statistics`` printed."""
    found: dict[str, int] = {}
    test = ""
    for line in printed.splitlines():
        named, counted = TEST.match(line.strip()), COUNT.search(line)
        if named:
            test = named[1]
        elif counted and test:
            found[test] = found.get(test, 0) + int(counted[1]) + int(counted[2])
    return found


def main() -> int:
    """Run the properties and print the counts; the exit code is pytest's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000, help="cases of a property of share 1")
    parser.add_argument("tests", nargs="*", default=["tests"], help="which tests, as pytest names them")
    chosen = parser.parse_args()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "inputs", "--hypothesis-show-statistics", *chosen.tests],
        cwd=ROOT,
        env=os.environ | {"VEILBENCH_CASES": str(chosen.cases)},
        capture_output=True,
        text=True,
        check=False,
    )
    tried = counts(done.stdout)
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n")
    for test, number in sorted(tried.items()):
        print(f"{number:>8,}  {test}")
    print(f"{sum(tried.values()):>8,}  cases of {len(tried)} properties")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
