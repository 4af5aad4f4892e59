"""`Engine`: the page server's hold on the worker processes. Nothing here imports torch."""

import logging
import os
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, Self

import dask
from distributed import Client, Future, KilledWorker, fire_and_forget
from distributed.client import ClosedClientError
from distributed.comm.core import CommClosedError

from engine.asking import keeping
from engine.asking.questions import A, Question
from engine.errors import EngineGone, EngineUnavailable, FeintError
from engine.pool import certificate, own, workers
from engine.pool.lanes import LANES, lane_of
from engine.pool.server import CONFIG, open_lane, tasks
from engine.store import catalogue
from engine.store.run import Run
from engine.store.store import Store

log = logging.getLogger(__name__)
logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # `gone` tells of a lost connection
GONE = "The worker processes have ended; new ones are starting. Try again in a moment."
PATIENCE = 600.0
"""Seconds that one waits for an answer: the slowest attack takes minutes, on a busy machine any may."""
REACH = 5.0
"""Seconds in which a scheduler answers, or is not there."""


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
            process, address, pem = own.spawn()
        else:
            pem = certificate.of(address)
        patience = REACH if process is None else own.START
        try:
            with dask.config.set(CONFIG):
                security = certificate.security(pem)
                client = Client(address, security=security, timeout=patience, set_as_default=False)
        except (OSError, ValueError, TimeoutError):
            if process is not None:
                own.end(process)
            raise EngineUnavailable(
                f"No Feint engine answers at {address} with this certificate; start one there with"
                " `python -m engine serve`, or unset FEINT_ENGINE."
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

    def ask(self, question: Question[A], timeout: float = PATIENCE) -> A:
        """The answer to a question, kept or computed. Raises the engine's FeintError, or
        EngineUnavailable.
        """
        kept = keeping.kept(question)
        if kept is not None:
            return kept
        lane = question.lane
        if self.gone():
            raise EngineGone(GONE)
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
        except (CancelledError, ClosedClientError, CommClosedError) as error:
            if not self.gone():
                log.warning("An answer got lost though the engine is there: %r", error)
            raise EngineGone(GONE) from None
        except TimeoutError:
            if self.gone():
                raise EngineGone(GONE) from None
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
            future.release()  # not cancelled, for others may wait for the same answer

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
        known = [task.split(":") for task in self._on_scheduler(tasks) if task.startswith("run:")]
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

    def gone(self) -> bool:
        """Whether the engine that was reached is there no more; what is asked of this hold fails from then
        on.
        """
        ended = self._process is not None and self._process.poll() is not None
        return ended or self._client.status != "running"

    def unfinished(self) -> set[str]:
        """Keys of the runs that were submitted here and whose end nobody has reported."""
        with self._lock:
            return set(self._futures)

    def close(self) -> None:
        """Let go; our own processes end."""
        with suppress(TimeoutError, OSError):  # of an engine that is gone
            self._client.close(timeout=REACH)
        if self._process is not None:
            own.end(self._process)

    def _done(self, run: Run, future: Future) -> None:
        """A task has ended. It is forgotten, for Dask would do a kept one again if its worker died later;
        one that only got lost with its engine is unfinished.
        """
        if future.status not in ("finished", "error"):
            return
        _report(run, future)
        with self._lock:
            if self._futures.get(run.key) is future:
                del self._futures[run.key]
        future.release()

    def _open(self, lane: str) -> None:
        if lane in self._opened:
            return
        if not self._on_scheduler(open_lane, lane):
            assert self._client.scheduler
            raise EngineUnavailable(
                f"Nobody works in the lane {lane!r} of the engine at {self._client.scheduler.address}; "
                f'start a worker there: dask worker ADDRESS --nthreads 1 --resources "{lane}=1".'
            )
        self._opened.add(lane)

    def _on_scheduler(self, function: Callable[..., Any], *given: Any) -> Any:
        """What `function` returns in the scheduler's process. Raises EngineGone where that is no more."""
        try:
            return self._client.run_on_scheduler(function, *given, callback_timeout=own.START)
        except (OSError, TimeoutError, CancelledError, ClosedClientError):
            raise EngineGone(GONE) from None


def _report(run: Run, future: Future) -> None:
    """A task that died with its worker, or broke before the runner could say so, takes its run to Failed."""
    if future.status == "error":
        error = future.exception()
        died = error is None or isinstance(error, KilledWorker)
        workers.died(str(run.folder), workers.DIED if died else " ".join(str(error).split()))
