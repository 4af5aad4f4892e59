"""Attack and Inspect on a table that a person brings: features with names in their own units, and not a word
of pictures.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.components import ladder as ladders
from app.features import Features, bars_html
from engine import registry
from engine.asking.questions import OverviewQuestion
from engine.running.runner import prepare, run
from engine.store.run import Run
from engine.store.store import Store
from tests.app.conftest import Desk, Worker, said
from tests.browser.harness import samples

Opened = Callable[..., AppTest]
PICTURES = re.compile(r"pixel|image|picture|/255", re.IGNORECASE)
NAMES = ("age", "<b>weight</b>", "height")


@pytest.fixture
def classifier(home: Path) -> Run:
    """A classifier of the table."""
    return trained("classifier", home, {"widths": (8, 8), "epochs": 60, "rate": 0.1})


@pytest.fixture
def autoencoder(home: Path) -> Run:
    """An autoencoder of the table."""
    return trained("dense_ae", home, {"width": 2, "steps": 200})


def trained(model: str, home: Path, changes: dict[str, object]) -> Run:
    """A model of a table of three features and two classes, with a training and a test part."""
    rng, rows = np.random.default_rng(0), []
    for number in range(60):
        label = number % 2
        values = [20 + 40 * label, 70, 1.5] + rng.normal(size=3) * [5, 10, 0.2]
        rows.append(
            [*(f"{value:.4f}" for value in values), str(label), "test" if number % 5 == 4 else "train"]
        )
    file = home / "people.csv"
    file.write_text("\n".join(",".join(row) for row in [[*NAMES, "label", "split"], *rows]))
    spec = prepare("train", model, str(file), changes=changes)
    assert list(run(spec))[-1].event == "finished"
    return Store(home).find(spec.key)


def words(at: AppTest) -> str:
    """All that a page says, tooltips and what is drawn as HTML among it."""
    helps = [str(getattr(item, "help", "") or "") for item in at.main]
    return "\n".join([said(at), *helps, *(item.proto.body for item in at.get("html"))])


def nothing_of_pictures(at: AppTest) -> None:
    """Links apart, which name settings, and what methods for pictures say of themselves."""
    methods = [str(entry["title"]) for entry in registry.catalogue()["model"].values()]
    options = [str(entry["schema"]) for entry in registry.catalogue()["model"].values()]
    lines = [
        line
        for line in words(at).splitlines()
        if PICTURES.search(line)
        and "?v=" not in line
        and not line.startswith(tuple(f"**{title}**" for title in methods))
        and not any(line in option for option in options)
    ]
    assert not lines, lines


def test_a_model_of_a_table_knows_names_and_ranges(classifier: Run, desk: Desk) -> None:
    overview = desk.ask(OverviewQuestion(model=classifier.key))
    assert overview.feature_names == NAMES and overview.shape == (3,)
    assert overview.low is not None and overview.span is not None
    assert 0 < overview.low[0] < 30 and 40 < overview.span[0] < 70


def test_attack_draws_features_and_says_nothing_of_pictures(classifier: Run, opened: Opened) -> None:
    at = opened("attack", model=classifier.key, objective="misclassify", sample="0")
    assert not at.error and not at.exception, said(at)
    drawn = next(
        json.loads(item.proto.json) for item in at.get("bidi_component") if "levels" in item.proto.json
    )
    assert drawn["features"]["names"] == list(NAMES) and len(drawn["features"]["span"]) == 3
    nothing_of_pictures(at)


def test_inspect_draws_features_and_says_nothing_of_pictures(
    classifier: Run, opened: Opened, worker: Worker
) -> None:
    at = opened("inspect", model=classifier.key, objective="misclassify", n="20", eps="0.3")
    assert not at.error and not at.exception, said(at)
    html = "".join(item.proto.body for item in at.get("html"))
    assert "feint-bars" in html and "&lt;b&gt;weight" in html and "<b>weight" not in html
    assert "features changed" in said(at)
    nothing_of_pictures(at)


def test_bars_are_signed_named_and_in_the_units_of_the_data() -> None:
    features = Features(("age", "height"), np.array([10.0, 1.0]), np.array([50.0, 0.5]))
    html = bars_html(features, np.array([0.5, 0.5]), np.array([0.4, 0.9]))
    age, height = html.index("age"), html.index("height")
    assert height < age, "the one that moved most first"
    assert "right:50%;width:12.50%" in html and "left:50%;width:50.00%" in html
    assert "35 → 30" in html and "1.25 → 1.45" in html
    assert Features.of(2).names == ("feature 1", "feature 2") and Features.of(2).told(0, 0.25) == "0.25"


def test_a_ladder_of_a_table_carries_its_features() -> None:
    assert ladders.ladder_payload(samples.ladder_drawing(9))["features"] is None
    table = ladders.ladder_payload(samples.table_drawing(9))["features"]
    assert len(table["names"]) == len(table["clean"]) == len(table["low"]) == 64


@pytest.mark.long
@pytest.mark.parametrize(("direction", "model"), [("-1", "autoencoder"), ("1", "classifier")])
def test_uae_draws_features_and_says_nothing_of_pictures(
    direction: str, model: str, request: pytest.FixtureRequest, opened: Opened, worker: Worker
) -> None:
    run_: Run = request.getfixturevalue(model)
    at = opened("uae", model=run_.key, direction=direction, compressed="8", along="path")
    press = next(button for button in at.button if button.label.startswith("Look for"))
    press.click().run()
    assert not at.error and not at.exception, said(at)
    html = "".join(item.proto.body for item in at.get("html"))
    assert "feint-bars" in html and "&lt;b&gt;weight" in html
    assert "left:50%" in html and "right:50%" in html, "bars to both sides"
    assert ("copies them back" in words(at)) == (direction == "-1")
    assert [pills for pills in at.get("button_group") if pills.label == "Follow"]
    drawn = [item.proto.json for item in at.get("bidi_component") if "levels" in item.proto.json]
    assert json.loads(drawn[0])["features"]["names"] == list(NAMES)
    nothing_of_pictures(at)


@pytest.mark.parametrize("page", ["curves", "train", "runs"])
def test_other_pages_say_nothing_of_pictures(page: str, classifier: Run, opened: Opened) -> None:
    known = {"run": classifier.key} if page == "train" else {"model": classifier.key}
    at = opened(page, **known)
    assert not at.error and not at.exception, said(at)
    nothing_of_pictures(at)
