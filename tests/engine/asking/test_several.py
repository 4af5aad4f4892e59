"""Several samples of a model at one ε, as a run over them makes it."""

import numpy as np
import pytest

from engine.asking.computing import compute
from engine.asking.questions import ObjectiveChoice, SeveralQuestion
from engine.errors import FeintError
from engine.metrics.intervals import paired_shares
from engine.running.runner import prepare, run
from engine.store.store import Store


@pytest.fixture
def key() -> str:
    return Store().zoo()["digits/adec"].key


def test_it_has_the_numbers_of_the_run(key: str) -> None:
    changes = {"n": 20, "half": "test", "epsilon": 0.1, "doubts": False}
    spec = prepare("attack", "pgd", models={"model": key}, changes=changes)
    assert list(run(spec))[-1].event == "finished"
    made = Store().find(spec.key)
    found = compute(SeveralQuestion(model=key, epsilon=0.1, n=20))
    assert found.ids.tolist() == made.table()["id"].tolist()
    assert found.reached.mean() == pytest.approx(made.result()["flip_rate"])
    assert found.noise.mean() == pytest.approx(made.result()["noise_flip_rate"])
    assert found.legible is not None
    assert found.legible.mean() == pytest.approx(made.result()["knn_acc_attacked"])
    assert np.array_equal(found.reached, found.group != found.group_clean) and found.counted.all()


def test_other_models_of_the_data_are_asked_about_the_same_samples(key: str) -> None:
    other = Store().zoo()["digits/dec_star"].key
    ids = [compute(SeveralQuestion(model=model, epsilon=0.0, n=20)).ids.tolist() for model in (key, other)]
    assert ids[0] == ids[1]


def test_an_objective_without_success_is_a_sentence(key: str) -> None:
    with pytest.raises(FeintError, match="knows no success"):
        compute(
            SeveralQuestion(model=key, epsilon=0.1, n=5, objective=ObjectiveChoice(name="move_embedding"))
        )


def test_differences_of_shares_are_paired() -> None:
    first, second = np.arange(100) < 60, np.arange(100) < 50
    share, low, high = paired_shares(first, second)
    assert share == pytest.approx(0.10)
    assert (low, high) == pytest.approx((11 / 102 - 1 / 102 - 0.0638, 10 / 102 + 0.0638), abs=1e-4)
    assert paired_shares(second, first) == pytest.approx((-share, -high, -low))
    same = paired_shares(first, first)
    assert same[0] == 0 and same[1] < 0 < same[2], "no difference among 100 is not none at all"
