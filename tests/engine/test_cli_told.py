"""What the command line tells: the numbers that matter first, what was done before, how far a part is."""

import json
from pathlib import Path

import pytest

from engine.cli import computing, main, terminal
from engine.events import Finished, Progress
from engine.store import catalogue
from engine.store.files import write_json
from engine.store.spec import Spec
from engine.store.store import Store

TRAIN = "train acai --data digits --hidden 8 --embedding 3 --iterations 8 --batch 16 --evaluate_every 4"
ATTACK = "attack fgsm --model digits/adec --objective leave_cluster --epsilon 0.1 --n 20"


def test_an_attack_tells_twelve_numbers_and_all_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(ATTACK.split()) == 0
    first = capsys.readouterr().out.splitlines()
    metrics = catalogue.read()["metric"]
    titles = {said["title"] for said in metrics.values()}
    told = [line.split("  ")[0] for line in first if line.split("  ")[0] in titles]
    assert len(told) == 12 and told[0] == "ACC, clean" and "Flip rate, noise" in told
    assert "(all numbers: --all)" in first
    assert main([*ATTACK.split(), "--all"]) == 0
    every = capsys.readouterr().out.splitlines()
    assert len(every) > len(first) + 10 and set(told) < {line.split("  ")[0] for line in every}
    assert main([*ATTACK.split(), "--json"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert len(last["metrics"]) > 30, "JSON is whole"


def test_numbers_that_overflow_are_kept_as_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*ATTACK.split(), "--lam", "1e308", "--json"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["event"] == "finished" and last["metrics"]["objective_mean"] is None
    assert Store().all()[0].result()["objective_mean"] is None


def test_the_first_numbers_come_in_the_order_that_metrics_declare() -> None:
    metrics = {"b": {"headline": 1}, "a": {"headline": 2}, "n": {}, "z": {}, "y": {}}
    measured = {"y": 1.0, "z": 2.0, "n": 5, "a": 3.0, "a_low": 2.0, "a_high": 4.0, "b": 4.0, "words": "all"}
    told = terminal.foremost(measured, metrics, 3)
    assert list(told) == ["b", "a", "n", "a_low", "a_high", "words"]


def test_what_was_done_before_says_so_and_again_makes_it_anew(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    assert main(TRAIN.split()) == 0
    assert "done before" not in capsys.readouterr().err
    (run,) = Store().all()
    weights = run.folder / "state" / "model.safetensors"
    first = weights.stat().st_mtime_ns
    assert main(TRAIN.split()) == 0
    said = capsys.readouterr()
    assert f"done before: run {run.key}, " in said.err and "--again makes it anew" in said.err
    assert "it/s" not in said.err and f"run {run.key}" in said.out, "no bar of what is not done"
    assert main([*TRAIN.split(), "--again", "--threads", "1"]) == 0
    assert "done before" not in capsys.readouterr().err
    assert [each.key for each in Store().all()] == [run.key] and run.status() == "finished"
    assert weights.stat().st_mtime_ns > first


def test_a_training_that_the_zoo_answers_is_said_and_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0 and "No runs yet" in capsys.readouterr().out
    assert main(["train", "adec", "--data", "digits", "--preset", "quick", "--seed", "0"]) == 0
    assert "done before: digits/adec of the zoo" in capsys.readouterr().err
    assert main(["runs"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len(listed) == 2 and listed[1].startswith(Store().find("digits/adec").key) and "zoo" in listed[1]
    assert Store().all() == []


def test_a_zoo_entry_that_is_made_again_is_ones_own_beside_it(tmp_path: Path) -> None:
    spec = Spec(action="train", name="acai", settings={}, data="digits", fingerprint="f" * 16)
    entry = tmp_path / "zoo" / "digits" / "acai"
    entry.mkdir(parents=True)
    write_json(entry / "spec.json", spec.model_dump(mode="json"))
    store = Store(tmp_path / "home", tmp_path / "zoo")
    own = store.anew(spec)
    assert not own.zoo and own.folder.is_dir() and store.all() == [own]
    assert store.find(spec.key).zoo == "digits/acai", "its key still finds the entry"
    assert store.mine(spec.key) == own and store.mine("digits/acai").zoo
    (own.folder / "log.txt").write_text("old")
    assert store.anew(spec) == own and not (own.folder / "log.txt").exists()
    store.note(store.find("digits/acai"))
    assert [run.zoo for run in store.noted()] == ["digits/acai"]


@pytest.mark.parametrize("name", ["done", "cell_done"])
def test_a_part_of_a_study_or_sweep_shows_how_far_it_is(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = [
        Progress(step=2, total=24, phase="comvc, seed 1", values={name: share}) for share in (0.1, 0.43, 0.9)
    ]
    assert terminal.follow([*told, Finished(run="k", metrics={}, seconds=1.0)], False, {}) == 0
    shown = capsys.readouterr().err
    assert "comvc, seed 1" in shown and "2/24" in shown and "43% of this one" in shown


def test_a_training_as_published_says_how_much_longer_it_takes_than_the_preset_for_its_data(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computing, "_show", lambda *_: 0)  # told before anything is computed
    assert main(["train", "simclr", "--data", "digits"]) == 0
    told = capsys.readouterr().err
    assert "simclr as published: 1,000 epochs, 17 times the 60 of its preset for digits." in told
    assert "--preset quick" in told
    for others in ("train simclr --data digits --epochs 1000", "train simclr --data digits --json --seed 1"):
        assert main(others.split()) == 0
        assert "as published" not in capsys.readouterr().err
