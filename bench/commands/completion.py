"""What the shell completes: names that a command takes at a place."""

from collections.abc import Callable, Iterable

BACKENDS = ("transformers", "vllm")


def _completing(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return complete


def _suites() -> Iterable[str]:
    from bench.plan.suite_files import shipped_suites

    return shipped_suites()


def _kinds() -> Iterable[str]:
    from bench.commands.listing import KINDS

    return KINDS


def _defenses() -> Iterable[str]:
    from bench.defenses.registry import defenses

    return defenses.names()


def _checkpoints() -> Iterable[str]:
    from bench.targets.checkpoints import shipped_checkpoints

    return shipped_checkpoints()


def _datasets() -> Iterable[str]:
    from scenarios.dataset import shipped_datasets

    return shipped_datasets()


def _generators() -> Iterable[str]:
    from generators.registry import generators

    return generators.names()


suites = _completing(_suites)
kinds = _completing(_kinds)
backends = _completing(lambda: BACKENDS)
defenses = _completing(_defenses)
checkpoints = _completing(_checkpoints)
datasets = _completing(_datasets)
generators = _completing(_generators)
