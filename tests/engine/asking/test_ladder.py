"""Ladders and what stands beside them, judged here: on a shipped model."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.asking import controls, keeping, shipping, victims
from engine.asking.answers import Control, ControlsAnswer, LadderAnswer
from engine.asking.computing import compute
from engine.asking.questions import (
    FEW_LEVELS,
    AttackChoice,
    Axis,
    ControlsQuestion,
    LadderQuestion,
    ObjectiveChoice,
    OtherModelsQuestion,
    epsilon_text,
)
from engine.attacks.minmax import MinMax
from engine.errors import FeintError
from engine.store.store import Store

SHORT = Axis.of_epsilon(levels=9)


@pytest.fixture
def key() -> str:
    return Store().zoo()["digits/adec"].key


def going_to(group: int) -> ObjectiveChoice:
    return ObjectiveChoice(name="go_to_cluster", settings={"cluster": group})


def own_group(found: LadderAnswer) -> int:
    assert found.own_group is not None
    return found.own_group


def test_a_ladder_over_epsilon_is_inside_its_balls_and_reaches_once(key: str) -> None:
    found = compute(LadderQuestion(model=key, sample=3, axis=SHORT))
    levels = np.array(found.levels)
    assert (np.abs(found.delta).max(1) <= levels + 1e-3).all()
    assert not found.delta[0].any(), "ε = 0 is the clean sample"
    assert found.q is not None and found.reached is not None and found.first_reached is not None
    away = found.q.argmax(1) != found.own_group
    assert (np.diff(away.astype(int)) >= 0).all(), "once it has left, it stays away"
    assert np.array_equal(away, found.reached) and found.first_reached == int(away.argmax())
    assert found.epsilon_star is not None
    assert levels[found.first_reached - 1] < found.epsilon_star <= levels[found.first_reached]


def test_the_value_is_that_of_the_objective_at_each_level(key: str) -> None:
    found = compute(LadderQuestion(model=key, sample=3, axis=SHORT))
    assert found.q is not None and (np.diff(found.value) >= 0).all()
    log_q = np.log(found.q.astype(np.float64))
    others = np.delete(log_q, own_group(found), axis=1).max(1)
    assert np.allclose(found.value, others - log_q[:, own_group(found)], atol=1e-3), "the margin in log q"


def test_epsilon_star_is_an_upper_bound_that_really_leaves(key: str) -> None:
    found = compute(LadderQuestion(model=key, sample=3, axis=SHORT))
    victim = victims.victim_of(key)
    clean = victim.rows([3])
    attacked = clean.flat() + torch.from_numpy(found.delta[found.first_reached])
    group = victim.outputs_of(clean.like(attacked)).group
    assert group is not None and int(group) != found.own_group


@pytest.mark.parametrize(("levels", "refined"), [(FEW_LEVELS, False), (5, True)])
def test_an_attack_that_need_not_use_its_budget_up_is_not_refined_among_many_levels(
    key: str, levels: int, refined: bool
) -> None:
    few = {"steps": 8, "inner_steps": 1, "compressed": 4, "size": 4, "step": "sign", "step_size": 0.05}
    question = LadderQuestion(
        model=key,
        sample=3,
        attack=AttackChoice(name="minmax", settings=few | {"first_price": 1000.0, "positive": False}),
        axis=Axis.of_epsilon(levels=levels),
    )
    found = compute(question)
    assert found.first_reached is not None and found.epsilon_star is not None
    assert (found.epsilon_star < found.levels[found.first_reached]) == refined
    assert (f"ε* among {levels} levels" in found.protocol) != refined


def test_with_a_target_to_reach_is_to_arrive(key: str) -> None:
    names = compute(LadderQuestion(model=key, sample=3, axis=SHORT)).group_names
    one = names.index("1")
    axis = Axis(top=0.4, levels=9)
    far = compute(LadderQuestion(model=key, sample=3, axis=axis, objective=going_to(one)))
    assert far.q is not None and far.reached is not None
    winners, first = far.q.argmax(1), far.first_reached
    assert first is not None and winners[first] == one
    assert (winners[:first] != one).all(), "elsewhere is not there"
    assert far.reached.tolist() == (winners == one).tolist()
    at_home = compute(LadderQuestion(model=key, sample=3, axis=SHORT, objective=going_to(own_group(far))))
    assert at_home.first_reached == 0 and at_home.target == own_group(far)


@pytest.mark.parametrize("axis", [Axis.of_path(0.1), Axis.of_lambda(0.1, top=50.0, levels=5)])
def test_other_axes_stay_inside_one_ball(key: str, axis: Axis) -> None:
    attack = AttackChoice(settings={"steps": 6})
    found = compute(LadderQuestion(model=key, sample=3, attack=attack, axis=axis))
    assert np.abs(found.delta).max() <= 0.1 + 1e-3
    assert len(found.levels) == (7 if axis.name == "path" else 5)
    assert found.noise_q is not None
    assert len(np.unique(found.noise_q, axis=0)) == len(found.levels), "as many noises as are counted"
    if axis.name == "lambda":
        assert found.recon is not None and found.recon_clean is not None
        change = np.square(found.recon.astype(float) - found.recon_clean.astype(float)).mean(1)
        assert change[-1] < change[0], "the more λ weighs, the more the reconstruction is kept"


@pytest.mark.parametrize("axis", [SHORT, Axis.of_path(0.1)])
def test_noise_is_drawn_twenty_times_at_every_level_of_a_size(key: str, axis: Axis) -> None:
    found = compute(
        LadderQuestion(model=key, sample=3, attack=AttackChoice(settings={"steps": 4}), axis=axis)
    )
    sized = len(found.levels) - (axis.name == "epsilon")
    assert found.noise_n == 20 * sized
    assert found.noise_share is not None and found.noise_reached is not None
    assert found.noise_share.sum() * 20 == pytest.approx(found.noise_reached, abs=1e-3)
    of_one_size = 20 if axis.name == "epsilon" else 20 * sized
    assert found.noise_at(found.start)[1] == of_one_size and found.noise_told["n"] == of_one_size


def test_noise_far_outside_does_reach_and_its_share_grows_with_epsilon(key: str) -> None:
    axis = Axis(top=1.0, levels=5)
    found = compute(LadderQuestion(model=key, sample=3, axis=axis))
    assert found.noise_share is not None
    assert found.noise_share[0] == 0 and 0 < found.noise_share[-1] <= 1
    assert found.noise_share[1] < found.noise_share[-1]
    reached, n = found.noise_at(4)
    assert (reached, n) == (round(20 * float(found.noise_share[-1])), 20) and found.noise_at(0) == (0, 0)


def test_noise_of_one_epsilon_is_told_with_its_interval(key: str) -> None:
    found = compute(LadderQuestion(model=key, sample=3, axis=SHORT))
    none, last = np.zeros(len(found.levels), np.float32), len(found.levels) - 1
    still = found.model_copy(update={"first_reached": last, "noise_share": none})
    assert still.noise_told == {"reached": 0, "n": 20, "low": "0", "high": "16"}
    once = np.where(np.arange(len(none)) == last, np.float32(0.05), none)
    told = still.model_copy(update={"noise_share": once}).noise_told
    assert (told["reached"], told["n"]) == (1, 20)
    path = {"epsilon": 0.1, "noise_n": 420, "noise_reached": 0}
    told = still.model_copy(update=path).noise_told
    assert told == {"reached": 0, "n": 420, "low": "0", "high": "0.9"}


def test_an_answer_that_does_not_say_its_draws_is_not_read(key: str, tmp_path: Path) -> None:
    question = LadderQuestion(model=key, sample=3, axis=SHORT)
    found, file = compute(question), tmp_path / "one.npz"
    keeping.write(file, found)
    assert keeping.read(file, question) is not None
    plain, arrays = found.split()
    del plain["noise_n"]
    with file.open("wb") as opened:
        np.savez(opened, _json=np.frombuffer(json.dumps(plain).encode(), np.uint8), **arrays)
    assert keeping.read(file, question) is None


def share(row: Control) -> float:
    return row.reached / row.n


def asked(key: str, level: int, objective: ObjectiveChoice | None = None) -> ControlsAnswer:
    ladder = LadderQuestion(model=key, sample=3, axis=SHORT, objective=objective or ObjectiveChoice())
    return compute(ControlsQuestion(ladder=ladder, level=level))


def test_controls_carry_n_and_an_interval(key: str) -> None:
    first = compute(LadderQuestion(model=key, sample=3, axis=SHORT)).first_reached
    assert first is not None
    assert asked(key, first - 1).rows[0].reached == 0, "the control speaks of the very level that is shown"
    rows = {row.kind: row for row in asked(key, first).rows}
    assert rows["attack"].reached == 1 and rows["unlimited"].reached == 1
    assert rows["noise"].n == controls.DRAWS
    assert rows["strongest"].reached == 1, "what the attack reaches is reached by the strongest"
    assert all(0 <= row.low <= share(row) <= row.high <= 1 for row in rows.values())


def test_without_a_limit_nothing_holds_the_attack_back_not_even_a_penalty(key: str) -> None:
    rows = {row.kind: row for row in asked(key, 4, ObjectiveChoice(lam=1e6)).rows}
    assert rows["attack"].reached == 0 and rows["unlimited"].reached == 1
    assert rows["unlimited"].title.endswith("λ = 0")


def test_an_objective_without_a_notion_of_success_has_values_and_no_controls(key: str) -> None:
    moved = ObjectiveChoice(name="move_embedding")
    found = compute(LadderQuestion(model=key, sample=3, axis=SHORT, objective=moved))
    assert found.reached is None and found.first_reached is None and found.noise_reached is None
    assert found.epsilon_star is None and found.value[-1] > found.value[0]
    assert found.q is not None and found.recon is not None, "what the model has is there all the same"
    assert asked(key, 4, moved).rows == ()


def test_other_models_are_asked_for_the_same(key: str) -> None:
    keys = tuple(Store().zoo()[name].key for name in ("digits/adec", "digits/ae_kmeans"))
    found = compute(OtherModelsQuestion(models=keys, sample=3))
    own = compute(LadderQuestion(model=key, sample=3, axis=Axis(top=0.3, levels=controls.OTHER_LEVELS)))
    assert [row.model for row in found.rows] == list(keys)
    assert found.rows[0].group == own.own_group and found.rows[0].epsilon_star == own.epsilon_star


@pytest.mark.parametrize(
    "change, words",
    [
        ({"sample": 99999}, "from 0 to 1796"),
        ({"axis": {"name": "sideways"}}, "'epsilon', 'path', 'lambda' or 'compressed'"),
        ({"axis": {"top": 8.0}}, "did you mean 8/255"),
        ({"attack": {"name": "pdg"}}, "pgd"),
        ({"axis": {"name": "path"}}, "needs one ε"),
        ({"smaple": 3}, "smaple"),
    ],
)
def test_a_wrong_question_is_answered_in_a_sentence(key: str, change: dict[str, object], words: str) -> None:
    with pytest.raises(FeintError, match=words):
        compute(LadderQuestion(**({"model": key, "sample": 3} | change)))


@pytest.mark.parametrize(
    ("epsilon", "norm", "text"),
    [
        (0.0796875, "linf", "0.080 (20.3/255)"),
        (0.0796875, "", "0.080"),
        (0.30000001192, "", "0.3"),
        (0.0047, "l2", "0.005"),
        (0.0002, "", "0.00020"),
        (2.5, "l2", "2.5"),
    ],
)
def test_one_way_of_writing_epsilon(epsilon: float, norm: str, text: str) -> None:
    assert epsilon_text(epsilon, norm) == text


@pytest.mark.parametrize(("smallest", "first"), [(1e-3, 2), (10.0, None)])
def test_the_path_of_minmax_counts_from_the_first_that_it_accepts(smallest: float, first: int | None) -> None:
    """Its start is copied better, and is no answer; nor is what moved less than it asks for."""
    settings = MinMax.presets["visible"] | {"steps": 4, "smallest": smallest}
    found = compute(
        LadderQuestion(
            model=Store().zoo()["digits/dense_ae"].key,
            sample=1636,
            attack=AttackChoice(name="minmax", settings=settings),
            objective=ObjectiveChoice(name="keep_reconstruction"),
            axis=Axis.of_path(1.0),
        )
    )
    assert found.value[0] > 0 and found.l2[0] > 0.1, "as well as the original, and moved"
    assert found.reached is not None and not found.reached[0] and found.first_reached == first
    if first is None:
        assert not found.delta[-1].any(), "nothing was accepted"


def test_no_shipped_path_of_minmax_begins_with_a_success() -> None:
    shipped = {name: run for name, run in Store().zoo().items() if run.spec.name == "minmax"}
    for name, run in shipped.items():
        paths = (q for q in shipping.first_questions(run) if isinstance(q, LadderQuestion))
        found = [keeping.kept(question) for question in paths if question.axis.name == "path"]
        assert found, name
        assert all(one is not None and one.reached is not None and not one.reached[0] for one in found), name
