"""The Train page: choose, start, follow; reload, pause, resume, failure and damage; four arms on one base."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.address import connection
from app.papers.studies.results import SHIPPED
from app.train import pictures
from engine.events import Failed, Progress, Started, Stopped
from engine.metrics.intervals import paired_difference
from engine.store.spec import Spec
from engine.store.store import Store
from tests.app.conftest import TINY, Desk, method, said

Opened = Callable[..., AppTest]


def button(at: AppTest, label: str) -> Any:
    return next(item for item in at.button if item.label == label)


def labels(at: AppTest) -> list[str]:
    return [item.label for item in at.button]


def links(at: AppTest) -> list[str]:
    return [item.proto.label for item in at.get("page_link")]


def fresh(store: Store, seed: int = 7) -> Spec:
    """The spec of a run that nobody has made yet."""
    return method(store, "dec_star").spec.model_copy(update={"seed": seed})


def test_an_empty_home_invites(home: Any, opened: Opened) -> None:
    at = opened("train")
    assert at.title[0].value.endswith("?")
    assert button(at, "Train") and button(at, "Compare the four arms")


def test_a_finished_run_is_shown_with_scores_figures_pictures_and_what_next(
    trained_home: Store, opened: Opened
) -> None:
    run = method(trained_home, "adec")
    at = opened("train", run=run.key)
    scores = {item.label: item.value for item in at.metric}
    assert scores["ACC"] == f"{run.result()['acc']:.3f}" and "Δ_FD" in scores
    assert len(at.get("plotly_chart")) >= 6 and len(at.image) == 1
    assert "Attack this model" in links(at) and "Inspect" in links(at)
    words = said(at)
    assert "not better by itself" in words and "python3 -m engine train adec --data digits" in words
    assert at.query_params["run"] == [run.key] or at.query_params["run"] == run.key


def test_hypothetical_angles_say_so(trained_home: Store, opened: Opened) -> None:
    at = opened("train", run=method(trained_home, "dec_star").key)
    assert "Δ_FD (hyp.)" in [item.label for item in at.metric]


def test_train_creates_the_run_that_was_chosen_and_queues_it(
    trained_home: Store, desk: Desk, opened: Opened
) -> None:
    at = opened("train")
    at.number_input(key="p_seed").set_value(3).run()
    button(at, "Train").click().run()
    assert not at.exception and len(desk.submitted) == 1
    run = trained_home.find(desk.submitted[0])
    assert (run.spec.name, run.spec.data, run.spec.seed, run.status()) == ("adec", "digits", 3, "queued")
    assert at.session_state["p_run"] == run.key and "Starting…" in [
        item.proto.text for item in at.get("progress")
    ]


def test_training_starts_from_the_base_that_ships_unless_told_otherwise(
    trained_home: Store, desk: Desk, opened: Opened
) -> None:
    at = opened("train", data="digits", method="adec")
    button(at, "Train").click().run()
    made = trained_home.find(desk.submitted[-1])
    shipped = trained_home.find("digits/acai")
    assert made.spec.builds_on["base"] == shipped.key and made.spec.seed == 1
    assert any("--base digits/acai" in code.value for code in at.code), said(at)
    at.segmented_control(key="p_base").set_value("own").run()
    button(at, "Train").click().run()
    other = trained_home.find(desk.submitted[-1])
    assert other.key != made.key and other.spec.builds_on["base"] != shipped.key
    again = opened("train", data="digits", method="adec", base="own")
    assert again.segmented_control(key="p_base").value == "own"
    changed = opened("train", data="digits", method="adec", settings='{"base.iterations":300}')
    assert "trained first: none with these settings ships" in said(changed)


def test_the_base_shows_its_losses_before_its_first_score(trained_home: Store, opened: Opened) -> None:
    spec = fresh(trained_home)
    run = trained_home.create(spec)
    base = trained_home.find(method(trained_home, "dec_star").spec.builds_on["base"]).spec
    alone = trained_home.create(base.model_copy(update={"seed": 7}))
    spec.builds_on["base"] = alone.key
    run = trained_home.create(spec)
    losses = [curve["name"] for curve in connection.catalogue()["model"]["acai"]["curves"]]
    for made, phase in ((alone, "pretraining"), (run, "base: acai")):
        made.append(Started(run=made.key, how={}))
        made.append(Progress(step=5, total=20, phase=phase, values=dict.fromkeys(losses, 0.5)))
        made.want("run")
    at = opened("train", run=run.key)
    assert "Until its own training begins" in said(at)
    traces = [trace for chart in at.get("plotly_chart") for trace in json.loads(chart.proto.spec)["data"]]
    assert traces and all("markers" in trace["mode"] for trace in traces), "a single point is drawn"


def test_four_arms_stand_on_one_base(trained_home: Store, desk: Desk, opened: Opened) -> None:
    at = opened("train", seed="4")  # the zoo has those of seed 0
    button(at, "Compare the four arms").click().run()
    runs = [trained_home.find(key) for key in desk.submitted]
    assert [run.spec.name for run in runs] == ["dec_star", "idec_star", "adec", "adec"]
    assert len({run.spec.builds_on["base"] for run in runs}) == 1
    assert [run.spec.settings["model_settings"].get("adv_weight") for run in runs] == [None, None, 1.0, 0.0]
    assert at.session_state["p_run"] == ",".join(desk.submitted)


def test_defences_are_compared_with_the_model_without_one(
    trained_home: Store, desk: Desk, opened: Opened
) -> None:
    at = opened("train", data="noisy_digits", seed="4", run="noisy_digits/comvc")
    button(at, "Compare the three arms").click().run()
    runs = [trained_home.find(key) for key in desk.submitted]
    assert [run.spec.name for run in runs] == ["comvc", "ar_dmvc", "ar_dmvc_am"] and {
        run.spec.data for run in runs
    } == {"noisy_digits"}
    shown = opened("train", run="noisy_digits/comvc,noisy_digits/ar_dmvc_am")
    titles = [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in shown.get("plotly_chart")]
    assert titles == ["ACC", "NMI", "ARI", "ACC, attacked"]


def test_several_runs_share_their_figures(trained_home: Store, opened: Opened) -> None:
    names = ",".join(method(trained_home, name).key for name in ("adec", "dec_star"))
    at = opened("train", run=names)
    titles = [json.loads(chart.proto.spec)["layout"]["title"]["text"] for chart in at.get("plotly_chart")]
    assert titles == ["ACC", "NMI", "ARI", "Δ_FR", "Δ_FD"]
    assert at.dataframe[-1].value["arm"].tolist() == ["ADEC", "DEC*"]


def test_a_live_run_shows_where_it_is_and_takes_a_wish(
    trained_home: Store, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained_home.create(fresh(trained_home))
    run.want("run")
    at = opened("train", run=run.key)
    assert {"Pause", "Stop and keep"} <= set(labels(at))
    button(at, "Pause").click().run()
    assert run.wanted() == "pause" and run.status() == "paused" and "Resume" in labels(at)
    button(at, "Resume").click().run()
    assert run.status() == "queued" and "Pause" in labels(at)
    button(at, "Stop and keep").click().run()
    assert run.status() == "stopped" and "Resume" in labels(at)


def test_a_stopped_run_says_where(trained_home: Store, opened: Opened) -> None:
    run = trained_home.create(fresh(trained_home))
    for event in (
        Started(run=run.key),
        Progress(step=12, total=20, phase="base: acai"),
        Stopped(run=run.key, step=0),
    ):
        run.append(event)
    at = opened("train", run=run.key)
    assert "Stopped at iteration 12 of 20 of its base" in at.info[0].value


def test_a_failed_run_says_why_and_offers_to_go_on(trained_home: Store, desk: Desk, opened: Opened) -> None:
    run = trained_home.create(fresh(trained_home))
    run.append(Started(run=run.key))
    run.append(Failed(run=run.key, reason="The data went away.", resumable=False))
    at = opened("train", run=run.key)
    assert at.error[0].value.startswith("The data went away. ") and "Resume" in at.error[0].value
    button(at, "Resume").click().run()
    assert desk.submitted == [run.key]


def test_an_unknown_run_is_one_sentence(trained_home: Store, opened: Opened) -> None:
    at = opened("train", run="0123456789abcdef")
    assert "No run is called '0123456789abcdef'" in at.error[0].value and button(at, "Train")


def test_damaged_runs_are_one_sentence(trained_home: Store, opened: Opened) -> None:
    run = method(trained_home, "adec")
    lines = (run.folder / "events.jsonl").read_bytes()
    (run.folder / "events.jsonl").write_bytes(lines[:200] + b"\n" + lines[200:])
    at = opened("train", run=run.key)
    assert len(at.error) == 1 and "An event must be one line of JSON" in at.error[0].value
    (run.folder / "spec.json").write_text('{"action": "tr')
    at = opened("train", run=run.key)
    assert at.error and "damaged" in said(at)


def test_a_truncated_last_line_is_waited_for(trained_home: Store, opened: Opened) -> None:
    run = method(trained_home, "adec")
    with (run.folder / "events.jsonl").open("ab") as file:
        file.write(b'{"event": "progr')
    assert not opened("train", run=run.key).error


def test_what_the_engine_refuses_is_shown_and_nothing_is_made(
    trained_home: Store, desk: Desk, opened: Opened
) -> None:
    before = len(trained_home.all())
    at = opened("train")
    field = next(item for item in at.text_input if item.key.endswith("/base.hidden"))
    field.set_value("8, 8, 8, 8, 8, 8, 8").run()
    button(at, "Train").click().run()
    assert at.error and at.error[0].value.startswith("acai.hidden must be")
    assert len(trained_home.all()) == before and not desk.submitted


def test_the_tiny_settings_are_what_was_trained(trained_home: Store) -> None:
    settings = method(trained_home, "adec").spec.settings["model_settings"]
    assert settings["iterations"] == TINY["iterations"] and settings["base"]["hidden"] == [8]


def test_what_a_difference_is_worth_stands_under_the_score(home: Path, opened: Opened) -> None:
    at = opened("train", run="digits/adec", data="digits")
    told = next(text.value for text in at.caption if "What is a difference worth?" in text.value)
    shipped = json.loads((SHIPPED / "adec.arms.quick.json").read_text())
    adec, *_, dec = (np.array(row["measured"]["acc"]["seeds"]) for row in shipped["rows"])
    mean, low, high = paired_difference(adec, dec)
    words = f"ADEC − DEC\\* = {mean:+.3f} [{low:+.3f}, {high:+.3f}]".replace("-", "−")
    assert words in told and f"{shipped['seeds']} seeds" in told
    assert f"{adec.min():.3f} – {adec.max():.3f}" in told
    other = opened("train", run="digits/conv_ae", data="digits")
    assert not any("difference worth" in text.value for text in other.caption)


def test_the_map_of_a_training_has_a_colour_for_a_class(trained_home: Store) -> None:
    run = method(trained_home, "adec")
    label = run.table()["label"].to_numpy()
    samples = np.arange(len(label))
    found = pictures.in_classes(run, np.where(label == 3, 10, 9 - label), samples)
    assert list(found.names) == [
        *(f"mostly {9 - code}" for code in range(6)),
        "empty",
        *(f"mostly {9 - code}" for code in range(7, 10)),
        "mostly 3",
    ]
    assert found.places == [9, 8, 7, 6, 5, 4, 16, 2, 1, 0, 3], "a class has the colour of its own place"
