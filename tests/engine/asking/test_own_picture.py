"""A picture of a person's own under attack, and places that may not change, on a shipped model."""

import numpy as np
import pytest

from engine.asking.computing import compute
from engine.asking.questions import (
    OWN,
    AttackChoice,
    Axis,
    ControlsQuestion,
    LadderQuestion,
    ObjectiveChoice,
    OtherModelsQuestion,
    OwnPicture,
)
from engine.asking.victims import victim_of
from engine.data.fixed import text_of
from engine.errors import BudgetError, FeintError
from engine.store import pictures
from engine.store.store import Store

SHORT = Axis.of_epsilon(levels=5)
FIXED = text_of(np.arange(64).reshape(8, 8) % 3 == 0)


@pytest.fixture
def key() -> str:
    return Store().zoo()["digits/adec"].key


def as_a_picture(key: str, sample: int) -> np.ndarray:
    """A sample of the data as a picture that somebody brings."""
    image = victim_of(key).rows([sample]).flat()[0].reshape(8, 8).numpy()
    return np.asarray(np.rint(image * 255), dtype=np.uint8)


def asked(key: str, picture: np.ndarray, label: int | None = None, **more: object) -> LadderQuestion:
    own = OwnPicture(picture=pictures.keep(picture), label=label)
    return LadderQuestion(model=key, sample=OWN, own=own, axis=SHORT, **more)  # type: ignore[arg-type]


def test_a_sample_that_is_brought_as_a_picture_has_the_sample_s_ladder(key: str) -> None:
    own = compute(asked(key, as_a_picture(key, 3), label=3))
    data = compute(LadderQuestion(model=key, sample=3, axis=SHORT))
    assert np.abs(own.clean - data.clean).max() <= 0.5 / 255 + 1e-6
    assert own.own_group == data.own_group and own.label_name == data.label_name
    assert own.title == "Your picture" and own.near_clean is not None
    assert own.near_clean[0] == 3, "the nearest sample is the one that it was"
    assert np.allclose(own.value, data.value, atol=0.2)


def test_near_a_picture_are_only_samples_that_the_model_was_trained_on(key: str) -> None:
    half = Store().zoo()["digits/ncp_acl"]
    victim, everywhere = victim_of(half.key), victim_of(key)
    test = victim.data.rows("test")
    brought = compute(asked(half.key, as_a_picture(half.key, int(test[0]))))
    assert brought.near is not None and brought.near_clean is not None
    assert not np.isin([*brought.near_clean, *brought.near.ravel()], test).any()
    alike = compute(LadderQuestion(model=half.key, sample=int(test[0]), axis=SHORT))
    assert np.isin(alike.near, test).any(), "a ladder of the data's own sample looks among all"
    assert everywhere.trained_on.tolist() == list(range(len(everywhere.data)))


def test_what_knows_labels_asks_for_one(key: str) -> None:
    wanted = ObjectiveChoice(name="misclassify")
    classifier = Store().zoo()["digits/classifier"].key
    picture = as_a_picture(key, 3)
    with pytest.raises(FeintError, match="label"):
        compute(asked(classifier, picture, objective=wanted))
    assert compute(asked(classifier, picture, 3, objective=wanted)).label == 3
    with pytest.raises(FeintError, match="from 0 to 9; got 12"):
        compute(asked(classifier, picture, 12))


def test_a_picture_that_is_gone_or_of_another_size_is_a_sentence(key: str) -> None:
    with pytest.raises(FeintError, match="not kept on this machine"):
        compute(LadderQuestion(model=key, sample=OWN, own=OwnPicture(picture="0" * 12)))
    with pytest.raises(FeintError, match="1x9x9, and this model sees 1x8x8"):
        compute(asked(key, np.zeros((9, 9), dtype=np.uint8)))


@pytest.mark.parametrize("attack", ["pgd", "fgsm", "noise"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_fixed_places_never_change_at_any_level(key: str, attack: str, norm: str) -> None:
    axis = Axis.of_epsilon(norm, levels=5)  # type: ignore[arg-type]
    question = LadderQuestion(
        model=key,
        sample=3,
        attack=AttackChoice(name=attack),
        norm=norm,
        axis=axis,
        fixed=FIXED,  # type: ignore[arg-type]
    )
    found = compute(question)
    fixed = np.arange(64) % 3 == 0
    assert not found.delta[:, fixed].any() and found.delta[1:, ~fixed].any(axis=1).all()


def test_few_free_places_make_a_short_ladder_and_none_a_sentence(key: str) -> None:
    all_but_two = text_of(np.arange(64) >= 2)
    axis = Axis.of_epsilon("l2", levels=3)
    found = compute(LadderQuestion(model=key, sample=3, norm="l2", axis=axis, fixed=all_but_two))
    assert found.levels[-1] == pytest.approx(2**0.5), "nothing lies farther away"
    with pytest.raises(BudgetError, match="every place is fixed"):
        compute(LadderQuestion(model=key, sample=3, fixed=text_of(np.ones(64))))


def test_other_models_and_controls_take_both(key: str) -> None:
    ladder = asked(key, as_a_picture(key, 3), fixed=FIXED)
    assert {row.kind for row in compute(ControlsQuestion(ladder=ladder, level=4)).rows} >= {"noise", "fgsm"}
    others = OtherModelsQuestion(models=(key,), sample=OWN, own=ladder.own, fixed=FIXED)
    assert compute(others).rows[0].epsilon_star is None or compute(others).rows[0].epsilon_star > 0  # type: ignore[operator]
