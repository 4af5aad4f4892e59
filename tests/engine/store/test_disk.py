"""A full disk and a read-only home: one sentence, nothing acknowledged is lost, and reading works."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.asking import computing
from engine.asking.keeping import kept
from engine.asking.questions import LadderQuestion
from engine.cli import main
from engine.errors import DiskError
from engine.events import Evaluate, Failed, Finished, Progress
from engine.running import watching
from engine.running.runner import prepare, resume, run
from engine.store.store import Store

ROOT = Path(__file__).resolve().parents[3]
TINY = {"hidden": (200,), "embedding": 3, "batch": 16, "iterations": 24, "evaluate_every": 4, "starts": 1}
ROOM = 4 << 20
ATTACK = "attack pgd --model digits/adec --epsilon 0.1 --n 500 --steps 2"


def mounted(place: Path, options: str) -> Iterator[Path]:
    """A file system of its own, which only root can make; elsewhere the test is skipped."""
    place.mkdir(exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("file systems cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home on a disk of 4 MB."""
    for place in mounted(tmp_path / "small", f"size={ROOM}"):
        monkeypatch.setenv("FEINT_HOME", str(place))
        yield place


def fill(place: Path, spare: int = 0) -> Path:
    """Take all room on a disk but `spare` bytes."""
    weight = place / "weight"
    with weight.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            file.truncate(max(0, file.tell() - spare))
    return weight


def engine(*typed: str) -> "subprocess.CompletedProcess[str]":
    """A command as a person types it."""
    return subprocess.run(
        [sys.executable, "-m", "engine", *typed], cwd=ROOT, capture_output=True, text=True, check=False
    )


def one_sentence(done: "subprocess.CompletedProcess[str]", says: str) -> None:
    """No traceback, and what was said."""
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr, done.stderr
    assert says in done.stderr, done.stderr


@pytest.mark.parametrize("spare", [0, 4096, 300_000])
def test_a_training_on_a_disk_that_fills_up_fails_in_a_sentence_and_goes_on_later(
    small: Path, monkeypatch: pytest.MonkeyPatch, spare: int
) -> None:
    monkeypatch.setattr(watching, "CHECKPOINT_EVERY", 0.0)
    spec = prepare("train", "acai", "digits", changes=TINY)
    said = []
    for event in run(spec):
        said.append(event)
        if isinstance(event, Evaluate) and event.step == 8:
            weight = fill(small, spare)
    assert isinstance(said[-1], Failed) and "cannot be written: the disk is full" in said[-1].reason, said[-1]
    assert said[-1].resumable
    this = Store().find(spec.key)
    assert this.status() == "failed" and [run_.key for run_ in Store().all()] == [spec.key]
    written = this.events()
    assert [event for event in written if isinstance(event, Evaluate)] == [
        event for event in said if isinstance(event, Evaluate)
    ], "what was said is there"
    assert "the disk is full" in this.reason(), "where its last words could not be written, too"
    assert Store().as_it_is(this).status() == "finished" if spare > 200_000 else True
    weight.unlink()
    *_, last = resume(spec.key)
    assert isinstance(last, Finished), last
    assert this.status() == "finished"


def test_a_run_that_cannot_be_begun_leaves_nothing(small: Path) -> None:
    spec = prepare("attack", "fgsm", models={"model": "digits/adec"}, changes={"n": 10})
    (small / "runs").mkdir()
    fill(small)
    with pytest.raises(DiskError, match="the disk is full.*Free space"):
        list(run(spec))
    assert list((small / "runs").iterdir()) == []


@pytest.mark.long
def test_an_attack_on_a_full_disk_is_one_sentence_on_the_command_line(small: Path) -> None:
    main(["list", "zoo"])  # the catalogue is written while there is room
    weight = fill(small, 16_384)
    done = engine(*ATTACK.split())
    one_sentence(done, "the disk is full")
    assert done.returncode in (1, 2)
    assert main(["runs"]) == 0
    weight.unlink()
    assert main(ATTACK.split()) == 0


def test_a_ladder_on_a_full_disk_is_answered_and_not_kept(small: Path) -> None:
    fill(small)
    question = LadderQuestion(model=Store().find("digits/adec").key, sample=5, seed=77)
    assert len(computing.answer(question).levels) > 1
    assert kept(question) is None


def test_a_half_written_event_is_taken_back(small: Path) -> None:
    this = Store().create(prepare("train", "acai", "digits", changes=TINY))
    this.append(Progress(step=1, total=2))
    weight = fill(small)
    with pytest.raises(DiskError):
        this.append(Progress(step=2, total=2, phase="x" * 10_000))
    weight.unlink()
    this.append(Progress(step=2, total=2))
    assert [event.step for event in this.events()] == [1, 2]


@pytest.fixture
def sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with one finished run that cannot be written any more."""
    for place in mounted(tmp_path / "sealed", "size=64m"):
        monkeypatch.setenv("FEINT_HOME", str(place))
        spec = prepare("attack", "fgsm", models={"model": "digits/adec"}, changes={"n": 10})
        list(run(spec))
        engine("list", "models")  # the catalogue is written while that is allowed
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        assert not os.access(place, os.W_OK)
        yield place
        subprocess.run(["mount", "-o", "remount,rw", str(place)], check=True)


def test_a_home_that_is_read_only_is_read(sealed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = engine("list", "zoo")
    assert listed.returncode == 0 and not listed.stderr
    for typed in ("list models", "runs", "show digits/adec", f"show {Store().all()[0].key}"):
        assert main(typed.split()) == 0 and not capsys.readouterr().err, typed
    assert main(["attack", "fgsm", "--model", "digits/adec", "--n", "10", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["event"] == "finished"


def test_a_home_that_is_read_only_is_not_written(sealed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = engine(*["attack", "fgsm", "--model", "digits/adec", "--n", "11"])
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1, done.stderr
    one_sentence(done, "cannot be written: it is read-only")
    assert main(["train", "ae_kmeans", "--data", "digits", "--hidden", "8", "--iterations", "4"]) == 2
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert "cannot be written: it is read-only" in said
    with pytest.raises(DiskError, match="read-only"):
        Store().delete(Store().all()[0].key)
    assert computing.answer(LadderQuestion(model=Store().find("digits/adec").key, sample=5, seed=78))
