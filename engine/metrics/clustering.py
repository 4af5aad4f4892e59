"""How well clusters agree with classes: ACC, NMI, ARI, all from one contingency table. Numpy in, floats out.

Source: Hubert and Arabie, "Comparing partitions", 1985 (ARI); NMI with the arithmetic mean of entropies, as
scikit-learn.
"""

import numpy as np

from engine.registry import Metric, register_metric

register_metric(
    Metric(
        "acc",
        "ACC",
        "Share of samples whose cluster, matched to a class by the Hungarian method, is their class.",
        "Kuhn, 1955; used so since Xie et al., ICML 2016",
        better="up",
        labels=True,
        of="model",
        needs=("clusters",),
        headline=1,
        measure=lambda seen: accuracy(seen.labels, seen.clusters()),
    ),
    Metric(
        "nmi",
        "NMI",
        "Mutual information of clusters and classes over the arithmetic mean of their entropies; 0 for a"
        " single cluster.",
        "Strehl and Ghosh, JMLR 2002",
        unit="index",
        better="up",
        labels=True,
        of="model",
        needs=("clusters",),
        headline=2,
        measure=lambda seen: nmi(seen.labels, seen.clusters()),
    ),
    Metric(
        "ari",
        "ARI",
        "Share of pairs treated alike by clusters and classes, corrected for chance (0 by chance, 1 when"
        " equal).",
        "Hubert and Arabie, 1985",
        unit="index",
        better="up",
        labels=True,
        of="model",
        needs=("clusters",),
        headline=3,
        measure=lambda seen: ari(seen.labels, seen.clusters()),
    ),
    Metric(
        "purity",
        "Purity",
        "Share of samples that are of the commonest class of their cluster; it grows with the number of"
        " clusters.",
        "Zhao and Karypis, 2001",
        better="up",
        labels=True,
        of="model",
        needs=("clusters",),
        measure=lambda seen: purity(seen.labels, seen.clusters()),
    ),
)


def contingency(labels: np.ndarray, clusters: np.ndarray, k: int | None = None) -> np.ndarray:
    """w[c, j] = #{i: label c, cluster j}: (classes, k) int64; `k` widens the table by clusters that nobody is
    in.
    """
    classes = int(labels.max()) + 1
    k = max(int(clusters.max()) + 1, k or 0)
    return np.bincount(labels.astype(np.int64) * k + clusters, minlength=classes * k).reshape(classes, k)


def matching(labels: np.ndarray, clusters: np.ndarray, k: int | None = None) -> np.ndarray:
    """cluster -> class, (k,) int64, by the Hungarian method on the contingency table; -1 for a cluster left
    over.
    """
    table = contingency(labels, clusters, k)
    from scipy.optimize import linear_sum_assignment  # slow to import, and only needed at the end of a run

    classes, matched = linear_sum_assignment(table, maximize=True)
    mapping = np.full(table.shape[1], -1, dtype=np.int64)
    mapping[matched] = classes
    return mapping


def accuracy(labels: np.ndarray, clusters: np.ndarray, mapping: np.ndarray | None = None) -> float:
    """Share of samples with mapping[cluster] == label; without a `mapping`, the best one for these
    clusters.
    """
    if mapping is None:
        mapping = matching(labels, clusters)
    beyond = int(clusters.max()) + 1 - len(mapping)
    if beyond > 0:
        mapping = np.concatenate([mapping, np.full(beyond, -1)])
    return float(np.mean(mapping[clusters] == labels))


def nmi(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Normalised mutual information in [0, 1], arithmetic mean; 0 where there is one cluster only."""
    joint = contingency(labels, clusters) / len(labels)
    rows, columns = joint.sum(1), joint.sum(0)
    if np.count_nonzero(columns) < 2 or np.count_nonzero(rows) < 2:
        return 0.0
    inside = joint > 0
    information = np.sum(joint[inside] * np.log(joint[inside] / np.outer(rows, columns)[inside]))
    return float(np.clip(2 * information / (_entropy(rows) + _entropy(columns)), 0, 1))


def ari(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Adjusted Rand index: 1 when equal, about 0 by chance."""
    table = contingency(labels, clusters).astype(np.float64)
    together, rows, columns = _pairs(table), _pairs(table.sum(1)), _pairs(table.sum(0))
    expected = rows * columns / max(_pairs(np.array([table.sum()])), 1.0)
    most = (rows + columns) / 2
    return 1.0 if most == expected else float((together - expected) / (most - expected))


def purity(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Share of samples that are of the commonest class of their cluster."""
    return float(contingency(labels, clusters).max(axis=0).sum() / len(labels))


def sizes(clusters: np.ndarray, k: int) -> np.ndarray:
    """How many samples each cluster has: (k,) int64."""
    return np.bincount(clusters, minlength=k)


def _entropy(share: np.ndarray) -> float:
    share = share[share > 0]
    return float(-np.sum(share * np.log(share)))


def _pairs(counts: np.ndarray) -> float:
    return float(np.sum(counts * (counts - 1)) / 2)
