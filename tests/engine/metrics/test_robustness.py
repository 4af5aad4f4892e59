"""Measures of attacks: intervals against known values, sizes by hand, legibility against scikit-learn,
medians with the unreached.
"""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from torch import Tensor

from engine.metrics import embedding, intervals, legibility, perturbation, robustness
from engine.metrics.protocols import AttackedSamples, measure
from engine.models.outputs import Outputs
from engine.objectives.leave_cluster import LeaveCluster


def attacked(
    clean: list[int] | np.ndarray,
    after: list[int] | np.ndarray,
    labels: np.ndarray | None = None,
    x: Tensor | None = None,
    moved: Tensor | None = None,
) -> AttackedSamples:
    """Samples whose clusters are these before and after an attack; no control was run."""
    n, k = len(clean), 1 + max(*clean, *after, 1)
    known = None if labels is None else torch.from_numpy(np.asarray(labels))
    x = torch.zeros(n, 1) if x is None else x

    def said(clusters: list[int] | np.ndarray, rows: Tensor) -> Outputs:
        one_hot = torch.eye(k)[torch.from_numpy(np.asarray(clusters))]
        return Outputs(x=rows, log_q=(4 * one_hot).log_softmax(1), labels=known)

    index = torch.arange(n)
    return AttackedSamples(LeaveCluster(), index, said(clean, x), said(after, x if moved is None else moved))


def scores(labels: np.ndarray, clean: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    return measure("attack", attacked(clean, after, labels)).values


@pytest.mark.parametrize("n", [1, 10, 137, 1000])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_wilson_equals_scipy(n: int, share: float) -> None:
    hits = round(share * n)
    expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert intervals.wilson(hits, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("n", [5, 60, 100])
def test_a_share_is_above_a_mark_where_its_exact_interval_is(n: int) -> None:
    for hits in range(n + 1):
        low = stats.binomtest(hits, n).proportion_ci(method="exact").low
        assert intervals.above(hits, n, 0.03) == (low > 0.03)
    worth_a_doubt = next(hits for hits in range(n + 1) if intervals.misses(hits, n))
    assert worth_a_doubt == {5: 2, 60: 6, 100: 4}[n]


@given(st.integers(0, 500), st.integers(0, 500))
def test_wilson_holds_the_share_and_mirrors(hits: int, misses: int) -> None:
    low, high = intervals.wilson(hits, hits + misses)
    assert 0 <= low < high <= 1
    assert hits + misses == 0 or low <= hits / (hits + misses) <= high
    assert intervals.wilson(misses, hits + misses) == pytest.approx((1 - high, 1 - low))


def test_mean_interval_equals_scipy_and_one_value_says_nothing() -> None:
    values = np.array([0.1, 0.4, 0.2, 0.25])
    low, high = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    assert intervals.mean_interval(values) == pytest.approx((values.mean(), low, high))
    assert intervals.mean_interval(values[:1]) == (0.1, -math.inf, math.inf)
    assert intervals.paired_difference(values + 0.05, values)[0] == pytest.approx(0.05)


def test_sizes_by_hand() -> None:
    delta = np.array([[0.3, -0.4, 0.0, 0.0], [0.0, 0.0, 1e-8, -0.2]])
    assert perturbation.linf(delta).tolist() == [0.4, 0.2]
    assert perturbation.l2(delta) == pytest.approx([0.5, 0.2])
    assert perturbation.l0(delta).tolist() == [2, 1]
    samples = attacked([0, 0], [0, 0], x=torch.zeros(2, 4), moved=torch.from_numpy(delta))
    found = measure("attack", samples)
    sizes = {"linf_max": 0.4, "linf_mean": 0.3, "l2_mean": 0.35, "l0_mean": 1.5}
    assert {name: found.values[name] for name in sizes} == pytest.approx(sizes)
    assert found.columns["l0"].tolist() == [2, 1]


@pytest.mark.parametrize("block", [7, 64, 500])
def test_legibility_equals_scikit_learn_without_the_sample_itself(block: int) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 200)
    reference = (rng.normal(0, 1, (200, 6)) + labels[:, None]).astype(np.float32)
    own = rng.permutation(200)[:50]
    queries = reference[own] + rng.normal(0, 0.5, (50, 6)).astype(np.float32)
    found = legibility.nearest(
        queries, own, (reference[start : start + block] for start in range(0, 200, block))
    )
    votes = legibility.vote(found, labels)
    for row, (query, itself) in enumerate(zip(queries, own, strict=True)):
        peer = KNeighborsClassifier(5, algorithm="brute").fit(
            np.delete(reference, itself, 0), np.delete(labels, itself)
        )
        assert itself not in found[row]
        assert votes[row] == peer.predict(query[None])[0]


def test_a_clean_sample_is_not_its_own_neighbour() -> None:
    points = np.array([[0.0], [1.0], [1.1], [1.2], [5.0], [5.1], [5.2]], dtype=np.float32)
    assert legibility.nearest(points[:1], np.array([0]), [points], k=3).tolist() == [[1, 2, 3]]


def test_nothing_attacked_means_nothing_changed() -> None:
    rng = np.random.default_rng(0)
    labels, clusters = rng.integers(0, 3, 90), rng.integers(0, 4, 90)
    found = scores(labels, clusters, clusters)
    assert found["acc_clean"] == found["acc_attacked"] == found["acc_attacked_fixed_match"]
    assert found["nmi_clean"] == found["nmi_attacked"]
    assert found["flip_rate_right"] == 0
    assert found["n_right"] == round(90 * found["acc_clean"])


def test_rematching_hides_a_consistent_relabelling_and_the_clean_matching_does_not() -> None:
    labels = np.repeat(np.arange(3), 10)
    found = scores(labels, labels, (labels + 1) % 3)
    assert (
        found["acc_clean"],
        found["acc_attacked"],
        found["acc_attacked_fixed_match"],
        found["flip_rate_right"],
    ) == (1, 1, 0, 1)
    assert found["acc_attacked_fixed_match_high"] == pytest.approx(intervals.wilson(0, 30)[1])


def test_a_cluster_first_met_under_attack_matches_nothing() -> None:
    labels, clean = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])
    found = scores(labels, clean, np.array([0, 5, 1, 1]))
    assert found["acc_attacked_fixed_match"] == 0.75


def test_a_cluster_empty_before_the_attack_is_matched_to_no_class() -> None:
    found = scores(np.array([0, 1]), np.array([0, 0]), np.array([0, 1]))
    assert found["acc_clean"] == 0.5 and found["acc_attacked_fixed_match"] <= 0.5
    found = scores(np.array([0, 0, 1]), np.array([0, 0, 0]) + [0, 0, 2], np.array([0, 1, 2]))
    assert found["acc_attacked_fixed_match"] == pytest.approx(2 / 3), (
        "cluster 1 lies between, with nobody in it"
    )


@given(st.integers(0, 10_000))
def test_a_sample_that_stays_stays_right_or_wrong(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, clean = rng.integers(0, 4, 20), rng.integers(0, 3, 20)
    attacked = np.where(rng.random(20) < 0.3, rng.integers(0, 4, 20), clean)
    before, after = (robustness.matched_labels(labels, clean, clusters) for clusters in (clean, attacked))
    assert (before == after)[clean == attacked].all()


def test_without_labels_all_of_it_is_absent() -> None:
    found = measure("attack", attacked([0, 1, 0], [1, 1, 1])).values
    assert found["flip_rate"] == pytest.approx(2 / 3)
    assert not {"acc_clean", "acc_attacked", "nmi_clean", "ari_attacked", "n_right"} & set(found)
    assert not any(name.startswith(("acc_attacked_fixed_match", "flip_rate_right")) for name in found)


def test_the_median_counts_what_was_never_reached() -> None:
    inf = np.inf
    assert robustness.median_epsilon(np.array([0.1, 0.3, 0.2])) == 0.2
    assert robustness.median_epsilon(np.array([0.1, 0.2, inf, inf])) == inf
    assert robustness.median_epsilon(np.array([0.1, 0.2, inf])) == 0.2
    assert [robustness.written(value, 0.3) for value in (0.12345, inf, math.nan)] == ["0.123", "> 0.3", ""]


def test_principal_axes_equal_scikit_learn_up_to_sign() -> None:
    z = (
        torch.randn(100, 5, generator=torch.Generator().manual_seed(0)) * torch.tensor([3.0, 1, 2, 0.5, 0.1])
        + 4
    )
    mean, axes = embedding.principal_axes(z)
    peer = PCA(2).fit_transform(z.numpy())
    found = ((z - mean) @ axes).numpy()
    assert np.abs(found) == pytest.approx(np.abs(peer), abs=1e-3)
    assert torch.equal(embedding.principal_axes(z)[1], axes)
    assert embedding.principal_axes(z[:, :1])[1].shape == (1, 2)


def test_moves_by_hand() -> None:
    clean = np.array([[0.0, 0.0], [2.0, 0.0]])
    assert embedding.moves(clean, clean + [3.0, 4.0]).tolist() == [5, 5]
    assert embedding.relative_move(clean, clean + [3.0, 4.0]) == 5
    assert embedding.relative_move(clean[:1], clean[:1]) is None
