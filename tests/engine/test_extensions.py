"""A person's own files: found as the house's own are; one that does not load is named in a sentence."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine import data, extensions, registry
from engine.errors import RegistrationError
from engine.models.protocols import ABILITIES
from engine.running.runner import prepare, run
from engine.settings import Settings
from engine.store import catalogue
from engine.store.run import Run
from engine.store.store import Store
from tests.engine.extended import EXAMPLES, SMALL, examples, extended_by

ROOT = Path(__file__).resolve().parents[2]
OWN = """
from typing import ClassVar
from engine.attacks.pgd import PGD
from engine.registry import Metric, register, register_metric

@register
class Own(PGD):
    name: ClassVar[str] = "{name}"
    presets = {presets}

{more}
"""


def own(name: str = "own", presets: str = "{}", more: str = "") -> str:
    """The source of a file with one attack."""
    return OWN.format(name=name, presets=presets, more=more)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Callable[..., list[str]]]:
    """`folder(own=own(), bad="def")` -> the problems of a folder with these files."""
    place = tmp_path / "plugins"
    place.mkdir()
    with extended_by(place):

        def written(**files: str) -> list[str]:
            for name, source in files.items():
                (place / f"{name}.py").write_text(source, encoding="utf-8")
            return registry.problems()

        yield written


def test_a_file_is_found_beside_the_house_s_own(folder: Callable[..., list[str]]) -> None:
    assert folder(one=own(), two="from feint_plugins.one import Own\n\nclass Other(Own):\n    pass\n") == []
    assert registry.find("attack", "own")(steps=3).steps == 3
    assert registry.catalogue()["attack"]["own"]["space"] == "pixels"
    assert "pgd" in registry.names("attack")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def broken(:\n    pass\n", "SyntaxError: .* \\(line 1\\)"),
        ("import no_such_package_here\n", "No module named 'no_such_package_here' \\(line 1\\)"),
        ("x = 1\nassert x == 2, 'two is wanted'\n", "AssertionError: two is wanted \\(line 2\\)"),
        ("import sys\n\nsys.exit(1)\n", "SystemExit: 1 \\(line 3\\)"),
        (own("pgd"), "'pgd' is engine.attacks.pgd.PGD already; give feint_plugins.wrong.Own another name"),
        (own("Own Attack"), "must be lower case letters, digits and _; got 'Own Attack'"),
        (own(presets="{'many': {'steps': -1}}"), "own.steps must be greater than or equal to 0; got -1"),
        (own(more="register_metric(Metric('acc', 'Mine', 'Mine.'))"), "The metric 'acc' .* declared already"),
        (own().replace("@register\n", ""), "Own has a name but is not registered; put @register above it"),
        (own(more="register_metric(Metric('mine', 'Mine', 'M.', of='atack'))"), "it is of 'atack' and needs"),
        (
            own(more="register_metric(Metric('m', 'M', 'M.', needs=('cluster',)))"),
            "and needs \\('cluster',\\)",
        ),
        (own(more="@register\nclass Nothing:\n    kind = 'nothing'"), "its kind is 'nothing'"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_sentence(
    folder: Callable[..., list[str]], source: str, reason: str
) -> None:
    (sentence,) = folder(wrong=source, right=own("right"))
    assert "wrong.py was not loaded: " in sentence and sentence.endswith("everything else works without it.")
    assert "\n" not in sentence
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(sentence)
    assert {"right", "pgd"} <= set(registry.names("attack")) and "own" not in registry.names("attack")
    assert registry.find("attack", "pgd").__module__ == "engine.attacks.pgd"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with extended_by(tmp_path / "nowhere"):
        (sentence,) = registry.problems()
        assert "nowhere, which is no folder here" in sentence and registry.names("attack")


def test_several_folders_and_a_relative_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FEINT_PLUGINS", os.pathsep.join([str(tmp_path), "mine"]))
    assert extensions.folders() == [tmp_path, ROOT / "mine"]
    monkeypatch.delenv("FEINT_PLUGINS")
    assert extensions.folders() == []


@pytest.mark.parametrize("missing", ["name", "title", "source"])
def test_a_class_must_say_what_it_is(missing: str) -> None:
    said = {"kind": "attack", "name": "own", "title": "Own", "source": "Here"} | {missing: ""}
    with pytest.raises(RegistrationError, match=f"its {missing} is empty"):
        registry.register(type("Own", (Settings,), said))


def test_the_catalogue_follows_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def place() -> str:
        catalogue._place.cache_clear()
        return catalogue._place()

    without = place()
    monkeypatch.setenv("FEINT_PLUGINS", str(tmp_path))
    (tmp_path / "one.py").write_text("x = 1\n")
    first = place()
    (tmp_path / "one.py").write_text("x = 2\n")
    assert len({without, first, place()}) == 3
    monkeypatch.delenv("FEINT_PLUGINS")
    assert place() == without


@pytest.mark.long
def test_commands_know_the_files_and_name_the_bad_ones(tmp_path: Path, home: Path) -> None:
    (tmp_path / "right.py").write_text(own("right"))
    (tmp_path / "wrong.py").write_text("def")

    def typed(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "engine", *words],
            cwd=ROOT,
            env=os.environ | {"FEINT_PLUGINS": str(tmp_path)},
            capture_output=True,
            text=True,
        )

    listed = typed("list", "attacks", "--json")
    assert {"right", "pgd"} <= {json.loads(line)["name"] for line in listed.stdout.splitlines()}
    assert "wrong.py was not loaded" in listed.stderr and listed.stderr.count("not loaded") == 1
    attacked = typed("attack", "right", "--model", "digits/adec", "--epsilon", "0.1", "--n", "8", "--json")
    assert json.loads(attacked.stdout.splitlines()[-1])["event"] == "finished", attacked.stderr
    assert "wrong.py was not loaded" in attacked.stderr


NEW = {
    "model": "dcn",
    "attack": "mi_fgsm",
    "objective": "raise_entropy",
    "data": "bars",
    "metric": "rms_change",
}
"""What the examples add, one file each."""


@pytest.fixture
def extended(tmp_path: Path) -> Iterator[Path]:
    """The examples in a folder outside the repository, and named by FEINT_PLUGINS."""
    with extended_by(examples(tmp_path / "examples")) as folder:
        yield folder


def finished(action: str, name: str, *on: str, model: str | None = None, **changes: object) -> Run:
    """A run made here, to its end."""
    models = {"model": model} if model else None
    spec = prepare(action, name, *on, models=models, changes=changes)
    last = list(run(spec))[-1]
    assert last.event == "finished", last
    return Store().find(spec.key)


def test_one_file_each_and_no_other_line(extended: Path) -> None:
    assert registry.problems() == []
    assert {file.stem for file in EXAMPLES.glob("*.py")} == set(NEW.values())
    described = registry.catalogue()
    for kind, name in NEW.items():
        assert described[kind][name]["title"]
    assert all(len(file.read_text().splitlines()) < 130 for file in EXAMPLES.glob("*.py"))


def test_its_data_are_loaded_by_name_and_its_card_needs_no_import(extended: Path) -> None:
    described = registry.catalogue()["data"]
    assert "bars" not in data.cards() and catalogue._data(described)["bars"]["here"]
    found = data.load("bars")
    assert found.views.shapes == ((1, 8, 8),) and sum(described["bars"]["counts"]) == len(found)
    assert found.fingerprint == registry.find("data", "bars")().load().fingerprint


def test_it_is_trained_attacked_and_swept(extended: Path) -> None:
    trained = finished("train", "dcn", "bars", **SMALL)
    assert trained.result()["acc"] > 0.5 and list(trained.spec.builds_on) == ["base"]
    assert Store().find(trained.spec.builds_on["base"]).spec.name == "ae_kmeans"
    last = [event for event in trained.events() if event.event == "evaluate"][-1]
    assert last.values.keys() == {"copying", "k_means_gap"}
    attacked = finished(
        "attack", "mi_fgsm", model=trained.key, objective="raise_entropy", epsilon=0.2, steps=5, n=40
    )
    assert 0 < attacked.result()["rms_change"] <= 0.2 and "success_rate" not in attacked.result()
    assert attacked.table("samples")["rms_change"].between(0, 0.2).all()
    swept = finished("sweep", "mi_fgsm", model=trained.key, epsilons=[0.0, 0.2], n=20, steps=3)
    clean, moved = (cell["metrics"] for cell in swept.result()["cells"])
    assert clean["rms_change"] == 0 < moved["rms_change"] and clean["flip_rate"] <= moved["flip_rate"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"abilities": ("encodes", "cluster")}, "abilities must name some of: encodes, .*; got 'cluster'"),
        ({"fits": {"digits": "fast"}}, "fits must name some of: .*; got 'fast'"),
    ],
)
def test_a_model_that_contradicts_itself_is_refused(changed: dict[str, object], reason: str) -> None:
    model = type("Wrong", (registry.find("model", "ae_kmeans"),), changed)
    with pytest.raises(RegistrationError, match=reason):
        registry.describe(model)


def test_the_needs_of_metrics_name_all_abilities() -> None:
    assert set(ABILITIES) == registry.ABILITIES
