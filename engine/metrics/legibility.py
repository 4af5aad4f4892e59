"""Legibility: would a plain look at the pixels still recognise the sample? Numpy in, numpy out.

A 5-nearest-neighbour classifier on the raw clean pixels that leaves the sample itself out. At ε 0.3 on 8x8
digits a quarter or more of the attacked images are no longer recognised by it; an attack "succeeds" on those
in a lesser sense.
"""

from collections.abc import Iterable

import numpy as np

from engine.registry import Metric, register_metric

NEIGHBOURS = 5

register_metric(
    Metric(
        "knn_acc_clean",
        "Legibility, clean",
        "Accuracy, on the clean samples, of a 5-nearest-neighbour classifier on raw clean samples "
        "that leaves the sample itself out.",
        "Cover and Hart, 1967",
        better="up",
        labels=True,
        of="attack",
        needs=("recognised",),
        column="",
        measure=lambda seen: seen.recognised[0] == seen.labels,
    ),
    Metric(
        "knn_acc_attacked",
        "Legibility, attacked",
        "The same classifier's accuracy on the attacked samples: is it still the same thing?",
        "Cover and Hart, 1967",
        better="up",
        labels=True,
        of="attack",
        needs=("recognised",),
        headline=9,
        column="",
        measure=lambda seen: seen.recognised[1] == seen.labels,
    ),
)


def nearest(
    queries: np.ndarray, own: np.ndarray, reference: Iterable[np.ndarray], k: int = NEIGHBOURS
) -> np.ndarray:
    """Rows of the reference nearest to each query (m, d), nearest first: (m, k) int64.

    `reference` comes in blocks (b, d) in order; `own` (m,) is the row each query came from, which is left
    out.
    """
    best = np.full((len(queries), 0), np.inf, dtype=queries.dtype)
    rows = np.empty((len(queries), 0), dtype=np.int64)
    seen = 0
    for block in reference:
        distance = np.square(block).sum(1)[None, :] - 2 * (queries @ block.T)  # + ‖query‖², the same for all
        inside = np.nonzero((own >= seen) & (own < seen + len(block)))[0]
        distance[inside, own[inside] - seen] = np.inf
        best = np.concatenate([best, distance], axis=1)
        rows = np.concatenate(
            [rows, np.broadcast_to(np.arange(seen, seen + len(block)), distance.shape)], axis=1
        )
        keep = (
            np.argsort(best, axis=1, kind="stable")[:, :k] if best.shape[1] <= 4 * k else _smallest(best, k)
        )
        best, rows = np.take_along_axis(best, keep, 1), np.take_along_axis(rows, keep, 1)
        seen += len(block)
    return rows


def vote(neighbours: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The commonest label among each row's neighbours (m, k), the smallest where several are: (m,) int64."""
    votes = labels[neighbours]
    return (votes[:, :, None] == np.arange(labels.max() + 1)).sum(axis=1).argmax(axis=1)


def _smallest(values: np.ndarray, k: int) -> np.ndarray:
    some = np.argpartition(values, k, axis=1)[:, :k]
    return np.take_along_axis(some, np.argsort(np.take_along_axis(values, some, 1), axis=1, kind="stable"), 1)
