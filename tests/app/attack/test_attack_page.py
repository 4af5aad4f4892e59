"""The Attack page: ladders on three axes, a link's nonsense, downloads, controls."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app.address import notices
from app.attack import on_the_map
from engine.store.store import Store
from tests.app.conftest import method, said

Opened = Callable[..., AppTest]


def test_every_axis_draws_a_ladder_and_tells_the_result(trained_home: Store, opened: Opened) -> None:
    key = method(trained_home, "adec").key
    for axis, words in (("epsilon", "≤"), ("path", "step"), ("lambda", "λ")):
        at = opened("attack", model=key, tab=axis, eps="0.3")
        told = [text.value for text in at.markdown if text.value.startswith("It leaves cluster")]
        assert len(told) == 1, said(at)
        assert words in told[0] or "none of the levels" in told[0] or "every λ" in told[0]
        assert "noise of the same size" in told[0]


def test_the_address_holds_every_choice_and_gives_the_same_picture(
    trained_home: Store, opened: Opened
) -> None:
    key = method(trained_home, "adec").key
    at = opened("attack", model=key, sample="17", eps="0.2", seed="3", steps="5")
    written = {name: value if isinstance(value, str) else value[0] for name, value in at.query_params.items()}
    assert {
        "v": "1",
        "model": key,
        "sample": "17",
        "eps": "0.2",
        "seed": "3",
        "steps": "5",
        "attack": "pgd",
        "objective": "leave_cluster",
        "norm": "linf",
        "lambda": "0",
    }.items() <= written.items()
    again = opened("attack", **written)
    assert [text.value for text in again.markdown] == [text.value for text in at.markdown]


def test_nonsense_in_a_link_is_told_and_replaced(trained_home: Store, opened: Opened) -> None:
    at = opened("attack", model="nobody", sample="999999", eps="banana", attack="voodoo", v="99")
    told = "\n".join(warning.value for warning in at.warning)
    for parameter in ("model=nobody", "sample=999999", "eps=banana", "attack=voodoo", "v=99"):
        assert parameter in told, told


def test_notices_outlive_the_second_drawing(
    trained_home: Store, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_the_map, "place_on_umap", once(notices.draw_again))
    at = opened("attack", model="nobody", umap="1")
    assert any("model=nobody" in warning.value for warning in at.warning)


def once(function: Callable[[], None]) -> Callable[..., None]:
    """A function that is called the first time only."""
    left = [function]
    return lambda *_: left.pop()() if left else None


def test_a_targeted_attack_asks_for_its_cluster(trained_home: Store, opened: Opened) -> None:
    at = opened("attack", model=method(trained_home, "adec").key, objective="go_to_cluster", target="2")
    assert at.selectbox(key="p_target").value == 2
    assert any("--objective go_to_cluster" in code.value and "--cluster 2" in code.value for code in at.code)


def test_what_it_costs_to_reproduce_is_one_line(trained_home: Store, opened: Opened) -> None:
    key = method(trained_home, "dec_star").key
    at = opened("attack", model=key, eps="0.15", tab="path", **{"lambda": "30"})
    assert any(
        f"engine attack pgd --model {key}" in code.value
        and "--lam 30" in code.value
        and "--epsilon 0.15" in code.value
        for code in at.code
    )
    at = opened("attack", model=key, step="64", tab="epsilon")
    assert any("--epsilon 0.3" in code.value for code in at.code), (
        "along ε the command is for the level that is shown"
    )
    at = opened("attack", model=key, step="20", tab="lambda", eps="0.15")
    assert any("--lam 100" in code.value for code in at.code)


def test_sizes_one_can_judge_by_eye_are_places_on_the_ladder(trained_home: Store, opened: Opened) -> None:
    at = opened("attack", model=method(trained_home, "dec_star").key)
    pills = next(group for group in at.button_group if group.key == "jump")
    pills.select("Strong 0.3").run()
    assert at.query_params["step"] in ("64", ["64"]) and not at.exception
    assert "p_eps" in at.session_state and not [slider for slider in at.slider if slider.key == "p_eps"], (
        "the ladder is the slider"
    )


def test_the_controls_stand_beside_the_attack(trained_home: Store, opened: Opened) -> None:
    at = opened("attack", model=method(trained_home, "adec").key, eps="0.1")
    tables = [frame.value for frame in at.dataframe]
    names = " ".join(str(value) for table in tables for value in (*table.index, *table.to_numpy().ravel()))
    assert "noise of the same size" in names and "perturbations of other samples" in names and "FGSM" in names
