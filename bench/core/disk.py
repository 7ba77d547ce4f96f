"""What keeps files from being written: no folder, one of somebody else, a read-only disk, a full disk."""

import errno
import os
import shutil
import stat
from pathlib import Path

from bench.core.errors import UsageError
from bench.core.files import UNFINISHED

NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)
"""Numbers of the errors that say: this may be read at most."""

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
FULL_DISK_BYTES = 64 * 1024


def obstacle(folder: Path) -> str:
    """Why nothing can be written into a folder, which need not exist; empty where nothing speaks against it.

    Looks and touches nothing.
    """
    if not _is_utf8(folder):
        return f"{folder} is no name in UTF-8, and tables are written under no other"
    missing: list[str] = []
    for place in (folder, *folder.parents):
        try:
            mode = place.stat().st_mode
        except OSError as error:
            if os.path.islink(place):  # noqa: PTH114 - Path.is_symlink raises where a name is too long
                circle = error.errno == errno.ELOOP
                where = "that leads back to itself" if circle else f"to {place.readlink()}, where there is nothing"
                return f"{place} is a link {where}"
            missing.append(place.name)
            continue
        shown = place if place.name else place.absolute()
        if not stat.S_ISDIR(mode):
            return f"{shown} is no folder"
        if not os.access(place, os.W_OK | os.X_OK):
            read_only = os.statvfs(place).f_flag & os.ST_RDONLY
            reason = "and lies on a disk that is mounted read-only" if read_only else "and you may not write there"
            return f"{shown} belongs to {_owner(place)} {reason}"
        longest = os.pathconf(place, "PC_NAME_MAX")
        for number, name in enumerate(missing):
            may_have = longest if number else longest - len(f".{UNFINISHED}")
            if len(os.fsencode(name)) > may_have:
                return f"'{name[:24]}…' is longer than the {may_have} bytes that its name may have there"
        return ""
    return f"{folder} cannot be reached"


def at_home(path: Path) -> Path:
    """A path with ``~`` spelled out: shells leave it in ``--out=~/page``, and in variables that a file sets."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises where there is no such user


def writable(folder: Path) -> Path:
    """The folder that somebody named for something to be written into, ``~`` spelled out. It need not exist.

    Raises UsageError where nothing can be written there: to be called before any work is done.
    """
    meant = at_home(folder)
    found = obstacle(meant)
    if found:
        raise UsageError(f"{found}: name another folder.")
    return meant


def means_full_disk(error: Exception, folder: Path) -> bool:
    """Whether what went wrong while ``folder`` was written to is that its disk is full."""
    if isinstance(error, OSError) and error.errno in NO_SPACE:
        return True
    # Libraries such as torch and safetensors raise errors of their own when a write fails; some quote the system's.
    if any(os.strerror(number) in str(error) for number in NO_SPACE):
        return True
    return folder.exists() and shutil.disk_usage(folder).free < FULL_DISK_BYTES


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _owner(place: Path) -> str:
    try:
        return place.owner()
    except KeyError:
        return f"user {place.stat().st_uid}"
