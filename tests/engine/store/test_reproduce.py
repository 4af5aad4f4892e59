"""What is printed makes the same run: the command through the command line's own parser, the Python as it
stands.
"""

import ast
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from engine import data as engine_data
from engine import registry
from engine.cli.choosing import typed
from engine.cli.computing import spec_of
from engine.events import Finished
from engine.running.runner import prepare
from engine.store import catalogue
from engine.store.files import write_json
from engine.store.reproduce import command, least, lines, nearest_preset, python, wanted_of
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import Store
from engine.store.wanted import Wanted
from engine.studies.study import Study

ENTRIES = registry.catalogue()
ZOO = sorted(Store().zoo())
STUDIES = sorted(ENTRIES["study"])


@pytest.fixture(autouse=True)
def _described(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue without a child process that writes it."""
    monkeypatch.setattr(catalogue, "read", lambda: ENTRIES)


@cache
def here() -> set[str]:
    """Names of the data that load without a network."""
    return {name for name, card in engine_data.cards().items() if card["here"]}


def from_command(text: str) -> Spec:
    """What the command line makes of a printed command."""
    python3, _, engine, action, *words = shlex.split(text)
    assert (python3, engine) == ("python3", "engine")
    return spec_of(typed(action, words).wanted)


def from_python(code: str) -> Spec:
    """What the printed Python prepares."""
    calls = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))
    call = next(node for node in calls if ast.unparse(node.func) == "prepare")
    named = {str(part.arg): ast.literal_eval(part.value) for part in call.keywords}
    return prepare(*(ast.literal_eval(part) for part in call.args), **named)


def made_again(spec: Spec) -> tuple[str, str]:
    """The keys that the printed command and the printed Python give."""
    found = lines(spec, ENTRIES, Store())
    return from_command(found["Command line"]).key, from_python(found["Python"]).key


@pytest.mark.parametrize("name", ZOO)
def test_every_zoo_entry_is_made_again(name: str) -> None:
    spec = Store().find(name).spec
    if spec.data not in here():  # its data are not embedded: only the choices can be compared
        wanted = wanted_of(spec, ENTRIES, Store())
        words = shlex.split(command(wanted, ENTRIES))[4:]
        assert least(typed(spec.action, words).wanted, ENTRIES, Store()) == wanted
        return
    assert made_again(spec) == (spec.key, spec.key)


@pytest.mark.parametrize(
    ("name", "size"),
    [(name, size) for name in STUDIES for size in ENTRIES["study"][name]["measured_on"] if size != "paper"],
)
def test_every_study_is_made_again(name: str, size: str) -> None:
    wanted = Wanted("study", name, changes={"size": size, "seeds": 2})
    data = Study.choose(name, None, wanted.changes).chosen.data()
    if data not in here():
        assert typed("study", shlex.split(command(wanted, ENTRIES))[4:]).wanted == wanted
        return
    spec = prepare("study", name, data, changes=wanted.changes)
    assert made_again(spec) == (spec.key, spec.key)


def finished(store: Store, spec: Spec) -> Run:
    """A run that says it is finished, with the header of a model like it, and no weights."""
    run = store.create(spec)
    if run.status() != "finished" and not run.zoo:
        run.append(Finished(run=run.key))
        write_json(run.folder / "result.json", {"seconds": 1})
    return run


@pytest.mark.long
@pytest.mark.parametrize("name", STUDIES)
def test_every_run_of_a_study_is_made_again(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "engine.running.preparing.check_shapes", lambda *_: type("Header", (), {"clusters": 10})
    )
    store, seen = Store(), set()  # commands that differ in numbers alone are read alike: one of each is tried
    cases = Study.choose(name, None, {}).chosen.cases()
    for case in cases:
        if case.training is None or case.training.base or case.training.data not in here():
            continue
        train, asked = case.training, case.attacking
        command = (train.model, train.data, train.preset, *sorted(train.changes))
        attacked = () if asked is None else (asked.attack, asked.data, asked.preset, *sorted(asked.changes))
        if (command, attacked) in seen:
            continue
        seen.add((command, attacked))
        spec = prepare("train", train.model, train.data, preset=train.preset, changes=train.changes)
        assert made_again(spec) == (spec.key, spec.key)
        if asked is None or asked.fitted or (asked.data or train.data) not in here():
            continue
        models = {"model": finished(store, spec).key}
        attack = prepare(
            "attack", asked.attack, asked.data, preset=asked.preset, changes=asked.changes, models=models
        )
        assert made_again(attack) == (attack.key, attack.key)
    assert seen or all(case.training is None or case.training.base for case in cases)


CHOICES: list[tuple[str, str, dict[str, Any], str | None]] = [
    ("attack", "pgd", {"steps": 3, "restarts": 2, "epsilon": 0.25, "norm": "l2"}, None),
    ("attack", "pgd", {"objective": "go_to_cluster", "objective_settings": {"cluster": 2}}, None),
    ("attack", "pgd", {"objective": "go_to_cluster", "cluster": 2}, None),
    ("attack", "fgsm", {"lam": 3.5, "n": 17, "chunk": 5}, None),
    ("attack", "mv_gan", {"objective": "mv_disrupt", "locked": (1,), "half": "second"}, "as_released"),
    ("attack", "mv_gan", {"protocol": "inductive", "rate": 1e-05}, None),
    ("sweep", "pgd", {"epsilons": (0.0, 0.1), "lams": (0.0, 2.0), "attack_seeds": (3, 4), "steps": 2}, None),
    ("sweep", "pgd", {"epsilons": (0.1,), "attack_seeds": (7,), "locked": (0,)}, None),
    ("pairs", "pgd", {"epsilon": 0.2, "n": 30, "levels": 5}, None),
    ("place", "place", {"umap": False}, None),
    ("place", "place", {}, None),
]


@pytest.mark.parametrize(("action", "name", "changes", "preset"), CHOICES)
def test_choices_on_a_model_are_made_again(
    action: str, name: str, changes: dict[str, Any], preset: str | None
) -> None:
    models = {"model": "noisy_digits/comvc" if "mv" in name or "locked" in changes else "digits/adec"}
    spec = prepare(action, name, seed=5, preset=preset, changes=changes, models=models)
    assert made_again(spec) == (spec.key, spec.key)
    wanted = Wanted(action, name, None, 5, preset, changes, models)
    assert from_command(lines(wanted, ENTRIES, Store())["Command line"]).key == spec.key


@pytest.mark.parametrize(
    ("name", "preset", "changes"),
    [
        ("adec", "quick", {"base.hidden": [8], "adv_weight": 0.0, "base.augment": False}),
        ("adec", None, {"base.iterations": 7, "clusters": 4}),
        (
            "latent_defence",
            "quick",
            {"module": "conv_ae_mie", "base.batch": 9, "attack.variant": "per_sample"},
        ),
        ("latent_defence", None, {"nu": 0.5, "mie": {}, "attack.steps": 3}),
    ],
)
def test_nested_changes_of_a_training_are_made_again(
    name: str, preset: str | None, changes: dict[str, Any]
) -> None:
    spec = prepare("train", name, "digits", preset=preset, changes=changes)
    assert made_again(spec) == (spec.key, spec.key)


def test_as_little_as_possible_is_said() -> None:
    spec = prepare("train", "adec", "digits", seed=2, preset="quick", changes={"iterations": 9})
    wanted = wanted_of(spec, ENTRIES, Store())
    assert wanted == Wanted("train", "adec", "digits", 2, "quick", {"iterations": 9})
    assert command(wanted, ENTRIES) == (
        "python3 -m engine train adec --data digits --preset quick --seed 2 --iterations 9"
    )
    assert "changes={'iterations': 9}" in python(wanted)
    attack = prepare("attack", "pgd", models={"model": "digits/adec"})
    assert command(wanted_of(attack, ENTRIES, Store()), ENTRIES) == (
        "python3 -m engine attack pgd --model digits/adec --seed 0"
    )


def test_the_nearest_preset_is_that_with_the_fewest_changes() -> None:
    entry = ENTRIES["model"]["adec"]
    assert nearest_preset(entry, entry["defaults"]) == (None, {})
    quick = registry.find("model", "adec").preset("quick", iterations=9).values()
    assert nearest_preset(entry, quick) == ("quick", {"iterations": 9})


def test_a_name_with_a_space_stays_one_word(tmp_path: Path) -> None:
    wanted = Wanted("train", "acai", str(tmp_path / "my data.npz"), changes={"clusters": 3})
    words = shlex.split(command(wanted, ENTRIES))[4:]
    assert typed("train", words).wanted == wanted
