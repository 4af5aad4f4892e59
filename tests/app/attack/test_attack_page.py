"""The Attack page: ladders on three axes, a link's nonsense, downloads, controls."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.address import notices
from app.attack import before_and_after, controls, on_the_map, takeaway
from app.forms import possible
from app.forms.choose_model import victim_of
from app.forms.threat import Threat
from engine.asking import computing
from engine.asking.answers import Control, ControlKind
from engine.pool.client import PATIENCE
from engine.store.store import Store
from tests.app.conftest import Desk, method, said

Opened = Callable[..., AppTest]


def test_every_axis_draws_a_ladder_and_tells_the_result(trained_home: Store, opened: Opened) -> None:
    key = method(trained_home, "adec").key
    for axis, words in (("epsilon", "≤"), ("path", "step"), ("lambda", "λ")):
        at = opened("attack", model=key, tab=axis, eps="0.3")
        told = [text.value for text in at.markdown if "noise of the same size" in text.value]
        assert len(told) == 1 and "leaves cluster" in told[0], said(at)
        assert words in told[0]
        assert told[0].startswith("No ") == ("was found at which it leaves" in told[0]), told[0]


@pytest.mark.parametrize(
    ("norm", "star", "reached", "words"),
    [
        ("linf", 0.0008, True, "It leaves cluster **3** at **ε\\* ≤ 0.001 (0.3/255)**"),
        ("linf", 0.0765, True, "It leaves cluster **3** at **ε\\* ≤ 0.077 (19.7/255)**"),
        ("l2", 1.2, True, "It leaves cluster **3** at **ε\\* ≤ 1.200**"),
        ("linf", None, False, "No ε up to 0.3 was found at which it leaves cluster **3**"),
    ],
)
def test_one_sentence_says_where_it_falls(
    norm: str, star: float | None, reached: bool, words: str, trained_home: Store, desk: Desk
) -> None:
    victim = victim_of(method(trained_home, "adec"))
    asked = Threat().ladder(victim.run.key, 0)
    found = computing.answer(asked)
    changed = {"norm": norm, "epsilon_star": star, "own_group": 3, "target": None, "noise_reached": 0}
    levels = np.zeros(len(found.levels), bool)
    levels[1:] = reached
    answer = found.model_copy(update=changed | {"reached": levels})
    overview = victim.overview.model_copy(update={"group_names": tuple("0123456789")})
    named = replace(victim, overview=overview)
    said_of_it = takeaway.sentence(named, "leave_cluster", answer)
    assert said_of_it.startswith(words) and "* >" not in said_of_it


def test_what_takes_minutes_is_said_and_waited_for(desk: Desk) -> None:
    assert possible.waiting("pgd") == "Climbing the ladder…"
    assert "minutes" in possible.waiting("strongest")
    assert PATIENCE == 600, (
        "seconds, for every answer: a page that passed its own would find no such argument"
    )


def test_a_perturbation_smaller_than_its_ball_is_explained(trained_home: Store, desk: Desk) -> None:
    found = computing.answer(Threat().ladder(method(trained_home, "adec").key, 0))
    levels = np.array(found.levels)
    inside = found.model_copy(update={"linf": np.float32(0.8) * levels, "norm": "linf"})
    at = len(levels) - 1
    said = before_and_after.smaller(inside, at)
    assert f"ε = {levels[at]:.3g}" in said and f"L∞ {0.8 * levels[at]:.3g}" in said
    assert before_and_after.smaller(inside.model_copy(update={"linf": levels}), at) == ""


def control(kind: ControlKind, reached: int) -> Control:
    return Control(kind=kind, title=kind, reached=reached, n=1, low=0, high=1)


def test_a_penalty_is_not_told_to_hide_gradients() -> None:
    kinds: tuple[ControlKind, ...] = ("strongest", "noise", "other_delta", "fgsm", "unlimited")
    rows = {"attack": control("attack", 0)} | {kind: control(kind, 0) for kind in kinds}
    there = rows | {kind: control(kind, 1) for kind in ("strongest", "fgsm", "unlimited")}
    assert any("strongest attack succeeds" in doubt for doubt in controls.doubts(there))
    assert any("FGSM" in doubt for doubt in controls.doubts(there))
    assert controls.doubts(there, penalised=True) == []


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
        "eps": "0.201563",  # where the picture stands: the level that is nearest
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
    at = opened("attack", model=key, eps="0.3", tab="epsilon")
    assert any("--epsilon 0.3" in code.value for code in at.code), (
        "along ε the command is for the level that is shown"
    )
    at = opened("attack", model=key, tab="lambda", eps="0.15", **{"lambda": "100"})
    assert any("--lam 100" in code.value for code in at.code)


def test_sizes_one_can_judge_by_eye_are_places_on_the_ladder(trained_home: Store, opened: Opened) -> None:
    at = opened("attack", model=method(trained_home, "dec_star").key)
    pills = next(group for group in at.button_group if group.key == "jump")
    pills.select("Strong").run()
    assert at.query_params["eps"] in ("0.3", ["0.3"]) and not at.exception
    assert "p_eps" in at.session_state and not [slider for slider in at.slider if slider.key == "p_eps"], (
        "the ladder is the slider"
    )


def test_the_controls_stand_beside_the_attack(trained_home: Store, opened: Opened) -> None:
    at = opened("attack", model=method(trained_home, "adec").key, eps="0.1")
    tables = [frame.value for frame in at.dataframe]
    names = " ".join(str(value) for table in tables for value in (*table.index, *table.to_numpy().ravel()))
    assert "noise of the same size" in names and "perturbations of other samples" in names and "FGSM" in names


def test_the_strongest_attack_is_one_of_the_attacks_of_this_page(trained_home: Store, opened: Opened) -> None:
    key = method(trained_home, "adec").key
    at = opened("attack", model=key, attack="strongest", eps="0.3", steps="4")
    assert not at.exception and not at.error, said(at)
    assert any("leaves cluster" in text.value for text in at.markdown)
    assert "path" not in at.query_params.get("tab", ""), "it has no single path"
