"""The Multi-view page, on the models and generators that ship with Feint."""

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.address import connection
from app.forms.choose_model import victim_of
from app.papers.multiview import attackers, levels
from engine.store.store import Store
from tests.app.conftest import Desk, said

Opened = Callable[..., AppTest]


def markdown(at: AppTest) -> str:
    return "\n".join([*(text.value for text in at.markdown), *(text.value for text in at.caption)])


def test_a_shipped_model_opens_with_its_views(trained_home: Store, opened: Opened) -> None:
    at = opened("multiview", model="noisy_digits/comvc")
    told = markdown(at)
    assert (
        "It leaves cluster" in told
        and "of its contrast" in told
        and "between views of different samples" in told
    ), said(at)
    assert at.metric[0].label == "Agreement of the views"
    assert any(
        "--objective mv_disrupt" in code.value and "--model noisy_digits/comvc" in code.value
        for code in at.code
    )


@pytest.mark.parametrize("attacker", ["mv_gan", "mv_gan.as_released"])
def test_a_shipped_generator_is_clamped_and_says_so(
    attacker: str, trained_home: Store, opened: Opened
) -> None:
    at = opened("multiview", model="noisy_digits/comvc", attacker=attacker)
    assert "One generator, fitted at ε = 0.3 (transductive), clamped at each ε" in markdown(at), said(at)
    assert not at.warning
    assert list(at.get("plotly_chart")), "the matrices of its run are there at once"


def test_a_lock_on_joint_generators_understates_and_is_told(trained_home: Store, opened: Opened) -> None:
    at = opened("multiview", model="noisy_digits/comvc", attacker="mv_gan", locked="0")
    assert sum("understates" in warning.value for warning in at.warning) == 1
    assert any(button.label == "Fit generators with this lock" for button in at.button)
    free = opened("multiview", model="noisy_digits/comvc", locked="0")
    assert not free.warning and "view 1: 0.000" in markdown(free)


def test_every_view_locked_is_a_sentence(trained_home: Store, opened: Opened) -> None:
    at = opened("multiview", model="noisy_digits/comvc", locked="0,1")
    assert [error.value for error in at.error] == [
        "Every view is locked, which leaves nothing to attack. Unlock one."
    ]


def test_a_model_of_one_view_in_the_address_is_for_other_pages(trained_home: Store, opened: Opened) -> None:
    at = opened("multiview", model="digits/adec")
    assert [warning.value for warning in at.warning] == [
        "The link says model=digits/adec, which this page cannot show: another is shown instead."
    ]
    assert at.selectbox(key="p_model").value in connection.models(ability="fuses")
    nobody = opened("multiview", model="nobody")
    assert any("model=nobody" in warning.value for warning in nobody.warning)


def test_levels_of_a_short_ladder_are_those_of_the_whole() -> None:
    short, whole = (np.linspace(0, 0.3, count) for count in (levels.FIRST, levels.LEVELS))
    assert np.isclose(short[:, None], whole).any(1).all(), "a place let go on one is there on the other"


def test_attackers_are_what_the_catalogue_says(trained_home: Store, opened: Opened) -> None:
    victim = victim_of(connection.store().zoo()["noisy_digits/comvc"])
    found = attackers.attackers(victim, "mv_disrupt")
    assert "minmax" not in found, "the objective does not say when it is met"
    assert "minmax" in attackers.attackers(victim, "leave_cluster")
    assert next(iter(found)) == "pgd" and {"mv_gan", "mv_gan.as_released"} <= found.keys()
    assert found["mv_gan.as_released"].title.endswith("as released")
    assert set(attackers.OLD_NAMES.values()) <= found.keys()


@pytest.mark.parametrize(("old", "new"), [("strong", "mv_gan"), ("released", "mv_gan.as_released")])
def test_links_of_earlier_versions_name_the_same_attacker(
    old: str, new: str, trained_home: Store, opened: Opened
) -> None:
    at = opened("multiview", model="noisy_digits/comvc", attacker=old)
    assert at.selectbox(key="p_attacker").value == new and not at.warning
    assert at.query_params["attacker"] in (new, [new])


def test_a_lock_is_fitted_from_the_page(trained_home: Store, opened: Opened, desk: Desk) -> None:
    at = opened("multiview", model="noisy_digits/comvc", attacker="mv_gan", locked="1")
    next(button for button in at.button if button.label == "Fit generators with this lock").click()
    at.run()
    assert not at.exception and len(desk.submitted) == 1
    spec = Store().find(desk.submitted[0]).spec
    assert (spec.name, spec.settings["locked"], spec.settings["half"]) == ("mv_gan", [1], "second")
