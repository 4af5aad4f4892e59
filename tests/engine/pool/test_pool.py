"""The pool with real processes: one engine for the whole file."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.asking.questions import ImagesQuestion, OverviewQuestion, PrepareQuestion
from engine.errors import EngineUnavailable, UnknownName
from engine.events import Failed, Finished, Progress, Started, Stopped
from engine.pool import server, workers
from engine.pool.client import Engine
from engine.store import lock
from engine.store.run import Run
from engine.store.store import Store

ROOT = Path(__file__).resolve().parents[3]
TINY = {"hidden": [12], "embedding": 3, "batch": 16, "evaluate_every": 10_000, "starts": 1}


def until(true: Callable[[], Any], seconds: float = 240) -> float:
    """Seconds until `true()`; fails after `seconds`."""
    begin = time.monotonic()
    while not true():
        assert time.monotonic() - begin < seconds, "waited in vain"
        time.sleep(0.02)
    return time.monotonic() - begin


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Path]]:
    """One engine with a home that its processes inherit."""
    home = tmp_path_factory.mktemp("pool_home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEINT_HOME", str(home))
        engine = Engine.connect()
        yield engine, home
        process = engine._process
        engine.close()
    assert process is not None and process.poll() is not None


@pytest.fixture
def engine(shared: tuple[Engine, Path], monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("FEINT_HOME", str(shared[1]))
    return shared[0]


def prepared(engine: Engine, iterations: int, seed: int = 0, **changes: object) -> Run:
    changes = TINY | {"iterations": iterations} | changes
    chosen = PrepareQuestion(action="train", name="ae_kmeans", data="digits", seed=seed, changes=changes)
    answer = engine.ask(chosen)
    assert answer.spec is not None, answer.sentence
    return Store().create(answer.spec)


def images(data: str, *ids: int) -> ImagesQuestion:
    shipped = Store().zoo()["digits/adec"].spec
    return ImagesQuestion(data=data, fingerprint=shipped.fingerprint, ids=ids)


def begun(run: Run) -> bool:
    return isinstance(run.last_event(), Progress)


def test_a_question_is_answered_and_a_wrong_one_is_a_sentence(engine: Engine) -> None:
    assert engine.ask(images("digits", 0, 1)).images.shape == (2, 64)
    with pytest.raises(UnknownName, match="did you mean digits/adec") as caught:
        engine.ask(OverviewQuestion(model="digits/adecc"))
    assert caught.value.nearest[0] == "digits/adec"


@pytest.mark.long
def test_a_run_that_was_queued_twice_stays_finished(engine: Engine) -> None:
    run = prepared(engine, 30, seed=77)
    run.want("run")
    engine.submit(run)
    until(lambda: run.status() == "finished")
    workers.supervise(str(run.folder), "a second ticket")
    assert run.status() == "finished" and isinstance(run.last_event(), Finished)


def test_a_late_answer_is_a_sentence(engine: Engine) -> None:
    with pytest.raises(EngineUnavailable, match="No answer came within 0 s"):
        engine.ask(images("digits", 5), timeout=0)


def test_whoever_gives_a_question_up_takes_it_from_nobody_else(engine: Engine) -> None:
    answers: list[int] = []
    before = threading.Thread(target=lambda: engine.ask(OverviewQuestion(model="digits/ae_kmeans")))
    patient = threading.Thread(target=lambda: answers.append(len(engine.ask(images("digits", 6)).images)))
    before.start()
    patient.start()
    until(lambda: any(key.startswith("ask:") for key in engine._client.futures))
    with pytest.raises(EngineUnavailable, match="No answer came within 0 s"):
        engine.ask(images("digits", 6), timeout=0)
    patient.join(60)
    before.join(60)
    assert answers == [1]


def test_a_run_is_done_by_a_child_process(engine: Engine) -> None:
    run = prepared(engine, 40)
    engine.submit(run)
    until(lambda: run.status() == "finished")
    assert isinstance(run.events()[0], Started) and isinstance(run.events()[-1], Finished)
    lines = len(run.events())
    engine.submit(run)
    assert run.status() == "finished" and len(run.events()) == lines and not (run.folder / "lock").exists()


@pytest.mark.long
def test_stop_is_quick_the_next_begins_and_resume_goes_on(engine: Engine) -> None:
    first, second = prepared(engine, 1_000_000, seed=1), prepared(engine, 30, seed=2)
    engine.submit(first)
    engine.submit(second)
    until(lambda: begun(first))
    queue = [(item["key"], item["position"], item["state"]) for item in engine.queue()]
    assert queue == [(first.key, 0, "running"), (second.key, 1, "queued")]
    first.want("pause")
    until(lambda: first.status() == "paused")
    until(lambda: second.status() == "finished")
    stopped_at = first.last_event().step
    assert isinstance(first.last_event(), Stopped) and stopped_at > 0
    engine.submit(first)
    assert first.status() in ("queued", "running")
    until(lambda: begun(first))
    assert [event.step for event in first.events() if isinstance(event, Started)] == [0, stopped_at]
    first.want("stop")
    until(lambda: first.status() == "stopped")


@pytest.mark.long
def test_a_queued_run_that_is_stopped_never_begins(engine: Engine) -> None:
    busy, waiting = prepared(engine, 1_000_000, seed=3), prepared(engine, 30, seed=4)
    engine.submit(busy)
    engine.submit(waiting)
    waiting.want("stop")
    assert waiting.status() == "stopped"
    until(lambda: begun(busy))
    busy.want("stop")
    until(lambda: not engine.queue())
    assert waiting.events() == []


@pytest.mark.long
def test_a_killed_job_says_so_and_the_lane_is_free(engine: Engine) -> None:
    run = prepared(engine, 1_000_000, seed=5)
    engine.submit(run)
    until(lambda: begun(run))
    os.kill(lock.holder(run.folder)["pid"], signal.SIGKILL)
    until(lambda: isinstance(run.last_event(), Failed))
    assert run.status() == "failed" and "signal 9" in run.reason()
    other = prepared(engine, 30, seed=6)
    engine.submit(other)
    until(lambda: other.status() == "finished")


def test_a_task_that_dask_tries_again_does_not_begin_twice(engine: Engine) -> None:
    run = prepared(engine, 30, seed=7)
    run.want("run")
    (run.folder / "tickets").write_text("another\nsame\n")
    workers.supervise(str(run.folder), "same")
    assert run.status() == "failed" and "worker process died" in run.reason()


def test_a_job_that_does_not_heed_a_stop_is_killed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    run = prepared(engine, 30, seed=10)
    run.want("run")
    deaf = [sys.executable, "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(workers, "STOP_GRACE", 0.2)
    monkeypatch.setattr(workers, "_child", lambda folder, log: subprocess.Popen(deaf))
    asking = threading.Timer(0.5, run.want, args=("pause",))
    asking.start()
    begin = time.monotonic()
    workers.supervise(str(run.folder), "once")
    assert 0.5 < time.monotonic() - begin < 55 and run.status() == "paused"


def test_a_run_queued_again_while_its_job_ends_does_not_fail(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = prepared(engine, 30, seed=11)
    run.want("run")

    def child(folder: str, log: object) -> "subprocess.Popen[bytes]":
        time.sleep(0.02)
        run.append(Stopped(run=run.key, step=0))
        time.sleep(0.02)
        run.want("run")
        return subprocess.Popen([sys.executable, "-c", ""])

    monkeypatch.setattr(workers, "_child", child)
    workers.supervise(str(run.folder), "once")
    assert run.status() == "queued" and [type(event) for event in run.events()] == [Stopped]


@pytest.mark.long
def test_a_worker_that_dies_takes_its_run_to_failed(engine: Engine) -> None:
    run = prepared(engine, 1_000_000, seed=8)
    engine.submit(run)
    until(lambda: begun(run))
    child = psutil.Process(lock.holder(run.folder)["pid"])
    child.parent().kill()
    until(lambda: run.status() in ("failed", "stopped"))
    until(lambda: not child.is_running())
    again = prepared(engine, 30, seed=9)
    engine.submit(again)
    until(lambda: again.status() == "finished")


def test_an_attack_runs_in_a_warm_process(engine: Engine) -> None:
    model = prepared(engine, 40)
    engine.submit(model)
    until(lambda: model.status() == "finished")
    chosen = PrepareQuestion(
        action="attack",
        name="fgsm",
        data="digits",
        changes={"n": 20, "epsilon": 0.1},
        models={"model": model.key},
    )
    spec = engine.ask(chosen).spec
    assert spec is not None
    run = Store().create(spec)
    engine.submit(run)
    until(lambda: run.status() == "finished")
    assert run.result()["n"] == 20


def test_nothing_answers_at_a_wrong_address() -> None:
    with pytest.raises(EngineUnavailable, match="unset FEINT_ENGINE"):
        Engine.connect("tls://127.0.0.1:9")


@pytest.mark.long
def test_everything_ends_with_the_page_server_even_when_it_is_killed(
    shared: tuple[Engine, Path], tmp_path: Path
) -> None:
    changes = TINY | {"iterations": 1_000_000}
    chosen = {"action": "train", "name": "ae_kmeans", "data": "digits", "changes": changes}
    code = (
        "import json, time\nfrom engine.pool.client import Engine\nfrom engine.asking.questions import"
        " PrepareQuestion\nfrom engine.store.store import Store\nengine = Engine.connect()\n"
        f"question = PrepareQuestion(**{chosen!r})\n"
        "run = Store().create(engine.ask(question).spec)\nengine.submit(run)\n"
        "print(json.dumps([str(run.folder), engine._process.pid]), flush=True)\ntime.sleep(600)"
    )
    page = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"FEINT_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
    )
    try:
        folder, serving = json.loads(page.stdout.readline())
        run = Run(Path(folder))
        until(lambda: begun(run))
        everyone = [psutil.Process(serving), *psutil.Process(serving).children(recursive=True)]
        assert len(everyone) >= 4
    finally:
        page.kill()
        page.wait()
        page.stdout.close()
    psutil.wait_procs(everyone, timeout=240)
    assert [
        process for process in everyone if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ] == []
    assert run.status() in ("stopped", "failed") and run.reason() != "" or run.status() == "stopped"


def test_gpus_are_counted_as_the_driver_and_the_person_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,0")
    assert server._gpus() == ["2", "0"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert server._gpus() == []
