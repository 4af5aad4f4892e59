"""The page UAE, on the autoencoders and the classifier that ship with Feint."""

import json
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import parse_qs

import numpy as np
import pandas as pd
import pytest
import torch
from streamlit.testing.v1 import AppTest

from app.address import connection
from app.components.ladder import Drawing, ladder_payload
from app.papers.uae import choose, contrast, likeness, through_time
from engine.asking import computing
from engine.asking.questions import AttackChoice, Axis, LadderQuestion, ObjectiveChoice
from engine.asking.striking import striking
from engine.asking.victims import victim_of
from engine.data.views import Views
from engine.nets.contrastive import nt_xent
from engine.objectives.keep_contrast import KeepContrast
from engine.running.runner import prepare, run
from engine.store.store import Store
from engine.studies import uae
from tests.app.conftest import Worker, said

Opened = Callable[..., AppTest]


def told(at: AppTest) -> str:
    return "\n".join([*(text.value for text in at.markdown), *(text.value for text in at.caption)])


@pytest.mark.parametrize("direction", choose.DIRECTIONS)
def test_ten_samples_stand_there_on_arrival(direction: str, trained_home: Store, opened: Opened) -> None:
    at = opened("uae", data="digits", direction=direction)
    assert not at.error and not at.warning, said(at)
    assert "samples succeed" in told(at) and "no number of nats" in told(at)
    assert not [button for button in at.button if button.label.startswith("Look for")], "they ship"


@pytest.mark.parametrize("along", through_time.OVER)
def test_every_axis_draws_what_moves_together(along: str, trained_home: Store, opened: Opened) -> None:
    at = opened("uae", data="digits", along=along)
    assert not at.error and not at.warning, said(at)


def test_another_k_offers_to_look_anew(trained_home: Store, opened: Opened) -> None:
    at = opened("uae", data="digits", compressed="7")
    assert [button for button in at.button if button.label.startswith("Look for")]


@pytest.mark.long
def test_the_same_ten_are_found_by_another_likeness(trained_home: Store, opened: Opened) -> None:
    at = opened("uae", data="digits", direction="1")
    assert not [button for button in at.button if button.label.startswith("Look for them by")], "closed"
    at.session_state["open_likeness"] = True
    at.run()
    offered = [button.label for button in at.button if button.label.startswith("Look for them by")]
    assert [name.partition(": ")[2] for name in offered] == [
        "What MINE estimates, in closed form",
        "Distance (L2-UAE)",
    ], "random pairs ship, and a dense classifier has no convolution"
    known = connection.catalogue()["attack"]["minmax"]
    same = dict(known["presets"]["visible"]) | {"direction": 1, **likeness.WAYS["l2"].settings}
    changes = {"objective": "misclassify", "epsilon": 1.0, "n": choose.N, "half": "all"}
    spec = prepare(
        "attack",
        "minmax",
        changes=changes | {f"attack_settings.{name}": value for name, value in same.items()},
        models={"model": "digits/classifier"},
    )
    events = list(run(spec))
    assert events[-1].event == "finished"
    at.run()
    table = trained_home.find(spec.key).table()
    reached = table[table["counted"] == 1]["reached"]
    mark = f"**Distance (L2-UAE)**: {int(reached.sum())} of {len(reached)} succeed"
    assert mark in told(at) and not at.error, said(at)


def test_augmentation_is_told_beside_training_as_long(trained_home: Store, opened: Opened) -> None:
    at = opened("uae", data="digits", tab="augment", size="quick")
    assert not at.error and not at.warning, said(at)
    assert "control for equal steps" in told(at) and len(at.get("plotly_chart")) == 1
    assert [button for button in at.button if button.label == "Augment"]
    assert (
        "**UAE**: for 72 of 898 training rows an attacked sample was found; for the other 826 a copy"
        in told(at)
    )


def opens(at: AppTest) -> dict[str, str]:
    """Label of each link to a model -> that model."""
    said = {link.proto.label: parse_qs(link.proto.query_string) for link in at.get("page_link")}
    return {label: there["model"][0] for label, there in said.items() if "model" in there}


@pytest.mark.parametrize(("size", "data"), [("quick", "digits"), ("mini", "mnist_test")])
def test_where_only_errors_ship_the_augmented_twin_opens(
    size: str, data: str, trained_home: Store, opened: Opened
) -> None:
    at = opened("uae", data="digits", tab="augment", size=size)
    assert "weights of these models are not here" in told(at) and "augmented with MinMax on" in told(at)
    assert opens(at) == dict.fromkeys(("Attack this model", "Inspect"), f"{data}/dense_ae.with_uae")


@pytest.mark.long
def test_what_was_trained_opens_by_arm_and_seed(
    trained_home: Store, worker: Worker, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(uae.STEPS, "quick", {"dense_ae": 20})
    monkeypatch.setitem(uae.MINE, "quick", {"similarity": "closed_form", "steps": 2})
    monkeypatch.setitem(uae.EVERY, "n", 20)
    at = opened("uae", data="digits", tab="augment", size="quick", seeds="2")
    next(button for button in at.button if button.label == "Augment").click()
    at.run()
    assert not at.error and not at.exception, said(at)
    models = {}
    for arm in ("equal_steps", "noise_2", "l2", "uae"):
        at.selectbox(key="p_which").set_value(arm)
        at.selectbox(key="p_of_seed").set_value(1).run()
        name = opens(at)["Attack this model"]
        assert opens(at)["Inspect"] == name and trained_home.find(name).spec.seed == 1
        models[arm] = connection.method_title(trained_home.find(name).spec)
    assert models == {
        "equal_steps": "Dense autoencoder",
        "noise_2": "Dense autoencoder, augmented with Gaussian noise (control)",
        "l2": "Dense autoencoder, augmented with MinMax (L2-UAE)",
        "uae": "Dense autoencoder, augmented with MinMax",
    }


def test_an_augmented_model_is_named_by_all_that_was_appended(trained_home: Store) -> None:
    spec = trained_home.find("digits/dense_ae.with_uae").spec
    twice = spec.model_copy(update={"builds_on": spec.builds_on | {"with.2": "0123456789abcdef"}})
    assert connection.method_title(twice) == "Dense autoencoder, augmented with MinMax + 01234567"


def test_what_moves_together_goes_to_the_browser() -> None:
    question = LadderQuestion(
        model="digits/dense_ae",
        sample=3,
        attack=AttackChoice(name="minmax", settings={"steps": 4, "compressed": 8, "size": 8}),
        objective=ObjectiveChoice(name="keep_reconstruction"),
        axis=Axis.of_path(1.0),
    )
    answer = computing.compute(question)
    traces = {row["symbol"]: row["values"] for row in ladder_payload(Drawing(answer))["traces"]}
    assert list(traces)[:3] == ["f", "c", "I"] and list(traces)[-1] == "‖δ‖"
    assert all(len(values) == len(answer.levels) == 6 for values in traces.values())
    assert np.allclose(traces["f"][:-1], -answer.value[:-1], atol=1e-5), "f is the objective, turned round"
    assert np.allclose(traces["‖δ‖"], np.linalg.norm(answer.delta.astype(float), axis=1), atol=1e-2)
    assert answer.start == 5, "the path is looked at from its end"


def test_striking_are_those_that_succeeded_and_moved_most() -> None:
    table = pd.DataFrame(
        {"reached": [1, 0, 1, 1, 1], "l2": [1.0, 9.0, 3.0, 2.0, 8.0], "counted": [1, 1, 1, 1, 0]}
    )
    assert striking(table, farthest=True).tolist() == [2, 3, 0]
    assert striking(table, farthest=False).tolist() == [0, 3, 2]
    assert not len(striking(table.assign(reached=0), farthest=True))


def test_attack_opens_with_the_attack_of_this_page(trained_home: Store, opened: Opened) -> None:
    at = opened("uae", data="digits", within="0.4")
    assert not [link for link in at.get("page_link") if link.proto.label == "Attack this model otherwise"]
    at = opened("uae", data="digits")
    link = next(link for link in at.get("page_link") if link.proto.label == "Attack this model otherwise")
    said_there = {name: values[0] for name, values in parse_qs(link.proto.query_string).items()}
    assert said_there["attack"] == "minmax" and said_there["objective"] == "keep_reconstruction"
    assert (
        float(said_there["eps"]) == 1.0 and json.loads(said_there["attack_settings"])["step"] == "normalised"
    )
    there = opened("attack", **(said_there | {"tab": "path"}))
    assert not there.error and not there.warning, said(there)
    assert there.selectbox(key="p_attack").value == "minmax" and there.slider(key="p_eps").value == 1.0


@pytest.mark.long
@pytest.mark.parametrize("tab", ["tables", "ten"])
def test_the_published_criterion_of_contrast_is_said_to_be_constant(
    tab: str, trained_home: Store, opened: Opened
) -> None:
    at = opened("uae", data="digits", tab=tab)
    assert not at.error and not at.warning, said(at)
    assert "As published the loss is constant" in told(at) and "use the repaired one" in told(at)
    if tab == "tables":
        assert "2 log 99 = 9.190 nats whatever δ is" in told(at)
        there = opened("attack", **contrast.EXAMPLE)
        assert not there.error and not there.warning, said(there)
        assert there.selectbox(key="p_objective").value == contrast.OBJECTIVE


def test_the_published_criterion_is_constant_and_the_repaired_one_moves(trained_home: Store) -> None:
    """Fifty unaugmented pairs, as published, beside the repaired criterion, on the encoder that ships."""
    victim = victim_of(Store().zoo()["digits/simclr"].key)
    clean = victim.rows([3])
    x, repaired = clean.flat(), []
    noise = 2 * torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) - 1
    for epsilon in (0, 0.1, 0.3, 1):
        moved = clean.like((x + epsilon * noise).clamp(0, 1))
        z = victim.model.project(Views([moved[0].expand(50, -1, -1, -1)]))
        assert float(nt_xent(z, z, 0.5).mean()) == pytest.approx(contrast.PUBLISHED, abs=1e-3)
        repaired.append(float(KeepContrast().more_of(victim.model, moved)["contrast"]))
    assert all(further > nearer + 0.01 for nearer, further in pairwise(repaired))
