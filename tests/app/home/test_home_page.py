"""Home: what is shown with a zoo and without, and where its buttons lead."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import gallery
from app.address import house, links
from app.charts import plot
from app.home import cards, pictures, welcome
from engine.asking import keeping
from engine.asking.answers import Answer
from engine.asking.questions import SHOWN, LadderQuestion, ObjectiveChoice
from engine.store.store import Store
from tests.app.conftest import said

Opened = Callable[..., AppTest]


def test_home_shows_a_digit_that_changes_its_cluster(trained_home: Store, opened: Opened) -> None:
    at = opened("home")
    words = said(at)
    assert "takes it from cluster" in words and "random noise" in words and "Grab the slider" in words
    assert {"Attack it your way", "See which samples break", "Train one yourself"} <= {
        button.label for button in at.button
    }
    assert "Where you left off" in [heading.value for heading in at.subheader]


def test_home_needs_no_engine_for_its_first_picture(
    trained_home: Store, opened: Opened, desk: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> Answer:
        raise AssertionError("Home asked a worker for what the zoo ships")

    monkeypatch.setattr(desk, "ask", refused)
    assert opened("home")


def test_the_story_tells_bound_and_control() -> None:
    run = Store().zoo()["digits/adec"]
    found = keeping.kept(LadderQuestion(model=run.key, sample=SHOWN["digits"]))
    assert found is not None and found.epsilon_star is not None
    told = welcome.story(found)
    assert plot.bound(found.epsilon_star) in told and "noise" in told


@pytest.mark.parametrize("data", house.OF_VIEWS.values())
def test_the_first_picture_of_two_views_leaves_its_cluster_before_noise_does(data: str) -> None:
    run, wanted = Store().zoo()[f"{data}/comvc"], ObjectiveChoice(name="mv_disrupt")
    found = keeping.kept(LadderQuestion(model=run.key, sample=SHOWN[data], objective=wanted))
    assert found is not None and found.first_reached is not None and found.noise_share is not None
    assert found.noise_share[found.first_reached] <= 0.05


@pytest.mark.parametrize("data", house.READY)
def test_every_page_has_a_card_full_of_pictures(trained_home: Store, opened: Opened, data: str) -> None:
    at = opened("home", data=data)
    told = said(at)
    assert "attack" in pictures.OF_PAGE and len(pictures.OF_PAGE) > 8
    for name in pictures.OF_PAGE:  # lists, lessons and tools have no pictures of their own
        script = links.pages()[name]
        shown = list(pictures.OF_PAGE[name](data))
        assert len(shown) >= 3, f"{name} has {len(shown)} pictures"
        assert all(isinstance(image, bytes) or np.ptp(gallery.pixels(image)) > 100 for image, _ in shown)
        assert cards.question_of(script).endswith("?") and f"**{script.title}**" in told
        assert f"Open {script.title}" in [button.label for button in at.button]
    assert "Train one" not in [button.label for button in at.button], "a model of every family ships"
    assert [words for _, words in pictures.classes(data)] == [f"labelled “{digit}”" for digit in range(10)]


@pytest.mark.parametrize("data", house.READY)
def test_the_card_of_defend_shows_what_its_page_does_and_leads_to_it(
    trained_home: Store, opened: Opened, data: str
) -> None:
    assert pictures.leads("attack", data) == {}
    at = opened("defend", data=data, **pictures.leads("defend", data))
    on_the_page = "".join(element.proto.body for element in at.get("html"))
    opened("home", data=data)
    shown = [words.partition(" at ε")[0] for _, words in pictures.defend(data)]
    assert len(shown) >= 3 and any(" goes from " in words for words in shown)
    assert all(f"<figcaption>{words}</figcaption>" in on_the_page for words in shown), shown


def test_cards_tell_what_was_measured(trained_home: Store, desk: object) -> None:
    cells = Store().zoo()["mnist_test/adec.over_epsilon"].result()["cells"]
    flips = [cell["metrics"]["flip_rate"] for cell in cells if cell["epsilon"] == 0.1]
    assert f"ε 0.1: {np.mean(flips):.0%} flip" in [words for _, words in pictures.curves("mnist_test")]
    assert len(flips) == 3
    sent = [words.split(" → ") for _, words in pictures.inspect("mnist_test")]
    assert len(sent) == pictures.MOST and all(before != after for before, after in sent)
    assert {before for before, _ in sent} == set("0123456789"), "one from each cluster"


def test_home_plays_mnist_first(trained_home: Store, opened: Opened) -> None:
    assert "takes it from cluster **0** to **6**" in said(opened("home", data=""))
    run = Store().zoo()["mnist_test/adec"]
    found = keeping.kept(LadderQuestion(model=run.key, sample=SHOWN["mnist_test"]))
    assert found is not None and plot.bound(found.epsilon_star or 1.0) == "0.077"


def test_without_a_zoo_home_says_how_to_make_one(
    home: Path, trained_home: Store, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "zoo", lambda self: {})
    at = opened("home")
    assert "python3 -m engine zoo" in said(at)
