"""All runs under a home, and the read-only zoo: found, queried, created, deleted."""

import os
import shutil
import uuid
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from engine.errors import KEY, ResumeRefused, RunBroken, RunError, UnknownName
from engine.home import home, make_home, writing
from engine.store import snapshot
from engine.store.files import write_json
from engine.store.run import Run
from engine.store.spec import Spec

ZOO = Path(__file__).resolve().parents[2] / "assets" / "zoo"
SHORTEST_PREFIX = 4
LONGEST = 100
"""Letters of a name that can be a run's."""
ELSEWHERE = (
    "A link carries only a run's key; the page it was copied from has the command that makes the same run"
    " here, under Reproduce and share."
)
"""What is said of a key that no run here has."""
DONE = ("finished", "zoo")
"""Statuses of a run that can be built on."""
LIVE = ("queued", "running")
"""Statuses of a run that is going on."""
HALTED = ("stopped", "paused")
"""Statuses of a run that goes on where it was when it is asked to."""
SNAPSHOTS = 4
"""Snapshots of a training that are kept although no run builds on them."""


class Store:
    """All runs under a home, and the zoo."""

    def __init__(self, at: Path | None = None, zoo: Path = ZOO) -> None:
        self.home, self._zoo = Path(at) if at else home(), zoo

    @property
    def folder(self) -> Path:
        """Where runs live."""
        return self.home / "runs"

    def zoo(self) -> dict[str, Run]:
        """Name "data/model" -> read-only run."""
        return {name: Run(folder, name) for name, folder in _entries(self._zoo).items()}

    def all(self) -> list[Run]:
        """Every run of one's own, broken ones too, newest first."""
        folders = [Path(entry.path) for entry in _folders(self.folder)]
        return [Run(folder) for folder in sorted(folders, key=_created, reverse=True)]

    def query(
        self,
        *,
        action: str | None = None,
        name: str | Collection[str] | None = None,
        data: str | None = None,
        seed: int | None = None,
        model: str | None = None,
        base: str | None = None,
        fitted: str | None = None,
        settings: Mapping[str, Any] | None = None,
        status: str | Collection[str] | None = None,
    ) -> list[Run]:
        """The readable runs that are all of this: the zoo's, then one's own, newest first; each key once.

        What is None is not asked for. `name` and `status` may be several. `model`, `base` and `fitted` are
        the keys that a run builds on in that role; "" asks for those that have none there. `settings` are
        dotted names with their stored values; others may be anything.
        """
        roles = {"model": model, "base": base, "fitted": fitted}
        found: dict[str, Run] = {}
        for run in [*self.zoo().values(), *self.all()]:
            try:
                spec = run.spec
            except RunBroken:
                continue
            if (
                action in (None, spec.action)
                and _among(spec.name, name)
                and data in (None, spec.data)
                and seed in (None, spec.seed)
                and all(key in (None, spec.builds_on.get(role, "")) for role, key in roles.items())
                and all(_stored(spec.settings, path) == value for path, value in (settings or {}).items())
                and run.key not in found
                and _among(run.status() if status is not None else "", status)
            ):
                found[run.key] = run
        return [run for run in found.values() if status is not None or run.status() != "broken"]

    def find(self, name: str) -> Run:
        """The run of a zoo name, a key, or a unique beginning of a key; a key that the zoo has is served by
        the zoo. KEY@STEP is the model of an unfinished training as it was at that step, where it was kept.

        Raises UnknownName with the nearest ones, RunBroken where the folder is no run.
        """
        zoo = self.zoo()
        if name in zoo:
            return zoo[name]
        if snapshot.step_of(name) is not None:
            return self._snapshot(name)
        run = _of_key(zoo, name) or self._own(name) or self._begun_with(name, zoo)
        run.check()
        return run

    def as_it_is(self, run: Run) -> Run:
        """A finished run itself; of a training that is not finished, its model as it stands at the last
        checkpoint. Raises RunError where there is none.
        """
        if run.status() in DONE or run.spec.action != "train":
            return run
        taken = snapshot.take(run)
        used = {key for other in self.query() for key in other.spec.builds_on.values()}
        idle = [other for other in snapshot.all_of(run) if other.key not in used and other != taken]
        for other in idle[SNAPSHOTS - 1 :]:
            shutil.rmtree(other.folder, ignore_errors=True)
        return taken

    def snapshots(self) -> list[Run]:
        """The models of unfinished trainings that were kept as they were at a step, newest training first."""
        return [kept for run in self.all() for kept in snapshot.all_of(run)]

    def _snapshot(self, name: str) -> Run:
        """That of KEY@STEP, taken now where the training stands at that step. Raises UnknownName."""
        key, _, step = name.partition(snapshot.MARK)
        run = self.find(key)
        found = Run(snapshot.folder_of(run.folder, f"{run.key}{snapshot.MARK}{step}"))
        if found.folder.is_dir():
            found.check()
            return found
        try:
            now = self.as_it_is(run).key
        except RunError:
            now = ""
        if now == found.key:
            return found
        raise UnknownName(
            "snapshot",
            name,
            [kept.key for kept in snapshot.all_of(run)],
            f"Nobody kept the model of {run.name} at step {step}; `--model {run.name}` takes it as it is.",
        )

    def _own(self, key: str) -> Run | None:
        """One's own run of exactly this key: its folder, and no other is looked at."""
        if len(key) > LONGEST or not key or key.startswith(".") or Path(key).name != key:
            return None  # it is typed, or comes with a link
        folder = self.folder / key
        return Run(folder) if folder.is_dir() else None

    def _begun_with(self, name: str, zoo: Mapping[str, Run]) -> Run:
        """The one run whose key begins so. Raises UnknownName with the nearest ones."""
        own = self.all()
        known = {run.key: run for run in (*own, *zoo.values())}
        begun = [run for key, run in known.items() if len(name) >= SHORTEST_PREFIX and key.startswith(name)]
        if len(begun) > 1:
            raise UnknownName("run", name, [run.key for run in begun])
        if not begun:
            raise UnknownName(
                "run", name, [*zoo, *(run.key for run in own)], ELSEWHERE if KEY.fullmatch(name) else ""
            )
        return begun[0]

    def create(self, spec: Spec) -> Run:
        """The run of this spec: the one that is there (zoo first), else a new folder. Raises RunBroken where
        it is no run, DiskError where the disk refuses it.
        """
        shipped = _of_key(self.zoo(), spec.key)
        return shipped if shipped is not None else self._made(spec)

    def anew(self, spec: Spec) -> Run:
        """A new folder for a run that is to be made again: one's own of this key is deleted, and the answers
        that were kept, for they may be about it; a zoo entry stays, and is still what its key finds. Raises
        RunError where it is running.
        """
        if self._own(spec.key) is not None:
            self.delete(spec.key)
            shutil.rmtree(self.home / "answers", ignore_errors=True)
        return self._made(spec)

    def mine(self, name: str) -> Run:
        """As `find`, but of a zoo entry that was made again here, one's own."""
        run = self.find(name)
        return (self._own(run.key) or run) if run.zoo and run.zoo != name else run

    def note(self, run: Run) -> None:
        """Remember that a zoo entry was asked for as a run, so that it is listed among them."""
        if run.zoo:
            with suppress(OSError):
                (make_home(self.home) / "asked").mkdir(exist_ok=True)
                (self.home / "asked" / run.key).touch()

    def noted(self) -> list[Run]:
        """The zoo entries that were asked for as runs."""
        asked = {file.name for file in (self.home / "asked").glob("*")}
        return [run for run in self.zoo().values() if asked and run.key in asked]

    def _made(self, spec: Spec) -> Run:
        """One's own folder for a spec, made where it is not there."""
        key = spec.key
        folder = self.folder / key
        if not folder.exists():
            partial = self.folder / f".new-{key}-{uuid.uuid4().hex[:8]}"
            try:
                with writing(self.folder):
                    make_home(self.home)
                    partial.mkdir(parents=True)
                write_json(partial / "spec.json", spec.model_dump(mode="json"))
                with suppress(OSError):  # somebody else made it in the meantime
                    partial.rename(folder)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        run = Run(folder)
        run.check()
        return run

    def delete(self, name: str) -> None:
        """Remove a run of one's own. Raises ResumeRefused for a zoo entry, RunError for a running one."""
        run = self._own(name) or self.find(name)
        if run.zoo:
            raise ResumeRefused(f"{run.zoo} is a read-only zoo entry and cannot be deleted.")
        if run.status() == "running":
            raise RunError(f"The run {run.key} is running; stop it first, then delete it.")
        gone = run.folder.with_name(f".gone-{run.folder.name}-{uuid.uuid4().hex[:8]}")
        with writing(self.folder):
            run.folder.rename(gone)
            shutil.rmtree(gone)


def _of_key(zoo: Mapping[str, Run], key: str) -> Run | None:
    """The entry of the zoo with this key."""
    return next((run for run in zoo.values() if run.has_key(key)), None)


def _created(folder: Path) -> float:
    try:
        return (folder / "spec.json").stat().st_mtime
    except OSError:
        return 0.0


def _entries(zoo: Path) -> dict[str, Path]:
    """Name "data/model" -> folder of every zoo entry, sorted by name."""
    found = {
        f"{data.name}/{entry.name}": Path(entry.path)
        for data in _folders(zoo)
        for entry in _folders(Path(data.path))
        if os.path.exists(os.path.join(entry.path, "spec.json"))
    }
    return dict(sorted(found.items()))


def _folders(place: Path) -> "list[os.DirEntry[str]]":
    """The folders in a folder, hidden ones left out."""
    try:
        with os.scandir(place) as entries:
            return [entry for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
    except OSError:
        return []


def _among(value: str, wanted: str | Collection[str] | None) -> bool:
    """Whether a value is what is wanted, or one of those; None wants any."""
    return wanted is None or value == wanted or (not isinstance(wanted, str) and value in wanted)


def _stored(settings: Mapping[str, Any], path: str) -> Any:
    """The value under a dotted name; None where there is none."""
    value: Any = settings
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
