"""NumPy arrays as views at rest."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch

from engine.data.views import AtRest


def images(x: np.ndarray, divisor: float) -> AtRest:
    """Images (n, H, W) or (n, H, W, C) as one view (n, C, H, W) of the same type, divided by `divisor` to lie
    in [0, 1].
    """
    x = x[:, None] if x.ndim == 3 else x.transpose(0, 3, 1, 2)
    return AtRest((torch.from_numpy(np.ascontiguousarray(x)),), (float(divisor),))


def vectors(x: np.ndarray) -> AtRest:
    """Vectors (n, d), already in [0, 1], as one float32 view."""
    return AtRest((torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32)),), (1.0,))


def beside(views: Iterable[AtRest]) -> AtRest:
    """Single views of the same samples as the views of one set."""
    every = list(views)
    return AtRest(tuple(view.tensors[0] for view in every), tuple(view.divisors[0] for view in every))


def several(views: Sequence[np.ndarray]) -> AtRest:
    """Views (n, C, H, W) in [0, 1] as bytes: each number is wrong by at most 1/510."""
    return AtRest(
        tuple(torch.from_numpy(np.rint(view * 255).astype(np.uint8)) for view in views), (255.0,) * len(views)
    )
