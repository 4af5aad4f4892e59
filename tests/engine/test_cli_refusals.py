"""What the command line refuses: one sentence, exit 2, no traceback and no folder of a run left behind."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.cli import main
from engine.home import home
from engine.store import catalogue
from engine.store.store import Store

DEEP = 20_000
ATTACK = "attack pgd --model digits/adec --objective leave_cluster"
MINMAX = "attack minmax --model digits/conv_ae --objective keep_reconstruction"
TRAIN = "train ae_kmeans --data digits --preset quick"


@pytest.fixture(scope="module", autouse=True)
def described() -> None:
    """The catalogue is written before anybody looks at what was said."""
    catalogue.read()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("train ae_kmeans --data= --preset quick", "needs data: a name or a file"),
        (f"train ae_kmeans --data {'a' * 300}", "No data set is called 'aaa"),
        (f"train ae_kmeans --data {'a' * 300}.npz", "There is no file"),
        ("train ae_kmeans --data ~nobody-here/x.npz", "There is no file ~nobody-here"),
        ("train ae_kmeans --data /", "No data set is called"),
        (f"train {'a' * 300} --data digits", "No model is called 'aaa"),
        (f"{TRAIN} --device mps", "device must be auto, cpu, cuda, or one such as cuda:1; got 'mps'"),
        (f"{TRAIN} --device cuda:x", "device must be auto, cpu, cuda"),
        (f"{TRAIN} --precision float16", "precision must be auto, float32 or bfloat16"),
        (f"{TRAIN} --threads=-1", "threads must be from 1 to 1024; got -1"),
        (f"{TRAIN} --threads 0", "threads must be from 1 to 1024; got 0"),
        (f"{TRAIN} --threads 100000000", "threads must be from 1 to 1024"),
        (f"{TRAIN} --hidden=-1", "hidden.0 must be greater than or equal to 1; got -1"),
        (f"{TRAIN} --hidden 0", "hidden.0 must be greater than or equal to 1; got 0"),
        (f"{TRAIN} --hidden 100000000,100000000", "weights, which take .* GB while it trains"),
        (f"{TRAIN} --hidden=", "hidden.0 must be a valid integer"),
        (f"{TRAIN} --clusters 1000000000", "1000000000 clusters were asked for, but digits has 1797"),
        (f"{TRAIN} --clusters {'9' * 5000}", "train.clusters must be"),
        (f"{TRAIN} --seed=-1", "seed must be a whole number from 0"),
        (f"{TRAIN} --seed {2**31}", "seed must be a whole number from 0"),
        (f"train ae_kmeans --data digits --hidden {'[' * DEEP}", "JSON that is nested a few times at most"),
        (f"{ATTACK} --objective_settings {'[' * DEEP}", "JSON that is nested a few times at most"),
        (f"{ATTACK} --epsilon {'[' * DEEP}", "JSON that is nested a few times at most"),
        (f"{ATTACK} --epsilon nan", "epsilon must be a finite number"),
        (f"{ATTACK} --epsilon {'9' * 5000}", "epsilon must be"),
        (f"{ATTACK} --locked 0", "every view is locked"),
        (f"{ATTACK} --norm l2 --epsilon 9", r"epsilon must be in \[0, 8\]; got 9"),
        ("sweep pgd --model digits/adec --norm l2 --epsilon 1,9", r"epsilon must be in \[0, 8\]; got 9"),
        (f"{MINMAX} --epsilon 1 --compressed 1", "compressed must be greater than or equal to 2; got 1"),
        (f"{MINMAX} --epsilon 0", "minmax needs an ε above 0"),
        (f"{MINMAX} --direction 2", "direction must be -1 or 1; got '2'"),
        (f"{MINMAX} --lam 1", "minmax needs an objective that says when it is met"),
        (
            "attack minmax --model noisy_digits/comvc --objective keep_reconstruction",
            "model that reconstructs",
        ),
        ("attack minmax --model noisy_digits/comvc --objective misclassify", "model that classifies"),
        ("place --model digits/conv_ae.attack", "model must be a run that trained a model"),
        (f"{ATTACK} --n 0", "n must be greater than or equal to 1"),
        (f"attack pgd --model {'a' * 300}", "No run is called 'aaa"),
        ("attack pgd --model ☃", "No run is called"),
        ("attack pgd --model adec", "did you mean digits/adec"),
        ("attack pgd --model digits/adecc", "did you mean digits/adec"),
        ("attack pgd --model @", "No run is called"),
        ("attack pdg --model digits/adec", "did you mean pgd"),
        ("sweep pgd --model digits/adec --epsilon=,", "epsilons must be a list of at least 1"),
        ("sweep pgd --model digits/adec --attack-seed=-1", "attack_seeds.0 must be greater than or equal"),
        ("show 7", "No run is called '7'; known: .*digits/acai, .* … and [0-9]+ more"),
        ("train nothing --data digits", "known: .* and [0-9]+ more"),
        (
            "train adec --data digits --hidden=-1",
            r"did you mean --base.hidden \(1 to 6 numbers, each at least 1",
        ),
        ("train comvc --data digits --hidden=-1", "`python3 -m engine train comvc --help` tells every"),
        ("show ..", "No run is called"),
        (f"show {'x' * 5000}", "No run is called 'xxx"),
        ("show 0123456789abcdef", "A link carries only a run's key"),
        ("resume adec", "did you mean digits/adec"),
        ("work /dev/null", "There is no run in /dev/null"),
        ("work /nowhere/at/all", "There is no run in /nowhere"),
        ("serve --port 99999", "port must be from 1 to 65535"),
        ("serve --port=-1", "port must be from 1 to 65535"),
        ("study ar_dmvc.table1 --seeds 1000000000000", "seeds must be less than or equal to 100"),
    ],
)
def test_it_is_one_sentence(typed: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(typed.split(" ")) == 2
    said = capsys.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1 and len(said.err) < 700, said.err
    assert said.err.startswith("feint: ") and re.search(says, said.err), said.err
    assert Store().all() == []


def test_a_key_that_begins_so_is_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    key = _copied("digits/adec")
    assert main(["show", key[:2]]) == 2
    assert key in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[" * DEEP, '{"a":' * DEEP, "", "[]", "\0", "null", '{"format": 1e999}'])
@pytest.mark.parametrize("name", ["spec.json", "card.json", "result.json", "control.json", "events.jsonl"])
def test_what_is_damaged_in_a_runs_folder_is_a_sentence(
    name: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    key = _copied("digits/adec")
    (Store().folder / key / name).write_text(text)
    for command in ("runs", f"show {key}", f"show {key} --json"):
        assert main(command.split()) in (0, 2), command
        assert len(capsys.readouterr().err.splitlines()) <= 1, command


def test_a_folder_where_a_file_should_be_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    key = _copied("digits/adec")
    (Store().folder / key / "spec.json").unlink()
    (Store().folder / key / "spec.json").mkdir()
    assert main(["show", key]) == 2
    assert "spec.json" in capsys.readouterr().err
    assert main(["runs"]) == 0 and "broken" in capsys.readouterr().out


def _copied(name: str) -> str:
    """A run of one's own with the files of a zoo entry but another seed; its key."""
    entry = Store().find(name)
    spec = entry.spec.model_copy(update={"seed": 12345})
    folder = home() / "runs" / spec.key
    shutil.copytree(entry.folder, folder)
    (folder / "spec.json").write_text(json.dumps(spec.model_dump(mode="json")))
    return spec.key


def test_data_in_the_folder_of_data_are_called_by_the_files_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = rng.uniform(size=(3, 6, 6))[y] + rng.normal(0, 0.05, size=(60, 6, 6))
    np.savez(tmp_path / "mine.npz", x=x.clip(0, 1), y=y)
    monkeypatch.setenv("FEINT_DATA", str(tmp_path))
    small = "--hidden 8 --embedding 3 --iterations 8 --batch 16 --evaluate_every 4 --starts 1"
    assert main(f"train acai --data mine {small}".split()) == 0
    (run,) = Store().all()
    assert run.spec.data == str(tmp_path / "mine.npz")
    assert main(f"attack pgd --model {run.key} --epsilon 0.1 --n 20 --steps 2".split()) == 0
    assert main(["train", "acai", "--data", "mein"]) == 2
    assert "No data set is called 'mein'" in capsys.readouterr().err
