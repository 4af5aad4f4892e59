"""The graph loss: samples whose embeddings are neighbours shall be assigned alike.

    L_graph = Σ_ij W_ij ‖ỹ_i − ỹ_j‖² / n,   Ỹ = Y (L⁻¹)ᵀ √n,   YᵀY + εI = L Lᵀ

Source: Yang, Deng, Zheng, Yan and Liu, CVPR 2019 (dual autoencoder spectral clustering), as Yang et al.,
NeurIPS 2020, use it.
"""

import torch
from jaxtyping import Float
from torch import Tensor

RIDGE = 1e-4
"""Added to the diagonal before the Cholesky factorisation, in float32; the published 1e-7 fails there."""


def squared_distances(z: Float[Tensor, "n m"]) -> Float[Tensor, "n n"]:
    """‖z_i − z_j‖² of the rows of z (n, m): (n, n), zero on the diagonal."""
    squares = z.square().sum(1)
    distances = (squares[:, None] + squares[None] - 2 * z @ z.T).clamp_min(0)
    return distances.masked_fill(torch.eye(len(z), dtype=torch.bool, device=z.device), 0)


def affinity(
    z: Float[Tensor, "n m"], neighbours: int = 3, width: float | None = None
) -> Float[Tensor, "n n"]:
    """W of the rows of z (n, m): (n, n), symmetric, zero on the diagonal.

    exp(−d²/2s²) to the `neighbours` nearest of each row, itself among them, made symmetric. s is `width`, or
    the median over the rows of the distance to the nearest other one.
    """
    distances = squared_distances(z)
    near, index = distances.topk(min(neighbours, len(z)), dim=1, largest=False)
    s2 = (
        near[:, min(1, near.shape[1] - 1)].sqrt().median().square().clamp_min(1e-12)
        if width is None
        else torch.as_tensor(width**2, device=z.device)
    )
    weights = torch.zeros_like(distances).scatter(1, index, torch.exp(-near / (2 * s2)))
    weights = weights.masked_fill(torch.eye(len(z), dtype=torch.bool, device=z.device), 0)
    return (weights + weights.T) / 2


def orthonormal(y: Float[Tensor, "n k"], ridge: float = RIDGE) -> Float[Tensor, "n k"] | None:
    """Ỹ of assignments Y (n, k), so that ỸᵀỸ/n = I: (n, k); None where a cluster is so empty that no
    factorisation is found.
    """
    gram = y.T @ y + ridge * torch.eye(y.shape[1], device=y.device, dtype=y.dtype)
    factor, failed = torch.linalg.cholesky_ex(gram)
    if int(failed):
        return None
    return torch.linalg.solve_triangular(factor, y.T, upper=False).T * len(y) ** 0.5


def smoothness(weights: Float[Tensor, "n n"], y: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    """Σ_ij W_ij ‖y_i − y_j‖² / n of W (n, n) and y (n, k): ()."""
    return (weights * squared_distances(y)).sum() / len(y)
