"""Home: what is shown with a zoo and without, and where its buttons lead."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.address import connection
from app.charts import plot
from app.home import families, welcome
from engine.asking import keeping
from engine.asking.answers import Answer
from engine.asking.questions import SHOWN, LadderQuestion
from engine.models.declared import Family
from engine.store.store import Store
from tests.app.conftest import said

Opened = Callable[..., AppTest]
FETCH = welcome._fetch.__wrapped__


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


def test_a_fetch_that_fails_is_told_and_the_rest_works(
    trained_home: Store, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEINT_MIRROR", "http://127.0.0.1:9")
    process = FETCH()
    assert process is not None and process.wait(60)
    monkeypatch.setattr(welcome, "_fetch", lambda: process)
    words = said(opened("home"))
    assert "MNIST could not be fetched" in words and "takes it from cluster" in words


def test_the_story_tells_bound_and_control() -> None:
    run = Store().zoo()["digits/adec"]
    found = keeping.kept(LadderQuestion(model=run.key, sample=SHOWN["digits"]))
    assert found is not None and found.epsilon_star is not None
    told = welcome.story(found)
    assert plot.bound(found.epsilon_star) in told and "noise" in told


def test_every_family_has_its_card_its_pictures_and_its_page(trained_home: Store, opened: Opened) -> None:
    at = opened("home")
    told = said(at)
    declared = {entry["family"]["name"] for entry in connection.catalogue()["model"].values()}
    assert [family["name"] for family in families.families()][:1] == ["Deep clustering"]
    assert {family["name"] for family in families.families()} == declared
    assert all(f"**{name}**" in told for name in declared)
    named = [family for family in families.families() if family["example"]]
    assert {family["page"] for family in named} == {"attack", "multiview", "robust"}
    for family in named:
        runs = families.examples(family)
        assert runs and any(list(families._pair(family, run)) for run in runs.values()), family["name"]
        assert all(any(button.label == f"Attack {name}" for button in at.button) for name in runs)


def test_a_family_without_a_page_of_its_own_opens_attack(trained_home: Store, desk: object) -> None:
    assert Family("Something new", "Of somebody's own.").page == "attack"
    nobody = asdict(Family("Something new", "Of somebody's own."))
    assert families.examples(nobody) == {}


def test_without_a_zoo_home_says_how_to_make_one(
    home: Path, trained_home: Store, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "zoo", lambda self: {})
    at = opened("home")
    assert "python3 -m engine zoo" in said(at)
