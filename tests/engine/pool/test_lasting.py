"""An engine that is killed is replaced, and its runs go on: real processes, killed as a system kills them."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from engine.errors import EngineGone, EngineUnavailable
from engine.events import Started
from engine.pool.client import Engine
from engine.pool.lasting import Lasting
from tests.engine.pool.test_pool import begun, images, prepared, until

PATIENT = 240.0
"""Seconds for what waits behind everything else that a machine does."""


@pytest.fixture
def lasting(home: Path) -> Iterator[Lasting]:
    kept = Lasting()
    yield kept
    kept.get().close()


def kill(engine: Engine) -> None:
    assert engine._process is not None
    os.kill(engine._process.pid, signal.SIGKILL)
    engine._process.wait()


def asked_as_a_page_asks(lasting: Lasting, sample: int) -> tuple[int, ...]:
    """The shape of a sample; where the engine goes while it is asked, the next one is asked, once."""
    with suppress(EngineGone):
        return lasting.get().ask(images("digits", sample)).images.shape
    lasting.settle(PATIENT)
    return lasting.get().ask(images("digits", sample)).images.shape


@pytest.mark.long
def test_runs_of_a_killed_engine_go_on_in_a_new_one(lasting: Lasting) -> None:
    first = lasting.get()
    running, queued = prepared(first, 1_000_000, seed=1), prepared(first, 30, seed=2)
    paused = prepared(first, 30, seed=3)
    for run in (running, queued, paused):
        first.submit(run)
    paused.want("pause")
    until(lambda: begun(running), PATIENT)
    kill(first)
    until(lambda: not lasting.lost() and lasting.renewed == 1, PATIENT)
    assert lasting.get() is not first and lasting.renewed == 1
    until(lambda: begun(running), PATIENT)
    began = [event for event in running.events() if isinstance(event, Started)]
    assert len(began) == 2 and began[1].step > 0, "it goes on from its checkpoint"
    running.want("stop")
    until(lambda: queued.status() == "finished", PATIENT)
    assert running.status() == "stopped" and paused.status() == "paused"


@pytest.mark.long
def test_a_question_that_waits_while_the_engine_is_killed_fails_at_once(lasting: Lasting) -> None:
    engine = lasting.get()
    engine.ask(images("digits", 0))
    threading.Timer(0.3, kill, args=(engine,)).start()
    began = time.monotonic()
    with pytest.raises(EngineGone, match="new ones are starting"):
        while True:
            engine.ask(images("digits", int(time.monotonic() * 1000) % 1797))
    assert time.monotonic() - began < 10
    assert asked_as_a_page_asks(lasting, 3) == (1, 64)


@pytest.mark.long
def test_where_no_engine_can_be_reached_nobody_waits_and_it_is_tried_again(home: Path) -> None:
    tries: list[Engine] = []

    def connect() -> Engine:
        if len(tries) == 0:
            tries.append(None)  # type: ignore[arg-type]
            return Engine.connect("tls://127.0.0.1:9")
        return Engine.connect()

    kept = Lasting(connect)
    with pytest.raises(EngineUnavailable, match="unset FEINT_ENGINE"):
        kept.get()
    until(lambda: kept._engine is not None)
    assert kept.get().ask(images("digits", 0)).images.shape == (1, 64)
    kept.get().close()
