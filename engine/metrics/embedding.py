"""What an attack does to the embedding, and the plane on which it is first shown."""

import numpy as np
import torch
from torch import Tensor

from engine.registry import Metric, register_metric

register_metric(
    Metric(
        "embedding_move_mean",
        "Move in the embedding",
        "Euclidean distance between clean and attacked embedding, mean over samples.",
        unit="embedding unit",
        better="down",
        of="attack",
        needs=("encodes",),
        column="embedding_move",
        measure=lambda seen: moves(*seen.embeddings()),
    ),
    Metric(
        "embedding_move_relative",
        "Move, relative",
        "The mean move over the root mean square distance of clean embeddings from their mean.",
        unit="ratio",
        better="down",
        of="attack",
        needs=("encodes",),
        measure=lambda seen: relative_move(*seen.embeddings()),
    ),
    Metric(
        "delta_ratio_mean",
        "‖δ‖/‖z‖",
        "Length of an embedding's perturbation over that of the embedding, mean over samples.",
        unit="ratio",
        of="attack",
        needs=("embedding",),
        measure=lambda seen: length_ratio(seen.delta(), seen.embeddings()[0]),
    ),
    Metric(
        "d_abs",
        "D, absolute",
        "Mean of |δ| over samples and coordinates of the embedding.",
        unit="embedding unit",
        of="attack",
        needs=("embedding",),
        measure=lambda seen: float(np.abs(seen.delta()).mean()),
    ),
    Metric(
        "d_rel",
        "D, relative",
        "Σ|δ| over Σ|z| of each coordinate, mean over coordinates: those that are switched off dominate it.",
        unit="ratio",
        of="attack",
        needs=("embedding",),
        measure=lambda seen: relative_size(seen.delta(), seen.embeddings()[0]),
    ),
    Metric(
        "d_tab",
        "D, as the tables seem to have it",
        "50 times the relative D: what the public code once added up over the batches of an epoch. "
        "The paper gives no formula.",
        unit="ratio x 50",
        of="attack",
        needs=("embedding",),
        measure=lambda seen: table_size(seen.delta(), seen.embeddings()[0]),
    ),
    Metric(
        "active_coordinates",
        "Active coordinates",
        "Coordinates of the embedding whose variance over the samples exceeds 0.01.",
        unit="coordinates",
        of="attack",
        needs=("embedding",),
        measure=lambda seen: active(seen.embeddings()[0]),
    ),
    Metric(
        "nu",
        "ν",
        "Weight of the disagreement, in the paper's units: 1,000 times as much on the mean over samples.",
        unit="weight",
        of="attack",
        needs=("embedding", "weight"),
        measure=lambda seen: seen.objective.weight_of(seen.clean.x.shape[1]),
    ),
)

BATCHES = 50
"""Batches of an epoch in the public code of robust deep clustering, over which it added up its D."""
ACTIVE = 0.01
"""Variance from which a coordinate counts as active. Source: Burda, Grosse and Salakhutdinov, ICLR 2016
(arXiv 1509.00519).
"""


def principal_axes(z: Tensor) -> tuple[Tensor, Tensor]:
    """The mean (m,) and the first two principal axes (m, 2) of embeddings (n, m); `(z − mean) @ axes` places
    them.

    Each axis points to where its largest coefficient is positive, so that the same embedding always gives the
    same map. A one-dimensional embedding gets a second axis of zeros.
    """
    mean = z.mean(dim=0)
    centred = (z - mean).double()
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    axes = vectors.flip(1)[:, :2]
    signs = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True)).sign()
    axes = (axes * signs).to(z.dtype)
    return mean, torch.nn.functional.pad(axes, (0, 2 - axes.shape[1]))


def moves(clean: np.ndarray, attacked: np.ndarray) -> np.ndarray:
    """How far each embedding moved: (n, m), (n, m) -> (n,)."""
    return np.linalg.norm(attacked - clean, axis=1)


def relative_move(clean: np.ndarray, attacked: np.ndarray) -> float | None:
    """The mean move over the spread of the clean embeddings (n, m); None where they do not spread."""
    spread = float(np.sqrt(np.square(clean - clean.mean(axis=0)).sum(axis=1).mean()))
    return float(moves(clean, attacked).mean()) / spread if spread > 0 else None


def length_ratio(delta: np.ndarray, z: np.ndarray) -> float | None:
    """Mean of ‖δ‖/‖z‖ over the samples (n, m); None where an embedding is zero throughout."""
    delta, length = delta.astype(np.float64), np.linalg.norm(z.astype(np.float64), axis=1)
    return float((np.linalg.norm(delta, axis=1) / length).mean()) if (length > 0).all() else None


def relative_size(delta: np.ndarray, z: np.ndarray) -> float | None:
    """Σ|δ| / Σ|z| of each coordinate (n, m), mean over coordinates; None where one is zero throughout."""
    sums = np.abs(z.astype(np.float64)).sum(axis=0)
    return float((np.abs(delta.astype(np.float64)).sum(axis=0) / sums).mean()) if (sums > 0).all() else None


def table_size(delta: np.ndarray, z: np.ndarray) -> float | None:
    """The relative size, added up as often as an epoch of the public code has batches."""
    size = relative_size(delta, z)
    return None if size is None else BATCHES * size


def active(z: np.ndarray) -> int:
    """How many coordinates of z (n, m) vary by more than `ACTIVE`."""
    return int((z.astype(np.float64).var(axis=0) > ACTIVE).sum())


def random_directions(delta: np.ndarray, seed: int) -> np.ndarray:
    """A random direction for each row, as long as its δ: (n, m)."""
    drawn = np.random.default_rng(seed).normal(size=delta.shape)
    return (
        drawn / np.linalg.norm(drawn, axis=1, keepdims=True) * np.linalg.norm(delta, axis=1, keepdims=True)
    ).astype(delta.dtype)
