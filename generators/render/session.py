"""Starts the renderer in this process."""

from importlib.util import find_spec

from bench.core.errors import VeilBenchError


def require_renderer() -> None:
    """Raise VeilBenchError where the render parts are not installed; costs nothing."""
    for part in ("mitsuba", "pyoidn", "anny"):
        if find_spec(part) is None:
            raise VeilBenchError(f"rendering needs '{part}': run `make render-deps`")


def start_renderer() -> None:
    """Choose Mitsuba's scalar variant; raises VeilBenchError where the render parts are not installed."""
    require_renderer()
    import mitsuba

    mitsuba.set_variant("scalar_rgb")
    mitsuba.set_log_level(mitsuba.LogLevel.Error)
