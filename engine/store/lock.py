"""Who works in a run's folder: one process at a time, known by its pid, host and heartbeat."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from engine.home import writing

# Not filelock: a page must see who holds a run, whether that process lives and how long ago it stirred,
# without contending for the lock. filelock's OS locks say nothing of their holder and do not hold across
# hosts; its soft lock tells a pid but neither host nor age, and its lease gives away the lock of a living
# process that was asleep with its laptop. The file's form is also that of runs of an older Feint.
BEAT = 1.0
"""Seconds between heartbeats."""
STALE = 30.0
"""Seconds without a heartbeat after which a holder on another machine counts as gone."""


class Held(Exception):
    """Another process, alive, works in this folder."""


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, with a heartbeat, until the block ends. Raises Held where another does,
    DiskError where the disk refuses it."""
    file = folder / "lock"
    _take(file)
    done = threading.Event()
    beating = threading.Thread(target=_beat, args=(file, done), name="heartbeat", daemon=True)
    beating.start()
    try:
        yield
    finally:
        done.set()
        beating.join()
        file.unlink(missing_ok=True)


def holder(folder: Path) -> dict[str, Any] | None:
    """The living process that works in the folder, as `{"pid", "host", "born"}`; None where there is none."""
    who, age = _read(folder / "lock"), heartbeat_age(folder)
    if who is None or age is None:
        return None
    if not who:  # just created, its line not yet written
        return who if age < STALE else None
    if who["host"] != socket.gethostname():
        return who if age < STALE else None
    return who if _lives(who["pid"], who["born"]) else None


def heartbeat_age(folder: Path) -> float | None:
    """Seconds since the holder's last heartbeat; None without a lock."""
    try:
        return max(0.0, time.time() - (folder / "lock").stat().st_mtime)
    except FileNotFoundError:
        return None


def _take(file: Path) -> None:
    me = json.dumps(
        {"pid": os.getpid(), "host": socket.gethostname(), "born": psutil.Process().create_time()}
    )
    for _ in range(5):
        try:
            with writing(file.parent):
                _write_new(file, me)
            return
        except FileExistsError:
            if holder(file.parent) is not None:
                raise Held(str(file.parent)) from None
            _clear(file)
    raise Held(str(file.parent))


def _write_new(file: Path, text: str) -> None:
    """A new file, or none. Raises FileExistsError."""
    new = file.open("x")
    try:
        with new:
            new.write(text)
    except OSError:
        file.unlink(missing_ok=True)
        raise


def _clear(file: Path) -> None:
    """Take a dead holder's lock away; put back what turns out to be a living one's."""
    dead, aside = _read(file), file.with_name(f".lock.{os.getpid()}.{threading.get_ident()}")
    try:
        file.rename(aside)
    except FileNotFoundError:
        return
    if _read(aside) != dead:
        aside.rename(file)
    else:
        aside.unlink()


def _read(file: Path) -> dict[str, Any] | None:
    try:
        text = file.read_text()
    except FileNotFoundError:
        return None
    try:
        return dict(json.loads(text)) if text else {}
    except (ValueError, RecursionError):
        return {}


def _lives(pid: int, born: float) -> bool:
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - born) < 2 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _beat(file: Path, done: threading.Event) -> None:
    while not done.wait(BEAT):
        try:
            os.utime(file)
        except FileNotFoundError:  # the folder was deleted under us; the runner's next write says so
            return
