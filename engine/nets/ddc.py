"""The losses of deep divergence-based clustering, and the contrastive term between views. In float32: their
floors are smaller than bf16's.

Sources: Kampffmeyer et al., Neural Networks 2019; Trosten et al., CVPR 2021; Huang et al., ICML 2024.
"""

from collections.abc import Sequence
from itertools import combinations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from engine.errors import DataError

WIDTH = 0.15
"""σ² of the kernel as a share of the median squared distance."""
FLOOR = 1e-9
TEMPERATURE = 0.1


def kernel(h: Float[Tensor, "n m"]) -> Float[Tensor, "n n"]:
    """exp(−‖h_i − h_j‖² / 2σ²) of h (n, m): (n, n); σ² is 0.15 of the median of all n² squared distances,
    without gradient.
    """
    squares = h.square().sum(1)
    distances = (squares[:, None] + squares[None] - 2 * h @ h.T).clamp_min(0)
    sigma2 = (WIDTH * distances.detach().median()).clamp_min(FLOOR)
    return torch.exp(-distances / (2 * sigma2))


def cauchy_schwarz(weights: Float[Tensor, "n k"], gram: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    """The mean over pairs of columns of B (n, k) of B_i' K B_j / √(B_i' K B_i · B_j' K B_j): (), from
    0 to 1.
    """
    overlap = weights.T @ gram @ weights
    own = overlap.diagonal()
    shares = overlap.clamp_min(FLOOR) / (own[:, None] * own[None]).clamp_min(FLOOR**2).sqrt()
    upper = torch.triu_indices(len(shares), len(shares), offset=1)
    return shares[upper[0], upper[1]].mean()


def ddc(
    h: Float[Tensor, "n m"], assignment: Float[Tensor, "n k"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""], Float[Tensor, ""]]:
    """L1 (clusters apart in h), L2 (assignments unlike one another), L3 (assignments near corners) of h (n,
    m), a (n, k).
    """
    n, k = assignment.shape
    if n < 2 or k < 2:
        raise DataError(
            "The DDC loss compares samples and clusters with one another: it needs at least 2 of each; got"
            f" {n} and {k}."
        )
    gram = kernel(h)
    alike = (assignment.sum(0).square().sum() - assignment.square().sum()) / (n * (n - 1))
    ends = torch.eye(k, device=assignment.device, dtype=assignment.dtype)
    corners = torch.exp(-torch.cdist(assignment, ends, compute_mode="donot_use_mm_for_euclid_dist").square())
    return cauchy_schwarz(assignment, gram), alike, cauchy_schwarz(corners, gram)


def contrast(z: Sequence[Float[Tensor, "n m"]], weight: Float[Tensor, ""] | float = 1.0) -> Float[Tensor, ""]:
    """The contrastive term of views z_v (n, m): w · 2/(V(V−1)) · the sum over pairs of views, each in both
    directions: ().
    """
    unit = [F.normalize(view, dim=1) for view in z]
    pairs = [
        _directed(unit[u], unit[v]) + _directed(unit[v], unit[u])
        for u, v in combinations(range(len(unit)), 2)
    ]
    return weight * torch.stack(pairs).mean()


def _directed(one: Float[Tensor, "n m"], other: Float[Tensor, "n m"]) -> Float[Tensor, ""]:
    """Cross-entropy of finding one's partner among all of the other view and all others of the own
    one: ().
    """
    itself = torch.eye(len(one), dtype=torch.bool, device=one.device)
    own = (one @ one.T / TEMPERATURE).masked_fill(itself, -torch.inf)
    return F.cross_entropy(
        torch.cat([one @ other.T / TEMPERATURE, own], dim=1), torch.arange(len(one), device=one.device)
    )
