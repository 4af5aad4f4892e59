"""One forward pass of the networks of robust deep clustering, and what their losses take from it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.data.views import AtRest, Views
from engine.models.state import State
from engine.nets.variational import ClusteringVAE


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """What a batch gives, float32, with its graph."""

    x: Tensor  # (n, ...), flat, in the network's units
    m: Tensor  # (n, d), the mean of the code
    log_variance: Tensor  # (n, d)
    eta: Tensor  # (n, d), the draw
    x_hat: Tensor  # (n, ...), decoded from m + eta
    log_y: Tensor  # (n, k), the assignment of m


def forward_pass(state: State, x: Views) -> ForwardPass:
    """The forward pass of a batch: network in the run's precision, what comes out in float32."""
    model = vae_of(state)
    with state.how.autocast():
        m, log_variance = model.moments(x)
        eta = sampled(torch.zeros_like(m), log_variance, state.rng)
        x_hat, log_y = model.generate(m + eta), model.log_assign_embedding(m)
        return ForwardPass(model.units(x).flatten(1), m, log_variance, eta, x_hat, log_y)


def sampled(m: Tensor, log_variance: Tensor, rng: torch.Generator) -> Tensor:
    """m + e^{ℓ/2} ⊙ ε with ε from `rng`: (n, d)."""
    return m + (0.5 * log_variance).exp() * torch.randn(m.shape, generator=rng).to(m.device)


def divergence(m: Tensor, log_variance: Tensor, means: Tensor, y: Tensor) -> Tensor:
    """Σ_k y_k KL(N(m, e^ℓ) ‖ N(μ_k, I)) of m, ℓ (n, d), μ (k, d), y (n, k): (n,)."""
    width = (log_variance.exp() - 1 - log_variance).sum(1)
    distances = m.square().sum(1, keepdim=True) + means.square().sum(1) - 2 * m @ means.T
    return 0.5 * (y * (width[:, None] + distances)).sum(1)


def minibatch(state: State, data: AtRest, size: int) -> Views:
    """A random batch without repeats."""
    index = torch.randperm(len(data), generator=state.rng)[:size]
    return data.rows(index.to(state.how.device))


def vae_of(state: State) -> ClusteringVAE:
    """The network of a state that a `Variational` made."""
    assert isinstance(state.model, ClusteringVAE)
    return state.model
