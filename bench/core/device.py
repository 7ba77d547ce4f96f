"""Which device stages will use, found out without importing an accelerator library."""

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def detect_device() -> str:
    """``cuda`` where an NVIDIA device is visible and the installed torch can use one, else ``cpu``."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1"):
        return "cpu"
    try:
        built_for_cpu = "+cpu" in version("torch")
    except PackageNotFoundError:
        return "cpu"
    visible = any(Path("/dev").glob("nvidia[0-9]*"))
    return "cuda" if visible and not built_for_cpu else "cpu"
