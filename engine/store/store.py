"""All runs under a home, and the read-only zoo: found by name, made from a spec, deleted."""

import shutil
import uuid
from pathlib import Path

from engine.errors import ResumeRefused, RunError, UnknownName
from engine.home import home
from engine.store.files import write_json
from engine.store.run import Run
from engine.store.spec import Spec

ZOO = Path(__file__).resolve().parents[2] / "assets" / "zoo"
SHORTEST_PREFIX = 4


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
        return {
            name: Run(file.parent, name)
            for file in sorted(self._zoo.glob("[!.]*/[!.]*/spec.json"))
            for name in [f"{file.parent.parent.name}/{file.parent.name}"]
        }

    def all(self) -> list[Run]:
        """Every run of one's own, broken ones too, newest first."""
        folders = (
            [folder for folder in self.folder.glob("[!.]*") if folder.is_dir()]
            if self.folder.exists()
            else []
        )
        return [Run(folder) for folder in sorted(folders, key=_created, reverse=True)]

    def find(self, name: str) -> Run:
        """The run of a zoo name, a key, or a unique beginning of a key; a key that the zoo has is served by
        the zoo.

        Raises UnknownName with the nearest ones, RunBroken where the folder is no run.
        """
        zoo = self.zoo()
        if name in zoo:
            return zoo[name]
        known = {run.key: run for run in [*self.all(), *zoo.values()]}
        begun = [run for key, run in known.items() if len(name) >= SHORTEST_PREFIX and key.startswith(name)]
        found = [known[name]] if name in known else begun
        if len(found) != 1:
            if len(found) > 1:
                raise UnknownName("run", name, [run.key for run in found])
            raise UnknownName(
                "run",
                name,
                [*zoo, *known],
                "A link carries only a run's key; the page it was copied from has the "
                "command that makes the same run here, under Reproduce and share.",
            )
        assert found[0].spec
        return found[0]

    def create(self, spec: Spec) -> Run:
        """The run of this spec: the one that is there (zoo first), else a new folder. Raises RunBroken where
        it is no run.
        """
        for run in self.zoo().values():
            if run.key == spec.key:
                return run
        folder = self.folder / spec.key
        if not folder.exists():
            partial = self.folder / f".new-{spec.key}-{uuid.uuid4().hex[:8]}"
            partial.mkdir(parents=True)
            write_json(partial / "spec.json", spec.model_dump(mode="json"))
            try:
                partial.rename(folder)
            except OSError:  # somebody else made it in the meantime
                shutil.rmtree(partial)
        run = Run(folder)
        assert run.spec
        return run

    def delete(self, name: str) -> None:
        """Remove a run of one's own. Raises ResumeRefused for a zoo entry and RunError for one that is
        running.
        """
        own = {run.key: run for run in self.all()}
        run = own.get(name) or self.find(name)
        if run.zoo:
            raise ResumeRefused(f"{run.zoo} is a read-only zoo entry and cannot be deleted.")
        if run.status() == "running":
            raise RunError(f"The run {run.key} is running; stop it first, then delete it.")
        gone = run.folder.with_name(f".gone-{run.folder.name}-{uuid.uuid4().hex[:8]}")
        run.folder.rename(gone)
        shutil.rmtree(gone)


def _created(folder: Path) -> float:
    try:
        return (folder / "spec.json").stat().st_mtime
    except OSError:
        return 0.0
