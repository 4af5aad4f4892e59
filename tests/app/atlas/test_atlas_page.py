"""The page Atlas, on the cases that ship."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.atlas import show
from app.papers import declared
from engine.atlas import case
from engine.home import home
from engine.store.store import Store
from tests.app.conftest import said

Opened = Callable[..., AppTest]
ATLAS = case.read()


def sentences(at: AppTest) -> set[str]:
    return {text.value for text in at.markdown} & {str(one.sentence) for one in ATLAS.cases}


def test_it_opens_with_the_first_of_each_rule(trained_home: Store, opened: Opened) -> None:
    at = opened("atlas", data="digits")
    assert not at.error and not at.warning, said(at)
    wanted: dict[tuple[str, str], str] = {}
    for one in sorted(ATLAS.cases, key=lambda one: "digits" not in one.data):
        wanted.setdefault((one.rule, one.family), str(one.sentence))
    assert sentences(at) == set(wanted.values())


@pytest.mark.parametrize("name", ["rule", "by", "of_data"])
def test_what_is_chosen_is_in_the_link_and_narrows_the_cases(
    name: str, trained_home: Store, opened: Opened
) -> None:
    of = {"rule": "rule", "by": "attack", "of_data": "data"}[name]
    wanted = str(getattr(ATLAS.cases[-1], of))
    at = opened("atlas", **{name: wanted})
    shown = sentences(at)
    assert shown and shown <= {str(one.sentence) for one in ATLAS.cases if getattr(one, of) == wanted}


PAPER_OF = {
    "Deep clustering": "adec",
    "Multi-view clustering": "ar_dmvc",
    "Contrastive encoders": "ncp",
    "Robust clustering": "robust",
    "Autoencoders": "uae",
}


@pytest.mark.long
@pytest.mark.parametrize("paper", PAPER_OF.values())
def test_the_cases_of_a_paper_are_those_of_its_attacks_and_its_models(
    paper: str, trained_home: Store, opened: Opened
) -> None:
    at = opened("atlas", paper=paper)
    assert not at.error and not at.warning, said(at)
    shown = sentences(at)
    of_it = [one for one in ATLAS.cases if declared.of_attack(one.attack, one.model) == paper]
    assert shown and shown <= {str(one.sentence) for one in of_it}
    assert declared.sources()[paper] in [text.value for text in at.caption]


def test_every_case_is_of_one_of_the_five_papers(trained_home: Store, opened: Opened) -> None:
    opened("atlas")
    for one in ATLAS.cases:
        paper = declared.of_attack(one.attack, one.model)
        assert paper == PAPER_OF.get(one.family, paper) and paper in PAPER_OF.values(), one.model
    titles = [declared.title(paper) for paper in PAPER_OF.values()]
    assert titles == ["ADEC", "AR-DMVC", "NCP-ACL", "Robust clustering", "UAE"]
    assert declared.of_attack("minmax", "digits/classifier") == "uae"
    assert declared.of_attack("pgd", "digits/simclr.probe") == "ncp"
    assert declared.of_attack("pgd", "gone") == "", declared.title("")


@pytest.mark.long
@pytest.mark.parametrize("rule", sorted({one.rule for one in ATLAS.cases}))
def test_every_kind_of_case_leads_to_a_page_that_shows_its_sample(
    rule: str, trained_home: Store, opened: Opened
) -> None:
    one = next(one for one in ATLAS.cases if one.rule == rule and "digits" in one.data)
    page, there = show.address(one)
    at = opened(page, **there)
    assert not at.error and not at.warning, said(at)
    assert at.query_params["sample"] in (str(one.sample), [str(one.sample)])


def test_what_trainings_drew_is_shown_class_by_class_along_them(trained_home: Store, opened: Opened) -> None:
    at = opened("atlas", data="digits", drew="digits/adec")
    assert not at.error and not at.warning, said(at)
    run = Store().zoo()["digits/adec"]
    steps = {int(file.stem.split("-")[1]) for file in (run.folder / "pictures").iterdir()}
    timeline = at.select_slider(key=f"timeline/{run.key}")
    assert {int(step.replace(",", "")) for step in timeline.options} == steps and len(steps) > 5
    timeline.set_value(min(steps)).run()
    assert not at.error and f"iteration {min(steps):,}" in said(at)


def test_the_command_at_the_foot_leaves_the_atlas_that_ships_alone(
    trained_home: Store, opened: Opened
) -> None:
    command = shlex.split(opened("atlas", data="digits").code[-1].value)
    assert command[:5] == ["python3", "-m", "engine", "atlas", "--out"]
    assert Path(command[5]).parent == home()
