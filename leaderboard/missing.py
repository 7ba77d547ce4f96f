"""Runs of a suite that have no result, so that nobody reads the others as if these had never been asked for."""

from dataclasses import dataclass

from leaderboard.schema import BASE, UNDEFENDED, Role


@dataclass(frozen=True)
class MissingRun:
    """A run without a record, and why. ``label`` is the defense's name in the suite, ``target`` the checkpoint's."""

    label: str
    attack: str
    target: str
    ratio: float
    seed: int
    reason: str

    @property
    def role(self) -> Role:
        """What it would be to its suite."""
        if self.attack == BASE:
            return "base"
        return "undefended" if self.label == UNDEFENDED else "defense"

    @property
    def sentence(self) -> str:
        """What a refused number says."""
        return f"the run of training seed {self.seed} is missing: {self.reason}"

    def concerns(self, target: str, ratio: float) -> bool:
        """Whether it would stand among the runs of that target and protection ratio; controls serve every ratio."""
        return self.target == target and (self.role != "defense" or self.ratio == ratio)
