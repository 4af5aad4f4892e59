"""`Engine`: the page server's hold on the worker processes. Nothing here imports torch."""

import os
import subprocess
import sys
import threading
import time
import uuid
from typing import Any, Self

import dask
from distributed import Client, Future, KilledWorker, fire_and_forget

from engine.asking import keeping
from engine.asking.questions import A, Question
from engine.errors import EngineUnavailable, FeintError
from engine.home import home
from engine.pool import workers
from engine.pool.lanes import LANES, lane_of
from engine.pool.server import CONFIG, open_lane, tasks
from engine.store import catalogue
from engine.store.run import Run
from engine.store.store import Store

START = 60.0
"""Seconds that our own scheduler has to start."""


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
            lane = lane_of(run.spec, catalogue.read())
            self._open(lane)
            task = workers.supervise if lane == "train" else workers.perform
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

    def ask(self, question: Question[A], timeout: float = 120.0) -> A:
        """The answer to a question, kept or computed. Raises the engine's FeintError, or
        EngineUnavailable.
        """
        kept = keeping.kept(question)
        if kept is not None:
            return kept
        lane = question.lane
        self._open(lane)
        suffix = "" if question.kept else f":{uuid.uuid4().hex[:8]}"
        future = self._client.submit(
            workers.answer,
            question,
            key=f"ask:{lane}:{question.key()}{suffix}",
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
                workers.warm_up, lane, key=f"warm:{lane}", resources={lane: 1}, priority=-2 * time.time()
            )
        )

    def queue(self) -> list[dict[str, Any]]:
        """Runs in the pool: `key`, `lane`, `state` ("running" or "queued") and `position` (0 runs, 1 is
        next), lane by lane.
        """
        known = [task.split(":") for task in self._client.run_on_scheduler(tasks) if task.startswith("run:")]
        lane_of = {
            key: lane for _, lane, key, _ in reversed(known)
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
        if not self._client.run_on_scheduler(open_lane, lane):
            assert self._client.scheduler
            raise EngineUnavailable(
                f"Nobody works in the lane {lane!r} of the engine at {self._client.scheduler.address}; "
                f'start a worker there: dask worker ADDRESS --nthreads 1 --resources "{lane}=1".'
            )
        self._opened.add(lane)


def _report(run: Run, future: Future) -> None:
    """A task that died with its worker, or broke before the runner could say so, takes its run to Failed."""
    if future.status == "error":
        error = future.exception()
        died = error is None or isinstance(error, KilledWorker)
        workers.died(str(run.folder), workers.DIED if died else " ".join(str(error).split()))


def _spawn() -> "tuple[subprocess.Popen[bytes], str]":
    folder = home()
    folder.mkdir(parents=True, exist_ok=True)
    address_file = folder / f".engine-{uuid.uuid4().hex[:8]}"
    with (folder / "engine.log").open("ab") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "engine",
                "serve",
                "--end-with-parent",
                "--address-file",
                str(address_file),
            ],
            cwd=workers.ROOT,
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
