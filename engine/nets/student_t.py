"""The Student-t head of deep embedded clustering: soft assignment q, sharpened target p, loss KL(p‖q).

Source: Xie, Girshick, Farhadi, "Unsupervised Deep Embedding for Clustering Analysis", ICML 2016, eqs (1)-(3).

| symbol | name | shape |
|---|---|---|
| z | embedding | (n, m) |
| mu | centres | (k, m) |
| q, p | soft assignment, target | (n, k), rows sum to 1 |
"""

import torch
from jaxtyping import Float
from torch import Tensor


def squared_distances(z: Float[Tensor, "n m"], mu: Float[Tensor, "k m"]) -> Float[Tensor, "n k"]:
    """‖z_i − μ_j‖²: (n, k), from differences, so that near points lose no digits."""
    return (z.unsqueeze(1) - mu).square().sum(2)


def log_assignment(
    z: Float[Tensor, "n m"], mu: Float[Tensor, "k m"], alpha: float = 1.0
) -> Float[Tensor, "n k"]:
    """log q: the log of the Student-t assignment, (n, k).

        s_ij = (1 + ‖z_i − μ_j‖² / α)^(−(α+1)/2),    q_ij = s_ij / Σ_j' s_ij'

    From distances by log-softmax, never from probabilities that may have underflowed. Source: DEC, eq. (1).
    """
    return torch.log_softmax(-(alpha + 1) / 2 * torch.log1p(squared_distances(z, mu) / alpha), dim=1)


def target_distribution(q: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
    """p: the sharpened assignment that training pulls towards, (n, k).

        p_ij = (q_ij² / f_j) / Σ_j' (q_ij'² / f_j'),    f_j = Σ_i q_ij

    Rows of q and p sum to one; f is over the whole data set. A cluster nobody is in keeps p = 0. Source: DEC,
    eq. (3).
    """
    frequency = q.sum(0).clamp_min(torch.finfo(q.dtype).tiny)
    weight = q.square() / frequency
    return weight / weight.sum(1, keepdim=True)


def assignment_loss(p: Float[Tensor, "n k"], log_q: Float[Tensor, "n k"]) -> Float[Tensor, ""]:
    """KL(P‖Q) as a mean over samples: mean_i Σ_j p_ij (log p_ij − log q_ij). Source: DEC, eq. (2)."""
    return (torch.xlogy(p, p) - p * log_q).sum(1).mean()
