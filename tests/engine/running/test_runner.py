"""The runner: training as a run, resumed, stopped, killed, replayed, followed; and what it refuses."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from engine import device, registry
from engine.data.report import examine
from engine.data.views import AtRest
from engine.device import How
from engine.errors import (
    DataError,
    Diverged,
    FeintError,
    ResumeRefused,
    RunBroken,
    SettingsError,
    UnknownName,
)
from engine.events import Evaluate, Failed, Finished, Picture, Progress, Started, Stopped, to_line
from engine.models.outputs import Outputs
from engine.running import runner, watching
from engine.running.models import load_model
from engine.running.runner import prepare, run
from engine.store import checkpoint
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import Store

ROOT = Path(__file__).resolve().parents[3]
TINY = {"hidden": (12,), "embedding": 3, "batch": 16, "iterations": 24, "evaluate_every": 8, "starts": 1}
BASED = {f"base.{name}": value for name, value in TINY.items()} | {
    "iterations": 12,
    "interval": 4,
    "batch": 16,
    "delta_every": 4,
    "probe": 64,
    "stop_at_tolerance": False,
}


@pytest.fixture
def how() -> How:
    """The same arithmetic in every process."""
    return device.choose("cpu", "float32", 1)


@pytest.fixture(autouse=True)
def every_step_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny runs are over before a Progress is due: here each step is one, and each is kept."""
    monkeypatch.setattr("engine.models.pace.SECONDS", 0.0)
    monkeypatch.setattr(runner, "LOG_EVERY", 0.0)


def tiny(model: str = "acai", seed: int = 0, **changes: object) -> Spec:
    settings = (TINY if model in ("acai", "ae_kmeans") else BASED) | changes
    return prepare("train", model, "digits", seed=seed, changes=settings)


def weights(run_: Run) -> dict[str, torch.Tensor]:
    return load_file(run_.folder / "state" / "model.safetensors")


def test_a_run_says_how_missing_numbers_were_replaced(how: How, tmp_path: Path) -> None:
    """In the words of the check of the file, on the card and in the result, of trainings and of attacks."""
    table = np.random.default_rng(0).random((60, 4)).round(3).astype(str)
    table[7, 2] = ""
    file = tmp_path / "few.csv"
    file.write_text("\n".join(["a,b,c,d", *(",".join(row) for row in table)]))
    filled = next(words for words in examine(str(file)).report.done if "missing" in words)
    trained = prepare("train", "dense_ae", str(file), changes={"width": 4, "epochs": 1})
    list(run(trained, how=how))
    aims = {"n": 20, "objective": "keep_reconstruction"}
    attack = prepare("attack", "gaussian_noise", models={"model": trained.key}, changes=aims)
    list(run(attack, how=how))
    for spec, rows in ((trained, "the first half, 30 of 60 samples"), (attack, "all 60 samples, at most 20")):
        made = Store().find(spec.key)
        said = made.card()["rows_used"]
        assert said.startswith(rows) and said.endswith(f". {filled}") and said == made.result()["rows_used"]


def test_a_run_says_what_it_does_and_leaves_a_whole_folder(how: How) -> None:
    spec = tiny()
    events = list(run(spec, how=how))
    assert isinstance(events[0], Started) and events[0].how["precision"] == "float32"
    evaluations = [event for event in events if isinstance(event, Evaluate)]
    assert [event.step for event in evaluations] == [8, 16, 24]
    assert all(
        {"acc", "nmi", "ari", "reconstruction_mse", "sizes"} <= event.metrics.keys() for event in evaluations
    )
    assert (
        isinstance(events[-1], Finished)
        and events[-1].run == spec.key
        and events[-1].metrics["acc"] == evaluations[-1].metrics["acc"]
    )
    this = Store().find(spec.key)
    assert (
        this.status() == "finished"
        and this.result() == events[-1].metrics
        and this.card()["metrics"] == this.result()
    )
    table = this.table()
    assert len(table) == 1797 and {"sample", "label", "cluster", "confidence", "error"} <= set(table)
    assert np.isclose(table["error"].mean(), this.result()["reconstruction_mse"], rtol=1e-5)
    for picture in (event for event in events if isinstance(event, Picture)):
        assert (this.folder / picture.file).stat().st_size > 100
    assert not list(this.folder.glob(".*")) and not (this.folder / "state" / "training.safetensors").exists()


def test_a_finished_run_says_its_events_again(how: How) -> None:
    first = list(run(tiny(), how=how))
    assert [to_line(event) for event in run(tiny(), how=how)] == [to_line(event) for event in first]


@pytest.mark.parametrize("model", ["ae_kmeans", "acai", "dec_star", "idec_star", "adec"])
def test_a_resumed_run_equals_an_unbroken_one(how: How, tmp_path: Path, model: str) -> None:
    spec, unbroken, broken = tiny(model), Store(tmp_path / "unbroken"), Store(tmp_path / "broken")
    whole = list(run(spec, how=how, store=unbroken))
    assert isinstance(whole[-1], Finished), whole[-1]
    for stop_at in (3, 9):
        for event in run(spec, how=how, store=broken):
            if (
                isinstance(event, Progress | Evaluate)
                and not getattr(event, "phase", "").startswith("base")
                and event.step >= stop_at
            ):
                broken.find(spec.key).want("stop")
        assert isinstance(event, Stopped) and event.step >= stop_at
    rest = list(run(spec, how=how, store=broken))
    assert isinstance(rest[0], Started) and rest[0].step >= 9 and isinstance(rest[-1], Finished), rest[-1]
    one, two = weights(unbroken.find(spec.key)), weights(broken.find(spec.key))
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)
    assert {**rest[-1].metrics, "seconds": 0} == {**whole[-1].metrics, "seconds": 0}


def test_a_base_is_a_run_of_its_own_and_is_found_again(how: How) -> None:
    spec = tiny("idec_star")
    events = list(run(spec, how=how))
    base = Store().find(spec.builds_on["base"])
    assert base.status() == "finished" and base.spec.name == "acai"
    assert any(isinstance(event, Progress) and event.phase == "base: acai" for event in events)
    assert sum(isinstance(event, Finished) for event in events) == 1
    final = events[-1].metrics
    assert {"acc", "nmi", "ari", "delta_fr", "delta_fd", "reconstruction_mse", "seconds"} <= final.keys()
    again = list(run(tiny("dec_star"), how=how))
    assert not any(isinstance(event, Progress) and event.phase.startswith("base") for event in again)


def test_closing_the_generator_stops_the_run_with_a_checkpoint(how: How) -> None:
    events = run(tiny(), how=how)
    for event in events:
        if isinstance(event, Progress) and event.step >= 5:
            break
    events.close()
    this = Store().find(tiny().key)
    assert this.status() == "stopped" and this.last_event().step == 5 and not (this.folder / "lock").exists()
    assert isinstance(list(run(this))[-1], Finished)


def test_a_pause_is_heeded_at_the_next_event(how: How) -> None:
    events = []
    for event in run(tiny(), how=how):
        events.append(event)
        if isinstance(event, Progress) and event.step == 4:
            Store().find(tiny().key).want("pause")
    assert isinstance(events[-1], Stopped) and events[-1].paused and events[-1].step == 4
    assert Store().find(tiny().key).status() == "paused"


def test_a_stop_asked_for_before_it_began_is_heeded_by_the_pool_s_form(how: How) -> None:
    this = Store().create(tiny())
    this.want("stop")
    assert [type(event) for event in runner.work(this, how=how)] == [Stopped]


def test_a_stop_reaches_the_base_and_the_run_goes_on_from_there(how: How) -> None:
    spec = tiny("dec_star")
    for event in run(spec, how=how):
        if isinstance(event, Progress) and event.phase == "base: acai" and event.step == 10:
            Store().find(spec.key).want("stop")
    assert isinstance(event, Stopped)
    base = Store().find(spec.builds_on["base"])
    assert base.status() == "stopped" and base.last_event().step == 10
    assert isinstance(list(run(spec, how=how))[-1], Finished) and base.status() == "finished"


def test_a_second_caller_follows_the_first(how: How) -> None:
    spec, heard, begun = tiny(), [], threading.Event()

    def second() -> None:
        begun.wait(20)
        heard.extend(run(spec, how=how))

    follower = threading.Thread(target=second)
    follower.start()
    said = []
    for event in run(spec, how=how):
        said.append(event)
        begun.set()
        time.sleep(0.02)
    follower.join(20)
    assert [to_line(event) for event in heard] == [to_line(event) for event in said]


def test_what_breaks_becomes_an_event_with_the_story_in_a_file(
    how: How, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> dict[str, object]:
        raise ZeroDivisionError("the sum was nothing")

    with monkeypatch.context() as patch:
        patch.setattr("engine.running.watching.scores", broken)
        last = list(run(tiny(), how=how))[-1]
    assert (
        isinstance(last, Failed)
        and "ZeroDivisionError: the sum was nothing" in last.reason
        and "\n" not in last.reason
    )
    this = Store().find(tiny().key)
    assert (
        "Traceback" in (this.folder / "log.txt").read_text()
        and this.status() == "failed"
        and not (this.folder / "lock").exists()
    )
    assert isinstance(list(run(this, how=how))[-1], Finished)


@pytest.mark.long
def test_a_killed_job_leaves_a_run_that_goes_on_to_the_same_weights(
    how: How, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("engine.models.pace.SECONDS", 0.3)
    spec = tiny(iterations=1000, evaluate_every=500)
    this = Store().create(spec)
    code = (
        "from engine import device\nfrom engine.running import runner, watching\n"
        f"from engine.store.run import Run\nwatching.CHECKPOINT_EVERY = 0.0\n"
        f"list(runner.work(Run({str(this.folder)!r}),"
        " how=device.choose('cpu', 'float32', 1)))"
    )
    with (tmp_path / "said").open("wb") as said:
        child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=said, stderr=said)
    try:
        end = time.monotonic() + 60
        while not checkpoint.there(this.folder) and time.monotonic() < end and child.poll() is None:
            time.sleep(0.005)
        assert checkpoint.there(this.folder), (tmp_path / "said").read_text()
        assert this.status() == "running"
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert this.status() == "failed" and "resume" in this.reason()
    events = list(run(this, how=how))
    assert isinstance(events[0], Started) and events[0].step > 0 and isinstance(events[-1], Finished)
    unbroken = Store(tmp_path / "unbroken")
    list(run(spec, how=how, store=unbroken))
    one, two = weights(unbroken.find(spec.key)), weights(this)
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.fixture
def stopped(how: How) -> Run:
    """A run stopped half-way."""
    for event in run(tiny(), how=how):
        if isinstance(event, Progress) and event.step == 9:
            Store().find(tiny().key).want("stop")
    return Store().find(tiny().key)


@pytest.mark.parametrize("file", ["model.safetensors", "training.safetensors", "state.json"])
def test_a_truncated_checkpoint_says_so_and_what_to_do(stopped: Run, how: How, file: str) -> None:
    path = stopped.folder / "state" / file
    path.write_bytes(path.read_bytes()[:-20])
    last = list(run(stopped))[-1]
    assert (
        isinstance(last, Failed)
        and "damaged" in last.reason
        and "anew" in last.reason
        or "start it again" in last.reason
    )


def test_a_checkpoint_of_another_version_says_so(stopped: Run) -> None:
    path = stopped.folder / "state" / "state.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    last = list(run(stopped))[-1]
    assert isinstance(last, Failed) and "another version" in last.reason and "Train it anew" in last.reason


def test_a_crash_between_the_renames_of_a_checkpoint_loses_nothing(stopped: Run) -> None:
    (stopped.folder / "state").rename(stopped.folder / ".state.old")
    (stopped.folder / ".state.new").mkdir()
    assert checkpoint.there(stopped.folder)
    assert isinstance(list(run(stopped))[-1], Finished)


def test_a_resume_uses_the_recorded_how_or_refuses(stopped: Run) -> None:
    last = list(run(stopped, how=device.choose("cpu", "float32", 2)))[-1]
    assert isinstance(last, Failed) and "1 threads" in last.reason and "anew" in last.reason
    path = stopped.folder / "state" / "state.json"
    path.write_text(path.read_text().replace('"cpu"', '"cuda"'))
    last = list(run(stopped))[-1]
    assert isinstance(last, Failed) and "computed on cuda" in last.reason


def test_the_zoo_cannot_be_resumed(how: How, tmp_path: Path) -> None:
    list(run(tiny(), how=how))
    entry = tmp_path / "zoo" / "digits" / "acai"
    entry.parent.mkdir(parents=True)
    Store().find(tiny().key).folder.rename(entry)
    store = Store(tmp_path / "other", tmp_path / "zoo")
    with pytest.raises(ResumeRefused, match="read-only zoo entry"):
        runner.resume("digits/acai", store=store)
    assert isinstance(list(run(tiny(), store=store))[-1], Finished), "its key is served by the zoo"
    assert store.all() == []
    assert load_model(store.find("digits/acai")).centres.shape == (10, 3)


def test_a_model_is_loaded_frozen_and_only_when_it_is_there(how: How, stopped: Run) -> None:
    with pytest.raises(RunBroken, match="let it finish"):
        load_model(stopped)
    list(run(stopped))
    model = load_model(stopped)
    assert not model.training and not any(parameter.requires_grad for parameter in model.parameters())
    assert load_model(Store().find(stopped.key)) is model


@pytest.mark.parametrize(
    ("choice", "error", "words"),
    [
        ({"name": "acia"}, UnknownName, "did you mean acai"),
        ({"data": "digit"}, UnknownName, "did you mean digits"),
        ({"preset": "quikc"}, SettingsError, "no preset 'quikc'"),
        ({"changes": {"iterations": 0}}, SettingsError, "acai.iterations must be"),
        ({"changes": {"iteration": 5}}, SettingsError, "no setting 'iteration'"),
        ({"changes": {"clusters": 1}}, SettingsError, "clusters"),
        ({"changes": {"clusters": 5000}}, DataError, "1797 samples"),
        ({"models": {"model": "nothing"}}, UnknownName, "No run is called"),
        ({"action": "trian"}, UnknownName, "did you mean train"),
    ],
)
def test_a_wrong_choice_is_one_sentence(
    choice: dict[str, object], error: type[FeintError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        prepare(**({"action": "train", "name": "acai", "data": "digits"} | choice))
    assert "\n" not in str(caught.value)


def test_a_model_refuses_data_of_another_shape(how: How, tmp_path: Path) -> None:
    list(run(tiny(), how=how))
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "vectors.npz", x=rng.normal(size=(60, 7)).astype(np.float32), y=np.arange(60) % 3)
    with pytest.raises(DataError, match="takes samples of shape 1x8x8") as caught:
        prepare("attack", "pgd", str(tmp_path / "vectors.npz"), models={"model": tiny().key})
    assert "has 7" in str(caught.value)


def test_data_without_labels_are_trained_on_and_scored_by_what_remains(how: How, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "plain.npz", x=rng.normal(size=(60, 7)).astype(np.float32))
    spec = prepare("train", "acai", str(tmp_path / "plain.npz"), changes=TINY | {"clusters": 4})
    last = list(run(spec, how=how))[-1]
    assert isinstance(last, Finished), last
    assert (
        "acc" not in last.metrics
        and last.metrics["reconstruction_mse"] > 0
        and len(last.metrics["sizes"]) == 4
    )


def test_changed_data_are_noticed(how: How, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "plain.npz", x=rng.normal(size=(60, 7)).astype(np.float32))
    spec = prepare("train", "acai", str(tmp_path / "plain.npz"), changes=TINY)
    np.savez(tmp_path / "plain.npz", x=rng.normal(size=(60, 7)).astype(np.float32))
    last = list(run(spec, how=how))[-1]
    assert isinstance(last, Failed) and "not the ones this run was made for" in last.reason


def test_a_training_that_diverges_says_so(how: How, monkeypatch: pytest.MonkeyPatch) -> None:
    real = watching.answers

    def not_a_number(model: nn.Module, data: AtRest) -> Outputs:
        return replace(real(model, data), z=torch.full((len(data), 3), torch.nan))

    monkeypatch.setattr(watching, "answers", not_a_number)
    last = list(run(tiny(), how=how))[-1]
    assert (
        isinstance(last, Failed)
        and "diverged: at step 8" in last.reason
        and "Lower the learning rate" in last.reason
    )
    with pytest.raises(Diverged, match="the model's z is no longer a number"):
        watching._check_finite(Outputs(x=torch.zeros(2, 3), z=torch.tensor([[0.0], [torch.nan]])), 8)


def test_a_method_may_train_by_any_iterator(how: How, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person's own method that returns a list's iterator is stopped as a generator is."""
    owner = registry.find("model", "acai")
    steps = [Progress(step=step, total=3, phase="train") for step in (1, 2, 3)]
    monkeypatch.setattr(owner, "train", lambda self, state, data: iter(steps))
    spec = tiny(seed=7)
    events = run(spec, how=how)
    while not isinstance(next(events), Progress):
        pass
    events.close()
    assert Store().find(spec.key).status() == "stopped" and checkpoint.there(Store().find(spec.key).folder)


def test_a_resume_from_no_checkpoint_keeps_the_threads_that_were_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = tiny("dec_star")  # stopped while its base trains
    three = device.choose("cpu", "float32", 3)
    events = run(spec, how=three)
    assert isinstance(next(events), Started) and next(events)
    events.close()
    stopped = Store().find(spec.key)
    assert stopped.status() == "stopped" and not checkpoint.there(stopped.folder)
    again = runner.resume(spec.key)
    assert next(again).how["threads"] == 3  # type: ignore[union-attr]
    again.close()
    other = run(spec, how=device.choose("cpu", "float32", 2))
    assert next(other).how["threads"] == 2  # type: ignore[union-attr]
    other.close()
