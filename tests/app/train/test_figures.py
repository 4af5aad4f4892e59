"""What training pages draw and offer, as methods and metrics declare it: figures, arms, controls, presets."""

from typing import Any

import pandas as pd
from streamlit.testing.v1 import AppTest

from app.runs import naming
from app.runs.record import Record
from app.train import arms, choose, compared, figures, follow, scores
from app.train.figures import Drawn, View
from engine.events import Evaluate, Progress
from engine.store import catalogue
from engine.store.store import Store
from tests.app.conftest import Desk, method
from tests.app.runs.test_record import evaluated, read

KNOWN = catalogue.read()
METRICS = KNOWN["metric"]


def drawn(told: Record, name: str = "adec", settings: dict[str, Any] | None = None, **more: Any) -> Drawn:
    return Drawn(told, KNOWN["model"].get(name, {}), settings or {}, METRICS, **more)


def test_many_blocks_are_not_a_wall() -> None:
    told = read(evaluated(0, 0.1), evaluated(3000, 0.1))
    assert drawn(told, settings={"block": 10}).blocks() == []
    assert len(drawn(told, settings={"block": 100}).blocks()) == 15
    along = View("encoder_updates", "encoder updates")
    assert drawn(told, settings={"block": 100}, view=along).blocks() == []
    assert drawn(told, "dec_star", {"block": 100}).blocks() == [], "only where the method says so"


def test_the_figures_of_a_real_run(trained_home: Store) -> None:
    told, star = Record(), Record()
    run = method(trained_home, "adec")
    told.read(run)
    star.read(method(trained_home, "dec_star"))
    settings, control = naming.settings(run.spec), {"DEC*": star.evaluations()}
    found = figures.of_run(drawn(told, settings=settings, control=control))
    assert list(found) == [
        "scores",
        "angles",
        "panel/losses",
        "panel/balance",
        "panel/judged",
        "panel/settling",
        "norms",
        "unit/squared data unit",
        "unit/index",
        "sizes",
    ]
    names = [trace.name for trace in found["angles"].figure.data]
    assert {"Δ_FR", "Δ_FD", "Δ_FR, DEC*", "Δ_FD, DEC*", "only the decoder moves"} <= set(names)
    limit = next(panel["limit"] for panel in KNOWN["model"]["adec"]["panels"] if panel["name"] == "balance")
    assert any(shape.y0 == limit for shape in found["panel/balance"].figure.layout.shapes)
    view = View("encoder_updates", "encoder updates")
    along = figures.of_run(drawn(told, settings=settings, control=control, view=view))
    assert "only the decoder moves" not in [trace.name for trace in along["angles"].figure.data]
    assert max(along["scores"].table["encoder_updates"]) == 20  # of 40 iterations, half move the encoder
    close = figures.of_run(drawn(told, settings=settings, view=View(zoom=True)))
    assert len(close["scores"].table) == len(found["scores"].table)  # fewer than 300 iterations: all of them


def test_grey_stretches_and_hypothetical_angles_are_marked() -> None:
    told = read(
        evaluated(0, 0.1, hypothetical=1.0),
        evaluated(10, -0.9, 1.0, hypothetical=1.0),
        evaluated(20, 0.2, hypothetical=1.0),
    )
    figure = figures.of_run(drawn(told))["angles"].figure
    assert {"Δ_FD (hypothetical)", "gradient nearly zero"} <= {trace.name for trace in figure.data}
    assert any(shape.x0 == 10 and shape.x1 == 20 for shape in figure.layout.shapes)
    assert "not better by itself" in figure.layout.title.subtitle.text.replace("<br>", " ")


def test_a_method_that_nobody_knows_draws_its_own_losses_under_its_own_names() -> None:
    told = read(
        Progress(step=1, total=2, phase="base: acai", values={"critic": 1.0}),
        Progress(step=1, total=2, values={"my_loss": 2.0, "pull": 0.1}),
        Evaluate(step=2, total=2, values={"my_loss": 1.0, "pull": 0.2}, metrics={"acc": 0.5}),
    )
    found = figures.of_run(drawn(told, "a_method_of_ones_own"))
    assert [trace.name for trace in found["panel/losses"].figure.data] == ["my_loss", "pull"]
    assert found["panel/losses"].table["my_loss"].tolist() == [2.0, 1.0] and "scores" in found


def test_declared_curves_are_drawn_in_their_figures_under_their_titles() -> None:
    told = read(*(Evaluate(step=step, values={"a": 1.0, "b": 2.0, "c": 0.5}) for step in (1, 2)))
    entry = {
        "curves": [
            {"name": "a", "title": "the pull", "panel": "losses"},
            {"name": "b", "title": "the push", "panel": "forces"},
        ],
        "panels": [{"name": "forces", "title": "Forces", "caption": "In newtons.", "y_title": "N"}],
    }
    found = figures.of_run(Drawn(told, entry, {}, METRICS))
    assert list(found) == ["panel/forces", "panel/losses"], "c is not worth a curve, says the method"
    assert found["panel/forces"].figure.layout.title.text == "Forces"
    assert [trace.name for trace in found["panel/losses"].figure.data] == ["the pull"]


def test_a_metric_that_nobody_knows_stands_beside_the_scores() -> None:
    own = {
        "entropy": {
            "title": "Entropy",
            "unit": "nats",
            "of": "model",
            "headline": 4,
            "labels": False,
            "summary": "How evenly the clusters are used.",
        }
    }
    told = read(*(Evaluate(step=step, metrics={"acc": 0.5, "entropy": 1.5}) for step in (1, 2)))
    run = Drawn(told, KNOWN["model"]["adec"], {}, METRICS | own)
    assert [trace.name for trace in figures.of_run(run)["unit/nats"].figure.data] == ["Entropy"]
    shown = scores._measured(told.now(), run.metrics, "")
    assert [label for label, *_ in shown] == ["ACC", "Entropy"]


def test_alarms_are_those_of_the_method(trained_home: Store) -> None:
    def page() -> None:
        import streamlit as st

        from app.train import scores
        from engine.store import catalogue

        known = catalogue.read()
        scores.show(st.session_state["told"], known["model"]["adec"], known["metric"])

    at = AppTest.from_function(page, default_timeout=240)
    at.session_state["told"] = read(Evaluate(step=1, values={"ratio_adv_kl": 3.0}))
    at.run()
    assert "3.0 times the clustering's (alarm above 2)" in at.warning[0].value
    at.session_state["told"] = read(Evaluate(step=1, values={"ratio_adv_kl": 1.0}))
    at.run()
    assert not at.warning and [item.label for item in at.metric] == ["‖∇adv‖ / ‖∇KL‖"]


def test_the_control_is_that_of_the_method_on_the_same_base(trained_home: Store, desk: Desk) -> None:
    def page() -> None:
        import streamlit as st

        from app.address import connection
        from app.train import follow

        run = next(run for run in connection.store().all() if run.spec.name == st.session_state["name"])
        found = follow.control_of(run)
        st.session_state["steps"] = {name: table["step"].tolist() for name, table in found.items()}

    at = AppTest.from_function(page, default_timeout=240)
    at.session_state["name"] = "adec"
    at.run()
    assert not at.exception and at.session_state["steps"] == {"DEC*": [0, 10, 20, 30, 40]}
    at.session_state["name"] = "dec_star"
    assert at.run().session_state["steps"] == {}
    star = method(trained_home, "dec_star")
    trained_home.delete(star.key)
    at.session_state["name"] = "adec"
    assert at.run().session_state["steps"] == {}


def test_a_control_may_be_the_same_method_with_other_settings() -> None:
    shelf = Store().zoo()
    defended = shelf["digits/conv_ae.defended"]
    declared = arms.control(defended.spec)
    assert declared is not None and declared["changes"] == {"variant": "control"}
    assert arms.title(declared) == "Defended ConvAE, control"
    settings = defended.spec.settings["model_settings"] | {"variant": "control"}
    other = defended.spec.model_copy(
        update={"settings": defended.spec.settings | {"model_settings": settings}}
    )
    assert arms.control(other) is None, "the control has none"


def test_arms_take_what_was_changed_unless_they_differ_in_it(trained_home: Store, desk: Desk) -> None:
    entry = KNOWN["model"]["adec"]
    choice = {"name": "adec", "preset": "quick", "changes": {"iterations": 7, "adv_weight": 0.5, "block": 3}}
    found = arms.chosen(entry, choice)
    assert [(arm["name"], arm["changes"].get("adv_weight")) for arm in found] == [
        ("dec_star", None),
        ("idec_star", None),
        ("adec", None),
        ("adec", 0.0),
    ]
    assert all(arm["changes"]["iterations"] == 7 for arm in found)
    assert [arm["changes"].get("block") for arm in found] == [None, None, 3, 3]
    assert arms.words(entry) == "Compare the four arms"


def test_a_form_begins_with_what_suits_the_data(desk: Desk) -> None:
    models = KNOWN["model"]
    several = [name for name in models if choose.trains_on(models[name], {"views": 2})]
    one = [name for name in models if choose.trains_on(models[name], {"views": 1})]
    assert choose.suggested(one) == "adec" and set(several) > set(one)
    assert choose.suggested([name for name in several if name not in one]) == "ar_dmvc_am"
    assert choose.preset_for(models["conv_ae"], "newsgroups4") == "text"
    assert choose.preset_for(models["conv_ae"], "a_set_of_ones_own") == next(
        iter(models["conv_ae"]["presets"])
    )
    assert choose.preset_for(models["conv_ae"] | {"presets": {}, "fits": {}}, "digits") is None


def test_measured_presets_say_how_long_and_how_well(trained_home: Store, desk: Desk) -> None:
    tiny = naming.settings(method(trained_home, "dec_star").spec)
    entry = {"name": "dec_star", "defaults": {}, "presets": {"tiny": tiny, "other": {"rate": 5}}}
    found = choose.measured(entry, "digits")
    assert list(found) == ["tiny"] and found["tiny"]["here"] and choose.about(found)["tiny"].endswith("here")
    assert choose.expected(found["tiny"]).startswith("Measured on this machine, seed 0: ACC 0.")
    assert choose.measured(entry, "mnist_test") == {}
    told = {"here": True, "seed": 0, "seconds": 1.0, "base_seconds": 0.0}
    assert choose.expected(told) == "Measured on this machine, seed 0: 1 s."
    assert choose.expected(told | {"accuracy_test": 0.9}).endswith("seed 0: Accuracy, test 0.900, 1 s.")


def test_what_the_page_shows_first(trained_home: Store, desk: Desk) -> None:
    star = method(trained_home, "dec_star")
    assert follow.shown(["a", "b"], "digits", "adec") == ["a", "b"]
    assert follow.shown([], "digits", "dec_star") == [star.key]
    assert follow.shown([], "usps", "dec_star") == []
    halted = trained_home.create(star.spec.model_copy(update={"seed": 9}))
    halted.want("stop")
    assert halted.status() == "stopped"
    assert follow.shown([], "digits", "dec_star") == [halted.key], "what was stopped is not lost from view"


def test_a_run_at_work_is_shown_where_no_method_was_asked_for(trained_home: Store, desk: Desk) -> None:
    star = method(trained_home, "dec_star")
    waiting = trained_home.create(star.spec.model_copy(update={"seed": 9}))
    waiting.want("run")
    assert follow.shown([], "digits", "adec") == [waiting.key]


def test_an_arm_keeps_its_colour_before_the_others_have_begun() -> None:
    told = read(evaluated(0, 0.1), evaluated(10, 0.3))
    found = compared.charts_of(
        {"first": read(), "second": told, "third": read(evaluated(0, 0.2))}, METRICS, View()
    )
    colours = {
        name: {trace.name: trace.line.color for trace in chart.figure.data} for name, chart in found.items()
    }
    assert (
        colours["acc"]["second"] == colours["delta_fd"]["second"]
        and colours["acc"]["second"] != colours["acc"]["third"]
    )
    table = compared.table({"first": read(), "second": told}, METRICS, {"step": "iterations"})
    assert table["ACC"].tolist()[1] == 0.5 and table["mean Δ_FD"].tolist()[1] == 0.2


def test_the_axis_is_chosen_where_a_method_declares_another() -> None:
    along, table = {"along": {"encoder_updates": "encoder updates"}}, pd.DataFrame({"encoder_updates": [1]})
    assert compared.axes([along], [table]) == {"step": "iterations", "encoder_updates": "encoder updates"}
    assert list(compared.axes([along], [pd.DataFrame()])) == list(compared.axes([{}], [table])) == ["step"]


def test_figures_say_what_labels_are_used_for() -> None:
    told = Record(events=[Evaluate(step=1, metrics={"acc": 0.5, "accuracy_test": 0.9})])
    captions = [
        figures.of_run(drawn(told, name))["scores"].figure.layout.title.subtitle.text
        for name in ("adec", "linear_probe")
    ]
    assert captions[0].startswith("On all samples; labels are used for scoring only.")
    assert captions[1].startswith("Trained with the labels of the training rows;")
