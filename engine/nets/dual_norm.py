"""Dual batch normalisation: clean and adversarial samples are each normalised by their own statistics, scales
and shifts; all other weights are shared.

Source: Xie, Tan, Gong, Wang, Yuille and Le, "Adversarial examples improve image recognition", CVPR 2020,
arXiv:1911.09665; for contrastive encoders Jiang, Chen, Chen and Wang, NeurIPS 2020, arXiv:2010.13337.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Literal, TypeVar

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

Branch = Literal["clean", "adversarial"]
Network = TypeVar("Network", bound=nn.Module)


class DualNorm(nn.Module):
    """Two batch normalisations that begin as one; `branch` says which of them is read."""

    def __init__(self, norm: _BatchNorm) -> None:
        super().__init__()
        self.clean, self.adversarial = deepcopy(norm), deepcopy(norm)
        self.branch: Branch = "adversarial"

    def forward(self, x: Tensor) -> Tensor:
        normalised: Tensor = (self.clean if self.branch == "clean" else self.adversarial)(x)
        return normalised


def doubled(network: Network) -> Network:
    """A copy of the network in which every batch normalisation stands twice, both with its weights and
    running statistics. It reads through the adversarial ones.
    """
    copy = deepcopy(network)
    parents = [layer for layer in copy.modules() if not isinstance(layer, DualNorm)]  # doubled once at most
    for parent in parents:
        for name, child in list(parent.named_children()):
            if isinstance(child, _BatchNorm):
                setattr(parent, name, DualNorm(child))
    return copy


@contextmanager
def reading(network: nn.Module, branch: Branch) -> Iterator[None]:
    """The network reads through these normalisations; afterwards through those from before. One whose
    normalisations are not doubled stays as it is.
    """
    norms = [layer for layer in network.modules() if isinstance(layer, DualNorm)]
    before = [norm.branch for norm in norms]
    for norm in norms:
        norm.branch = branch
    try:
        yield
    finally:
        for norm, kept in zip(norms, before, strict=True):
            norm.branch = kept
