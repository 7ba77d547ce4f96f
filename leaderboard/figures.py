"""A number as the page shows it: digits, interval, place on the strip, shade in the heat map."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

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
        """The interval as a drawing, on an axis from the base control (0) to the undefended one (1)."""
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
    """Where a normalised leakage stands in the drawing; values off the axis stand at its end."""
    share = (min(max(value, STRIP_LOW), STRIP_HIGH) - STRIP_LOW) / (STRIP_HIGH - STRIP_LOW)
    return f"{6 + share * (STRIP_WIDTH - 12):.1f}"


def figure(metrics: Sequence[Measurement | None]) -> Figure:
    """One figure from the metrics of a cell's records, one record a training seed.

    With several seeds: the mean of the values with the lowest and highest interval ends, which is never narrower
    than any of them.
    """
    present = [metric for metric in metrics if metric is not None]
    if not present:
        return Figure(None, refusal=NOT_MEASURED)
    unscored = sum(metric.n_unscored for metric in present)
    refused = next((metric.refusal for metric in present if metric.refusal), None)
    if refused:
        return Figure(None, refusal=refused, n_unscored=unscored)
    lows = [metric.low for metric in present if metric.low is not None]
    highs = [metric.high for metric in present if metric.high is not None]
    return Figure(
        value=fmean(metric.value for metric in present if metric.value is not None),
        low=min(lows, default=None),
        high=max(highs, default=None),
        digits=_digits(present[0]),
        n_unscored=unscored,
    )


def _digits(metric: Measurement) -> int:
    if metric.unit.lower() == "db":
        return 1
    return 3 if metric.name == "ssim" else 2


def seconds_text(seconds: float | None) -> Figure:
    """A duration with two significant digits' worth of decimals; no interval, it is not a result."""
    if seconds is None:
        return Figure(None, refusal=NOT_MEASURED)
    return Figure(seconds, digits=0 if seconds >= 20 else 1 if seconds >= 1 else 2 if seconds >= 0.1 else 3)
