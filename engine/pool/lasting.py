"""`Lasting`: an engine that is replaced when it is gone. Nothing here imports torch."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from engine.errors import EngineUnavailable, FeintError, RunBroken, UnknownName
from engine.pool.client import Engine
from engine.store.run import Run
from engine.store.store import Store

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
"""Seconds between looks at whether the engine is still there."""
RETRY = 5.0
"""Seconds between attempts to reach one."""
LETTING_GO = 15.0
"""Seconds that what worked on a run has to save it, once its engine is gone."""


class Lasting:
    """One engine at a time, kept by a thread of its own. Safe to use from several threads."""

    def __init__(self, connect: Callable[[], Engine] = Engine.connect) -> None:
        self._connect = connect
        self._changed = threading.Condition()
        self._engine: Engine | None = None
        self._refused: str | None = None
        self._settled = False
        self._keeper: threading.Thread | None = None
        self.renewed = 0
        """How many engines were replaced so far."""

    def start(self) -> None:
        """Reach the engine without waiting for it."""
        with self._changed:
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._keep, name="engine", daemon=True)
                self._keeper.start()

    def get(self) -> Engine:
        """The engine, once there is one. Raises EngineUnavailable where it can't be reached or started."""
        self.start()
        with self._changed:
            self._changed.wait_for(lambda: self._here() or self._refused is not None)
            if self._engine is None or self._engine.gone():
                raise EngineUnavailable(self._refused)
            return self._engine

    def lost(self) -> bool:
        """Whether an engine is gone and its runs do not go on in another yet."""
        with self._changed:
            begun = self._engine is not None or self.renewed > 0
            return begun and not (self._settled and self._here())

    def settle(self, seconds: float) -> None:
        """Wait until the runs of the engine that is gone go on in the next one, or nobody can be reached."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._settled and self._here() or self._refused is not None, timeout=seconds
            )

    def _here(self) -> bool:
        return self._engine is not None and not self._engine.gone()

    def _keep(self) -> None:
        """Reach an engine, hand over what the last one left, wait until it is gone; and again."""
        left: set[str] = set()
        while True:
            engine = self._reach()
            try:
                hand_over(engine, left)
            except (FeintError, OSError) as error:  # it is gone already, or the disk is full: pages go on
                log.warning("Runs could not be handed to the worker processes: %s", error)
            self._set(settled=True)
            while not engine.gone():
                time.sleep(LOOK_EVERY)
            with self._changed:
                self._engine, self._settled = None, False
                self.renewed += 1
            left |= engine.unfinished()
            engine.close()

    def _reach(self) -> Engine:
        while True:
            try:
                engine = self._connect()
            except FeintError as error:
                said = str(error)
            except Exception as error:  # whatever stands in the way: nobody may wait for ever
                said = f"The worker processes could not be started ({type(error).__name__}: {error})."
            else:
                self._set(engine=engine, refused=None)
                return engine
            self._set(refused=said)
            time.sleep(RETRY)

    def _set(self, **values: object) -> None:
        with self._changed:
            for name, value in values.items():
                setattr(self, f"_{name}", value)
            self._changed.notify_all()


def hand_over(engine: Engine, left: set[str]) -> None:
    """Give an engine the runs that wait for one, and those that were `left` unfinished by one that is gone:
    they go on from their checkpoints, unless a person stopped them. What was handed over is taken from
    `left`.
    """
    store = Store()
    for key in sorted(left):
        with suppress(UnknownName, RunBroken):  # deleted since, or not to be read: nothing goes on
            _go_on(engine, store.find(key))
        left.discard(key)
    held = {item["key"] for item in engine.queue()}
    for run in store.all():
        if run.status() == "queued" and run.key not in held:
            engine.submit(run)


def _go_on(engine: Engine, run: Run) -> None:
    end = time.monotonic() + LETTING_GO
    while run.status() == "running" and time.monotonic() < end:
        time.sleep(0.1)
    if run.wanted() == "run" or run.cut_short():
        engine.submit(run)
