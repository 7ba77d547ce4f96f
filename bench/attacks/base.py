"""The contract of an attacker setting. Provisional: it will grow by what is done to shared and to query photos."""

from abc import ABC, abstractmethod
from typing import ClassVar

from bench.targets.base import Recipe, Synthesis


class Attack(ABC):
    """One way to attack; a defense's headline is the highest excess over all that were tried.

    Provisional until the contract of adaptive attackers stands: a plugin that is written today may need changes.
    """

    adaptive: ClassVar[bool] = False
    """Whether it knows the defense and adapts to it."""

    @abstractmethod
    def adapt(self, recipe: Recipe) -> Recipe:
        """The suite's recipe as this attacker uses it."""

    def synthesis(self) -> Synthesis | None:
        """What the attacker trains on in place of the shared photos; None where it is the photos themselves."""
        return None
