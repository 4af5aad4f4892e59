"""The Multi-view page, on the models and generators that ship with Feint."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app.address import connection
from app.papers import multiview
from engine.store.store import Store
from tests.app.conftest import said

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


@pytest.mark.parametrize("attacker", ["strong", "released"])
def test_a_shipped_generator_is_clamped_and_says_so(
    attacker: str, trained_home: Store, opened: Opened
) -> None:
    at = opened("multiview", model="noisy_digits/comvc", attacker=attacker)
    assert "One generator, fitted at ε = 0.3 (transductive), clamped at each ε" in markdown(at), said(at)
    assert not at.warning
    assert list(at.get("plotly_chart")), "the matrices of its run are there at once"


def test_a_lock_on_joint_generators_understates_and_is_told(trained_home: Store, opened: Opened) -> None:
    at = opened("multiview", model="noisy_digits/comvc", attacker="strong", locked="0")
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
    assert not at.warning and at.selectbox(key="p_model").value in connection.models(ability="fuses")
    nobody = opened("multiview", model="nobody")
    assert any("model=nobody" in warning.value for warning in nobody.warning)


def test_levels_of_a_short_ladder_are_those_of_the_whole() -> None:
    class Said:
        json = {"levels": [0.0] * multiview.FIRST}  # noqa: RUF012

    short: multiview.Answer = Said()  # type: ignore[assignment]
    assert [multiview.level_in(short, step) for step in (-1, 0, 32, 64)] == [-1, 0, 4, 8]
    assert [multiview.level_out(short, level) for level in (0, 4, 8)] == [0, 32, 64]
