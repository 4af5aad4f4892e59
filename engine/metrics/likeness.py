"""How alike an attack's answers are to their originals, and how well the model handles both: what is measured
of attacks that look for samples which a model handles as well as their originals.

Over the samples that have an answer: where an attack failed, it leaves the sample as it is.
"""

import numpy as np
import torch
from torch import Tensor

from engine.metrics.perturbation import l2
from engine.metrics.protocols import AttackedSamples
from engine.nets import mine
from engine.registry import Metric, register_metric

BLOCK = 500
"""Pairs that are scored at a time."""


def answered(seen: AttackedSamples) -> tuple[Tensor, Tensor]:
    """The clean and the attacked samples (m, d) of those that moved."""
    moved = (seen.attacked.x != seen.clean.x).any(dim=1)
    return seen.clean.x[moved], seen.attacked.x[moved]


def scores(seen: AttackedSamples) -> np.ndarray:
    """(m,) the estimate of each answer, by networks that the attack never saw."""
    assert seen.compression is not None
    clean, attacked = answered(seen)
    blocks = zip(clean.split(BLOCK), attacked.split(BLOCK), strict=True)
    found = [mine.score(one, other, seen.compression) for one, other in blocks]
    return torch.cat(found).numpy() if len(clean) else np.zeros(0)


def closed_forms(seen: AttackedSamples) -> np.ndarray:
    """(m,) what the estimate is a bound of."""
    assert seen.compression is not None
    return mine.closed_form(*answered(seen), seen.compression.size).numpy()


def error_against_clean(seen: AttackedSamples, reconstruction: Tensor | None) -> np.ndarray:
    """(n,) the mean squared difference of each clean sample and a reconstruction (n, d)."""
    assert reconstruction is not None
    return (reconstruction - seen.clean.x).square().mean(dim=1).numpy()


register_metric(
    Metric(
        "mine_mean",
        "MINE",
        "How alike answers are to their originals: per-sample MINE by random projections, estimated anew for"
        " every finished pair with a fixed seed (200 steps of Adam, mean of 20 draws), mean over answers. A"
        " score, not nats: compare it at equal K alone.",
        "Belghazi et al., ICML 2018, arXiv:1801.04062",
        unit="score",
        of="attack",
        needs=("likeness", "pixels"),
        headline=3,
        column="",
        measure=scores,
    ),
    Metric(
        "closed_form_mean",
        "Mutual information",
        "What MINE bounds from below, of random projections: −d'/2 log(1 − ρ²) with ρ the cosine of sample"
        " and answer; mean over answers.",
        "Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895",
        unit="nats",
        of="attack",
        needs=("likeness", "pixels"),
        headline=4,
        column="",
        measure=closed_forms,
    ),
    Metric(
        "l2_answers_mean",
        "L2 of answers",
        "The Euclidean length of the perturbation, mean over the samples that have an answer.",
        unit="data unit",
        of="attack",
        needs=("likeness", "pixels"),
        headline=2,
        column="",
        measure=lambda seen: l2(seen.delta()[(seen.attacked.x != seen.clean.x).any(dim=1).numpy()]),
    ),
    Metric(
        "reconstruction_error_clean",
        "Error against the clean sample, clean",
        "Mean squared difference of clean samples and what they are decoded to.",
        unit="squared data unit",
        better="down",
        of="attack",
        needs=("likeness", "reconstructs"),
        headline=7,
        measure=lambda seen: error_against_clean(seen, seen.clean.reconstruction),
    ),
    Metric(
        "reconstruction_error_attacked",
        "Error against the clean sample, attacked",
        "Mean squared difference of clean samples and what their attacked twins are decoded to: below that of"
        " the clean ones the model handles the attacked ones better.",
        unit="squared data unit",
        better="down",
        of="attack",
        needs=("likeness", "reconstructs"),
        headline=8,
        measure=lambda seen: error_against_clean(seen, seen.attacked.reconstruction),
    ),
)
