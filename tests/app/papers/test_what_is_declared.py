"""What training pages say of a run and offer for a method is what the run and the method say themselves."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.address import connection
from app.papers.studies import results
from app.runs import naming
from engine import registry
from engine.running.runner import prepare, run
from engine.store.store import Store
from tests.app.conftest import Desk, said

Opened = Callable[..., AppTest]


def test_the_words_are_those_of_the_attack_that_this_run_is_watched_under(home: Path, opened: Opened) -> None:
    tiny = {"width": 4, "epochs": 1, "batch": 100, "watched": 20}
    *_, trained = run(prepare("train", "comvc", "noisy_digits", changes=tiny))
    at = opened("train", run=trained.run)
    helps = " ".join(metric.help for metric in at.metric)
    charts = json.dumps([chart.proto.spec for chart in at.get("plotly_chart")])
    assert all(
        "on 20 samples" in words and "on 100 samples" not in words for words in (said(at), helps, charts)
    )
    *_, unseen = run(prepare("train", "comvc", "noisy_digits", changes=tiny | {"watched": 0}))
    assert "attacked:" not in said(opened("train", run=unseen.run))


def test_shipped_cards_name_the_attack_that_they_were_watched_under() -> None:
    trained = [shipped for shipped in Store().zoo().values() if shipped.spec.action == "train"]
    assert len(trained) > 20
    for shipped in trained:
        settings = registry.find("model", shipped.spec.name)(**shipped.spec.settings["model_settings"])
        assert shipped.card().get("watched", "") == settings.watched_in_words(), shipped.name


@pytest.mark.parametrize("name", ["conv_ae", "linear_probe", "comvc", "latent_defence", "adec"])
def test_a_comparison_is_offered_where_it_is_declared(
    name: str, home: Path, desk: Desk, opened: Opened
) -> None:
    shipped = {one.spec.name: one for one in reversed(connection.store().zoo().values())}
    entry = connection.catalogue()["model"][name]
    words = {0: None, 3: "Compare the three arms", 4: "Compare the four arms"}[len(entry["compared_with"])]
    at = opened("train", run=shipped[name].name, data=shipped[name].spec.data) if name in shipped else None
    if at is None:
        at = opened("train", data="digits")
        at.selectbox(key="p_method").set_value(name).run()
    assert [button.label for button in at.button if button.label.startswith("Compare")] == [words] * bool(
        words
    )


ON_DIGITS = [name for name in registry.names("study") if "quick" in registry.find("study", name).measured_on]


def test_a_study_on_colour_pictures_opens_without_them(opened: Opened) -> None:
    at = opened("contrastive", data="digits", tab="tables", study="ncp.colour")
    told = said(at) + "".join(code.value for code in at.code)
    assert "engine study ncp.colour " in told and "One seed: no deviation" in told, told
    assert "was not made on digits. It is shown on CIFAR-10 (JPEG)" in told


@pytest.mark.long
@pytest.mark.parametrize("name", ON_DIGITS)
def test_a_link_to_a_study_opens_it(name: str, trained_home: Store, opened: Opened) -> None:
    entry = connection.catalogue()["study"][name]
    made = trained_home.create(prepare("study", name, entry["data"]["quick"], changes={"size": "quick"}))
    assert naming.page_of(made.spec) == entry["page"]
    address = naming.address_of(made)
    tab = {"tab": entry["tab"]} if entry["tab"] else {}
    assert address == tab | {"study": name, "size": "quick"}
    at = opened(entry["page"], **address)
    told = said(at) + "".join(code.value for code in at.code)
    assert f"engine study {name} " in told, told
    refused = [warning.value for warning in at.warning if "strongest attack was not run" not in warning.value]
    here = results.sizes(name, "digits")
    assert bool(refused) == bool(here and "quick" not in here), refused  # measured at another size alone
    assert not entry["tab"] or at.query_params["tab"] in (entry["tab"], [entry["tab"]])
