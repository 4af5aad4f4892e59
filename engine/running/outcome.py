"""What an attack left behind: its numbers, the table of its samples, and what is kept of its answers."""

from typing import Any

import numpy as np

from engine.metrics.protocols import AttackedSamples, measure
from engine.metrics.robustness import matched_labels
from engine.models.outputs import Outputs


def metrics(samples: AttackedSamples) -> dict[str, Any]:
    """Every number whose needs are there, with n and 95 % intervals."""
    return measure("attack", samples).values


def table(samples: AttackedSamples) -> dict[str, np.ndarray]:
    """One row a sample; label and knn columns are -1 where the data have no labels."""
    nobody = np.full(samples.n, -1)
    seen = samples.recognised or (nobody, nobody)
    columns = {
        "id": samples.index.numpy(),
        "label": samples.labels if "labels" in samples.present else nobody,
        **_sorted_into(samples),
        **_goal(samples),
        **measure("attack", samples).columns,
        **_lengths(samples),
    }
    return columns | {"knn_clean": seen[0], "knn_attacked": seen[1]}


def arrays(samples: AttackedSamples) -> dict[str, np.ndarray]:
    """What is left of the attack's answers in the run's folder: attacked samples, or attacked embeddings,
    from which what is decoded is asked for when it is shown.
    """
    ids = {"id": samples.index.numpy()}
    if samples.space == "embedding":
        return ids | {"z": samples.embeddings()[1]}
    return ids | {"adversarial": samples.attacked.x.numpy()}


def _sorted_into(samples: AttackedSamples) -> dict[str, np.ndarray]:
    """The clusters, and the classes, of each sample: clean, attacked, and under the controls (-1: none)."""
    found: dict[str, np.ndarray] = {}
    shown = {
        "clean": samples.clean,
        "attacked": samples.attacked,
        "noise": samples.noisy,
        "other_delta": samples.other,
    }
    nobody = np.full(samples.n, -1)
    if "clusters" in samples.present:
        for name, said in shown.items():
            cluster = None if said is None else said.cluster
            found[f"cluster_{name}"] = nobody if cluster is None else cluster.numpy()
    if "classifies" in samples.present:
        for name, said in shown.items():
            predicted = None if said is None else said.predicted
            found[f"class_{name}"] = nobody if predicted is None else predicted.numpy()
    return found | ({"right": _right(samples.clean)} if found else {})


def _right(clean: Outputs) -> np.ndarray:
    """(n,) whether the clean cluster, matched to a class, else the predicted class, is the label."""
    if clean.labels is None:
        return np.zeros(clean.n, bool)
    labels = clean.labels.numpy()
    if clean.cluster is not None:
        cluster = clean.cluster.numpy()
        return matched_labels(labels, cluster, cluster) == labels
    assert clean.predicted is not None, "asked where there are clusters or classes"
    return clean.predicted.numpy() == labels


def _goal(samples: AttackedSamples) -> dict[str, np.ndarray]:
    """Whether each sample is where the objective wants it, and whether it counts: was not there before."""
    counted = samples.objective.counted(samples.clean)
    if samples.reached is None or counted is None:
        return {}
    return {"reached": samples.reached.numpy(), "counted": counted.numpy()}


def _lengths(samples: AttackedSamples) -> dict[str, np.ndarray]:
    """‖δ‖ of each embedding, and that over ‖z‖, where the embedding was moved."""
    if samples.space != "embedding":
        return {}
    before, after = samples.embeddings()
    length = np.linalg.norm(after - before, axis=1)
    return {"delta": length, "delta_ratio": length / np.linalg.norm(before, axis=1).clip(1e-12)}
