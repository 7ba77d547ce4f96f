"""The house keeps its shape: imports run down, heavy libraries wait, nothing names a machine, modules are described."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("bench", "scenarios", "generators", "evaluators", "leaderboard", "veilbench")

FLOORS = (
    ("bench.core",),
    ("scenarios",),
    ("generators",),
    ("bench.targets", "bench.defenses"),
    ("bench.attacks",),
    ("evaluators",),
    ("leaderboard",),
    ("bench.stages",),
    ("bench.plan",),
    ("bench.execute",),
    ("bench.publish",),
    ("bench.commands",),
    ("bench.cli", "veilbench"),
)
"""Lowest first. Neighbours on one floor may not import each other."""

MOST_LINES = 300
MOST_MODULES = 15
SPACIOUS = ("bench", "evaluators", "leaderboard", "veilbench")
"""Packages whose files and folders stay small. The renderer's are long lists of shapes."""

FOUNDRY = "bench.foundry"
"""A development tool on the floor above targets: it makes a checkpoint, and nothing imports it."""

SUBCLASSES_OF_LIBRARIES = frozenset(
    {
        "bench.targets.minigpt.configuration",
        "bench.targets.minigpt.modeling",
        "bench.targets.minigpt.vision",
        "generators.diffusion.embedded.codec",
        "generators.diffusion.embedded.pipeline",
    }
)
"""A subclass needs its base class when its module is imported; these modules are imported where they are used."""

HEAVY = frozenset({"torch", "transformers", "peft", "accelerate", "diffusers", "datasets", "mitsuba", "pyoidn"})
WITHOUT_PANDAS = frozenset({"bench.cli", "bench.commands.data.commands", "bench.core.registry", "bench.core.errors"})

MACHINE_PATH = re.compile(r"(?<![\w.])/(?:" + "|".join(("work", "farm", "root", "opt")) + r")(?:/|\b)")
TEXT_SUFFIXES = frozenset({".py", ".md", ".yaml", ".yml", ".toml", ".j2", ".lock", ".sh", ".css", ".js", ".svg"})


def modules_in(root: Path) -> dict[str, Path]:
    """Dotted name -> file of every module of the five packages under ``root``."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported_names(tree: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    """Everything that a syntax tree imports, in functions too; ``from a import b`` gives ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".") if is_package else module.split(".")[:-1]
            start = [".".join(above[: len(above) - node.level + 1])] if node.level else []
            start += [node.module] if node.module else []
            yield from (".".join([*start, alias.name]) for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module":
            yield from (str(argument.value) for argument in node.args[:1] if isinstance(argument, ast.Constant))


def home(name: str) -> str | None:
    """The package of the house that a dotted name lives in; None for other people's and for ``bench`` itself."""
    homes = [place for floor in FLOORS for place in floor] + [FOUNDRY]
    return next((place for place in homes if name == place or name.startswith(f"{place}.")), None)


def floor_of(place: str) -> float:
    """Height of a home; the foundry stands half a floor above targets."""
    if place == FOUNDRY:
        return floor_of("bench.targets") + 0.5
    return next(height for height, floor in enumerate(FLOORS) if place in floor)


def upward_imports(root: Path) -> list[str]:
    """One sentence for each import that does not run down, and for each module that stands on no floor."""
    findings = []
    for module, path in modules_in(root).items():
        own = home(module)
        if own is None:
            findings += [] if module == "bench" else [f"{module} stands on no floor"]
            continue
        for name in imported_names(ast.parse(path.read_bytes()), module, path.name == "__init__.py"):
            other = home(name)
            runs_down = other == own or (other is not None and other != FOUNDRY and floor_of(other) < floor_of(own))
            if not runs_down and name.partition(".")[0] in PACKAGES:
                findings.append(f"{module} imports {name}")
    return findings


def early_imports(tree: ast.Module) -> set[str]:
    """Top-level names of what is imported when the module is, and not only for type checkers."""
    found: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
        waiting += ast.iter_child_nodes(node)
    return found


def loaded_by(statement: str) -> set[str]:
    """Which libraries a fresh interpreter has loaded after a statement."""
    watched = sorted(HEAVY | {"pandas"})
    program = f"import sys; {statement}; print(*[name for name in {watched!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def texts() -> Iterator[Path]:
    """Every text of the project, build outputs and caches left out."""
    folders = (*PACKAGES, "tests", "docs", "benchmarks", ".ci")
    candidates = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    candidates += [path for path in ROOT.iterdir() if path.is_file()]
    for path in sorted(candidates):
        is_text = path.suffix in TEXT_SUFFIXES or path.name in ("Makefile", "LICENSE") or path.parent.name == ".ci"
        if is_text and "__pycache__" not in path.parts:
            yield path


def test_imports_only_run_down() -> None:
    assert upward_imports(ROOT) == []


@pytest.mark.parametrize(
    ("file", "line", "finding"),
    [
        ("bench/core/progress.py", "from scenarios.dataset import Dataset", "bench.core.progress imports scenarios"),
        ("scenarios/people.py", "def f():\n    import generators.base", "scenarios.people imports generators.base"),
        ("bench/targets/llava.py", "from bench import defenses", "bench.targets.llava imports bench.defenses"),
        ("evaluators/scoring.py", "from bench.plan import plan", "evaluators.scoring imports bench.plan.plan"),
        ("bench/plan/plan.py", "from ..cli import app", "bench.plan.plan imports bench.cli.app"),
        ("bench/plan/plan.py", "import bench.foundry.tower", "bench.plan.plan imports bench.foundry.tower"),
        ("bench/plan/plan.py", "from evaluators.registry import evaluators", ""),
        ("bench/plan/plan.py", "from bench.execute.local import x", "bench.plan.plan imports bench.execute.local.x"),
        ("bench/stages/score.py", "import bench.plan.plan", "bench.stages.score imports bench.plan.plan"),
        ("bench/publish/results.py", "from bench.execute.base import StageFailure", ""),
        ("bench/attacks/naive.py", "import evaluators.base", "bench.attacks.naive imports evaluators.base"),
        ("bench/defenses/none.py", "from veilbench import Defense", "bench.defenses.none imports veilbench.Defense"),
        ("bench/foundry/tower.py", "import evaluators.base", "bench.foundry.tower imports evaluators.base"),
        ("bench/plan/plan.py", "import_module('bench.cli')", "bench.plan.plan imports bench.cli"),
        ("bench/cellar.py", "", "bench.cellar stands on no floor"),
    ],
)
def test_an_upward_import_is_found(file: str, line: str, finding: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(line)
    findings = upward_imports(tmp_path)
    assert [one.startswith(finding) for one in findings] == ([True] if finding else [])


def test_heavy_libraries_wait_until_they_are_needed() -> None:
    early = {
        module: sorted(names & (HEAVY | ({"pandas"} if module in WITHOUT_PANDAS else set())))
        for module, path in modules_in(ROOT).items()
        if home(module) != FOUNDRY
        and module not in SUBCLASSES_OF_LIBRARIES
        and (names := early_imports(ast.parse(path.read_bytes())))
    }
    assert {module: names for module, names in early.items() if names} == {}


def test_the_command_line_loads_no_heavy_library() -> None:
    assert loaded_by("import bench.cli") == set()


def test_planning_loads_no_heavy_library_but_pandas() -> None:
    modules = "bench.commands.run.running, bench.commands.run.plan_table, bench.commands.listing, bench.publish.results"
    registries = "bench.defenses.registry, bench.targets.registry, evaluators.registry, bench.attacks.registry"
    plugins = "bench.defenses.registry.defenses.names(), bench.targets.registry.targets.names()"
    assert loaded_by(f"import {modules}, {registries}; {plugins}") <= {"pandas"}


def test_no_text_names_a_place_on_some_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("place", ["work", "farm", "root", "opt"])
def test_a_place_on_some_machine_would_be_found(place: str) -> None:
    assert MACHINE_PATH.search(f"see /{place}/notes") and MACHINE_PATH.search(f"'/{place}'")
    assert not MACHINE_PATH.search(f"build/{place}/photos")


def test_every_module_says_what_it_is() -> None:
    silent = [
        module for module, path in modules_in(ROOT).items() if not ast.get_docstring(ast.parse(path.read_bytes()))
    ]
    assert silent == []


def test_files_and_folders_stay_small() -> None:
    files = [path for package in SPACIOUS for path in (ROOT / package).rglob("*.py")]
    long = {str(path.relative_to(ROOT)): lines for path in files if (lines := line_count(path)) > MOST_LINES + 10}
    assert long == {}, f"about {MOST_LINES} lines at most"
    counts: dict[str, int] = {}
    for path in files:
        if path.name != "__init__.py":
            folder = str(path.parent.relative_to(ROOT))
            counts[folder] = counts.get(folder, 0) + 1
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def line_count(path: Path) -> int:
    """How many lines a file has."""
    return len(path.read_text(encoding="utf-8").splitlines())


def test_examples_in_the_docs_import_from_the_public_interface_only() -> None:
    ours = re.compile(r"^\s*(?:from|import) (?:bench|scenarios|generators|evaluators|leaderboard)\b", re.MULTILINE)
    found = {}
    for page in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]:
        examples = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        found[page.name] = [line for example in examples for line in ours.findall(example)]
    assert {name: lines for name, lines in found.items() if lines} == {}
