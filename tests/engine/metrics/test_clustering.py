"""ACC, NMI, ARI: by hand, against scikit-learn, and where they are easily wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as peer

from engine.metrics.clustering import accuracy, ari, contingency, matching, nmi, purity, sizes

LABELLED = st.integers(2, 60).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 4), min_size=n, max_size=n),
        st.lists(st.integers(0, 6), min_size=n, max_size=n),
    )
)


@settings(max_examples=80, deadline=None)
@given(LABELLED)
def test_equal_to_scikit_learn(pair: tuple[list[int], list[int]]) -> None:
    labels, clusters = np.array(pair[0]), np.array(pair[1])
    assert ari(labels, clusters) == pytest.approx(peer.adjusted_rand_score(labels, clusters), abs=1e-9)
    if len(set(pair[0])) > 1 and len(set(pair[1])) > 1:
        assert nmi(labels, clusters) == pytest.approx(
            peer.normalized_mutual_info_score(labels, clusters), abs=1e-9
        )
    table = peer.cluster.contingency_matrix(labels, clusters)
    ours = contingency(labels, clusters)
    assert np.array_equal(ours[ours.sum(1) > 0][:, ours.sum(0) > 0], table)


@settings(max_examples=80, deadline=None)
@given(LABELLED, st.integers(0, 1000))
def test_t16_accuracy(pair: tuple[list[int], list[int]], seed: int) -> None:
    labels, clusters = np.array(pair[0]), np.array(pair[1])
    renamed = np.random.default_rng(seed).permutation(7)
    assert accuracy(labels, renamed[clusters]) == accuracy(labels, clusters)
    assert accuracy(renamed[labels], clusters) == accuracy(labels, clusters)
    one = np.zeros_like(labels)
    assert accuracy(labels, one) == np.bincount(labels).max() / len(labels)


def test_t16_accuracy_is_at_least_the_majority_share() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        labels, clusters = rng.integers(0, 3, 40), rng.integers(0, 6, 40)
        table = contingency(labels, clusters)
        assert accuracy(labels, clusters) >= table.max() / 40
        assert accuracy(labels, np.zeros(40, dtype=int)) >= 1 / 3


def test_t16_one_cluster_knows_nothing() -> None:
    labels = np.array([0, 1, 2, 2])
    assert nmi(labels, np.zeros(4, dtype=int)) == 0.0 and nmi(labels, np.full(4, 3)) == 0.0
    assert nmi(np.zeros(4, dtype=int), np.zeros(4, dtype=int)) == 0.0
    assert ari(labels, np.zeros(4, dtype=int)) == 0.0


def test_by_hand() -> None:
    labels, clusters = np.array([0, 0, 1, 1, 2, 2]), np.array([1, 1, 0, 0, 0, 2])
    assert np.array_equal(matching(labels, clusters), [1, 0, 2])
    assert accuracy(labels, clusters) == 5 / 6
    assert accuracy(labels, clusters, np.array([0, 1, 2])) == 1 / 6
    assert np.array_equal(sizes(clusters, 4), [3, 2, 1, 0])


def test_numbers_of_clusters_and_classes_may_differ() -> None:
    labels, clusters = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 2])
    assert sorted(matching(labels, clusters)) == [-1, 0, 1] and accuracy(labels, clusters) == 3 / 4
    assert np.array_equal(matching(labels, clusters, 5)[3:], [-1, -1])
    assert accuracy(np.array([0, 1, 2]), np.array([0, 0, 0])) == 1 / 3


def test_a_fixed_matching_counts_clusters_it_does_not_know_as_wrong() -> None:
    assert accuracy(np.array([0, 1, 1]), np.array([0, 1, 2]), np.array([0, 1])) == 2 / 3


def test_purity_counts_the_commonest_class_of_each_cluster() -> None:
    labels, clusters = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 0, 0, 4, 4, 4])
    assert purity(labels, clusters) == pytest.approx((2 + 2) / 6)
    assert purity(labels, np.arange(6)) == 1 and accuracy(labels, np.arange(6)) == pytest.approx(3 / 6)
