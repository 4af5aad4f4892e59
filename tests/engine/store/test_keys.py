"""Keys do not change: the shipped runs are found by the choices that made them, on every later Feint."""

import json
from pathlib import Path

import pytest

from engine import registry
from engine.cli.zoo import ENTRIES
from engine.running import runner
from engine.running.action import Action
from engine.running.actions import action_class, action_of
from engine.store.spec import Spec
from engine.store.store import Store
from engine.store.wanted import Wanted, found

ZOO = Path(__file__).parents[3] / "assets" / "zoo"
NAMES = sorted(f"{folder.parent.parent.name}/{folder.parent.name}" for folder in ZOO.glob("*/*/spec.json"))
EMBEDDED = [name for name in NAMES if name.split("/")[0] in ("digits", "noisy_digits")]


def _stored(name: str) -> Spec:
    return Spec(**json.loads((ZOO / name / "spec.json").read_text()))


def test_every_shipped_run_has_a_recipe() -> None:
    assert set(NAMES) <= set(ENTRIES), "a method that was just added has a recipe before it ships"


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_run_keeps_its_key(name: str) -> None:
    spec = _stored(name)
    assert spec.key == json.loads((ZOO / name / "card.json").read_text())["key"]
    again = action_of(spec)
    assert spec.model_copy(update={"settings": again.values()}).key == spec.key


@pytest.mark.parametrize("name", NAMES)
def test_the_preset_of_a_shipped_run_gives_its_settings(name: str) -> None:
    made, spec = ENTRIES[name], _stored(name)
    action: Action = action_class(spec.action).choose(made.name, made.preset, made.changes)
    assert action.values() == spec.settings


@pytest.mark.parametrize("name", EMBEDDED)
def test_a_shipped_run_is_found_by_its_preset(name: str) -> None:
    made, data = ENTRIES[name], name.split("/")[0]
    models = {role: on for role, on in (("model", made.on), ("fitted", made.fitted)) if on}
    action = made.action if made.on else "train"
    spec = runner.prepare(action, made.name, data, preset=made.preset, changes=made.changes, models=models)
    wanted = Wanted(action, made.name, data, 0, made.preset, made.changes, models)
    run = found(wanted, registry.catalogue(), Store())
    assert run is not None and run.name == name, "also without torch"
    assert spec.key == _stored(name).key
    assert Store().find(spec.key).name == name
