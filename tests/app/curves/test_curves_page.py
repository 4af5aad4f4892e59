"""The Curves page: choose, start, watch it fill, stop and go on, open the images behind a point; links,
damage, intervals.
"""

import ast
import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.address import connection, links
from app.charts import plot
from app.curves import axes, beside, choose, figures, follow
from app.runs import reading, reproduce
from engine.errors import FeintError
from engine.events import Evaluate, Failed, Started
from engine.metrics.intervals import mean_interval, wilson
from engine.running.runner import prepare, run
from engine.store.run import Run
from engine.store.store import Store
from tests.app.conftest import Desk, method, said

Opened = Callable[..., AppTest]
FGSM = {"objective": "leave_cluster", "epsilons": [0.0, 0.2, 0.4], "attack_seeds": [0, 1], "n": 20}


LABELLED = ("acc_clean", "acc_attacked", "acc_attacked_fixed_match", "nmi_attacked", "knn_acc_attacked")
"""What is measured against the labels and stands among the first numbers of an attack on clusters."""


def button(at: AppTest, label: str) -> Any:
    return next(item for item in at.button if item.label == label)


def done(store: Store, changes: dict[str, Any]) -> Run:
    """A finished sweep of the small ADEC, made here."""
    spec = prepare("sweep", "fgsm", models={"model": method(store, "adec").key}, changes=changes)
    assert list(run(spec))[-1].event == "finished"
    return store.find(spec.key)


@pytest.fixture
def swept(trained_home: Store) -> Run:
    return done(trained_home, FGSM)


def plots(at: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]


def test_an_estimate_counts_every_start_and_target() -> None:
    assert choose._iterates({"steps": 20, "restarts": 1}) == 21
    assert choose._iterates({"steps": 50, "starts": 3, "targets": 4}) == 751
    assert choose._iterates({"steps": 100, "starts": 5, "targets": None}) == 5001


def test_an_empty_page_invites(trained_home: Store, opened: Opened) -> None:
    at = opened("curves", model=method(trained_home, "adec").key)
    assert at.title[0].value.endswith("?") and "No sweep of this model along ε" in at.info[0].value
    assert "21 cells" in said(at) and "not known before the first sweep" in said(at)
    assert "python3 -m engine sweep pgd" in said(at)


def test_start_makes_the_sweep_that_was_chosen_and_follows_it(
    trained_home: Store, desk: Desk, opened: Opened
) -> None:
    model = method(trained_home, "adec").key
    at = opened("curves", model=model, attack="fgsm", n="30", seed="5")
    at.slider(key="grid/epsilon/1").set_range(0.0, 0.2).run()
    at.slider(key="p_points").set_value(3).run()
    at.number_input(key="p_seeds").set_value(2).run()
    button(at, "Start the sweep").click().run()
    assert not at.exception and not at.error and len(desk.submitted) == 1
    made = trained_home.find(desk.submitted[0])
    wanted = {
        "epsilons": [0.0, 0.1, 0.2],
        "lams": [0.0],
        "attack_seeds": [5, 6],
        "n": 30,
        "attack": "fgsm",
        "norm": "linf",
    }
    assert {name: made.spec.settings[name] for name in wanted} == wanted and made.spec.builds_on == {
        "model": model
    }
    assert at.query_params["run"] in (made.key, [made.key]) and "Pause" in [item.label for item in at.button]
    assert list(run(made))[-1].event == "finished"
    at.run()
    assert [plot["layout"]["title"]["text"] for plot in plots(at)] == [
        "Success",
        "What is left of the clusters",
    ]


def test_what_the_engine_refuses_is_one_sentence(trained_home: Store, desk: Desk, opened: Opened) -> None:
    (trained_home.find(method(trained_home, "adec").key).folder / "spec.json").write_text("{")
    at = opened("curves", model=method(trained_home, "dec_star").key)
    desk.submit = lambda run: (_ for _ in ()).throw(FeintError("Nobody works here."))
    button(at, "Start the sweep").click().run()
    assert not at.exception and at.error[0].value == "Nobody works here."


def test_a_finished_sweep_shows_its_numbers_with_protocol_and_controls(swept: Run, opened: Opened) -> None:
    at = opened("curves", run=swept.key, model=swept.spec.builds_on["model"])
    flips, agreement = plots(at)
    caption = flips["layout"]["title"]["subtitle"]["text"].replace("<br>", " ")
    for word in (
        "ADEC",
        "Digits",
        "FGSM",
        "L∞",
        "Leave the cluster",
        "λ = 0",
        "n ≤ 20",
        "seeds 0, 1",
        "Student",
    ):
        assert word in caption, word
    named = {trace["name"] for plot in (flips, agreement) for trace in plot["data"] if trace.get("name")}
    assert {
        "this attack",
        "noise",
        "another's δ",
        *(connection.catalogue()["metric"][name]["title"] for name in LABELLED),
    } <= named
    assert "n = 40, 2 seeds" in said(at) and "noise of the same size" in said(at)
    labels = [item.proto.label for item in at.get("download_button")]
    assert {"CSV", "Every cell (CSV)", "Figures (HTML)", "Card (JSON)"} <= set(labels)
    assert "about" in said(at) and "this model" in said(at)


def test_the_command_makes_the_same_run(swept: Run, trained_home: Store) -> None:
    text = reproduce.lines(swept.spec)
    call = ast.parse(text["Python"]).body[1].iter.args[0]  # type: ignore[attr-defined]
    given = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
    assert prepare(*map(ast.literal_eval, call.args), **given).key == swept.key
    for flag in ("engine sweep fgsm", "--epsilon 0.0,0.2,0.4", "--attack-seed 0,1", "--n 20"):
        assert flag in text["Command line"]


def test_a_stopped_sweep_keeps_what_is_there_and_goes_on(
    trained_home: Store, desk: Desk, opened: Opened
) -> None:
    spec = prepare("sweep", "fgsm", models={"model": method(trained_home, "adec").key}, changes=FGSM)
    steps, cells = run(spec), 0
    while cells < 2:
        cells += isinstance(next(steps), Evaluate)
    steps.close()
    at = opened("curves", run=spec.key, model=spec.builds_on["model"])
    assert "Stopped after 2 of 6 cells" in at.info[0].value and len(plots(at)) == 2
    button(at, "Resume").click().run()
    assert desk.submitted == [spec.key]
    assert list(run(trained_home.find(spec.key)))[-1].event == "finished"
    at.run()
    assert "n = 40, 2 seeds" in said(at)


def test_a_failed_sweep_says_why(trained_home: Store, opened: Opened) -> None:
    spec = prepare("sweep", "fgsm", models={"model": method(trained_home, "adec").key}, changes=FGSM)
    made = trained_home.create(spec)
    made.append(Started(run=made.key))
    made.append(Failed(run=made.key, reason="The data went away.", resumable=True))
    at = opened("curves", run=made.key, model=spec.builds_on["model"])
    assert at.error[0].value.startswith("The data went away. ") and "Resume" in at.error[0].value


def test_a_link_opens_the_sweep_on_its_own_axis(trained_home: Store, opened: Opened) -> None:
    made = done(trained_home, FGSM | {"epsilons": [0.2], "lams": [0.0, 10.0]})
    at = opened("curves", run=made.key)
    assert at.session_state["p_tab"] == "lambda"
    assert "At **λ = 10**" in said(at) and "ε = 0.2" in plots(at)[0]["layout"]["title"]["subtitle"][
        "text"
    ].replace("<br>", " ")


def test_a_grid_of_both_is_cut_at_one_value_of_the_other(trained_home: Store, opened: Opened) -> None:
    made = done(trained_home, FGSM | {"lams": [0.0, 50.0], "attack_seeds": [0]})
    at = opened("curves", run=made.key, tab="epsilon")
    assert "n = 20, 1 seed)" in said(at)
    at.segmented_control(key="p_other").set_value(50.0).run()
    assert not at.exception and "λ = 50" in plots(at)[0]["layout"]["title"]["subtitle"]["text"].replace(
        "<br>", " "
    )


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ({"run": "0123456789abcdef"}, "No run is called"),
        ({"tab": "sideways"}, "tab=sideways"),
        ({"at": "99"}, "Click a point"),
        ({"n": "-3"}, "n=-3"),
    ],
)
def test_nonsense_in_a_link_is_told(swept: Run, opened: Opened, address: dict[str, str], words: str) -> None:
    at = opened("curves", **({"run": swept.key, "model": swept.spec.builds_on["model"]} | address))
    assert words in said(at)


def test_a_sweep_whose_model_is_gone_still_shows(swept: Run, trained_home: Store, opened: Opened) -> None:
    trained_home.delete(swept.spec.builds_on["model"])
    at = opened("curves", run=swept.key)
    assert len(plots(at)) == 2 and "a deleted model" in plots(at)[0]["layout"]["title"]["subtitle"][
        "text"
    ].replace("<br>", " ")
    at = opened("curves", run=swept.key, at="0.2")
    assert at.error and not at.exception


def test_a_point_opens_the_images_of_its_cell(
    swept: Run, trained_home: Store, desk: Desk, opened: Opened
) -> None:
    at = opened("curves", run=swept.key, model=swept.spec.builds_on["model"], at="0.2")
    attack = trained_home.find(desk.submitted[-1])
    assert attack.spec.action == "attack" and (
        attack.spec.settings["epsilon"],
        attack.spec.settings["lam"],
        attack.spec.seed,
    ) == (0.2, 0.0, 0)
    assert list(run(attack))[-1].event == "finished"
    at.run()
    assert "The samples behind ε = 0.2" in [item.value for item in at.subheader]
    cell = next(
        event for event in swept.events() if isinstance(event, Evaluate) and event.values["epsilon"] == 0.2
    )
    assert attack.result()["flip_rate"] == cell.metrics["flip_rate"], "the images are those that were counted"
    which = at.segmented_control(key="p_which")
    assert which.options == [
        "all (20)",
        f"reached ({round(20 * cell.metrics['flip_rate'])})",
        f"held ({round(20 * (1 - cell.metrics['flip_rate']))})",
    ]
    assert len(desk.submitted) == 1, "it is made once"
    assert "Inspect all of them" in [item.label for item in at.button]


def test_a_click_opens_the_point_of_its_row(swept: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    put: dict[str, Any] = {}
    monkeypatch.setattr(links, "put", put.__setitem__)
    monkeypatch.setattr(
        plot.st, "session_state", {"chart": {"selection": {"points": [{"customdata": [1, "flip_rate"]}]}}}
    )
    follow._clicked("chart", [0.0, 0.4])
    assert put == {"at": "0.4"}


def test_intervals_are_students_over_seeds_and_wilsons_in_one_cell() -> None:
    rows = [{"epsilon": 0.1, "n": 50, "flip_rate": value, "nmi_attacked": 0.5} for value in (0.2, 0.4)]
    table = pd.DataFrame([*rows, {"epsilon": 0.2, "n": 50, "flip_rate": 0.5, "nmi_attacked": 0.4}])
    frame = figures.summary(table.assign(acc_attacked=np.nan), "epsilon")
    mean, low, high = mean_interval(np.array([0.2, 0.4]))
    assert frame.loc[0, ["flip_rate", "flip_rate_lower", "flip_rate_upper", "seeds", "n"]].tolist() == [
        mean,
        max(0.0, low),
        min(1.0, high),
        2,
        100,
    ]
    assert frame.loc[1, ["flip_rate_lower", "flip_rate_upper"]].tolist() == list(wilson(25, 50))
    assert np.isnan(frame.loc[1, "nmi_attacked_lower"]) and frame.loc[1, "nmi_attacked"] == 0.4
    assert "acc_attacked" not in frame, "no labels, no ACC"


def test_the_figures_stand_alone_in_one_file(swept: Run) -> None:
    table = figures.cells(reading.read(swept), axes.EPSILON, 0.0)  # type: ignore[arg-type]
    drawn = figures.figures(table, swept, axes.EPSILON, 0.0)
    page = figures.standalone("A <b> title", list(drawn.values()))
    assert (
        page.count("Plotly.newPlot") == 2
        and "cdn.plot.ly" not in page.split("Plotly.newPlot")[-1]
        and 'src="http' not in page
    )
    assert "<title>A &lt;b&gt; title" in page


def test_going_to_another_page_and_back_keeps_the_choices(swept: Run, desk: Desk) -> None:
    at = AppTest.from_file(str(links.ROOT / "app" / "main.py"), default_timeout=240)
    at.run().switch_page("../pages/curves.py").run()
    at.selectbox(key="p_run").set_value(swept.key).run()
    at.segmented_control(key="p_norm").set_value("l2").run()
    at.query_params.clear()  # as a browser does
    at.switch_page("../pages/train.py").run()
    assert not at.exception and not at.session_state["address"].get("run"), "a sweep is no training"
    at.query_params.clear()
    at.switch_page("../pages/curves.py").run()
    assert not at.exception
    assert (at.session_state["p_run"], at.session_state["p_norm"]) == (swept.key, "l2")


def test_a_control_is_what_declares_to_be_one(
    swept: Run, trained_home: Store, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = connection.catalogue()
    own = entries["metric"]["flip_rate"] | {"name": "sway", "title": "Sway", "headline": None}
    chance = own | {"name": "by_chance", "title": "Sway, chance", "control_of": "sway"}
    index = own | {"name": "likeness", "title": "Likeness", "unit": "index", "headline": 9}
    more = {"sway": own, "by_chance": chance, "likeness": index}
    monkeypatch.setattr(connection, "catalogue", lambda: entries | {"metric": entries["metric"] | more})
    table = pd.DataFrame(
        {"epsilon": [0.1], "n": [20], "sway": [0.5], "by_chance": [0.25], "likeness": [0.75]}
    )
    found = figures.planned(table, swept)
    assert found["sway"].lines == {"sway": "this attack", "by_chance": "chance"}
    assert found["sway"].controls == ("by_chance",) and found["of index"].share
    row = figures.summary(table, "epsilon").iloc[0]
    assert (row["sway_lower"], row["sway_upper"]) == wilson(10, 20) and np.isnan(row["likeness_lower"])


def test_models_swept_alike_share_an_axis(trained_home: Store, desk: Desk, opened: Opened) -> None:
    at = opened("curves")
    assert "5 models, the same attack" in [heading.value for heading in at.subheader] and not desk.submitted
    flips, change = (json.loads(chart.proto.spec) for chart in at.get("plotly_chart")[:2])
    titles = [plot["layout"]["title"]["text"] for plot in (flips, change)]
    assert titles == ["Flip rate", "Change of the reconstruction"]
    lines = {line["name"] for line in flips["data"] if line.get("name")}
    assert lines == {"ADEC", "IDEC*", "DEC*", "ACAI + k-means", "AE + k-means"}
    run = trained_home.zoo()["digits/adec.over_epsilon"]
    cells = [cell for cell in run.result()["cells"] if cell["epsilon"] == 0.1]
    chart = next(line for line in change["data"] if line.get("name") == "ADEC")
    mean = np.mean([cell["metrics"]["reconstruction_change_mean"] for cell in cells])
    drawn = plotted(chart["y"])[plotted(chart["x"]).tolist().index(0.1)]
    assert drawn == pytest.approx(mean) and len(cells) == 3


def test_a_sweep_alone_or_of_other_settings_is_beside_nobody(swept: Run, desk: Desk) -> None:
    assert [run.key for run in beside.alike(swept)] == [swept.key]
    shipped = Store().zoo()["digits/adec.over_lambda"]
    names = [run.name for run in beside.alike(shipped)]
    assert len(names) == 5 and all(name.endswith(".over_lambda") for name in names)


def plotted(values: Any) -> np.ndarray:
    """The numbers of a line, which Plotly packs."""
    if isinstance(values, dict):
        return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"])
    return np.array(values)
