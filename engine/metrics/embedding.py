"""What an attack does to the embedding, and the plane on which it is first shown."""

import numpy as np
import torch
from torch import Tensor

from engine.registry import Metric, register_metric

register_metric(
    Metric("embedding_move_mean", "Move in the embedding", "Euclidean distance between clean and attacked embedding, mean over samples.",
           unit="embedding unit", better="down"),
    Metric("embedding_move_relative", "Move, relative", "The mean move over the root mean square distance of clean embeddings from "
           "their mean.", unit="ratio", better="down"),
)


def principal_axes(z: Tensor) -> tuple[Tensor, Tensor]:
    """The mean (m,) and the first two principal axes (m, 2) of embeddings (n, m); `(z − mean) @ axes` places them.

    Each axis points to where its largest coefficient is positive, so that the same embedding always gives the same map.
    A one-dimensional embedding gets a second axis of zeros.
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
    """The mean move, plain and relative to the spread of the clean embeddings; relative is None where they do not spread."""
    mean = float(moves(clean, attacked).mean())
    spread = float(np.sqrt(np.square(clean - clean.mean(axis=0)).sum(axis=1).mean()))
    return {"embedding_move_mean": mean, "embedding_move_relative": mean / spread if spread > 0 else None}
