"""The page Data and zoo: every data set and model has a row and a card; what is brought is told about, kept,
used and removed.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.address import connection
from app.data_and_zoo import asked, rows
from engine.cli import main
from engine.data import own_kept
from engine.store import portable
from engine.store.store import Store
from tests.app.conftest import Desk, method, said
from tests.engine.data.test_own_kept import gappy, pictures, table

Opened = Callable[..., AppTest]


def test_every_data_set_and_model_has_a_row_and_a_card(trained_home: Store, opened: Opened) -> None:
    found = {row.name: row.shown for row in rows.of_data()}
    assert set(found) == set(connection.catalogue()["data"])
    assert found["mnist"]["where"] == "to fetch" and found["mnist"]["MB"] == 11.6
    assert found["stl10_resnet50"]["where"] == "to bring yourself" and found["digits"]["where"] == "here"
    at = opened("data", which="mnist", find="handwritten mnist")
    assert (
        "70,000 handwritten digits" in said(at) and at.dataframe[0].value["data"].str.contains("MNIST").all()
    )
    models = {row.name: row.shown for row in rows.of_models()}
    shipped = Store().zoo()["digits/adec"].card()["attacked"][1]
    adec, encoder = models["digits/adec"], models["digits/dense_ae"]
    assert (adec["score"], adec["attacked"]) == ("ACC", shipped["acc_attacked"])
    assert models["digits/adec"]["under"] == "PGD, ε = 0.1" and set(connection.models()) == set(models)
    at = opened("data", tab="models", which="digits/adec", find="adec")
    assert "ADEC on Digits" in at.subheader[0].value
    labels = [item.proto.label for item in at.get("download_button")]
    assert len(labels) == 5 and labels.count("LaTeX") == 2, "the list, its attacks, and the model"
    assert encoder["score"] == "Reconstruction error" and encoder["clean"] < encoder["attacked"] < 1
    told = r"PGD, ε = 0\.1: moves the embedding by \d\.\d+ \(squared distance\)"
    assert re.fullmatch(told, models["digits/simclr"]["under"]) and not models["digits/simclr"]["attacked"]
    at = opened("data", tab="models", which="digits/simclr", order_by="attacked")
    listed, card = (table.value for table in at.dataframe)
    assert listed["attacked"].dropna().is_monotonic_decreasing and listed["attacked"].dtype == float
    assert card["what it does"].str.startswith("moves the embedding").all()


def test_of_an_attack_without_a_score_before_and_after_it_is_said_what_it_did(desk: Desk, home: Path) -> None:
    assert rows.achieved({"success_rate": 0.55, "objective_mean": 2.0, "objective": "leave_cluster"}) == (
        "succeeds on 55 % of the samples"
    )
    told = rows.achieved({"objective_mean": 0.0805, "objective": "raise_reconstruction"})
    assert told == "raises the reconstruction error to 0.0805 (mean square)"
    assert rows.achieved({}) == ""


def test_what_is_kept_is_in_every_list_and_can_be_removed(
    trained_home: Store, opened: Opened, tmp_path: Path
) -> None:
    assert main(["data", "keep", str(pictures(tmp_path / "it")), "--name", "My walk"]) == 0
    at = opened("data", which="my-walk")
    assert "60 colour images of 16x16" in said(at) and at.dataframe[0].value["where"][0] == "your own"
    train = opened("train", data="my-walk")
    assert train.session_state["p_method"] == "ae_kmeans", "the quickest first"
    assert json.loads(train.session_state["p_settings"]) == {"batch": 30, "iterations": 600}, (
        "no batch is larger than half of 60 samples, and 300 passes are enough"
    )
    assert train.session_state["p_data"] == "my-walk" and "My walk" in train.selectbox(key="p_data").options
    next(button for button in at.button if button.label == "Remove for good").click().run()
    assert "My walk is removed" in said(at) and not own_kept.cards() and not at.exception
    assert "my-walk" not in connection.catalogue()["data"]


@pytest.mark.parametrize(
    ("method_name", "settings"),
    [
        ("ae_kmeans", {"batch": 44, "iterations": 613}),
        ("acai", {"batch": 44, "iterations": 613}),
        ("adec", {"base.batch": 44, "base.iterations": 613, "batch": 45, "iterations": 600}),
    ],
)
def test_a_batch_of_half_the_samples_is_one_that_its_field_takes(
    trained_home: Store, opened: Opened, tmp_path: Path, method_name: str, settings: dict[str, int]
) -> None:
    assert main(["data", "keep", str(pictures(tmp_path / "it", 30)), "--name", "Ninety"]) == 0
    train = opened("train", data="ninety", method=method_name)
    assert json.loads(train.session_state["p_settings"]) == settings, "half of 90 is odd"
    assert not train.error and "must be a multiple" not in said(train)


def test_a_file_is_told_about_before_it_is_kept(
    desk: Desk, trained_home: Store, opened: Opened, tmp_path: Path
) -> None:
    at = opened("data", tab="bring")
    at.text_input(key="brought_path").set_value(str(table(tmp_path))).run()
    assert "30 samples of 2 features" in said(at) and "2 clusters will be sought." in said(at)
    assert not own_kept.cards(), "nothing is used yet"
    at.text_input(key="brought_path").set_value(str(tmp_path / "gone")).run()
    assert at.error and not at.exception


def test_missing_values_are_told_with_what_will_be_done_to_them(
    desk: Desk, trained_home: Store, opened: Opened, tmp_path: Path
) -> None:
    at = opened("data", tab="bring")
    at.text_input(key="brought_path").set_value(str(gappy(tmp_path))).run()
    assert next(metric.value for metric in at.metric if metric.label == "Missing values") == "2"
    assert "2 of 60 values are missing" in said(at) and "replaced by the median of its feature" in said(at)
    assert not at.error and not at.exception


def test_an_upload_lies_under_its_hash_and_nowhere_else(home: Path) -> None:
    file = asked.put_down("../../etc/pass wd.csv", b"a,b\n")
    assert file.parent.parent == home / "brought" and file.name == "pass wd.csv"


def test_a_model_that_left_comes_back_through_the_page(
    trained_home: Store, opened: Opened, tmp_path: Path
) -> None:
    run = method(trained_home, "dec_star")
    portable.export(run, tmp_path / "model.zip")
    trained_home.delete(run.key)
    at = opened("data", tab="bring")
    at.text_input(key="brought_path").set_value(str(tmp_path / "model.zip")).run()
    assert "This is a model that left another Feint." in said(at)
    next(button for button in at.button if button.label == "Take it in").click().run()
    assert at.success and not at.exception and Store().find(run.key).status() == "finished"
    models = {row.name: row.shown for row in rows.of_models()}
    assert models[run.key]["from"] == "brought"
