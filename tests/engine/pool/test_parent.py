"""What ends with the process that started it, and how a stop ends where nobody listens: real processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.home import make_home
from engine.pool import parent
from engine.running.runner import prepare
from engine.store.run import Run
from engine.store.store import Store
from tests.engine.pool.test_pool import ROOT, TINY, until

LONG = TINY | {"iterations": 1_000_000}


def tiny(seed: int = 0) -> Run:
    return Store().create(prepare("train", "ae_kmeans", "digits", seed=seed, changes=LONG))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to end by")
@pytest.mark.parametrize("command", ["work", "serve"])
def test_a_child_whose_parent_is_gone_ends_before_it_imports_anything(command: str) -> None:
    words = [command, *([str(tiny().folder)] if command == "work" else []), parent.LEASH]
    child = subprocess.Popen([sys.executable, "-m", "engine", *words], cwd=ROOT, stdin=subprocess.PIPE)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(240) == -signal.SIGTERM, "it ends as a process does that has not got to its own work"


def test_a_stop_whose_words_nobody_hears_is_a_stop() -> None:
    run = tiny(seed=1)
    child = subprocess.Popen(
        [sys.executable, "-m", "engine", "work", str(run.folder), "--json"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert child.stderr is not None
    child.stderr.close()
    until(lambda: len(run.events()) > 2)
    child.send_signal(signal.SIGTERM)
    assert child.wait(240) == 130
    assert run.status() == "stopped", run.reason()


def test_the_store_is_for_its_owners_eyes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEINT_HOME", str(tmp_path / "new" / "home"))
    tiny(seed=2)
    assert (tmp_path / "new" / "home").stat().st_mode & 0o777 == 0o700


def test_what_an_older_feint_left_open_is_closed_and_nobody_elses_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    ours, theirs = tmp_path / "share" / "feint", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir(parents=True)
        folder.chmod(0o755)
    for place in (ours, theirs):
        monkeypatch.setenv("FEINT_HOME", str(place))
        make_home()
    assert [folder.stat().st_mode & 0o777 for folder in (ours, theirs)] == [0o700, 0o755]
    ours.rmdir()
    ours.symlink_to(theirs)
    monkeypatch.delenv("FEINT_HOME")
    assert make_home() == theirs and theirs.stat().st_mode & 0o777 == 0o755
