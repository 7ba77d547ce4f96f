"""Does a defense lower the leak at all? Each against the undefended control, over the same people."""

from dataclasses import dataclass

from leaderboard.figures import Figure


@dataclass(frozen=True)
class Comparison:
    """Highest excess of a defense minus the highest undefended one, and its adjusted p-value (max-T)."""

    difference: Figure
    p_value: float

    @property
    def p_text(self) -> str:
        """The p-value as the page prints it."""
        return "< 0.001" if self.p_value < 0.001 else f"{self.p_value:.3f}"
