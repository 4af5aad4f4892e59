"""A training that is not finished is attacked as it stands at its checkpoint, and the record says when."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine import device
from engine.asking import computing
from engine.asking.questions import LadderQuestion, OverviewQuestion
from engine.cli import main
from engine.device import How
from engine.errors import RunBroken, RunError, UnknownName
from engine.events import Evaluate, Finished, Stopped
from engine.running import watching
from engine.running.models import load_model
from engine.running.runner import prepare, run
from engine.store import snapshot
from engine.store.run import Run
from engine.store.store import SNAPSHOTS, Store

ROOT = Path(__file__).resolve().parents[3]
TINY = {"hidden": (12,), "embedding": 3, "batch": 16, "iterations": 24, "evaluate_every": 4, "starts": 1}


@pytest.fixture
def how() -> How:
    """The same arithmetic in every process."""
    return device.choose("cpu", "float32", 1)


def until(key: str, step: int, how: How, wish: str = "stop") -> Run:
    """Train until an evaluation at `step`, then stop or pause."""
    this = Store().find(key)
    for event in run(this, how=how):
        if isinstance(event, Evaluate) and event.step >= step:
            this.want(wish)
    assert isinstance(event, Stopped), event
    return this


def begun(step: int, how: How, wish: str = "stop") -> Run:
    """A training that stands at `step`."""
    spec = prepare("train", "acai", "digits", changes=TINY)
    return until(Store().create(spec).key, step, how, wish)


def attack_on(model: str) -> tuple[str, Finished]:
    """Key and end of a small attack on a model."""
    spec = prepare(
        "attack", "fgsm", models={"model": model}, changes={"objective": "move_embedding", "n": 20}
    )
    *_, last = run(spec)
    assert isinstance(last, Finished), last
    return spec.key, last


@pytest.mark.parametrize("wish", ["stop", "pause"])
def test_a_stopped_training_is_attacked_as_it_is_and_again_when_it_went_on(how: How, wish: str) -> None:
    this = begun(8, how, wish)
    assert this.status() == {"stop": "stopped", "pause": "paused"}[wish]
    before, first = attack_on(this.key)
    attack = Store().find(before)
    assert attack.spec.builds_on == {"model": f"{this.key}@8"}
    assert first.metrics["model_as_it_was"] == "as it was at step 8"
    assert "the model as it was at step 8" in attack.card()["title"]
    assert attack_on(this.key)[0] == before, "the same step is the same run"
    until(this.key, 16, how)
    after, _ = attack_on(this.key)
    assert Store().find(after).spec.builds_on == {"model": f"{this.key}@16"}
    list(run(this, how=how))
    ended, _ = attack_on(this.key)
    assert Store().find(ended).spec.builds_on == {"model": this.key} and len({before, after, ended}) == 3
    assert attack_on(f"{this.key[:6]}@8")[0] == before, "it is still there, as it was"


def test_a_snapshot_is_a_finished_run_with_the_weights_of_its_step(how: How) -> None:
    this = begun(8, how)
    weights = load_file(this.folder / "state" / "model.safetensors")
    kept = Store().as_it_is(this)
    assert kept.name == f"{this.key}@8" and kept.status() == "finished" and kept.spec == this.spec
    evaluated = [event for event in this.events() if isinstance(event, Evaluate)][-1]
    assert kept.result() == {"step": 8} | evaluated.metrics
    until(this.key, 16, how)
    model = load_model(Store().find(kept.key)).state_dict()
    assert all(torch.equal(model[name], weights[name]) for name in weights)
    assert [run_.key for run_ in Store().all()] == [this.key], "it is no run among the others"


def test_questions_about_a_training_hold_the_step(how: How) -> None:
    this = begun(8, how)
    with pytest.raises(RunBroken, match=f"is stopped.*{this.key}@STEP"):
        computing.answer(OverviewQuestion(model=this.key))
    said = []
    for step in (8, 16):
        until(this.key, step, how) if step > 8 else None
        model = Store().as_it_is(this).key
        said.append(computing.answer(OverviewQuestion(model=model)))
        computing.answer(LadderQuestion(model=model, sample=0, objective={"name": "move_embedding"}))
    assert said[0].xy.tolist() != said[1].xy.tolist()


def test_without_a_checkpoint_it_is_one_sentence(how: How) -> None:
    this = Store().create(prepare("train", "acai", "digits", changes=TINY))
    with pytest.raises(RunError, match="is stopped and has no checkpoint yet"):
        attack_on(this.key)
    assert not (this.folder / "snapshots").exists()


def test_a_step_that_nobody_kept_is_said(how: How) -> None:
    this = begun(8, how)
    attack_on(this.key)
    with pytest.raises(UnknownName, match="Nobody kept the model of .* at step 9"):
        Store().find(f"{this.key}@9")


def test_a_running_and_a_failed_training_are_attacked(how: How, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "CHECKPOINT_EVERY", 0.0)
    steps = run(prepare("train", "acai", "digits", changes=TINY), how=how)
    for event in steps:
        if isinstance(event, Evaluate) and event.step >= 8:
            break
    this = Store().all()[0]
    assert this.status() == "running"
    taken = Store().as_it_is(this).key
    assert snapshot.step_of(taken) in (4, 8)
    steps.close()
    with (this.folder / "events.jsonl").open("rb+") as file:  # as after a kill -9: it ended without a word
        lines = file.read().split(b"\n")
        file.seek(0)
        file.truncate()
        file.write(b"\n".join(lines[:-2]) + b"\n")
    assert this.status() == "failed"
    assert attack_on(this.key)[1].metrics["model_as_it_was"]


def test_snapshots_that_nothing_builds_on_are_few(how: How) -> None:
    this = begun(4, how)
    held, _ = attack_on(this.key)
    for step in (8, 12, 16, 20):
        until(this.key, step, how)
        Store().as_it_is(this)
        (this.folder / "snapshots" / f"{this.key}@{step}").rename(
            this.folder / "snapshots" / f"{this.key}@{step + 100}"
        )
        Store().as_it_is(this)
    kept = {run_.key for run_ in snapshot.all_of(this)}
    assert f"{this.key}@4" in kept and len(kept) == SNAPSHOTS + 1
    assert Store().find(held).spec.builds_on["model"] == f"{this.key}@4"


def test_the_command_line_attacks_a_stopped_training(how: How, capsys: pytest.CaptureFixture[str]) -> None:
    this = begun(8, how)
    command = "attack fgsm --objective move_embedding --epsilon 0.1 --n 20 --model"
    assert main([*command.split(), this.key]) == 0
    said = capsys.readouterr()
    assert "the model as it was at step 8" in said.err + said.out
    assert main(["show", Store().all()[0].key]) == 0
    shown = capsys.readouterr().out
    assert f"--model {this.key}@8" in shown and "as it was at step 8" in shown
