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
    ),
    Metric(
        "embedding_move_relative",
        "Move, relative",
        "The mean move over the root mean square distance of clean embeddings from their mean.",
        unit="ratio",
        better="down",
    ),
    Metric(
        "delta_ratio_mean",
        "‖δ‖/‖z‖",
        "Length of an embedding's perturbation over that of the embedding, mean over samples.",
        unit="ratio",
    ),
    Metric(
        "d_abs",
        "D, absolute",
        "Mean of |δ| over samples and coordinates of the embedding.",
        unit="embedding unit",
    ),
    Metric(
        "d_rel",
        "D, relative",
        "Σ|δ| over Σ|z| of each coordinate, mean over coordinates: those that are switched off dominate it.",
        unit="ratio",
    ),
    Metric(
        "d_tab",
        "D, as the tables seem to have it",
        "50 times the relative D: what the public code once added up over the batches of an epoch. "
        "The paper gives no formula.",
        unit="ratio x 50",
    ),
    Metric(
        "active_coordinates",
        "Active coordinates",
        "Coordinates of the embedding whose variance over the samples exceeds 0.01.",
        unit="coordinates",
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


def moved(clean: np.ndarray, attacked: np.ndarray) -> dict[str, float | None]:
    """The mean move, plain and relative to the spread of the clean embeddings; relative is None where they do
    not spread.
    """
    mean = float(moves(clean, attacked).mean())
    spread = float(np.sqrt(np.square(clean - clean.mean(axis=0)).sum(axis=1).mean()))
    return {"embedding_move_mean": mean, "embedding_move_relative": mean / spread if spread > 0 else None}


def sizes(delta: np.ndarray, z: np.ndarray) -> dict[str, float | int | None]:
    """Every size of perturbations δ (n, m) of embeddings z (n, m); a relative one is None where an embedding
    is zero throughout.
    """
    delta, z = delta.astype(np.float64), z.astype(np.float64)
    length, sums = np.linalg.norm(z, axis=1), np.abs(z).sum(axis=0)
    relative = float((np.abs(delta).sum(axis=0) / sums).mean()) if (sums > 0).all() else None
    return {
        "d_abs": float(np.abs(delta).mean()),
        "d_rel": relative,
        "d_tab": None if relative is None else BATCHES * relative,
        "delta_ratio_mean": (
            float((np.linalg.norm(delta, axis=1) / length).mean()) if (length > 0).all() else None
        ),
        "active_coordinates": int((z.var(axis=0) > ACTIVE).sum()),
    }


def random_directions(delta: np.ndarray, seed: int) -> np.ndarray:
    """A random direction for each row, as long as its δ: (n, m)."""
    drawn = np.random.default_rng(seed).normal(size=delta.shape)
    return (
        drawn / np.linalg.norm(drawn, axis=1, keepdims=True) * np.linalg.norm(delta, axis=1, keepdims=True)
    ).astype(delta.dtype)
