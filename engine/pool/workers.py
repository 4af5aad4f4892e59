"""What the pool's workers do, lane by lane. Nothing here imports torch: the train lane needs none, the others
import it where they run.
"""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from engine.asking.questions import A, Question
from engine.events import Failed, Stopped
from engine.home import CURE
from engine.pool import parent
from engine.pool.lanes import NICENESS
from engine.store.files import read_json
from engine.store.run import FINAL, Run

ROOT = Path(__file__).resolve().parents[2]
LOOK_EVERY = 0.1
"""Seconds between looks at a child."""
STOP_GRACE = 10.0
"""Seconds that a child has, once somebody asked it to stop, before it is killed."""
UNWRITTEN = 3
"""Exit code of a child whose end could not be written."""
DIED = "The worker process died while it worked on this run; resume it."


def supervise(folder: str, ticket: str) -> None:
    """Train lane: do a run in a child process and write down its end if it could not do so itself."""
    run = Run(Path(folder))
    if not _begins(run, ticket):
        return
    began = time.time()
    with (run.folder / "log.txt").open("ab") as log, _child(folder, log) as child:
        killed = _watch(run, child)
    _conclude(run, child.returncode, killed, began)


def perform(folder: str, ticket: str) -> None:
    """Attack lane: do a run in this warm process."""
    from engine.running import runner  # torch, which the client must not import

    run = Run(Path(folder))
    if _begins(run, ticket):
        for _ in runner.work(run):
            pass


def answer(question: Question[A]) -> A:
    """Play and map lanes: the answer to a question."""
    from engine.asking import computing  # torch, which the client must not import

    return computing.answer(question)


def warm_up(lane: str) -> None:
    """Import, and for maps compile, what a lane needs, before anybody waits for it."""
    stand_back(lane)
    if lane == "map":
        from engine.running import placing  # torch, which the client must not import

        placing.warm_up()
    elif lane != "train":
        from engine import registry
        from engine.asking import computing  # torch, which the client must not import

        computing.warm_up()
        registry.names("attack")


def stand_back(lane: str) -> None:
    """Give this process the lane's low claim to the CPU."""
    niceness = NICENESS.get(lane, 0)
    if niceness:
        psutil.Process().nice(niceness if os.name == "posix" else psutil.BELOW_NORMAL_PRIORITY_CLASS)


def died(folder: str, reason: str) -> None:
    """Write that the process which worked on a run died, unless its end is written already."""
    run = Run(Path(folder))
    if run.status() not in ("finished", "stopped", "paused", "broken") and not isinstance(
        run.last_event(), Failed
    ):
        run.repair()
        run.append(Failed(run=run.key, reason=reason, resumable=_resumable(run)))


def _child(folder: str, log: IO[bytes]) -> "subprocess.Popen[bytes]":
    """The run's own process, which ends when we do. Linux shares the CPU by sessions first: niceness counts
    for the child's as a whole.
    """
    child = subprocess.Popen(
        [sys.executable, "-m", "engine", "work", folder, parent.LEASH],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=log,
        start_new_session=True,
    )
    with suppress(OSError):  # there is no such file elsewhere, nor where autogroups are off
        Path(f"/proc/{child.pid}/autogroup").write_text(str(NICENESS["train"]))
    return child


def _begins(run: Run, ticket: str) -> bool:
    """Whether this task is to work now: not where the run is finished, as when it was queued twice.

    Dask runs a task again whose worker died: then the run fails, and a person decides.
    """
    if run.status() in ("finished", "zoo"):
        return False
    tickets = run.folder / "tickets"
    if tickets.exists() and ticket in tickets.read_text().split():
        died(str(run.folder), DIED)
        return False
    if run.wanted() != "run":
        return False
    with tickets.open("a") as begun:
        begun.write(ticket + "\n")
    return True


def _watch(run: Run, child: "subprocess.Popen[bytes]") -> bool:
    """Wait for the child; kill it where it does not stop in time. Returns whether it was killed."""
    asked: float | None = None
    while child.poll() is None:
        time.sleep(LOOK_EVERY)
        if run.wanted() == "run":
            asked = None
        elif asked is None:
            asked = time.monotonic()
        elif time.monotonic() - asked > STOP_GRACE:
            child.kill()
            child.wait()
            return True
    return False


def _conclude(run: Run, code: int, killed: bool, began: float) -> None:
    """Write down the end of a child that began at `began`, unless it did so itself."""
    last = run.last_event()
    if isinstance(last, FINAL) and (last.at or 0) > began - 0.01:
        return
    run.repair()
    if killed:
        run.append(Stopped(run=run.key, step=_step(run), paused=run.wanted() == "pause"))
        return
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    reason = f"The training process ended with {how} before it was done; resume it. Its words are in log.txt."
    if code == UNWRITTEN:
        reason = f"It ended early, and {run.folder} could not be written then. {CURE}"
    run.append(Failed(run=run.key, reason=reason, resumable=_resumable(run)))


def _resumable(run: Run) -> bool:
    return (run.folder / "state" / "state.json").exists() or not (run.folder / "state").exists()


def _step(run: Run) -> int:
    return int(read_json(run.folder / "state" / "state.json").get("counters", {}).get("step", 0))
