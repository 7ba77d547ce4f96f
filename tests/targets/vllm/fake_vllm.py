#!/usr/bin/env python3
"""Stands in for the `vllm` command: the same arguments, /health, and a child process, but no model.

What it was started with is written to the file that FAKE_VLLM_REPORT names. FAKE_VLLM_MOOD: `late` never answers,
`broken` ends at once, `crowded` finds its port taken the first time, `stubborn` ignores SIGTERM, as does its child.
"""

import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

BROKEN = """\
(EngineCore pid=7) ERROR 01-01 00:00:00 [core.py:1158]     raise ValueError(text)
(EngineCore pid=7) ERROR 01-01 00:00:00 [core.py:1158] ValueError: the weights are of another model
(APIServer pid=5) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
/usr/lib/resource_tracker.py:254: UserWarning: resource_tracker: There appear to be leaked objects
  warnings.warn('resource_tracker')
"""
IGNORING = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(120)"


class Answer(BaseHTTPRequestHandler):
    """Says 200 to everyone."""

    def do_GET(self) -> None:
        """Answer any path."""
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until SIGTERM."""
    mood = os.environ.get("FAKE_VLLM_MOOD", "")
    report = Path(os.environ["FAKE_VLLM_REPORT"])
    print("starting", flush=True)
    if mood == "broken":
        sys.exit(print(BROKEN, flush=True) or 3)
    if mood == "crowded" and not report.exists():
        report.write_text("{}")
        sys.exit("OSError: [Errno 98] Address already in use")
    if mood == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # Like the real one, it works in a process of its own, which a signal to the server alone would not end.
    child = subprocess.Popen([sys.executable, "-c", IGNORING])
    port = int(sys.argv[sys.argv.index("--port") + 1])
    started = {"arguments": sys.argv[1:], "environment": dict(os.environ), "pids": [os.getpid(), child.pid]}
    partial = report.with_suffix(".partial")
    partial.write_text(json.dumps({**started, "port": port}))
    partial.rename(report)
    if mood == "late":
        time.sleep(120)
    HTTPServer(("127.0.0.1", port), Answer).serve_forever()


main()
