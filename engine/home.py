"""Where Feint keeps what it makes: runs, answers, fetched data; what is said where it can't."""

import atexit
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from platformdirs import user_data_dir

from engine.errors import DiskError

WHY = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "a file would be larger than is allowed",
    errno.EROFS: "it is read-only",
    errno.EACCES: "writing is not allowed",
    errno.EPERM: "writing is not allowed",
    errno.EIO: "the disk has an error",
}
"""Number of an error that a disk gives -> what is the matter."""
CURE = "Free space or make it writable, or set FEINT_HOME to another folder; what was kept before is whole."
ROOM = 1 << 16
"""Bytes: a disk with less room is full."""
NUMBERED = re.compile(r"os error (\d+)")


def home() -> Path:
    """The folder `FEINT_HOME`, by default the user's data folder; it may not exist yet."""
    return (
        Path(os.environ.get("FEINT_HOME") or user_data_dir("feint", appauthor=False)).expanduser().resolve()
    )


def make_home(at: Path | None = None) -> Path:
    """The same folder, or `at`, made where it does not exist yet: for its owner's eyes alone. That of the
    user's data folder, which nobody else makes, is closed to others where an older Feint left it open.
    """
    folder = at or home()
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    elif _is_usual(folder) and folder.stat().st_mode & 0o077:
        with suppress(OSError):  # it is read-only, or another's
            folder.chmod(0o700)
    return folder


def _is_usual(folder: Path) -> bool:
    """Whether a folder is the one that Feint makes in the user's data folder, and not what a link there leads
    to.
    """
    usual = Path(user_data_dir("feint", appauthor=False))
    return not usual.is_symlink() and usual.resolve() == folder.resolve()


def scratch() -> Path:
    """Where logs go: the home, or a temporary folder of this process where that is read-only."""
    folder = home()
    with suppress(OSError):
        make_home()
    return folder if os.access(folder, os.W_OK) else _temporary()


@cache
def _temporary() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="feint-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def why_unwritable(error: BaseException | None) -> str:
    """What is the matter with the disk, where an error, or one that it came from, says that; else ""."""
    while error is not None:
        numbered = NUMBERED.search(str(error))  # safetensors has no errno
        number = getattr(error, "errno", None) or (int(numbered[1]) if numbered else None)
        if number in WHY:
            return WHY[number]
        error = error.__cause__ or error.__context__
    return ""


def full(place: Path) -> bool:
    """Whether the disk of a folder has no room left."""
    with suppress(OSError):
        return shutil.disk_usage(place).free < ROOM
    return False


def unwritable(place: Path, why: str) -> DiskError:
    """The sentence about a folder that can't be written."""
    return DiskError(f"{place} cannot be written: {why}. {CURE}")


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """While something is written under `place`: raises DiskError where the disk refuses it."""
    try:
        yield
    except OSError as error:
        why = why_unwritable(error)
        if not why:
            raise
        raise unwritable(place, why) from None
