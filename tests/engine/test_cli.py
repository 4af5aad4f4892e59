"""The command line: its forms, its lines of JSON, its sentences; in process, with a few real processes."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import engine.__main__ as entry
from engine import registry
from engine.cli import choosing, commands, flags, looking, terminal
from engine.cli.computing import spec_of
from engine.events import Evaluate, Failed, Finished, Progress, Started, Stopped
from engine.store import catalogue, reproduce
from engine.store.files import write_json
from engine.store.spec import Spec
from engine.store.store import Store

ROOT = Path(__file__).resolve().parents[2]
TINY = [
    "--hidden",
    "12",
    "--embedding",
    "3",
    "--batch",
    "16",
    "--iterations",
    "20",
    "--evaluate_every",
    "10",
    "--starts",
    "1",
]
SMALL = ["--device", "cpu", "--precision", "float32", "--threads", "1"]


@pytest.fixture(scope="module")
def entries() -> dict[str, Any]:
    """The catalogue's own part, described once."""
    return registry.catalogue()


@pytest.fixture(autouse=True)
def described(entries: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """No child process to describe the engine."""
    monkeypatch.setattr(catalogue, "_described", lambda place: entries)


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """`typed("train", "acai")` -> exit code, output, errors."""

    def run(*words: str) -> tuple[int, str, str]:
        code = commands.main(list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_train_then_attack_then_sweep_say_their_events(typed: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = typed("train", "ae_kmeans", "--data", "digits", *TINY, *SMALL, "--json")
    events = lines(out)
    assert code == 0 and err == "" and events[0]["event"] == "started"
    evaluated = [event["metrics"] for event in events if event["event"] == "evaluate"]
    assert evaluated and all({"acc", "nmi", "ari"} <= metrics.keys() for metrics in evaluated)
    last = events[-1]
    assert (
        last["event"] == "finished"
        and last["run"]
        and {"acc", "nmi", "ari"} <= last["metrics"].keys()
        and last["seconds"] > 0
    )
    assert typed("train", "ae_kmeans", "--data", "digits", *TINY, "--json") == (
        0,
        out,
        "",
    ), "a finished run says its events again"

    code, out, _ = typed(
        "attack",
        "pgd",
        "--model",
        last["run"][:8],
        "--objective",
        "leave_cluster",
        "--epsilon",
        "0.1",
        "--n",
        "40",
        "--lam",
        "1",
        "--steps",
        "3",
        *SMALL,
        "--json",
    )
    attacked = lines(out)[-1]
    assert code == 0 and attacked["event"] == "finished"
    assert {
        "acc_clean",
        "acc_attacked",
        "acc_attacked_fixed_match",
        "nmi_attacked",
        "flip_rate",
        "noise_flip_rate",
        "knn_acc_clean",
        "knn_acc_attacked",
        "linf_max",
        "l2_mean",
        "n",
    } <= attacked["metrics"].keys()
    assert attacked["metrics"]["n"] == 40
    spec = Store().find(attacked["run"]).spec
    assert (
        spec.settings["lam"] == 1
        and spec.settings["attack_settings"]["steps"] == 3
        and spec.builds_on == {"model": last["run"]}
    )

    code, out, _ = typed(
        "sweep",
        "fgsm",
        "--model",
        last["run"],
        "--objective",
        "leave_cluster",
        "--epsilon",
        "0,0.1",
        "--lam",
        "0,1",
        "--attack-seed",
        "0,1",
        "--n",
        "20",
        *SMALL,
        "--json",
    )
    assert code == 0 and Store().find(lines(out)[-1]["run"]).spec.settings["epsilons"] == [0, 0.1]
    assert sum(event["event"] == "evaluate" for event in lines(out)) == 8

    code, out, _ = typed("runs")
    assert code == 0 and out.count("finished") == 3 and "train ae_kmeans" in out
    assert {row["status"] for row in lines(typed("runs", "--json")[1])} == {"finished"}
    code, out, _ = typed("show", last["run"])
    assert code == 0 and last["run"] in out and "ACC" in out
    again = shlex.split(out[out.index("Made by: ") :].split("\n")[0])[5:]
    code, out, _ = typed(*again, "--json")
    assert code == 0 and lines(out)[-1]["run"] == last["run"] and Store().all()[0].status() == "finished"
    assert lines(typed("show", last["run"], "--json")[1])[-1] == last


def test_minmax_ends_with_its_numbers(typed: Callable[..., tuple[int, str, str]]) -> None:
    model, wanted = "digits/conv_ae", ["--objective", "keep_reconstruction", "--epsilon", "1.0"]
    small = ["--compressed", "8", "--steps", "5", "--n", "10", "--direction", "-1"]
    code, out, _ = typed("attack", "minmax", "--model", model, *wanted, *small, *SMALL, "--json")
    metrics = lines(out)[-1]["metrics"]
    assert code == 0 and metrics["n"] == 10
    assert {
        "success_rate",
        "l2_mean",
        "linf_max",
        "reconstruction_error_clean",
        "reconstruction_error_attacked",
        "mine_mean",
        "closed_form_mean",
    } <= metrics.keys()
    assert metrics["masking_noise_gain"] is None and "strongest_n" not in metrics


def test_without_json_there_is_a_bar_and_a_table(
    typed: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.models.pace.SECONDS", 0.0)
    code, out, err = typed("train", "ae_kmeans", "--data", "digits", *TINY, *SMALL)
    assert code == 0 and "20/20" in err and "it/s" in err
    assert "ACC" in out and out.strip().splitlines()[-1].startswith("run ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], "did you mean train"),
        (["train"], "train needs the name of a model first: acai, acl"),
        (["train", "acia", "--data", "digits"], "did you mean acai"),
        (["train", "acai"], "required: --data"),
        (["train", "acai", "--data", "digist"], "did you mean digits"),
        (["train", "acai", "--data", "nowhere/file.npz"], "nowhere/file.npz"),
        (["train", "acai", "--data", "digits", "--preset", "quikc"], "it has: quick, mnist_test"),
        (["train", "acai", "--data", "digits", "--iteration", "5"], "did you mean --iterations"),
        (
            ["train", "acai", "--data", "digits", "--iterations", "many"],
            "acai.iterations must be a valid integer",
        ),
        (["train", "acai", "--data", "digits", "--iterations", "-5"], "acai.iterations must be greater than"),
        (["train", "adec", "--data", "digits", "--base.rate", "-1"], "rate must be greater than 0; got -1"),
        (["train", "acai", "--data", "digits", "--clusters", "1"], "greater than or equal to 2"),
        (["train", "acai", "--data", "digits", "--clusters", "9999"], "1797 samples"),
        (["train", "acai", "--data", "digits", "--seed", "x"], "invalid int value: 'x'"),
        (["train", "acai", "--data", "digits", "--device", "cuda"], "no CUDA device"),
        (["attack", "pgdd", "--model", "x"], "did you mean pgd"),
        (["attack", "pgd", "--epsilon", "0.1"], "required: --model"),
        (
            ["attack", "pgd", "--model", "digits/nothing", "--objective", "leave_cluster"],
            "No run is called 'digits/nothing'",
        ),
        (["attack", "pgd", "--model", "x", "--objective", "leave_cluster", "--epsilon", "8"], "did you mean"),
        (["attack", "pgd", "--model", "x", "--objective", "leave_clusters"], "did you mean leave_cluster"),
        (["attack", "pgd", "--model", "x", "--norm", "l7"], "attack.norm must be 'linf' or 'l2'; got 'l7'"),
        (["sweep", "pgd", "--model", "x", "--epsilon", "0,lots"], "sweep.epsilons"),
        (
            ["attack", "latent_attack", "--model", "x", "--objective", "flip_and_keep", "--epsilon", "0.1"],
            "it takes no --epsilon",
        ),
        (["attack", "latent_attack", "--model", "x", "--objective", "leave_cluster"], "the same space"),
        (
            ["attack", "latent_attack", "--model", "x", "--objective", "flip_and_keep", "--nu", "-1"],
            "flip_and_keep.nu must be greater than or equal to 0",
        ),
        (
            [
                "attack",
                "latent_attack",
                "--model",
                "noisy_digits/comvc",
                "--fitted",
                "digits/adec",
                "--objective",
                "flip_and_keep",
            ],
            "was fitted to a model",
        ),
        (
            ["attack", "pgd", "--model", "digits/adec", "--objective", "misclassify"],
            "misclassify needs a model that classifies; digits/adec",
        ),
        (["attack", "pgd", "--model", "digits/conv_ae.attack"], "must be a run that trained a model"),
        (
            ["sweep", "latent_attack", "--model", "x", "--objective", "flip_and_keep", "--lam=0,1"],
            "takes no --lam. Say --objective flip_and_keep",
        ),
        (["train", "linear_probe", "--data", "own.npz"], "say --base RUN"),
        (["train", "linear_probe", "--data", "digits", "--encoder", "acia"], "did you mean acai"),
        (["list", "model"], "did you mean models"),
        (["show", "0123456789"], "No run is called"),
        (["resume", "nothing"], "No run is called"),
        (["work", "nowhere"], "There is no run"),
        (["fetch", "mnits"], "did you mean mnist"),
    ],
)
def test_what_is_wrong_is_said_in_three_lines(
    typed: Callable[..., tuple[int, str, str]], words: list[str], said: str
) -> None:
    code, out, err = typed(*words)
    assert code == 2 and out == "", err
    assert said in err and "Traceback" not in err and len(err.splitlines()) <= 3


@pytest.mark.long
@pytest.mark.parametrize("what", list(looking.KINDS))
def test_everything_registered_is_listed(typed: Callable[..., tuple[int, str, str]], what: str) -> None:
    code, out, _ = typed("list", what, "--json")
    names = [entry["name"] for entry in lines(out)]
    assert code == 0 and all(entry["list"] == what for entry in lines(out))
    kind = looking.KINDS[what]
    if kind in ("model", "attack", "objective", "metric", "study"):
        assert names == registry.names(kind)
    assert all(name in typed("list")[1] for name in names)


@pytest.mark.parametrize("model", registry.names("model"))
def test_every_setting_of_every_model_has_a_flag(model: str, entries: dict[str, Any]) -> None:
    entry = entries["model"][model]
    schema = entry["schema"]
    parser = flags.Parser(prog="train")
    flags.add_fields(parser, entry)
    typed = [
        word
        for name, value in reproduce._leaves(entry["defaults"], schema, schema.get("$defs", {}))
        for word in (f"--{name}", value if isinstance(value, str) else json.dumps(value))
    ]
    chosen = registry.find("model", model).preset(None, **flags.changes(parser.finish(typed)))
    assert chosen == registry.find("model", model)()
    assert parser.format_help()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("0.5", 0.5),
        ("1e-3", 1e-3),
        ("true", True),
        ("False", False),
        ("word", "word"),
        ("500,500", [500, 500]),
        ("[1, 2]", [1, 2]),
        ("null", None),
        ("NaN", "NaN"),
        ("a,b", ["a", "b"]),
    ],
)
def test_what_is_typed_becomes_a_value(text: str, value: Any) -> None:
    assert flags.value(text) == value


def test_a_failed_and_a_stopped_run_say_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    told = [
        Started(run="k", title="Train"),
        Progress(step=1, total=2),
        Evaluate(step=1, total=2, metrics={"acc": 0.5}),
    ]
    assert terminal.follow([*told, Failed(run="k", reason="because", resumable=True)], False, {}) == 1
    assert "failed: because" in (err := capsys.readouterr().err) and "resume k" in err
    assert terminal.follow([*told, Stopped(run="k", step=1)], False, {}) == 130
    assert "stopped at step 1" in capsys.readouterr().err
    assert terminal.follow([*told, Stopped(run="k", step=0)], False, {}) == 130
    said = capsys.readouterr().err
    assert "before a checkpoint of its own (what it builds on is kept)" in said and "resume k" in said
    done = Finished(run="k", metrics={"rate": 0.5, "rate_low": 0.4, "rate_high": 0.6, "sizes": [1]})
    assert terminal.follow([*told, done], False, {}) == 0
    assert "rate  0.5  (0.4 to 0.6)" in capsys.readouterr().out


def test_without_the_requirements_the_venv_runs_it_or_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(entry, "find_spec", lambda name: None)
    monkeypatch.setattr(entry, "VENV", tmp_path / ".venv" / "bin" / "python")
    assert entry.main() == 2
    assert len((err := capsys.readouterr().err).splitlines()) == 1 and "python3 -m app" in err
    entry.VENV.parent.mkdir(parents=True)
    entry.VENV.touch()
    ran: list[list[str]] = []
    monkeypatch.setattr(entry.os, "execv", lambda path, command: ran.append(command))
    monkeypatch.setattr(entry.sys, "argv", ["engine", "list", "models"])
    monkeypatch.setattr(entry.subprocess, "run", lambda command, check: type("Ended", (), {"returncode": 0}))
    assert entry.main() == 0
    assert ran == [[str(entry.VENV), "-m", "engine", "list", "models"]]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "engine", *words]


def test_a_wrong_name_costs_no_torch_and_no_traceback() -> None:
    ended = subprocess.run(command("list", "modles"), cwd=ROOT, capture_output=True, text=True)
    assert (
        ended.returncode == 2
        and "did you mean models" in ended.stderr
        and len(ended.stderr.splitlines()) == 1
    )
    code = "import sys; import engine.cli; sys.exit('torch' in sys.modules or 'distributed' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_the_catalogue_is_written_once_and_read_back(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(catalogue, "SILENCE", 0.0)
    ended = catalogue._make()
    assert caplog.messages == [catalogue.WAITING], "what a person waits for is said once"
    assert ended.returncode == 0, ended.stderr
    file = Path(ended.stdout.strip())
    assert file == catalogue.file() and file.is_relative_to(home)
    written = json.loads(file.read_text())
    assert written.keys() == {*registry.KINDS, "problems"} and written["problems"] == []
    assert {"acai", "adec"} <= written["model"].keys()
    assert written["action"]["train"]["lane"] == "train" and written["action"]["attack"]["lane"] == "attack"


def test_ctrl_c_saves_and_resume_goes_on(home: Path) -> None:
    words = ["train", "ae_kmeans", "--data", "digits", *TINY, *SMALL, "--json"]
    words[words.index("20")] = "1000000"
    words[words.index("10")] = "1000000"
    process = subprocess.Popen(
        command(*words), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if json.loads(line)["event"] == "progress":
            break
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130 and time.monotonic() - began < 10
    last = json.loads(out.splitlines()[-1])
    assert last["event"] == "stopped" and last["step"] > 0 and "Traceback" not in err
    assert Store().find(last["run"]).status() == "stopped"
    resumed = subprocess.Popen(
        command("resume", last["run"], "--json"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )
    first = json.loads(resumed.stdout.readline())
    assert first["event"] == "started" and first["step"] == last["step"]
    resumed.terminate()
    resumed.communicate(timeout=30)
    assert Store().find(last["run"]).status() == "stopped"


def test_a_sweep_s_cells_show_what_was_measured_of_them() -> None:
    metrics = {
        "flip_rate": {"title": "Flip rate", "headline": 6},
        "acc_attacked": {"title": "ACC, attacked", "headline": 2},
        "objective_mean": {"title": "Objective", "headline": None},
    }
    where = {"epsilon": 0.1, "lam": 0.0, "seed": 0.0}
    rates = {"acc_attacked": 0.5, "flip_rate": 0.25, "flip_rate_low": 0.1, "flip_rate_high": 0.4, "n": 20}
    head, row = terminal.cells([where | {"metrics": rates | {"success_rate": 0.25}}], metrics)
    assert head == ["ε", "λ", "seed", "ACC, attacked", "Flip rate", "n"]
    assert row == ["0.1", "0", "0", "0.5", "0.25 (0.10 to 0.40)", "20"]
    head, row = terminal.cells([where | {"metrics": {"objective_mean": 3.5, "n": 20}}], metrics)
    assert head == ["ε", "λ", "seed", "Objective", "n"] and row[3:] == ["3.5", "20"]


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize(
    ("command", "known"), [("train", "adec"), ("attack", "pgd"), ("study", "robust.table1")]
)
def test_help_without_a_name_lists_the_names(
    command: str, known: str, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main([command, flag])
    assert ended.value.code == 0 and known in capsys.readouterr().out


def test_a_run_of_a_method_that_is_not_here_is_shown_with_one_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = Store().create(
        Spec(
            action="attack",
            name="my_attack",
            settings={"attack": "my_attack", "attack_settings": {}},
            data="digits",
            fingerprint="0" * 16,
            builds_on={"model": Store().find("digits/adec").key},
        )
    )
    assert commands.main(["show", made.key]) == 0
    said = capsys.readouterr().out
    assert "No attack is called 'my_attack'" in said and "name its folder in FEINT_PLUGINS" in said


def test_runs_say_their_declared_first_numbers(
    typed: Callable[..., tuple[int, str, str]], home: Path
) -> None:
    results: dict[str, dict[str, Any]] = {
        "linear_probe": {"accuracy_test": 0.75},
        "acai": {"acc": 0.5, "nmi": 0.25, "seconds": 9.0},
        "pgd": {"accuracy_clean": 0.9, "accuracy_attacked": 0.1, "success_rate": 0.8}
        | {"noise_success_rate": 0.0625, "class_flip_rate": 0.7},
        "fgsm": {
            "cells": [{"metrics": {"acc_clean": 0.5, "acc_attacked": value}} for value in (0.25, 0.125)]
        },
    }
    for name, result in results.items():
        run = Store().create(Spec(action="train", name=name, settings={}, data="digits", fingerprint="f"))
        run.append(Finished(run=run.key, metrics={}))
        write_json(run.folder / "result.json", result)
    code, out, _ = typed("runs")
    said = {line.split()[3]: line.split("  ", 6)[-1].strip() for line in out.splitlines()[1:]}
    assert code == 0 and set(said) == set(results)
    assert said["linear_probe"].endswith("accuracy_test 0.75")
    assert said["acai"].endswith("acc 0.5  nmi 0.25")
    assert said["pgd"].endswith(
        "accuracy_clean 0.9  accuracy_attacked 0.1  success_rate 0.8  noise_success_rate 0.0625"
    )
    assert said["fgsm"].endswith("acc_clean 0.5  acc_attacked 0.125 to 0.25")


def test_a_number_of_fewer_samples_says_of_how_many(entries: dict[str, Any]) -> None:
    measured = {"success_rate": 0.5, "strongest_success_rate": 0.75, "strongest_n": 100}
    told = terminal.foremost(measured | {"n": 300}, entries["metric"], 2)
    assert "strongest_n" not in told
    rows = dict(terminal.metric_rows(told, entries["metric"], measured))
    assert rows["Success, strongest attack"] == "0.75  n = 100" and "n =" not in rows["Success"]


def test_a_study_s_row_shows_its_declared_controls(entries: dict[str, Any]) -> None:
    row = {"model": "adec", "about": {"epsilon": 0.1}, "published": {"acc": 0.5}, "doubtful": ["acc"]}
    means = {"class_flip_rate": 0.5, "noise_class_flip_rate": 0.125, "n": 20.0, "acc_clean": None}
    measured = {"acc": {"mean": 0.25, "spread": 0.01}}
    row |= {"measured": measured, "controls": {name: {"mean": mean} for name, mean in means.items()}}
    shown = dict(zip(terminal.STUDY_HEAD, terminal.study_row(row, entries["metric"]), strict=True))
    assert shown["published"] == "acc 0.5?" and shown["measured"] == "0.25"
    assert shown["controls"] == "Class flip rate 0.5; Class flip rate, noise 0.125"


def test_a_probe_without_base_reads_the_encoder_that_is_meant_for_the_data() -> None:
    def key(*words: str) -> str:
        return spec_of(choosing.typed("train", ["linear_probe", *words]).wanted).key

    assert key("--data", "digits") == key("--data", "digits", "--preset", "quick")
    assert key("--data", "digits") != key("--data", "digits", "--encoder", "adec")
    made = choosing.typed("train", ["linear_probe", "--data", "digits", "--encoder", "adec"]).wanted
    assert spec_of(made).builds_on["base"] == Store().find("digits/adec").key
    own = choosing.typed("train", ["linear_probe", "--base", "digits/adec"]).wanted
    assert own.changes == {}, "a run that is given says everything itself"


def test_an_attack_takes_the_fields_that_its_space_and_axes_leave(entries: dict[str, Any]) -> None:
    assert not choosing._meaningless(entries["attack"]["mv_gan"], entries)
    latent = entries["attack"]["latent_attack"]
    assert set(choosing._meaningless(latent, entries)) == {
        *("epsilon", "epsilons", "norm", "locked", "fixed", "lam", "lams", "cluster")
    }
    weighed = choosing._meaningless(latent | {"axes": ["nu", "lambda"]}, entries)
    assert "lam" not in weighed and "epsilon" in weighed


def test_help_tells_limits_and_where_a_default_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        commands.main(["train", "adec", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "At least 1, at most 1e+06." in said and "source: ADEC, section 5)" in said
    with pytest.raises(SystemExit):
        commands.main(["attack", "pgd", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "Gradient steps of one start; 0: the start itself. At least 0, at most 1000. (default: 20)" in said
    assert "Greater than 0." in said  # of a setting that may be left open
