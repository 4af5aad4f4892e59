"""Attack, Inspect and Curves for models that do not cluster: one that only classifies, one that only encodes,
one that only reconstructs.
"""

import json
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from engine.asking.questions import OverviewQuestion
from engine.running.runner import prepare, run
from engine.store.run import Run
from engine.store.store import Store
from tests.app.conftest import Desk, Worker, method, said

Opened = Callable[..., AppTest]
OBJECTIVES = {
    "only_classifies": ("be_wrong", "It is taken for a wrong class"),
    "only_encodes": ("move_embedding", "At ε = 0.3 the attack moves the embedding by"),
    "only_reconstructs": ("raise_reconstruction", "At ε = 0.3 the attack raises the reconstruction error to"),
}
"""Method -> an objective that fits it, and how the sentence about it begins."""


@pytest.fixture(params=list(OBJECTIVES))
def model(request: pytest.FixtureRequest, limited_home: Store) -> Run:
    """Each of the models in turn."""
    return method(limited_home, request.param)


def test_attack_says_what_the_objective_calls_it(model: Run, desk: Desk, opened: Opened) -> None:
    objective, sentence = OBJECTIVES[model.spec.name]
    at = opened("attack", model=model.key, objective=objective, sample=str(right(desk, model)))
    assert not at.error and not at.warning, said(at)
    assert any(text.value.startswith(sentence) for text in at.markdown), said(at)
    assert "cluster" not in sentence and at.selectbox(key="p_objective").value == objective
    marked = [option for option in at.selectbox(key="p_model").options if "trained with labels" in option]
    assert "Only classifies" in [option.split(" · ")[0] for option in marked], "and others of these data"


def right(desk: Desk, model: Run) -> int:
    """A sample that a classifier gets right; any of a model that sorts into nothing."""
    overview = desk.ask(OverviewQuestion(model=model.key))
    return 0 if overview.group is None else int(np.flatnonzero(overview.group == overview.label)[0])


def test_a_sample_that_is_wrong_already_has_nothing_left_to_reach(
    limited_home: Store, desk: Desk, opened: Opened
) -> None:
    model = method(limited_home, "only_classifies")
    overview = desk.ask(OverviewQuestion(model=model.key))
    wrong = int(np.flatnonzero(overview.group != overview.label)[0])
    for axis in ("epsilon", "path"):
        at = opened("attack", model=model.key, sample=str(wrong), tab=axis)
        assert "without any attack** already: choose another sample" in said(at)
        assert "nothing to control" in said(at) and not at.warning


def test_only_what_fits_a_model_is_offered(limited_home: Store, opened: Opened) -> None:
    wanted = {
        "only_classifies": {"Be wrong"},
        "only_encodes": {"Move the embedding"},
        "only_reconstructs": {"Raise the reconstruction error", "Change the reconstruction"},
    }
    for name, titles in wanted.items():
        at = opened("attack", model=method(limited_home, name).key)
        offered = set(at.selectbox(key="p_objective").options)
        assert titles <= offered, name
        assert not offered & {"Leave the cluster", "Go to a cluster", "Weighted sum"}, name
        axes = at.segmented_control(key="p_tab").options
        assert ("over λ" in axes) == (name == "only_reconstructs"), name
        assert bool([item for item in at.toggle if item.label == "UMAP"]) == (name == "only_encodes")


def test_every_axis_of_a_model_draws_a_ladder(model: Run, opened: Opened) -> None:
    objective, _ = OBJECTIVES[model.spec.name]
    axes = ["epsilon", "path"] + ["lambda"] * (model.spec.name == "only_reconstructs")
    for axis in axes:
        at = opened("attack", model=model.key, objective=objective, tab=axis, eps="0.2")
        assert not at.error and at.session_state["p_tab"] == axis, said(at)


def test_inspect_shows_what_there_is(model: Run, opened: Opened, worker: Worker) -> None:
    objective, _ = OBJECTIVES[model.spec.name]
    at = opened("inspect", model=model.key, objective=objective, n="40", eps="0.3")
    assert not at.error and not at.exception, said(at)
    assert len(worker.submitted) == 1 and "**All 40** samples" in said(at) and "#### Sample" in said(at)
    classifies, encodes = (model.spec.name == f"only_{does}" for does in ("classifies", "encodes"))
    assert bool(at.get("plotly_chart")) == classifies, "matrices only where there are groups"
    assert ("no embedding" in said(at)) == (not encodes)
    assert "Who can become whom?" not in [item.value for item in at.subheader]
    assert {"CSV of the selected", "Pictures (zip)"} <= {
        item.proto.label for item in at.get("download_button")
    }
    order = at.selectbox(key="p_order")
    assert order.value == ("margin_attacked" if classifies else "value")
    order.set_value("id").run()
    assert not at.exception and at.session_state["p_order"] == "id"


def test_curves_draw_success_or_the_value(model: Run, limited_home: Store, opened: Opened) -> None:
    objective, _ = OBJECTIVES[model.spec.name]
    changes = {"objective": objective, "epsilons": [0.0, 0.2, 0.4], "attack_seeds": [0, 1], "n": 20}
    spec = prepare("sweep", "fgsm", models={"model": model.key}, changes=changes)
    assert list(run(spec))[-1].event == "finished"
    at = opened("curves", run=spec.key, model=model.key)
    assert not at.error and not at.exception, said(at)
    titles = [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in at.get("plotly_chart")]
    if model.spec.name == "only_classifies":
        assert titles[0] == "Success" and "a sample is taken for a wrong class in" in said(at)
    else:
        assert titles[0] == "Objective" and "on average (n = 40, 2 seeds)" in said(at)


def test_a_point_of_a_curve_opens_its_images(
    model: Run, limited_home: Store, opened: Opened, worker: Worker
) -> None:
    objective, _ = OBJECTIVES[model.spec.name]
    changes = {"objective": objective, "epsilons": [0.0, 0.2], "attack_seeds": [0], "n": 12}
    spec = prepare("sweep", "fgsm", models={"model": model.key}, changes=changes)
    list(run(spec))
    at = opened("curves", run=spec.key, model=model.key, at="0.2")
    assert not at.error and not at.exception, said(at)
    options = at.segmented_control(key="p_which").options
    assert (len(options) == 3) == (model.spec.name == "only_classifies"), "all, and reached or held if known"
