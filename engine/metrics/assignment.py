"""How sure a model is of what it sorts a sample into, and how far an attack changes that."""

import numpy as np

from engine.metrics.protocols import AttackedSamples
from engine.metrics.robustness import divergence
from engine.models.outputs import Outputs, margin
from engine.registry import Metric, register_metric


def margins(seen: AttackedSamples, after: Outputs) -> np.ndarray:
    """(n,) by how much the clean group leads the best other one in log-probability; negative where not."""
    assert seen.clean.group is not None and after.groups is not None
    return margin(after.groups, seen.clean.group).numpy()


def log_probabilities(seen: AttackedSamples) -> tuple[np.ndarray, np.ndarray]:
    """(n, k) of the groups, clean and attacked."""
    assert seen.clean.groups is not None and seen.attacked.groups is not None
    return seen.clean.groups.numpy(), seen.attacked.groups.numpy()


def agreement(first: np.ndarray, second: np.ndarray) -> float:
    """Mean inner product of two assignments, given by their logarithms (n, k)."""
    return float((np.exp(first) * np.exp(second)).sum(1).mean())


register_metric(
    Metric(
        "margin_clean_mean",
        "Margin, clean",
        "Mean margin in log-probability by which the clean cluster (or class) leads before the attack.",
        unit="nats",
        better="up",
        of="attack",
        needs=("groups",),
        column="margin_clean",
        measure=lambda seen: margins(seen, seen.clean),
    ),
    Metric(
        "margin_mean",
        "Margin, attacked",
        "Mean margin in log-probability by which the clean cluster (or class) leads under attack; negative:"
        " it changed.",
        unit="nats",
        better="up",
        of="attack",
        needs=("groups",),
        column="margin_attacked",
        measure=lambda seen: margins(seen, seen.attacked),
    ),
    Metric(
        "assignment_kl_mean",
        "KL of assignments",
        "KL of the clean assignment from the attacked one, 1e-4 added to every probability, mean over "
        "samples: zero where the attack changes nothing; with the defences' training it is L_AM.",
        unit="nats",
        better="down",
        of="attack",
        watched=True,
        needs=("groups",),
        column="assignment_kl",
        measure=lambda seen: divergence(*log_probabilities(seen)),
    ),
    Metric(
        "agreement_mean",
        "Agreement",
        "Inner product of clean and attacked soft assignment, mean over samples: 0 where they have nothing "
        "in common.",
        better="up",
        of="attack",
        needs=("clusters", "embedding"),
        measure=lambda seen: agreement(*log_probabilities(seen)),
    ),
    Metric(
        "agreement_clean_mean",
        "Agreement with itself",
        "Inner product of the clean soft assignment with itself, mean over samples: 1 where it is certain.",
        of="attack",
        needs=("clusters", "embedding"),
        measure=lambda seen: agreement(log_probabilities(seen)[0], log_probabilities(seen)[0]),
    ),
)
