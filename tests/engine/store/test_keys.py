"""Keys do not change: the shipped runs are found by the choices that made them, on every later Feint."""

import json
from pathlib import Path

import pytest

from engine import registry
from engine.cli.zoo import ENTRIES
from engine.objectives.towards import ToCluster
from engine.running import runner
from engine.running.action import Action
from engine.running.actions import action_class, action_of, version_of
from engine.store.spec import Spec
from engine.store.store import Store
from engine.store.wanted import Wanted, _version, found, objectives_named

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


@pytest.mark.long
@pytest.mark.parametrize("name", EMBEDDED)
def test_a_shipped_run_is_found_by_its_preset(name: str) -> None:
    made, data = ENTRIES[name], name.split("/")[0]
    roles = (("model", made.on), ("fitted", made.fitted), ("with", made.appended))
    models = {role: on for role, on in roles if on}
    action = made.action if made.on else "train"
    spec = runner.prepare(action, made.name, data, preset=made.preset, changes=made.changes, models=models)
    wanted = Wanted(action, made.name, data, 0, made.preset, made.changes, models)
    run = found(wanted, registry.catalogue(), Store())
    assert run is not None and run.name == name, "also without torch"
    assert spec.key == _stored(name).key
    assert Store().find(spec.key).name == name


LAUNCHED = {"pgd": "leave_cluster", "strongest": "mv_disrupt", "mv_gan": "mv_disrupt"}
"""Attack -> objective of runs whose keys are looked at."""
BESIDE = (("attack", "strongest"), ("attack", "pgd"), ("attack", "fgsm"), ("attack", "noise"))
"""What every attack run holds numbers of."""


@pytest.mark.parametrize("attack", LAUNCHED)
def test_an_attack_run_is_another_one_when_what_made_its_numbers_is(
    attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = action_class("attack").choose(attack, None, {"objective": LAUNCHED[attack], "lam": 1.0})
    before = version_of(chosen)
    own = (("attack", attack), ("objective", LAUNCHED[attack]), ("objective", "reconstruction_change"))
    for kind, name in (*own, *BESIDE):
        with monkeypatch.context() as patch:
            owner = registry.find(kind, name)
            patch.setattr(owner, "version", owner.version + 1)
            assert version_of(chosen) > before, f"{kind} {name} was raised"
            _stale_is_not_found(chosen, attack, before)


def _stale_is_not_found(chosen: Action, attack: str, before: int) -> None:
    """What pages look runs up by, asks for a version above the old one, and for none above the new one."""
    wanted = Wanted("attack", attack, models={"model": "digits/adec"})
    asked = _version(wanted, chosen.values(), registry.catalogue())
    assert before < asked == version_of(chosen)


def test_what_the_strongest_attack_tries_is_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pgd, objective = registry.find("attack", "pgd"), registry.find("objective", "leave_cluster")
    monkeypatch.setattr(pgd, "version", 2)
    assert registry.describe(registry.find("attack", "strongest"))["version"] == 2
    monkeypatch.setattr(ToCluster, "version", 2)
    assert registry.describe(objective)["version"] == 2
    sum_of = {"parts": [(1.0, {"name": "leave_cluster"}), (0.5, {"name": "move_embedding"})]}
    named = list(objectives_named("weighted_sum", sum_of, 2.0))
    assert named == ["weighted_sum", "leave_cluster", "move_embedding", "reconstruction_change"]
