"""Run folders, read and written without torch: `FEINT_HOME/runs/<key>/`, and the read-only zoo.

| file | what it holds |
|---|---|
| spec.json | what the run is |
| events.jsonl | what it said, one event a line |
| state/ | checkpoint, safetensors + JSON |
| card.json | title, how, scores |
| result.json | its metrics, written when it is finished |
| samples.parquet | one row a sample |
| pictures/ | what it drew |
| control.json | what a person wants: run, pause or stop |
| lock | who works here, with a heartbeat |
| snapshots/ | its model as it was at a step, for attacks on a training that is not finished |
| log.txt | tracebacks, for bug reports |

The folder is the record: every status is read from it.
"""

import errno
import os
import re
import time
import zipfile
from collections.abc import Iterable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from engine.errors import ResumeRefused, RunBroken, RunError
from engine.events import Evaluate, Event, Failed, Finished, Progress, Started, Stopped, from_line, to_line
from engine.home import WHY, full, unwritable, writing
from engine.store import lock
from engine.store.files import read_json, write_json
from engine.store.spec import FORMAT, Spec

if TYPE_CHECKING:
    import pandas as pd

FINAL = (Finished, Failed, Stopped)

BEGINNING = re.compile(rb'\{\s*"key": "([0-9a-f]{16})"')
"""How a card begins that names its run's key."""
TAIL = 65536
"""Bytes of a file's end that hold its last event, nearly always."""


class Run:
    """One run's folder. `zoo` is its name "data/model" where it is a read-only zoo entry, else ""."""

    def __init__(self, folder: Path, zoo: str = "") -> None:
        self.folder, self.zoo = Path(folder), zoo

    def __repr__(self) -> str:
        return f"Run({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and self.folder == other.folder

    def __hash__(self) -> int:
        return hash(self.folder)

    @property
    def name(self) -> str:
        """What a person calls it: the zoo name, else the key."""
        return self.zoo or self.folder.name

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits, the hash of its spec; a snapshot's has "@" and its step after them."""
        if not self.zoo:
            return self.folder.name
        return _spec_of(self.folder, _stamp(self.folder / "spec.json"), self.name)[1]

    def has_key(self, key: str) -> bool:
        """Whether this is its key. A spec is hashed only where the run's card does not name another key."""
        card = self.folder / "card.json"
        return (not self.zoo or _key_on(card, _stamp(card)) in ("", key)) and self.key == key

    @cached_property
    def spec(self) -> Spec:
        """What the run is. Raises RunBroken where the folder does not say."""
        spec, key = _spec_of(self.folder, _stamp(self.folder / "spec.json"), self.name)
        if not self.zoo and key != self.folder.name.partition("@")[0]:  # what follows is a snapshot's step
            raise RunBroken(
                f"The run {self.name} holds the spec of run {key}: it was renamed or edited; delete it"
                " and start it again."
            )
        return spec

    def check(self) -> None:
        """Raises RunBroken where the folder does not say what the run is."""
        self.spec  # noqa: B018  raises its own sentence

    def card(self) -> dict[str, Any]:
        """Title, how it was computed, when, and its scores; `{}` before it began."""
        return read_json(self.folder / "card.json")

    def result(self) -> dict[str, Any]:
        """The metrics of a finished run, `seconds` among them; `{}` before."""
        return read_json(self.folder / "result.json")

    def status(self) -> str:
        """queued, running, finished, failed, stopped, paused, broken or zoo, as the folder tells it."""
        try:
            return self._status()
        except RunBroken:
            return "broken"

    def _status(self) -> str:
        self.check()
        last = self.last_event()
        if self.zoo:
            return "zoo"
        if lock.holder(self.folder) is not None:
            return "running"
        if isinstance(last, Finished):
            if not (self.folder / "result.json").exists():
                raise RunBroken(
                    f"The run {self.name} says that it finished, but its result.json is gone; delete it and"
                    " start it again."
                )
            return "finished"
        wish = self._control()
        asked_since = wish.get("want") == "run" and (last is None or wish["at"] > (last.at or 0))
        if asked_since:
            return "queued"
        if isinstance(last, Stopped):
            return "paused" if last.paused else "stopped"
        if last is None or isinstance(last, Started) and wish.get("want") in ("pause", "stop"):
            return "paused" if wish.get("want") == "pause" else "stopped"
        return "failed"

    def reason(self) -> str:
        """Why a failed or broken run is so, in one sentence; "" for others."""
        try:
            status, last = self._status(), self.last_event()
        except RunBroken as error:
            return str(error)
        if status != "failed":
            return ""
        if isinstance(last, Failed):
            return last.reason
        if full(self.folder):  # then it could not write its last words
            return str(unwritable(self.folder, WHY[errno.ENOSPC]))
        return "The process that worked on it ended without a word; resume it."

    def events(self, after_line: int = 0) -> list[Event]:
        """The whole lines of events.jsonl after the first `after_line`. Raises RunBroken at a damaged one."""
        try:
            text = (self.folder / "events.jsonl").read_bytes()
        except FileNotFoundError:
            return []
        lines = text.split(b"\n")[:-1]
        return [from_line(line.decode("utf-8", "replace")) for line in lines[after_line:]]

    def last_event(self) -> Event | None:
        """The last whole line; of an unchanged file it is read once."""
        file = self.folder / "events.jsonl"
        return _last_of(file, _stamp(file))

    def append(self, event: Event) -> Event:
        """Stamp the event with the time and write it as one line, or nothing of it; the stamped event is
        given back. Raises DiskError where the disk refuses it.
        """
        stamped = event.model_copy(update={"at": round(time.time(), 3)})
        line = (to_line(stamped) + "\n").encode()
        with writing(self.folder), (self.folder / "events.jsonl").open("ab", buffering=0) as file:
            before = file.tell()
            try:
                while line:
                    line = line[file.write(line) or 0 :]
            except OSError:
                file.truncate(before)
                raise
        return stamped

    def repair(self) -> None:
        """Cut off a half-written last line of events.jsonl. For the holder of the lock."""
        file = self.folder / "events.jsonl"
        if file.exists():
            text = file.read_bytes()
            if not text.endswith(b"\n"):
                os.truncate(file, text.rfind(b"\n") + 1)

    def table(self, name: str = "samples") -> "pd.DataFrame":
        """`name`.parquet: one row a sample. Raises RunError where the run has none."""
        file = self.folder / f"{name}.parquet"
        if not file.exists():
            raise RunError(
                f"The run {self.name} has no table {name!r}; it is {self.status()}. Let it finish first."
            )
        import pandas as pd  # a third of a second of import, for tables alone

        try:
            return pd.read_parquet(file)
        except (OSError, ValueError):
            raise RunBroken(
                f"{file.name} of the run {self.name} is damaged; delete the run and start it again."
            ) from None

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of `name`.npz (or of `pictures/…` as a Picture event names it). Raises RunError where
        there is none.
        """
        file = self.folder / (name if name.endswith(".npz") else f"{name}.npz")
        if not file.exists():
            raise RunError(
                f"The run {self.name} has no arrays {name!r}; it is {self.status()}. Let it finish first."
            )
        try:
            with file.open("rb") as opened, np.load(opened, allow_pickle=False) as stored:
                return {key: stored[key] for key in stored.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            raise RunBroken(
                f"{file.name} of the run {self.name} is damaged; delete the run and start it again."
            ) from None

    def want(self, wish: str, by: str = "person") -> None:
        """Say what a person wants: "run", "pause" or "stop", or what the end of the `by="engine"` asks for.
        The worker looks at every event.
        """
        assert wish in ("run", "pause", "stop"), wish
        if self.zoo:
            raise ResumeRefused(
                f"{self.zoo} is a read-only zoo entry: it holds what inference needs and cannot go on; train"
                " a run of your own."
            )
        write_json(self.folder / "control.json", {"want": wish, "at": round(time.time(), 3), "by": by})

    def wanted(self) -> str:
        """What a person wants of it: "run" unless somebody said otherwise."""
        return str(self._control().get("want", "run"))

    def cut_short(self) -> bool:
        """Whether it was to stop because the engine that worked on it ended, not because a person said so."""
        return self._control().get("by") == "engine"

    def heartbeat_age(self) -> float | None:
        """Seconds since the worker's last heartbeat; None where nobody works on it."""
        return lock.heartbeat_age(self.folder)

    def _control(self) -> dict[str, Any]:
        return read_json(self.folder / "control.json")


def _stamp(file: Path) -> tuple[int, int]:
    """(time of change in ns, bytes) of a file: while they stay, it need not be read again."""
    try:
        about = file.stat()
    except OSError:
        return 0, 0
    return about.st_mtime_ns, about.st_size


@lru_cache(maxsize=4096)
def _last_of(file: Path, stamp: tuple[int, int]) -> Event | None:
    """The last whole line of a file of events; reads only its end, as much of it as that line needs."""
    try:
        with file.open("rb") as opened:
            size = opened.seek(0, os.SEEK_END)
            for reach in (TAIL, TAIL * 64, size):
                start = max(0, size - reach)
                opened.seek(start)
                lines = opened.read(size - start).split(b"\n")[:-1]
                if len(lines) > 1 or start == 0:  # the first one may have lost its beginning
                    break
    except FileNotFoundError:
        return None
    return from_line(lines[-1].decode("utf-8", "replace")) if lines else None


@lru_cache(maxsize=4096)
def _key_on(card: Path, stamp: tuple[int, int]) -> str:
    """The key with which a card begins, read once for each `stamp` of the file; "" where it begins otherwise.

    Only its first bytes are read: a key that is asked for costs no JSON of every entry.
    """
    try:
        with card.open("rb", buffering=0) as opened:
            found = BEGINNING.match(opened.read(64))
    except OSError:
        return ""
    return found[1].decode() if found else ""


@lru_cache(maxsize=4096)
def _spec_of(folder: Path, stamp: tuple[int, int], name: str) -> tuple[Spec, str]:
    """The spec in a run's folder and its key, read and hashed once for each `stamp` of the file. Raises
    RunBroken where there is none.
    """
    values = read_json(folder / "spec.json")
    if not values:
        if not folder.is_dir():
            raise RunBroken(f"There is no run in {folder}; give the folder of a run.")
        raise RunBroken(
            f"The run {name} is half-written (it has no spec.json); delete it and start it again."
        )
    if values.get("format") != FORMAT:
        raise RunBroken(
            f"The run {name} has folder format {values.get('format')!r}, this Feint reads {FORMAT};"
            " train it anew."
        )
    try:
        spec = Spec.model_validate(values)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise RunBroken(
            f"The run {name} has a spec.json that this Feint cannot read (at {where!r}); delete it"
            " and start it again."
        ) from None
    return spec, spec.key


def story(events: Iterable[Event]) -> list[Event]:
    """A run's events without its interruptions, as an unbroken run would have said them.

    Where a run went on from step s, what it had said of later steps is left out (it says it again), and so
    are the Stopped and Failed before.
    """
    heard: list[Event] = []
    for event in events:
        if isinstance(event, Started) and heard:
            heard = [
                past for past in heard if not isinstance(past, FINAL) and not _repeated(past, event.step)
            ]
            continue
        heard.append(event)
    return heard


def _repeated(past: Event, step: int) -> bool:
    of_base = ": " in getattr(past, "phase", "")  # a base counts its own steps
    return isinstance(past, Progress | Evaluate) and past.step > step and not of_base
