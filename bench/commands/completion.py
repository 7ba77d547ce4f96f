"""What the shell completes: names that a command takes at a place."""

from collections.abc import Callable, Iterable

BACKENDS = ("transformers", "vllm")


def completing(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """What typer asks: of the names (looked up when the shell asks) those that begin as what was typed."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return complete


def _suites() -> Iterable[str]:
    from bench.plan.suite_files import shipped_suites

    return shipped_suites()


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


suites = completing(_suites)
backends = completing(lambda: BACKENDS)
defenses = completing(_defenses)
checkpoints = completing(_checkpoints)
datasets = completing(_datasets)
generators = completing(_generators)
