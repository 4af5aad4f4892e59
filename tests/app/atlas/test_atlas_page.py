"""The page Atlas, on the cases that ship."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app.atlas import show
from engine.atlas import case
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


@pytest.mark.parametrize("name", ["rule", "family", "by", "of_data"])
def test_what_is_chosen_is_in_the_link_and_narrows_the_cases(
    name: str, trained_home: Store, opened: Opened
) -> None:
    of = {"rule": "rule", "family": "family", "by": "attack", "of_data": "data"}[name]
    wanted = str(getattr(ATLAS.cases[-1], of))
    at = opened("atlas", **{name: wanted})
    shown = sentences(at)
    assert shown and shown <= {str(one.sentence) for one in ATLAS.cases if getattr(one, of) == wanted}


@pytest.mark.parametrize("rule", sorted({one.rule for one in ATLAS.cases}))
def test_every_kind_of_case_leads_to_a_page_that_shows_its_sample(
    rule: str, trained_home: Store, opened: Opened
) -> None:
    one = next(one for one in ATLAS.cases if one.rule == rule and "digits" in one.data)
    page, there = show.address(one)
    at = opened(page, **there)
    assert not at.error and not at.warning, said(at)
    assert at.query_params["sample"] in (str(one.sample), [str(one.sample)])
