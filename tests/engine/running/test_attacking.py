"""The actions attack, sweep and pairs: judged numbers, controls, resumption, and the sentences of wrong
choices.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.attacks.budget import Budget
from engine.attacks.pgd import PGD
from engine.data import load
from engine.errors import BudgetError, DataError, FeintError, SettingsError, UnknownName
from engine.events import Evaluate, to_line
from engine.running import judging, masking
from engine.running.attacking import Attack
from engine.running.models import load_model
from engine.running.pairs import Pairs, matrices
from engine.running.sweeping import Sweep
from engine.store.store import Store
from tests.engine.tiny import SIZE, Desk, Tiny, blobs, centred, done

PROMISED = {
    "acc_clean",
    "acc_attacked",
    "acc_attacked_fixed_match",
    "nmi_clean",
    "nmi_attacked",
    "ari_clean",
    "ari_attacked",
    "flip_rate",
    "flip_rate_low",
    "flip_rate_high",
    "flip_rate_right",
    "noise_flip_rate",
    "other_delta_flip_rate",
    "knn_acc_clean",
    "knn_acc_attacked",
    "linf_max",
    "l2_mean",
    "l0_mean",
    "n",
    "margin_mean",
    "success_rate",
    "doubts",
}
NEEDS_LABELS = {
    "acc_clean",
    "acc_attacked",
    "acc_attacked_fixed_match",
    "nmi_clean",
    "nmi_attacked",
    "ari_clean",
    "ari_attacked",
    "flip_rate_right",
    "knn_acc_clean",
    "knn_acc_attacked",
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    data = blobs()
    return Desk(tmp_path, centred(data), data)


def test_an_attack_tells_all_it_promised_and_its_table_agrees(desk: Desk) -> None:
    metrics, _ = done(Attack(epsilon=0.12, n=50, chunk=20).work(desk))
    table, arrays = desk.tables["samples"], desk.arrays["images"]
    assert metrics.keys() >= PROMISED
    assert metrics["n"] == 50 == len(table["id"]) == len(set(table["id"]))
    assert 0 < metrics["flip_rate"] < 1
    assert metrics["flip_rate"] == table["flipped"].mean()
    assert metrics["flip_rate_low"] < metrics["flip_rate"] < metrics["flip_rate_high"]
    assert metrics["flip_rate"] > metrics["noise_flip_rate"]
    assert metrics["knn_acc_clean"] == 1
    assert metrics["knn_acc_attacked"] == (table["knn_attacked"] == table["label"]).mean()
    assert ((table["margin_attacked"] < 0) == table["flipped"]).all()
    assert table["value"] == pytest.approx(-table["margin_attacked"], abs=1e-6)
    clean = desk.data.views.rows(torch.from_numpy(table["id"])).flat().numpy()
    kept = arrays["adversarial"]
    assert (arrays["id"] == table["id"]).all()
    assert (
        np.abs(kept - clean).max() == pytest.approx(metrics["linf_max"], abs=1e-7)
        and metrics["linf_mean"] <= metrics["linf_max"]
    )
    assert np.abs(kept - clean).max() <= 0.12 + 1e-7, "what is stored is inside the ball"
    assert json.loads(to_line(Evaluate(step=1, metrics=metrics)))["metrics"]["n"] == 50


def test_epsilon_zero_changes_nothing(desk: Desk) -> None:
    metrics, _ = done(Attack(epsilon=0).work(desk))
    assert metrics["acc_clean"] == metrics["acc_attacked"] == metrics["acc_attacked_fixed_match"] == 1
    assert (metrics["flip_rate"], metrics["noise_flip_rate"], metrics["linf_max"], metrics["l0_mean"]) == (
        0,
        0,
        0,
        0,
    )
    assert metrics["doubts"] == []


def test_without_labels_the_rest_is_measured(tmp_path: Path) -> None:
    data = blobs(labelled=False)
    metrics, _ = done(Attack(epsilon=0.3).work(desk := Desk(tmp_path, centred(data), data)))
    assert PROMISED - set(metrics) == NEEDS_LABELS
    assert not any(metrics[name] is None for name in PROMISED - NEEDS_LABELS)
    assert metrics["n"] == 60
    assert set(desk.tables["samples"]["label"]) == {-1}


def test_the_same_seed_gives_the_same_and_samples_are_a_prefix(desk: Desk) -> None:
    first, again = (done(Attack(epsilon=0.2, n=30).work(desk))[0] for _ in range(2))
    assert first == again
    few, many = (judging.Judge(desk.model(), desk.data, "cpu").choose(n, seed=4) for n in (10, 40))
    assert torch.equal(few, many[:10])
    assert not torch.equal(few, judging.Judge(desk.model(), desk.data, "cpu").choose(10, seed=5))


def test_a_targeted_attack_counts_only_those_that_were_not_there(desk: Desk) -> None:
    metrics, _ = done(Attack(epsilon=0.4, objective="go_to_cluster", cluster=1).work(desk))
    table = desk.tables["samples"]
    outside = table["cluster_clean"] != 1
    assert metrics["n_success"] == outside.sum() < metrics["n"]
    assert metrics["success_rate"] == (table["cluster_attacked"][outside] == 1).mean()
    assert metrics["noise_success_rate"] == (table["cluster_noise"][outside] == 1).mean(), (
        "the control counts arrivals too"
    )


def test_noise_is_its_own_control(desk: Desk) -> None:
    metrics, _ = done(Attack(attack="noise", epsilon=0.4).work(desk))
    assert metrics["doubts"] == []
    assert metrics["masking_noise_gain"] is None
    assert metrics["linf_max"] == pytest.approx(0.4)


class Masked(Tiny):
    """A model whose assignment follows from rounded pixels: no gradient anywhere."""

    def log_assign(self, x: object) -> torch.Tensor:
        flat = x.flat()  # type: ignore[attr-defined]
        return super().log_assign(x.like((flat * 8).round() / 8 + 0 * flat))  # type: ignore[attr-defined]


def test_a_hidden_gradient_raises_doubts(tmp_path: Path) -> None:
    data = blobs()
    model = Masked()
    model.load_state_dict(centred(data).state_dict())
    metrics, _ = done(Attack(epsilon=0.1).work(Desk(tmp_path, model, data)))
    assert metrics["masking_zero_gradient"] == 1
    assert any("exactly zero at 100%" in doubt for doubt in metrics["doubts"])
    assert any("the search fails" in doubt for doubt in metrics["doubts"])


def test_what_only_the_strongest_attack_reaches_raises_a_doubt(desk: Desk) -> None:
    weak = Attack(epsilon=0.12, attack_settings={"steps": 1, "step_size": 0.001})
    metrics, _ = done(weak.work(desk))
    n, missed = metrics["strongest_n"], metrics["strongest_missed"]
    assert n == 60 and missed > 0.03
    assert metrics["strongest_success_rate"] == pytest.approx(metrics["success_rate"] + missed)
    assert f"misses {missed * n:.0f} of 60 samples" in " ".join(metrics["doubts"])
    strong, _ = done(Attack(attack="strongest", epsilon=0.12).work(desk))
    assert strong["strongest_missed"] <= 0.03 and strong["doubts"] == []
    assert strong["success_rate"] >= done(Attack(epsilon=0.12).work(desk))[0]["success_rate"]


def test_few_samples_raise_no_doubt() -> None:
    weaker = {"masking_fgsm_gain": torch.tensor([-0.2, 0.1, -0.1]), "masking_noise_gain": torch.ones(3)}
    reached = {"masking_huge_reach": torch.tensor([1.0] * 4 + [0.0])}
    flat = {"masking_zero_gradient": torch.tensor([1.0] + [0.0] * 4)}
    one_of_five = {"strongest_missed": 0.2, "strongest_n": 5}
    assert masking._doubts(PGD(), weaker | reached | flat, one_of_five) == []
    weaker = {name: gain.repeat(30) for name, gain in weaker.items()}
    reached, flat = ({name: each.repeat(20) for name, each in found.items()} for found in (reached, flat))
    many = masking._doubts(PGD(), weaker | reached | flat, {"strongest_missed": 0.2, "strongest_n": 100})
    assert len(many) == 4 and "misses 20 of 100 samples" in many[2] and "80% of 100 samples" in many[1]


@pytest.mark.parametrize("lam", [10.0, 100.0])
def test_a_penalty_that_holds_the_attack_back_is_no_hidden_gradient(lam: float, tmp_path: Path) -> None:
    run = Store().find("digits/adec")
    desk = Desk(tmp_path, load_model(run), load("digits"))
    metrics, _ = done(Attack(epsilon=0.1, lam=lam, n=40).work(desk))
    assert metrics["masking_huge_reach"] > 0.95, "the search itself finds nearly all"
    assert metrics["doubts"] == []
    assert "strongest_n" not in metrics, "under a penalty the best point need not be a flip"


def test_progress_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.running.launching.REPORT_EVERY", 0.0)
    _, events = done(Attack(epsilon=0.1, n=40, chunk=10).work(desk))
    steps = [event.step for event in events if event.phase == "attack"]  # type: ignore[union-attr]
    assert steps == list(range(10, 841, 10))
    rest = [event for event in events if event.phase == "strongest attack"]  # type: ignore[union-attr]
    assert len(rest) > 0 and rest[-1].step == rest[-1].total  # type: ignore[union-attr]
    assert {event.total for event in events if event not in rest} == {840}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: Attack(epsilon=8), BudgetError, "did you mean 8/255?"),
        (lambda: Attack(attack="pdg"), UnknownName, "did you mean pgd"),
        (lambda: Attack(objective="leave_cluste"), UnknownName, "did you mean leave_cluster"),
        (
            lambda: Attack(attack_settings={"stepz": 3}),
            SettingsError,
            "pgd has no setting 'stepz'; it has: steps",
        ),
        (
            lambda: Attack(attack_settings={"steps": -1}),
            SettingsError,
            "pgd.steps must be greater than or equal to 0; got -1.",
        ),
        (lambda: Attack(norm="l1"), SettingsError, "attack.norm must be 'linf' or 'l2'; got 'l1'."),
        (lambda: Attack(objective="go_to_cluster"), SettingsError, "needs a target"),
        (lambda: Attack(cluster=1), SettingsError, "Use go_to_cluster"),
        (lambda: Attack(n=0), SettingsError, "attack.n must be greater than or equal to 1; got 0."),
        (lambda: Sweep(epsilons=(0.1, 8.0)), BudgetError, "did you mean 8/255?"),
        (lambda: Sweep(epsilons=()), SettingsError, "sweep.epsilons"),
        (
            lambda: Sweep(lams=(-1.0,)),
            SettingsError,
            "attack.lam must be greater than or equal to 0; got -1.0.",
        ),
        (lambda: Pairs(epsilon=3), BudgetError, "did you mean 3/255?"),
    ],
)
def test_wrong_choices_are_told_before_any_work(make: object, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as found:
        make()  # type: ignore[operator]
    assert said in str(found.value)
    assert "\n" not in str(found.value)


def test_an_unknown_cluster_names_the_valid_ones(desk: Desk) -> None:
    with pytest.raises(SettingsError, match="This model has the clusters 0 to 2."):
        done(Attack(objective="go_to_cluster", cluster=7).work(desk))


def test_a_model_of_another_shape_is_refused(tmp_path: Path) -> None:
    class Wide(Tiny):
        def encode(self, x: object) -> torch.Tensor:
            return x.flat() @ torch.zeros(SIZE + 1, 4)  # type: ignore[attr-defined]

    with pytest.raises(DataError, match="does not take samples of shape"):
        done(Attack().work(Desk(tmp_path, Wide(), blobs())))


def test_an_attack_that_leaves_its_budget_is_found_out() -> None:
    clean = torch.full((4, 3), 0.5)
    with pytest.raises(BudgetError, match="2 of 4 samples left it"):
        judging.check_inside(
            "broken", clean + torch.tensor([[0.0], [0.05], [0.2], [float("nan")]]), clean, Budget("linf", 0.1)
        )


def test_another_samples_delta_stays_in_the_box() -> None:
    clean, moved = torch.tensor([[0.0, 0.5], [1.0, 0.5]]), torch.tensor([[0.1, 0.4], [0.9, 0.5]])
    found = judging.another_delta(moved, clean, Budget("linf", 0.1))
    torch.testing.assert_close(found, torch.tensor([[0.0, 0.5], [1.0, 0.4]]))


def test_purposes_draw_apart() -> None:
    draws = [
        torch.rand(1, generator=judging.stream(seed, purpose)).item()
        for seed in (0, 1)
        for purpose in ("attack", "noise")
    ]
    assert len(set(draws)) == 4


SWEEP = Sweep(epsilons=(0.0, 0.2, 0.4), lams=(0.0, 5.0), attack_seeds=(0, 3), n=30)


def test_a_cell_of_a_sweep_is_the_attack_with_that_seed(desk: Desk) -> None:
    result, events = done(SWEEP.work(desk))
    told = [event for event in events if isinstance(event, Evaluate)]
    assert len(told) == len(result["cells"]) == result["n_cells"] == 12
    cell = result["cells"][10]
    assert (cell["epsilon"], cell["lam"], cell["seed"]) == (0.2, 5.0, 3)
    alone, _ = done(
        Attack(epsilon=0.2, lam=5.0, n=30).work(Desk(desk.folder, desk.model(), desk.data, seed=3))
    )
    assert {name: alone[name] for name in cell["metrics"]} == cell["metrics"] == told[10].metrics
    assert told[10].values == {"epsilon": 0.2, "lam": 5.0, "seed": 3.0}


def test_a_stopped_sweep_goes_on_where_it_was_and_ends_the_same(desk: Desk, tmp_path: Path) -> None:
    unbroken, _ = done(SWEEP.work(desk))
    other = Desk(tmp_path / "stopped", desk.model(), desk.data)
    other.folder.mkdir()
    steps, seen = SWEEP.work(other), 0
    while seen < 5:
        seen += isinstance(next(steps), Evaluate)
    steps.close()
    assert len(list((other.folder / "cells").iterdir())) == 5
    resumed, events = done(SWEEP.work(other))
    assert [event.step for event in events if isinstance(event, Evaluate)] == list(range(1, 13)), (
        "it tells what was kept, too"
    )
    assert resumed == unbroken


def test_pairs_agree_with_their_table(desk: Desk) -> None:
    result, _ = done(Pairs(epsilon=0.5, n=30).work(desk))
    table, arrays = desk.tables["samples"], desk.arrays["images"]
    assert result["pairs_n"] == [[0, 10, 10], [10, 0, 10], [10, 10, 0]]
    assert [result["success"][place][place] for place in range(3)] == [None] * 3
    for source, target in ((0, 1), (2, 1)):
        rows = (table["cluster_clean"] == source) & (table["cluster_target"] == target)
        assert result["success"][source][target] == table["reached"][rows].mean()
        assert result["success_low"][source][target] <= result["success"][source][target]
    moved = torch.from_numpy(arrays["adversarial"][table["reached"]])
    judge = judging.Judge(desk.model(), desk.data, "cpu")
    assert (
        judge.cluster(moved).numpy() == table["cluster_target"][table["reached"]]
    ).mean() > 0.9  # rounded to 16 bits at the very border
    clean = desk.data.views.rows(torch.from_numpy(table["id"])).flat().numpy()
    sizes = np.abs(arrays["adversarial"] - clean).max(1)
    assert (sizes[table["reached"]] <= table["epsilon_star"][table["reached"]] + 1e-4).all()
    assert (sizes[~table["reached"]] < 1e-4).all()


def test_pairs_of_a_model_with_one_cluster_in_use(tmp_path: Path) -> None:
    data = blobs()
    with pytest.raises(FeintError, match="at least 2 clusters"):
        done(Pairs().work(Desk(tmp_path, Tiny(clusters=1), data)))


def test_a_median_counts_the_unreached_as_beyond() -> None:
    inf = np.inf
    source, target = np.array([0, 0, 0, 1, 1, 1]), np.array([1, 1, 1, 0, 0, 0])
    found = matrices(source, target, np.array([0.1, 0.2, inf, 0.1, inf, inf]), 3, 0.3)
    assert found["median_epsilon"] == [[None, 0.2, None], [None, None, None], [None, None, None]]
    assert found["median_epsilon_text"] == [[None, "0.2", None], ["> 0.3", None, None], [None, None, None]]
    assert found["success"][1][0] == pytest.approx(1 / 3)
    assert found["epsilon_star_median_text"] == "> 0.3"
