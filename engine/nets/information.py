"""Mutual information as a critic sees it: the Jensen-Shannon estimate, a loss that critic and networks make
small together.

    I(a, b) = −E [log σ(T(a_i, b_i)) + log(1 − σ(T(a_i, b_π(i))))]

A constant critic gives 2 log 2. Sources: Nowozin et al., NeurIPS 2016 (arXiv 1606.00709); Hjelm et al., ICLR
2019 (arXiv 1808.06670).
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn


def dependence(
    critic: nn.Module, one: Float[Tensor, "n p"], other: Float[Tensor, "n q"], order: Int[Tensor, "n"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """The loss of telling pairs (a_i, b_i) from (a_i, b_order(i)), of a (n, p) and b (n, q), and the critic's
    accuracy: (), ().
    """
    true, false = (
        critic(torch.cat([one, other], dim=1))[:, 0],
        critic(torch.cat([one, other[order]], dim=1))[:, 0],
    )
    loss = F.softplus(-true).mean() + F.softplus(false).mean()
    return loss, 0.5 * ((true > 0).float().mean() + (false < 0).float().mean()).detach()


def derangement(n: int, rng: torch.Generator) -> Int[Tensor, "{n}"]:
    """A random order of n that leaves nothing in its place: (n,). For n = 1 there is none, and it stays."""
    order = torch.randperm(n, generator=rng)
    partner = torch.empty_like(order)
    partner[order] = order.roll(1)
    return partner
