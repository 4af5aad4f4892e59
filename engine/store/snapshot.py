"""The model of a training that is not finished, kept as it was at one of its checkpoints. Torch-free.

`runs/<key>/snapshots/<key>@<step>/` is a finished run folder of its own: it can be attacked and asked about,
and what does so has the step in its key. It stays as it is when the training goes on.
"""

import shutil
import time
import uuid
from pathlib import Path

from engine.errors import RunError
from engine.events import Evaluate, Finished
from engine.home import writing
from engine.store.files import read_json, write_json
from engine.store.run import Run, story

MARK = "@"
"""Between key and step in the name of a snapshot."""
STATES = ("state", ".state.old")
"""Folders of a checkpoint: while it is replaced, the last one has the other name."""
TRIES, PAUSE = 25, 0.02
"""How often a checkpoint is looked for that is just being replaced, and the seconds between."""


def step_of(key: str) -> int | None:
    """The step of a snapshot's key; None for the key of a run."""
    step = key.partition(MARK)[2]
    return int(step) if step.isdecimal() else None


def words(key: str) -> str:
    """What is said of a model under attack that is no finished one; "" for a finished one."""
    step = step_of(key)
    return "" if step is None else f"as it was at step {step:,}"


def folder_of(run: Path, key: str) -> Path:
    """Where a run's folder has, or would have, the snapshot of a key."""
    return run / "snapshots" / key


def all_of(run: Run) -> list[Run]:
    """The snapshots of a run, the newest first."""
    folders = [folder for folder in (run.folder / "snapshots").glob(f"*{MARK}*") if folder.is_dir()]
    return [Run(folder) for folder in sorted(folders, key=lambda folder: -(step_of(folder.name) or 0))]


def possible(run: Run) -> bool:
    """Whether a training has a checkpoint, of which a snapshot can be taken."""
    return any((run.folder / place / "state.json").exists() for place in STATES)


def take(run: Run) -> Run:
    """The model of a training as it stands at its last checkpoint. Raises RunError where it has none."""
    for _ in range(TRIES):
        for place in STATES:
            step = _step(run.folder / place)
            if step is not None and _keep(run, run.folder / place, step):
                return Run(folder_of(run.folder, f"{run.key}{MARK}{step}"))
        if run.status() != "running":
            break
        time.sleep(PAUSE)
    raise RunError(
        f"The run {run.name} is {run.status()} and has no checkpoint yet, so there is no model to attack."
        " Let it go on for ten seconds of its own training, or choose another model."
    )


def _step(state: Path) -> int | None:
    """The step of a checkpoint; None where there is none."""
    step = read_json(state / "state.json").get("counters", {}).get("step")
    return None if step is None else int(step)


def _keep(run: Run, state: Path, step: int) -> bool:
    """Write the snapshot of a checkpoint, unless it is there; False where the checkpoint was replaced."""
    folder = folder_of(run.folder, f"{run.key}{MARK}{step}")
    if folder.exists():
        return True
    partial = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}")
    with writing(run.folder):
        return _written(run, state, step, partial, folder)


def _written(run: Run, state: Path, step: int, partial: Path, folder: Path) -> bool:
    try:
        (partial / "state").mkdir(parents=True)
        shutil.copyfile(state / "model.safetensors", partial / "state" / "model.safetensors")
        if _step(state) != step:
            return False
        _describe(run, partial, step)
        partial.rename(folder)
    except FileNotFoundError:
        return False
    except OSError:
        if not folder.exists():  # somebody else made it in the meantime
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return True


def _describe(run: Run, folder: Path, step: int) -> None:
    """Spec, card and result of a snapshot: those of its run, and what was measured up to that step."""
    shutil.copyfile(run.folder / "spec.json", folder / "spec.json")
    measured = [event for event in story(run.events()) if isinstance(event, Evaluate) and event.step <= step]
    metrics = {"step": step} | (measured[-1].metrics if measured else {})
    card = run.card()
    titled = card | {"title": f"{card.get('title', run.name)}, {words(f'{MARK}{step}')}"}
    write_json(folder / "result.json", metrics)
    write_json(folder / "card.json", titled | {"key": f"{run.key}{MARK}{step}", "metrics": metrics})
    Run(folder).append(Finished(run=f"{run.key}{MARK}{step}", metrics=metrics))
