"""Starts the renderer in this process."""

from bench.core.errors import VeilBenchError


def start_renderer() -> None:
    """Choose Mitsuba's scalar variant; raises VeilBenchError where the render parts are not installed."""
    try:
        import mitsuba
        import pyoidn  # noqa: F401
    except ImportError as error:
        raise VeilBenchError(f"rendering needs '{error.name}': run `make render-deps`") from error
    mitsuba.set_variant("scalar_rgb")
    mitsuba.set_log_level(mitsuba.LogLevel.Error)
