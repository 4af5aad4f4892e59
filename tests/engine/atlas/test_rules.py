"""The rules of the atlas, on ladders that are made up, and on a shipped model."""

from pathlib import Path

import numpy as np
import pytest

from engine.asking.answers import LadderAnswer
from engine.atlas import case, making, rule
from engine.atlas.rule import Seen
from engine.store.store import Store

RULES = dict(rule.rules())


def answer(star: float | None, taken: int = 1, noise: int = 0, top: float = 0.3) -> LadderAnswer:
    """Four levels over ε; from the third on the sample is in group `taken` of four."""
    levels = tuple(np.linspace(0, top, 4).tolist())
    q = np.full((4, 4), 0.1)
    q[:2, 0], q[2:, taken] = 0.7, 0.7
    flat = np.zeros(4, np.float32)
    return LadderAnswer(
        axis="epsilon",
        levels=levels,
        norm="linf",
        epsilon=None,
        sample=0,
        label=None,
        label_name="",
        data="digits",
        title="",
        model="adec",
        shape=(1, 2, 2),
        protocol="",
        own_group=0,
        target=None,
        first_reached=None if star is None else 2,
        epsilon_star=star,
        noise_reached=noise,
        noise_n=80,
        read_as=None,
        clean=flat,
        delta=np.zeros((4, 4), np.float32),
        linf=flat,
        l2=flat,
        value=flat,
        noise_share=np.array([0, 0, noise / 80, 0]),
        reached=np.array([False, False, star is not None, star is not None]),
        group_names=("a", "b", "c", "d"),
        q=q.astype(np.float32),
        q_clean=np.array([0.7, 0.2, 0.07, 0.03], np.float32),
        near=np.array([[1, 2], [1, 5], [4, 5], [4, 5]], np.int32),
        near_clean=np.array([1, 2], np.int32),
    )


def test_the_smaller_step_is_the_more_striking_and_noise_disqualifies() -> None:
    score = RULES["smallest_step"].score
    small, large = score(Seen("m", answer(0.1))), score(Seen("m", answer(0.2)))
    assert small is not None and large is not None and small > large
    assert score(Seen("m", answer(0.1, noise=1))) is None and score(Seen("m", answer(None))) is None


def test_the_later_place_is_the_more_surprising() -> None:
    found = RULES["least_expected"]
    last, second = (found.score(Seen("m", answer(0.2, taken=group))) for group in (3, 1))
    assert last is not None and second is not None and last > second
    assert "place 4 of 4" in str(found.sentence(Seen("m", answer(0.2, taken=3))))


def test_new_neighbours_are_counted_where_the_group_is_still_the_same() -> None:
    found = RULES["new_neighbours"]
    assert found.score(Seen("m", answer(0.2))) is None  # at the level without old neighbours it has left
    staying = answer(0.2, taken=0)
    assert found.score(Seen("m", staying)) == pytest.approx(-0.2)
    assert found.level(Seen("m", staying)) == 2


def test_one_step_and_defences_are_held_against_the_other_ladder() -> None:
    one = RULES["one_step_fails"]
    assert one.score(Seen("m", answer(0.1), answer(0.2))) == pytest.approx(2)
    assert one.score(Seen("m", answer(0.1), answer(None))) == pytest.approx(3)
    assert "fails even at ε = 0.3" in str(one.sentence(Seen("m", answer(0.1), answer(None))))
    held = RULES["defence_gives_way"]
    assert held.score(Seen("m", answer(0.2), answer(0.1))) == pytest.approx(2)
    assert held.score(Seen("m", answer(None), answer(0.1))) is None
    assert held.score(Seen("m", answer(0.2), answer(0.15))) is None, "it has hardly held"


def test_a_shipped_model_gives_cases_that_come_back_from_disk(tmp_path: Path, home: Path) -> None:
    run = Store().zoo()["digits/adec"]
    found = [
        one
        for name in ("new_neighbours", "copy_changes")
        for one in making._of_a_model("digits/adec", run, name, RULES[name], considered=2)
    ]
    assert [one.rule for one, _ in found] == ["new_neighbours", "copy_changes"]
    wrote = case.Atlas({}, tuple(one for one, _ in found), tuple(images for _, images in found))
    case.write(wrote, tmp_path)
    read = case.read(tmp_path)
    assert read.cases == wrote.cases
    for one, images, before in zip(read.cases, read.pictures, wrote.pictures, strict=True):
        assert images.shape == (len(one.shown), 64) and np.abs(images - before).max() < 1e-3


def test_what_ships_is_as_it_is_measured_again(home: Path) -> None:
    """The first case of each rule on digits, from the weights that ship."""
    every = case.read()
    assert set(every.rules) >= set(RULES)
    one = next(one for one in every.cases if one.rule == "smallest_step" and one.data == "digits")
    found = RULES["smallest_step"]
    question = found.ask(Store().find(one.model), one.sample)
    assert question is not None
    seen = Seen(one.model, making._answer(question))
    assert found.measured(seen)["epsilon_star"] == pytest.approx(one.measured["epsilon_star"], rel=1e-3)
    assert found.sentence(seen) == one.sentence
