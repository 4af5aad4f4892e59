"""Data that are not on this machine are fetched, converted and kept; it may be asked for twice at once."""

import os
import shutil
import time
import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from filelock import FileLock, Timeout

from engine.data.download import Remote, download, is_whole, reason
from engine.data.finding import check, kept
from engine.data.listing import owner
from engine.data.published import Arrays, OpenML, Published, Release
from engine.errors import DataError, DataMissing
from engine.events import Event, Finished, Progress
from engine.home import make_home

BEAT = 0.2
"""Seconds between two reports of a download."""


def fetch(name: str) -> Iterator[Event]:
    """Make the data set loadable without a network: Progress in bytes, then Finished with `samples` and
    `where` it lies.

    Does nothing but finish where it is here already. A second fetch at the same time, from any process, waits
    for the first. Raises UnknownName, DataMissing (what was tried, and which file to put where) or DataError.
    """
    cls, begin = owner(name), time.monotonic()
    if cls.whereabouts() is None and issubclass(cls, Published):
        yield from obtain(cls)
    elif cls.whereabouts() is None and (source := getattr(cls, "of", None)) is not None:
        yield from fetch(source.name)
    elif cls.whereabouts() is None:
        cls().load()  # nobody may fetch it: it says where it is to be had
    yield Finished(
        run=name,
        metrics={"samples": sum(cls.counts), "where": cls.whereabouts()},
        seconds=time.monotonic() - begin,
    )


def obtain(cls: type[Published]) -> Iterator[Event]:
    """Fetch the file of `cls` into the folder of fetched data, alone under a lock."""
    try:
        make_home()
        kept().mkdir(exist_ok=True)
        lock = FileLock(kept() / f"{cls.file}.lock")
        while not _taken(lock):
            yield Progress(
                step=_received(cls), total=cls.download, phase=f"another process fetches {cls.title}"
            )
    except OSError as error:
        raise _unwritable(kept(), error) from None
    try:
        if cls.whereabouts() is None:
            keep(cls, (yield from _fetched(cls)))
    finally:
        lock.release()


def _taken(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=BEAT)
    except Timeout:
        return False
    return True


def _unwritable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{path} cannot be written ({reason(error)}). Free space there, or set FEINT_HOME to another folder."
    )


def mirrors(cls: type[Published]) -> tuple[str, ...]:
    """The addresses tried: `FEINT_MIRROR`/<folder>, where that is set, instead of the public ones."""
    own = os.environ.get("FEINT_MIRROR")
    return (f"{own.rstrip('/')}/{cls.folder().name}/",) if own else cls.release.mirrors


def _fetched(cls: type[Published]) -> Generator[Event, None, Arrays]:
    """The checked arrays, from the release, else from OpenML. Raises DataMissing with all that was tried."""
    failures: list[str] = []
    try:
        yield from _files(cls, failures)
        yield Progress(step=cls.download, total=cls.download, phase="converting")
        return _checked(cls, _converted(cls.release, cls.folder()))
    except DataError as error:
        failures.append(str(error))
    if cls.openml is None or "FEINT_MIRROR" in os.environ:
        raise cls.missing("; ".join(failures))
    yield Progress(step=0, total=0, phase="openml.org")
    try:
        return _checked(cls, _from_openml(cls.openml))
    except (OSError, ValueError, DataError) as error:
        raise cls.missing("; ".join([*failures, f"openml.org: {reason(error)}"])) from None


def _files(cls: type[Published], failures: list[str]) -> Iterator[Event]:
    """Every file of the release that is not there yet, from the first mirror that gives it."""
    folder, done = cls.folder(), 0
    make_home()
    folder.mkdir(parents=True, exist_ok=True)
    for remote in cls.release.files:
        if not is_whole(folder / remote.name, remote):
            yield from _one(remote, folder, mirrors(cls), done, cls.download, failures)
        done += (folder / remote.name).stat().st_size


def _one(
    remote: Remote, folder: Path, bases: tuple[str, ...], before: int, total: int, failures: list[str]
) -> Iterator[Event]:
    for base in bases:
        last, host = 0.0, urlsplit(base).hostname
        try:
            for received in download(base + remote.name, folder / remote.name, remote):
                if time.monotonic() - last >= BEAT:
                    last = time.monotonic()
                    yield Progress(
                        step=before + received,
                        total=max(total, before + received),
                        phase=f"{remote.name} from {host}",
                    )
            return
        except DataMissing as error:
            failures.append(str(error))
    raise DataMissing(f"no address gave {remote.name}")


def _converted(release: Release, folder: Path) -> Arrays:
    """The arrays of the release; whatever is wrong with its files is a DataError."""
    try:
        return release.convert(folder)
    except (OSError, EOFError, ValueError, KeyError) as error:
        raise DataError(
            f"the files in {folder} could not be read ({type(error).__name__}: {error}); delete them"
        ) from None


def _from_openml(where: OpenML) -> Arrays:
    from sklearn.datasets import fetch_openml  # a second of import that nothing else here needs

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it tries again; what fails in the end is said by the caller
        x, y = fetch_openml(
            data_id=where.number,
            as_frame=False,
            return_X_y=True,
            data_home=str(kept() / "openml"),
            n_retries=1,
            read_csv_kwargs={"dtype": None},
        )  # classes that are numbers break its default with pandas 3
    return where.convert(x, y)


def _checked(cls: type[Published], found: Arrays) -> Arrays:
    for part in cls.all_parts or cls.parts:
        check(found[part.keys[0]], found[part.keys[1]], part, f"what was fetched for {cls.title}")
    return found


def keep(cls: type[Published], found: Arrays) -> None:
    """Write the arrays as the kept file, whole or not at all, and drop their sources. Raises DataError."""
    target = kept() / cls.file
    partial = target.with_name(target.name + ".part")
    try:
        with partial.open("wb") as stream:
            np.savez_compressed(stream, **found)  # type: ignore[arg-type]
        partial.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from None
    finally:
        partial.unlink(missing_ok=True)
    for remote in cls.release.files:
        (cls.folder() / remote.name).unlink(missing_ok=True)
    shutil.rmtree(kept() / "openml", ignore_errors=True)


def _received(cls: type[Published]) -> int:
    """Bytes of the release that lie in its folder."""
    return (
        sum(path.stat().st_size for path in cls.folder().rglob("*") if path.is_file())
        if cls.folder().is_dir()
        else 0
    )
