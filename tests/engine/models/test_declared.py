"""What methods declare of their training: it is whole, it is what their events carry, and it says what pages
need.
"""

from pathlib import Path

import pytest

from engine import registry
from engine.models.declared import attack_in_words, title_of
from engine.models.protocols import ModelSettings
from engine.store.run import Run
from engine.store.store import Store

MODELS = registry.names("model")
TRAINED = sorted(name for name, run in Store(Path("/nowhere")).zoo().items() if run.spec.action == "train")


def _entry(name: str) -> dict[str, object]:
    return registry.catalogue()["model"][name]


@pytest.mark.parametrize("name", MODELS)
def test_declarations_fit_together(name: str) -> None:
    owner: type[ModelSettings] = registry.find("model", name)
    curves, panels = [curve.name for curve in owner.curves], {panel.name for panel in owner.panels}
    assert owner.family.name and len(set(curves)) == len(curves) > 0
    assert {curve.panel for curve in owner.curves} == panels
    assert all(curve.title and curve.title[0] != " " for curve in owner.curves)
    assert set(owner.fits.values()) <= set(owner.presets)
    assert all(alarm.sentence.format(value=9.0, above=alarm.above) for alarm in owner.alarms)
    assert {said.field for said in owner.qualifiers} | ({owner.blocks} - {""}) <= set(owner.model_fields)


@pytest.mark.long
@pytest.mark.parametrize("name", MODELS)
def test_arms_can_be_chosen(name: str) -> None:
    owner: type[ModelSettings] = registry.find("model", name)
    for arm in (*owner.compared_with, *([owner.control] if owner.control else [])):
        other: type[ModelSettings] = registry.find("model", arm.model)
        assert other.family == owner.family and other.preset(None, **arm.changes)
    titles = [title_of(_entry(arm.model), arm.changes) for arm in owner.compared_with]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", TRAINED)
def test_events_carry_what_is_declared(name: str) -> None:
    run: Run = Store(Path("/nowhere")).find(name)
    owner: type[ModelSettings] = registry.find("model", run.spec.name)
    told = {value for event in run.events() for value in getattr(event, "values", {})}
    declared = {curve.name for curve in owner.curves}
    assert {curve.name for curve in owner.curves if curve.panel != "losses"} <= told
    assert declared & told and set(owner.along) <= told
    counted = {"encoder_updates", "block", "alarm", "norm_kl", "norm_adv", "smallest_cluster", "z_std"}
    assert told - declared <= counted


def test_a_method_is_called_by_its_settings() -> None:
    adec, defence = _entry("adec"), _entry("latent_defence")
    assert title_of(adec, {}) == "ADEC" and title_of(adec, {"adv_weight": 0}) == "ADEC without adversary"
    assert title_of(defence, {"module": "conv_ae"}) == "Defended ConvAE"
    assert (
        title_of(defence, {"module": "conv_ae_mie", "variant": "control", "attack_steps": 50})
        == "Defended ConvAE + MIE, control, alternating"
    )


def test_the_watched_attack_is_said_in_words() -> None:
    owner = registry.find("model", "comvc")
    said = "PGD, T = 5, for “Disrupt the views”, ε = 0.2 in L∞, on 100 samples of the second half"
    assert owner().watched_in_words() == said
    assert "on 30 samples" in owner(watched=30).watched_in_words()
    assert owner(watched=0).watched_in_words() == ""
    on_code = registry.find("model", "latent_defence")(nu=0.02).watched_in_words()
    assert on_code.startswith("Embedding attack, T = 600, for “Flip, and keep the picture, ν = 0.02")
    assert on_code.endswith("on all samples")
    assert "ε = 0.1 in L2" in attack_in_words(
        {"attack": "fgsm", "objective": "leave_cluster", "epsilon": 0.1, "norm": "l2"}
    )


def test_networks_that_can_be_defended_are_named_once() -> None:
    owner = registry.find("model", "latent_defence")
    assert _entry("latent_defence")["begins_from"] == list(owner.begins_from)
    for name in owner.begins_from:
        assert owner(module=name).bases()["base"].name == name
