"""The pool: `serve` runs a Dask scheduler with lanes of worker processes; `Engine` is the page server's hold
on it.

Only this module imports `distributed`. Nothing here imports torch.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import dask
from distributed import Client, Future, KilledWorker, Nanny, Scheduler, fire_and_forget
from distributed.diagnostics.plugin import SchedulerPlugin

from engine.errors import EngineUnavailable, FeintError
from engine.home import home
from engine.runs import answers, catalogue, lanes
from engine.runs.answers import Answer
from engine.runs.lanes import LANES, ROOT
from engine.runs.store import Run, Store

START = 60.0
"""Seconds that our own scheduler has to start."""
CONFIG: dict[str, Any] = {
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.worker-ttl": None,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.worker.profile.enabled": False,
    "distributed.nanny.pre-spawn-environ": {},  # Dask's own would leave PyTorch one thread
    "distributed.admin.tick.limit": "1h",
    "distributed.comm.timeouts.connect": "30s",
}
ALLOWED_FAILURES = 1
"""A task whose worker died is tried once more, for it may only have stood beside the culprit; `lanes` lets no
run begin twice.
"""


# --- the server
# -------------------------------------------------------------------------------------------------------


def serve(address_file: Path | None = None, port: int = 0) -> None:
    """Run scheduler and lanes on loopback until SIGTERM or SIGINT. Writes its address to `address_file` when
    it is ready.
    """
    with (
        tempfile.TemporaryDirectory(prefix="feint-") as scratch,
        dask.config.set({**CONFIG, "temporary-directory": scratch}),
    ):
        asyncio.run(_serve(address_file, port))


async def _serve(address_file: Path | None, port: int) -> None:
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, done.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(done.set))
    async with Scheduler(
        host="127.0.0.1", port=port, dashboard=False, allowed_failures=ALLOWED_FAILURES
    ) as scheduler:
        opener = _Opener(scheduler)
        scheduler.add_plugin(opener)
        await opener.open("train")
        if address_file:
            partial = address_file.with_name(f".{address_file.name}.{os.getpid()}")
            partial.write_text(scheduler.address)
            partial.replace(address_file)
        await opener.open("play")
        await done.wait()
        await opener.close()


class _Opener(SchedulerPlugin):
    """Opens lanes when they are first needed; lives in the scheduler's process."""

    name = "feint"

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.nannies: dict[str, list[Nanny]] = {}
        self._one = asyncio.Lock()

    async def open(self, lane: str) -> None:
        """Start the lane's workers unless they are there."""
        async with self._one:
            if lane in self.nannies:
                return
            gpus = _gpus() if lane == "train" else []
            places = [{"CUDA_VISIBLE_DEVICES": gpu} for gpu in gpus] or [{}]
            self.nannies[lane] = [
                await Nanny(
                    self.scheduler.address,
                    name=f"{lane}-{number}",
                    nthreads=1,
                    memory_limit=0,
                    resources={lane: 1},
                    env=place,
                    host="127.0.0.1",
                    dashboard=False,
                )
                for number, place in enumerate(places)
            ]

    async def close(self) -> None:  # type: ignore[override]
        """End all workers."""
        every = [nanny for nannies in self.nannies.values() for nanny in nannies]
        await asyncio.gather(*(nanny.close(timeout=1) for nanny in every))


async def _open(lane: str, dask_scheduler: Scheduler) -> bool:
    """In the scheduler's process: make sure that somebody works in the lane. False where nobody does nor can
    be started.
    """
    opener = dask_scheduler.plugins.get("feint")
    if isinstance(opener, _Opener):
        await opener.open(lane)
        return True
    return any(lane in worker.resources for worker in dask_scheduler.workers.values())


def _tasks(dask_scheduler: Scheduler) -> list[str]:
    """In the scheduler's process: keys of unfinished tasks, the next one first."""
    waiting = [
        task
        for task in dask_scheduler.tasks.values()
        if task.state not in ("memory", "erred", "released", "forgotten")
    ]
    return [str(task.key) for task in sorted(waiting, key=lambda task: task.priority or ())]


def _gpus() -> list[str]:
    """Numbers of the NVIDIA GPUs that the driver lists and CUDA_VISIBLE_DEVICES allows."""
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        return [gpu for gpu in allowed.split(",") if gpu.strip() and gpu.strip() != "-1"]
    try:
        said = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [
        str(number)
        for number, line in enumerate(line for line in said.splitlines() if line.startswith("GPU "))
    ]


# --- the client
# -------------------------------------------------------------------------------------------------------


class Engine:
    """The worker processes as a page sees them. Safe to use from several threads."""

    def __init__(self, client: Client, process: "subprocess.Popen[bytes] | None" = None) -> None:
        self._client, self._process = client, process
        self._futures: dict[str, Future] = {}
        self._opened: set[str] = set()
        self._lock = threading.Lock()

    @classmethod
    def connect(cls, address: str | None = None) -> Self:
        """A hold on the scheduler at `address` (default: FEINT_ENGINE), or on one of our own, which ends with
        this process.

        Raises EngineUnavailable where there is none.
        """
        address = address or os.environ.get("FEINT_ENGINE") or None
        process = None
        if address is None:
            process, address = _spawn()
        try:
            with dask.config.set(CONFIG):
                client = Client(address, timeout=5 if process is None else START, set_as_default=False)
        except (OSError, ValueError, TimeoutError):
            raise EngineUnavailable(
                f"No Feint engine answers at {address}; start one there with `python -m engine serve`, "
                "or unset FEINT_ENGINE."
            ) from None
        engine = cls(client, process)
        if process is not None:
            engine.warm("play")
        return engine

    def submit(self, run: Run) -> None:
        """Queue a run in the lane of its action, unless it is finished, running or queued already."""
        with self._lock:
            waiting = self._futures.get(run.key)
            if (
                run.status() in ("finished", "zoo", "running")
                or waiting is not None
                and not waiting.done()
                and run.status() == "queued"
            ):
                return
            run.want("run")
            lane = _lane(run)
            self._open(lane)
            task = lanes.supervise if lane == "train" else lanes.perform
            ticket = uuid.uuid4().hex
            future = self._client.submit(
                task,
                str(run.folder),
                ticket,
                key=f"run:{lane}:{run.key}:{ticket[:8]}",
                resources={lane: 1},
                priority=-time.time(),
                pure=False,
            )
            self._futures[run.key] = future
        fire_and_forget(future)
        future.add_done_callback(lambda ended: self._done(run, ended))

    def ask(self, question: Mapping[str, Any], timeout: float = 120.0) -> Answer:
        """The answer to a question, kept or computed. Raises the engine's FeintError, or
        EngineUnavailable.
        """
        kept = answers.kept(question)
        if kept is not None:
            return kept
        lane = answers.lane(question)
        self._open(lane)
        suffix = f":{uuid.uuid4().hex[:8]}" if question["ask"] in answers.UNKEPT else ""
        future = self._client.submit(
            lanes.answer,
            dict(question),
            key=f"ask:{lane}:{answers.key(question)}{suffix}",
            resources={lane: 1},
            priority=-time.time(),
            pure=False,
        )
        try:
            return future.result(timeout=timeout)  # type: ignore[no-any-return]
        except FeintError:
            raise
        except TimeoutError:
            future.cancel()
            raise EngineUnavailable(
                f"No answer came within {timeout:g} s; the machine may be busy. Try again."
            ) from None
        except KilledWorker:
            raise EngineUnavailable(
                "The worker process died over this question; a new one is starting. Try again, with smaller "
                "numbers."
            ) from None
        except Exception as error:  # whatever broke in the worker, the page shows a sentence
            said = " ".join(str(error).split())[:160]
            raise EngineUnavailable(
                f"The engine broke over this question ({type(error).__name__}: {said})."
            ) from error
        finally:
            future.release()

    def warm(self, lane: str) -> None:
        """Open a lane and let it import, or compile, what it needs; returns at once."""
        self._open(lane)
        fire_and_forget(
            self._client.submit(
                lanes.warm_up, lane, key=f"warm:{lane}", resources={lane: 1}, priority=-2 * time.time()
            )
        )

    def queue(self) -> list[dict[str, Any]]:
        """Runs in the pool: `key`, `lane`, `state` ("running" or "queued") and `position` (0 runs, 1 is
        next), lane by lane.
        """
        tasks = [task.split(":") for task in self._client.run_on_scheduler(_tasks) if task.startswith("run:")]
        lane_of = {
            key: lane for _, lane, key, _ in reversed(tasks)
        }  # a run that was stopped and queued again: its later task counts
        found, store, place = [], Store(), dict.fromkeys(LANES, 0)
        for key, lane in reversed(lane_of.items()):
            running = Run(store.folder / key).status() == "running"
            place[lane] += not running
            found.append(
                {
                    "key": key,
                    "lane": lane,
                    "state": "running" if running else "queued",
                    "position": 0 if running else place[lane],
                }
            )
        return found

    def close(self) -> None:
        """Let go; our own processes end."""
        self._client.close()
        if self._process is not None:
            _end(self._process)

    def _done(self, run: Run, future: Future) -> None:
        """A task has ended. It is forgotten, for Dask would do a kept one again if its worker died later."""
        _report(run, future)
        with self._lock:
            if self._futures.get(run.key) is future:
                del self._futures[run.key]
        future.release()

    def _open(self, lane: str) -> None:
        if lane in self._opened:
            return
        if not self._client.run_on_scheduler(_open, lane):
            assert self._client.scheduler
            raise EngineUnavailable(
                f"Nobody works in the lane {lane!r} of the engine at {self._client.scheduler.address}; "
                f'start a worker there: dask worker ADDRESS --nthreads 1 --resources "{lane}=1".'
            )
        self._opened.add(lane)


def _lane(run: Run) -> str:
    """Where a run waits: with the trainings where it trains networks, as an attack that is fitted
    first does.
    """
    known = catalogue.read()
    fitted = (
        known["action"][run.spec.action]["about"] == "attack" and known["attack"][run.spec.name]["fitted"]
    )
    return "train" if fitted or known["action"][run.spec.action]["lane"] == "train" else "attack"


def _report(run: Run, future: Future) -> None:
    """A task that died with its worker, or broke before the runner could say so, takes its run to Failed."""
    if future.status == "error":
        error = future.exception()
        died = error is None or isinstance(error, KilledWorker)
        lanes.died(str(run.folder), lanes.DIED if died else " ".join(str(error).split()))


def _spawn() -> "tuple[subprocess.Popen[bytes], str]":
    folder = home()
    folder.mkdir(parents=True, exist_ok=True)
    address_file = folder / f".engine-{uuid.uuid4().hex[:8]}"
    with (folder / "engine.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "engine", "serve", "--leash", "--address-file", str(address_file)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    end = time.monotonic() + START
    while not address_file.exists():
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise EngineUnavailable(f"The worker processes did not start; {folder / 'engine.log'} says why.")
        time.sleep(0.05)
    address = address_file.read_text()
    address_file.unlink()
    return process, address


def _end(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin
    process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
