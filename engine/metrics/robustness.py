"""What several measures of attacks are made of. Numpy in, numpy or plain floats out; no torch.

A median ε* counts the samples never reached as beyond every ε: it is infinite, written "> ε max", where half
of them or more are.
"""

import numpy as np

from engine.metrics import clustering

SMOOTH = 1e-4
"""Added to every probability of an assignment before a ratio of two is taken, as AR-DMVC does."""


def matched_labels(labels: np.ndarray, clean: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """The class of each of `clusters` (m,) by the matching of the clean clusters to the labels; -1 where
    there is none.

    A cluster without a clean sample of its class has none: the Hungarian method had only that pair left over.
    """
    mapping = clustering.matching(labels, clean)
    unseen = (
        np.take_along_axis(clustering.contingency(labels, clean), np.maximum(mapping, 0)[None], axis=0)[0]
        == 0
    )
    mapping = np.append(
        np.where(unseen, -1, mapping), np.full(max(int(clusters.max()) + 1 - len(mapping), 0), -1)
    )
    return mapping[clusters]


def divergence(clean: np.ndarray, attacked: np.ndarray) -> np.ndarray:
    """KL(p ‖ q) of each row of log-probabilities (n, k), 1e-4 added to every probability: (n,), at
    least 0.
    """
    p, q = (np.exp(log.astype(np.float64)) + SMOOTH for log in (clean, attacked))
    return np.maximum((p * np.log(p / q)).sum(axis=1), 0)


def median_epsilon(epsilon_star: np.ndarray) -> float:
    """The median of ε* (n,) where never reached is infinity; NaN without samples. Of two middle values the
    larger.
    """
    return float(np.sort(epsilon_star)[len(epsilon_star) // 2]) if len(epsilon_star) else float("nan")


def written(median: float, largest: float) -> str:
    """A median ε* in words: the number, "> ε max" where half of them or more were never reached, "" without
    samples.
    """
    if np.isnan(median):
        return ""
    return f"> {largest:g}" if np.isinf(median) else f"{median:.3g}"
