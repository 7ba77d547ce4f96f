"""A number as the page shows it: digits, interval, place on the strip, shade in the heat map."""

from dataclasses import dataclass

from bench.core.statistics.intervals import Interval
from leaderboard.schema import Measurement

STRIP_WIDTH = 168.0
STRIP_LOW, STRIP_HIGH = -0.25, 1.25
SHADES = 10
NOT_MEASURED = "not measured"


def signed(value: float, digits: int) -> str:
    """Fixed digits with a true minus sign; never "-0.00"."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True)
class Figure:
    """One number with its 95 % interval, or the reason why there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    digits: int = 2
    refusal: str | None = None
    n_unscored: int = 0

    @property
    def text(self) -> str:
        """The number alone."""
        return "" if self.value is None else signed(self.value, self.digits)

    @property
    def interval(self) -> str:
        """The interval in brackets, empty where there is none."""
        if self.low is None or self.high is None:
            return ""
        return f"[{signed(self.low, self.digits)}, {signed(self.high, self.digits)}]"

    @property
    def sentence(self) -> str:
        """Number and interval in running text."""
        return f"{self.text} {self.interval}".strip() or (self.refusal or NOT_MEASURED)

    @property
    def shade(self) -> int:
        """Step of the heat map's scale for a fraction, 0 (nothing) to 9 (everything)."""
        return 0 if self.value is None else max(0, min(SHADES - 1, int(self.value * SHADES + 1e-9)))

    @property
    def sort_key(self) -> str:
        """What the table is sorted by; empty sorts last."""
        return "" if self.value is None else repr(self.value)

    @property
    def on_strip(self) -> "Strip | None":
        """The interval as a drawing, on an axis from zero (0) to the undefended control (1)."""
        if self.value is None:
            return None
        low, high = (self.value if end is None else end for end in (self.low, self.high))
        return Strip(point=strip_place(self.value), low=strip_place(low), high=strip_place(high))


@dataclass(frozen=True)
class Strip:
    """Horizontal places in the drawing, as text so that every build prints the same digits."""

    point: str
    low: str
    high: str


def strip_place(value: float) -> str:
    """Where a headline stands in the drawing; values off the axis stand at its end."""
    share = (min(max(value, STRIP_LOW), STRIP_HIGH) - STRIP_LOW) / (STRIP_HIGH - STRIP_LOW)
    return f"{6 + share * (STRIP_WIDTH - 12):.1f}"


def figure_of(metric: Measurement | None) -> Figure:
    """The figure of one measurement, or of none."""
    if metric is None:
        return Figure(None, refusal=NOT_MEASURED)
    if metric.value is None:
        return Figure(None, refusal=metric.refusal, n_unscored=metric.n_unscored)
    return Figure(metric.value, metric.low, metric.high, digits=_digits(metric), n_unscored=metric.n_unscored)


def interval_figure(value: float, interval: Interval | None) -> Figure:
    """The figure of a number that was computed from several runs."""
    return Figure(value, *((interval.low, interval.high) if interval else (None, None)))


def _digits(metric: Measurement) -> int:
    if metric.unit.lower() == "db":
        return 1
    return 3 if metric.name == "ssim" else 2


def seconds_text(seconds: float | None) -> Figure:
    """A duration with two significant digits' worth of decimals; no interval, it is not a result."""
    if seconds is None:
        return Figure(None, refusal=NOT_MEASURED)
    return Figure(seconds, digits=0 if seconds >= 20 else 1 if seconds >= 1 else 2 if seconds >= 0.1 else 3)
