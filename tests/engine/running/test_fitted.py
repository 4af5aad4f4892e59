"""Attacks that are fitted first, locks on views, ladders of both, and what is watched while a multi-view
model trains; on real digits.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.asking import victims
from engine.asking.answers import LadderAnswer
from engine.asking.computing import compute
from engine.asking.questions import (
    AttackChoice,
    Axis,
    ControlsQuestion,
    LadderQuestion,
    ObjectiveChoice,
    ViewsQuestion,
)
from engine.data import load
from engine.errors import BudgetError, FeintError, RunBroken, SettingsError
from engine.events import Evaluate, Event, Picture
from engine.running.models import load_model
from engine.running.runner import prepare, run
from engine.store.run import Run
from engine.store.store import Store

SMALL = {"width": 4, "epochs": 2, "batch": 100, "watched": 20}
FIT = {"objective": "mv_disrupt", "epsilon": 0.3, "half": "second", "n": 60, "epochs": 2}


def done(action: str, name: str, **options: Any) -> tuple[Run, list[Event]]:
    spec = prepare(action, name, **options)
    events = list(run(spec))
    assert events[-1].event == "finished", events[-1]
    return Store().find(spec.key), events


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, tuple[Run, list[Event]]]]:
    """A home with a small CoMVC and generators fitted to it."""
    home = tmp_path_factory.mktemp("fitted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEINT_HOME", str(home))
        model = done("train", "comvc", data="noisy_digits", changes=SMALL)
        before = {name: value.clone() for name, value in load_model(model[0]).state_dict().items()}
        fitted = done("attack", "mv_gan", models={"model": model[0].key}, changes=FIT)
        after = load_model(model[0]).state_dict()
        assert all(torch.equal(value, after[name]) for name, value in before.items()), (
            "the target must stay as it was, to the bit"
        )
    return home, {"model": model, "fitted": fitted}


@pytest.fixture
def at_home(
    runs: tuple[Path, dict[str, tuple[Run, list[Event]]]], monkeypatch: pytest.MonkeyPatch
) -> dict[str, tuple[Run, list[Event]]]:
    monkeypatch.setenv("FEINT_HOME", str(runs[0]))
    victims.victim_of.cache_clear()
    return runs[1]


def question(model: Run, fitted: str = "", **changes: Any) -> LadderQuestion:
    attack = AttackChoice(name="mv_gan", fitted=(fitted,)) if fitted else AttackChoice()
    disrupt, axis = ObjectiveChoice(name="mv_disrupt"), Axis(levels=9)
    whole = {"model": model.key, "sample": 3, "attack": attack, "objective": disrupt, "axis": axis}
    return LadderQuestion(**whole | changes)


def asked(model: Run, fitted: str = "", **changes: Any) -> LadderAnswer:
    return compute(question(model, fitted, **changes))


def test_the_attacked_scores_stand_beside_the_clean_ones_after_every_epoch(
    at_home: dict[str, tuple[Run, list[Event]]],
) -> None:
    told = [event for event in at_home["model"][1] if isinstance(event, Evaluate)]
    assert len(told) == 2
    for event in told:
        assert 0 <= event.metrics["acc_attacked"] <= 1 and event.metrics["assignment_kl_mean"] >= 0


def test_watching_does_not_change_what_is_learned(at_home: dict[str, tuple[Run, list[Event]]]) -> None:
    blind, events = done("train", "comvc", data="noisy_digits", changes=SMALL | {"watched": 0})
    assert "acc_attacked" not in next(event for event in events if isinstance(event, Evaluate)).metrics
    watched, plain = load_model(at_home["model"][0]).state_dict(), load_model(blind).state_dict()
    assert all(torch.equal(value, plain[name]) for name, value in watched.items())


def test_a_fitted_attack_tells_and_draws_its_way_and_stays_inside(
    at_home: dict[str, tuple[Run, list[Event]]],
) -> None:
    fitted, events = at_home["fitted"]
    assert len([event for event in events if isinstance(event, Evaluate)]) == FIT["epochs"]
    picture = next(event for event in events if isinstance(event, Picture))
    assert (fitted.folder / picture.file).exists() and (fitted.folder / "fitted.safetensors").exists()
    moved, data = fitted.arrays("images"), load("noisy_digits")
    clean = data.views.rows(torch.from_numpy(moved["id"]).long()).flat().numpy()
    assert np.abs(moved["adversarial"] - clean).max() <= 0.3 + 1e-6
    table = fitted.table()
    assert (table["assignment_kl"] >= 0).all() and fitted.result()["assignment_kl_mean"] == pytest.approx(
        table["assignment_kl"].mean()
    )


def test_one_generator_climbs_every_level(at_home: dict[str, tuple[Run, list[Event]]]) -> None:
    model, fitted = at_home["model"][0], at_home["fitted"][0]
    climbed = asked(model, fitted.key)
    levels = np.array(climbed.levels)
    assert (climbed.linf <= levels + 1e-6).all() and climbed.linf[-1] > 0
    assert climbed.view_q is not None and climbed.view_q.shape == (9, 2, 10)
    assert climbed.view_xy is not None and climbed.view_xy.shape == (9, 2, 2)
    assert climbed.views == 2 and climbed.protocol.startswith("GAN")
    checked = compute(ControlsQuestion(ladder=question(model, fitted.key), level=4))
    assert checked.rows[0].n == 1


def test_a_ladder_needs_the_generators_of_its_own_model(at_home: dict[str, tuple[Run, list[Event]]]) -> None:
    model, fitted = at_home["model"][0], at_home["fitted"][0]
    with pytest.raises(SettingsError, match="must be fitted to the model first"):
        asked(model, attack=AttackChoice(name="mv_gan"))
    other, _ = done("train", "comvc", data="noisy_digits", changes=SMALL, seed=1)
    with pytest.raises(SettingsError, match="holds no mv_gan fitted to"):
        asked(other, fitted.key)


def test_damaged_generators_are_told(at_home: dict[str, tuple[Run, list[Event]]]) -> None:
    model, fitted = at_home["model"][0], at_home["fitted"][0]
    file = fitted.folder / "fitted.safetensors"
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[:100])
        with pytest.raises(RunBroken, match="missing or damaged"):
            asked(model, fitted.key)
    finally:
        file.write_bytes(whole)


@pytest.mark.long
def test_a_locked_view_stays_as_it_is(at_home: dict[str, tuple[Run, list[Event]]]) -> None:
    model = at_home["model"][0]
    for locked, free in ((0, 1), (1, 0)):
        sizes = asked(model, locked=(locked,)).view_linf
        assert sizes is not None and (sizes[:, locked] == 0).all() and sizes[-1, free] > 0.1
    with pytest.raises(BudgetError, match="every view is locked"):
        asked(model, locked=(0, 1))
    with pytest.raises(SettingsError, match="from 0 to 1; got 5"):
        asked(model, locked=(5,))
    attacked, _ = done(
        "attack",
        "pgd",
        models={"model": model.key},
        changes={"objective": "mv_disrupt", "epsilon": 0.2, "n": 20, "locked": [1]},
    )
    moved = attacked.arrays("images")
    clean = load("noisy_digits").views.rows(torch.from_numpy(moved["id"]).long())
    second = clean.like(torch.from_numpy(moved["adversarial"]))[1]
    assert torch.equal(second, clean[1]) and attacked.result()["linf_max"] == pytest.approx(0.2, abs=1e-6)


def test_a_generator_is_fitted_with_the_lock(at_home: dict[str, tuple[Run, list[Event]]]) -> None:
    locked, _ = done(
        "attack",
        "mv_gan",
        models={"model": at_home["model"][0].key},
        changes=FIT | {"locked": [0], "epochs": 1},
    )
    moved = locked.arrays("images")
    clean = load("noisy_digits").views.rows(torch.from_numpy(moved["id"]).long())
    views = clean.like(torch.from_numpy(moved["adversarial"]))
    assert torch.equal(views[0], clean[0]) and not torch.equal(views[1], clean[1])


@pytest.mark.long
def test_a_sweep_fits_one_generator_for_each_epsilon(at_home: dict[str, tuple[Run, list[Event]]]) -> None:
    model = at_home["model"][0]
    swept, _ = done(
        "sweep",
        "mv_gan",
        models={"model": model.key},
        changes={"objective": "mv_disrupt", "epsilons": [0.1, 0.3], "half": "second", "n": 60, "epochs": 2},
    )
    cells = {cell["epsilon"]: cell["metrics"] for cell in swept.result()["cells"]}
    assert cells[0.1]["linf_max"] <= 0.1 + 1e-6 < cells[0.3]["linf_max"]
    alone, _ = done("attack", "mv_gan", models={"model": model.key}, changes=FIT | {"epsilon": 0.1})
    assert alone.result()["l2_mean"] == cells[0.1]["l2_mean"], (
        "a cell is what the attack does with its values"
    )


def test_what_is_told_of_the_views_at_rest(at_home: dict[str, tuple[Run, list[Event]]]) -> None:
    found = compute(ViewsQuestion(model=at_home["model"][0].key))
    assert sum(found.weights) == pytest.approx(1) and found.xy.shape == (2, 1797, 2)
    assert found.contrast[0] > 1.3 * found.contrast[1], "the noisy view has about half the contrast"
    assert -1 <= found.agreement_of_strangers <= found.agreement <= 1
    assert len(found.alone) == 2 and all(0 <= share <= 1 for share in found.alone)
    json.dumps(found.split()[0], allow_nan=False)
    with pytest.raises(FeintError, match="fuses"):
        single, _ = done(
            "train",
            "ae_kmeans",
            data="digits",
            changes={"hidden": [8], "iterations": 20, "evaluate_every": 10, "batch": 32, "starts": 1},
        )
        compute(ViewsQuestion(model=single.key))
