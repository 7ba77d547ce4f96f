"""Registries: lazy, collision-safe, with helpful messages and honest origins."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.core.errors import DuplicateNameError, UsageError, VeilBenchError
from bench.core.registry import Registry, nearest, unknown_name

GROUP = "veilbench_test_shapes"


class Square:
    pass


def registering(*names: str) -> str:
    """The source of a module that registers one class a name with the registry of ``shapes_registry``."""
    classes = [f"@shapes.register({name!r})\nclass {name.title()}:\n    pass" for name in names]
    return "\n".join(["from shapes_registry import shapes", *classes])


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An import folder with the registry ``shapes_registry.shapes`` and its built-in module ``builtin_shapes``."""
    (tmp_path / "shapes_registry.py").write_text(
        f"from bench.core.registry import Registry\nshapes = Registry('shape', {GROUP!r}, ('builtin_shapes',))\n"
    )
    (tmp_path / "builtin_shapes.py").write_text(registering("circle", "triangle"))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("shapes_registry", "builtin_shapes", "far_shapes"):
        sys.modules.pop(name, None)


def load(modules: Path) -> Registry[type]:
    assert (modules / "shapes_registry.py").exists()
    registry = importlib.import_module("shapes_registry").shapes
    assert isinstance(registry, Registry)
    return registry


def install(modules: Path, source: str, *points: str) -> None:
    """Install the module ``far_shapes`` as the distribution ``far-shapes`` 0.3 with these entry points."""
    (modules / "far_shapes.py").write_text(source)
    information = modules / "far_shapes-0.3.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: far-shapes\nVersion: 0.3\n")
    (information / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *points]))


def test_nothing_is_imported_before_the_first_question(modules: Path) -> None:
    registry = load(modules)
    assert "builtin_shapes" not in sys.modules
    assert registry.names() == ["circle", "triangle"]
    assert "builtin_shapes" in sys.modules


def test_get_returns_what_was_registered_and_where_it_came_from(modules: Path) -> None:
    registry = load(modules)
    assert registry.get("circle").__name__ == "Circle"
    assert registry.origin("circle") == "builtin_shapes (built in)"


def test_registering_at_run_time(modules: Path) -> None:
    registry = load(modules)
    assert registry.register("square")(Square) is Square
    assert registry.names() == ["circle", "square", "triangle"]
    assert registry.origin("square") == __name__


def test_an_unknown_name_is_answered_with_the_nearest_and_all(modules: Path) -> None:
    registry = load(modules)
    for ask in (registry.get, registry.origin):
        with pytest.raises(UsageError) as caught:
            ask("cirle")
        assert str(caught.value) == "unknown shape 'cirle': did you mean 'circle'? known: circle, triangle"


def test_a_taken_name_is_refused_with_both_origins(modules: Path) -> None:
    registry = load(modules)
    registry.names()
    with pytest.raises(DuplicateNameError, match=r"named 'circle'.*builtin_shapes \(built in\).*" + __name__):
        registry.register("circle")(Square)
    assert registry.get("circle").__name__ == "Circle"


@pytest.mark.parametrize("name", ["", "Square", "a/b", "../a", "two words"])
def test_a_name_must_be_fit_for_a_file_name(modules: Path, name: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        load(modules).register(name)


@pytest.mark.parametrize(
    ("source", "point"),
    [
        ("class Star:\n    pass", "star = far_shapes:Star"),
        (registering("star"), "star = far_shapes:Star"),
        (registering("star"), "star = far_shapes"),
    ],
    ids=["plain class", "decorated class", "module that registers"],
)
def test_a_plugin_of_another_distribution(modules: Path, source: str, point: str) -> None:
    install(modules, source, point)
    registry = load(modules)
    assert registry.names() == ["circle", "star", "triangle"]
    assert registry.get("star").__name__ == "Star"
    assert registry.origin("star") == f"far-shapes 0.3 ({point.split(' = ')[1]})"
    assert registry.broken() == {}


def test_a_plugin_of_another_distribution_must_not_take_a_name(modules: Path) -> None:
    install(modules, "class Circle:\n    pass", "circle = far_shapes:Circle")
    with pytest.raises(DuplicateNameError, match=r"builtin_shapes \(built in\).*far-shapes 0\.3"):
        load(modules).names()


def test_a_broken_plugin_is_named_and_does_not_stop_the_others(modules: Path) -> None:
    install(modules, "import no_such_module", "star = far_shapes:Star")
    registry = load(modules)
    assert registry.names() == ["circle", "triangle"]
    assert list(registry.broken()) == ["star"]
    with pytest.raises(VeilBenchError, match=r"shape 'star' cannot be used: far-shapes 0\.3.*no_such_module"):
        registry.get("star")


@pytest.mark.parametrize(
    ("name", "source"),
    [("Star", "class Star:\n    pass"), ("big star", "class Star:\n    pass"), ("x", registering("Star"))],
)
def test_a_plugin_with_a_malformed_name_is_listed_as_broken(modules: Path, name: str, source: str) -> None:
    install(modules, source, f"{name} = far_shapes:Star")
    registry = load(modules)
    assert registry.names() == ["circle", "triangle"]
    assert list(registry.broken()) == [name]
    assert "names are lower-case letters, digits, - and _" in registry.broken()[name]
    with pytest.raises(VeilBenchError, match=r"cannot be used: far-shapes 0\.3.*lower-case"):
        registry.get(name)


def test_nearest_names() -> None:
    known = ["none", "noise", "blur", "dp2vl"]
    assert nearest("nois", known)[0] == "noise"
    assert nearest("DP2-VL", known) == ["dp2vl"]
    assert nearest("quantum", known) == []
    assert str(unknown_name("suite", "quantum", [])) == "unknown suite 'quantum': known: none"


def test_registry_and_store_load_no_heavy_package() -> None:
    code = (
        "import sys, bench.core.registry, bench.core.store, bench.core.progress, bench.core.environment\n"
        "print([name for name in ('numpy', 'pandas', 'torch', 'rich') if name in sys.modules])"
    )
    checkout = Path(__file__).resolve().parents[2]
    result = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
