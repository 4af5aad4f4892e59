"""AR-DMVC, figures 3 and 5: which classes become which."""

from pathlib import Path
from typing import Any

import numpy as np

from engine.metrics import clustering
from engine.registry import register
from engine.studies.ar_dmvc import HERE, JUDGED, MultiViewStudy, attacked_case, columns_of
from engine.studies.protocols import Case


@register
class Confusion(MultiViewStudy):
    """Which classes become which."""

    name = "ar_dmvc.confusion"
    title = "AR-DMVC, figures 3 and 5: confusion matrices"
    summary = "True classes against matched clusters, clean and under each attack at ε = 0.3."
    figure = "confusion"
    place = 6

    def cases(self) -> list[Case]:
        """Model by model, attack by attack; the matrix of the first seed is part of the row."""
        return [
            attacked_case(
                model, {"epsilon": 0.3} | self.epochs(training), training, treatment, attacking, more=matrices
            )
            for model in HERE
            for training in [self.trained_as_long(model)]
            for treatment, attacking in (*self.attacks(0.3), *(self.judging(0.3) if model in JUDGED else ()))
        ]


def matrices(folder: Path) -> dict[str, Any]:
    """Counts before and after, `matrix_clean` and `matrix_attacked`: classes by the clusters matched to them,
    empty where there is none; leftovers last.
    """
    label, clean, attacked = columns_of(folder, "label", "cluster_clean", "cluster_attacked")
    return {"matrix_clean": matched(label, clean), "matrix_attacked": matched(label, attacked)}


def matched(label: np.ndarray, cluster: np.ndarray) -> list[list[int]]:
    """Counts (c, c + leftovers) of samples by class and by the cluster that is matched to each class."""
    classes = int(label.max()) + 1
    table, mapping = clustering.contingency(label, cluster), clustering.matching(label, cluster)
    own = {
        int(mapping[number]): number
        for number in range(min(len(mapping), table.shape[1]))
        if 0 <= mapping[number] < classes
    }
    left = [number for number in range(table.shape[1]) if number not in own.values()]
    empty = np.zeros(len(table), dtype=int)
    columns = [table[:, own[number]] if number in own else empty for number in range(classes)]
    counts = np.stack([*columns, *(table[:, number] for number in left)], axis=1)
    return [[int(count) for count in row] for row in counts]
