"""What the features that a model picked are worth, and how many they are."""

import numpy as np

from engine.metrics.protocols import CleanSamples
from engine.registry import Metric, register_metric

TREES = 50
SEED = 0


def unique(seen: CleanSamples) -> int:
    """How many different features there are among those picked."""
    assert seen.features is not None
    return len(np.unique(seen.features))


def accuracy_of_trees(seen: CleanSamples) -> float:
    """Share of the unseen samples whose class extremely randomised trees say, which were shown the picked
    features and the labels of the training rows. Source: Geurts, Ernst and Wehenkel, Machine Learning 63,
    2006.
    """
    from sklearn.ensemble import ExtraTreesClassifier  # a second of import that nothing else here needs

    assert seen.features is not None
    x, y = seen.said.x.numpy()[:, np.unique(seen.features)], seen.labels
    trees = ExtraTreesClassifier(n_estimators=TREES, random_state=SEED).fit(x[seen.train], y[seen.train])
    return float(trees.score(x[seen.test], y[seen.test]))


register_metric(
    Metric(
        "features_unique",
        "Different features",
        "How many of the picked features are different ones.",
        unit="count",
        of="model",
        needs=("selects",),
        headline=2,
        measure=unique,
    ),
    Metric(
        "accuracy_features",
        "Accuracy of trees, test",
        "Share of the samples outside the training rows that extremely randomised trees classify as labelled"
        " by the picked features alone.",
        better="up",
        labels=True,
        of="model",
        needs=("selects", "unseen"),
        headline=3,
        measure=accuracy_of_trees,
    ),
)
