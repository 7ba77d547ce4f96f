"""The part of a record that says what computed it: versions, device and commit; no dates and no host names."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("torch", "transformers", "peft", "numpy", "pandas")
GIT_TIMEOUT_SECONDS = 10


def describe_environment(device: str) -> dict[str, str | bool | None]:
    """Return the keys ``python``, each of ``PACKAGES``, ``device``, ``git_commit`` and ``git_dirty``.

    A package that is not installed has the version None. Commit and dirty flag are those of the checkout that this
    code runs from, and None where it was installed otherwise.
    """
    return {
        "python": platform.python_version(),
        **{package: _installed_version(package) for package in PACKAGES},
        "device": device,
        **describe_checkout(Path(__file__).resolve().parents[2]),
    }


def describe_checkout(folder: Path) -> dict[str, str | bool | None]:
    """Return ``git_commit`` (40 characters) and ``git_dirty`` of a git checkout.

    Dirty means that a file which git tracks differs from the commit. Untracked files do not count: suites, pages and
    stores may lie in a checkout, and code that runs enters every key by its own digest.

    Both are None where ``folder`` is not the top of a checkout with a commit, or git is not installed.
    """
    unknown: dict[str, str | bool | None] = {"git_commit": None, "git_dirty": None}
    top = _git(folder, "rev-parse", "--show-toplevel")
    # A folder deep inside some other project's checkout, such as a virtual environment, is not that project.
    if top is None or Path(top).resolve() != folder.resolve():
        return unknown
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    if commit is None or changes is None:
        return unknown
    return {"git_commit": commit, "git_dirty": bool(changes)}


def _installed_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(folder: Path, *arguments: str) -> str | None:
    # Inside a hook, git's own variables would point at another repository; and a look must not take git's locks.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        result = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            env=environment,
            capture_output=True,
            timeout=GIT_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # A folder is named in bytes, whatever the locale.
    return os.fsdecode(result.stdout).strip() if result.returncode == 0 else None
