"""A process that works on an artifact store; the store's tests start several and kill some.

Usage: store_process.py ROOT COMMAND [ARGUMENTS]
"""

import sys
import time
from pathlib import Path

from bench.core.store import ArtifactStore

STAGE = "work"


def fill(store: ArtifactStore, count: int, log: Path) -> None:
    """Compute ``count`` artifacts of several files each; every call of produce appends a line to ``log``."""
    for number in range(count):

        def produce(folder: Path, number: int = number) -> dict[str, float]:
            with log.open("a") as stream:
                stream.write(f"{number}\n")
            (folder / "inner").mkdir()
            for part in range(4):
                (folder / "inner" / f"part-{part}.bin").write_bytes(bytes([number, part]) * 2000)
            return {"seconds_per_photo": 0.5}

        artifact = store.compute(STAGE, {"number": number}, produce)
        print(number, artifact.hit, flush=True)


def stall(store: ArtifactStore) -> None:
    """Write half an artifact, say so on standard output, and wait to be killed or interrupted."""

    def produce(folder: Path) -> None:
        (folder / "half.bin").write_bytes(b"half")
        print("half-written", flush=True)
        time.sleep(60)

    store.compute(STAGE, {"number": 0}, produce)


if __name__ == "__main__":
    root, command, *arguments = sys.argv[1:]
    if command == "fill":
        fill(ArtifactStore(Path(root)), int(arguments[0]), Path(arguments[1]))
    else:
        stall(ArtifactStore(Path(root)))
