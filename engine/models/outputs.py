"""What a model says of samples: all that it is able to, asked a block of rows at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import torch
from torch import Tensor, nn

from engine.data.views import Views
from engine.models.protocols import AssignsEmbeddings, Classifies, Clusters, Decodes, Encodes, Reconstructs

BLOCK = 4096
"""Rows in one forward pass of `outputs`."""


@dataclass(frozen=True)
class Outputs:
    """All that a model says of n samples: float32, without a graph; None where it lacks the ability.

    `labels` (n,) are the samples' own, where the data have them; no model says them.
    """

    x: Tensor  # (n, d), the samples themselves
    log_q: Tensor | None = None  # (n, k)
    z: Tensor | None = None  # (n, m)
    reconstruction: Tensor | None = None  # (n, d)
    logits: Tensor | None = None  # (n, c)
    labels: Tensor | None = None  # (n,) int64
    contrast: Tensor | None = None  # (n,) nats, the loss of their views, where an objective asks for it

    @property
    def n(self) -> int:
        """How many samples."""
        return len(self.x)

    @property
    def present(self) -> frozenset[str]:
        """The abilities that were asked, "groups" where there are any, and "labels" where they are known."""
        said = {
            "clusters": self.log_q,
            "encodes": self.z,
            "reconstructs": self.reconstruction,
            "classifies": self.logits,
            "groups": self.groups,
            "labels": self.labels,
        }
        return frozenset(name for name, value in said.items() if value is not None)

    @property
    def cluster(self) -> Tensor | None:
        """(n,) the likeliest cluster."""
        return None if self.log_q is None else self.log_q.argmax(dim=1)

    @property
    def predicted(self) -> Tensor | None:
        """(n,) the likeliest class."""
        return None if self.logits is None else self.logits.argmax(dim=1)

    @property
    def groups(self) -> Tensor | None:
        """Log-probabilities of what the model sorts into: clusters (n, k), else classes (n, c)."""
        if self.log_q is not None:
            return self.log_q
        return None if self.logits is None else self.logits.log_softmax(dim=1)

    @property
    def group(self) -> Tensor | None:
        """(n,) the likeliest of them."""
        groups = self.groups
        return None if groups is None else groups.argmax(dim=1)

    @property
    def error(self) -> Tensor | None:
        """(n,) mean squared difference of each sample and its reconstruction."""
        return None if self.reconstruction is None else (self.reconstruction - self.x).square().mean(dim=1)

    def rows(self, index: Tensor) -> Self:
        """What is said of the samples at `index`, repeats allowed."""
        return type(self)(**{name: value[index] for name, value in self.given()})

    def to(self, device: str | torch.device) -> Self:
        """The same on a device."""
        return type(self)(**{name: value.to(device) for name, value in self.given()})

    def with_labels(self, labels: Tensor | None) -> Self:
        """The same, with these labels (n,)."""
        return replace(self, labels=labels)

    def given(self) -> list[tuple[str, Tensor]]:
        """Name and value of all that is there."""
        every = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return [(name, value) for name, value in every if value is not None]


def margin(scores: Tensor, group: Tensor) -> Tensor:
    """How far `group` (n,) lies above the best of the others in scores (n, k), such as log q: (n,)."""
    group = group[:, None]
    best = scores.detach().scatter(1, group, -torch.inf).argmax(dim=1, keepdim=True)
    own, other = scores.gather(1, torch.cat([group, best], dim=1)).unbind(dim=1)
    return own - other


@torch.no_grad()
def outputs(
    model: nn.Module, views: Views, labels: Tensor | None = None, known: Mapping[str, Tensor] | None = None
) -> Outputs:
    """Every ability that the model has, asked about every sample, a block of rows at a time; but for the
    fields of Outputs that are `known` of them all, rows as in `views`.
    """
    index = torch.arange(views.n, device=views[0].device)
    every = known or {}
    parts = [
        _said(model, views.rows(block), {name: rows[block] for name, rows in every.items()})
        for block in index.split(BLOCK)
    ]
    return joined(parts).with_labels(labels)


def embedding_and_groups(model: nn.Module, views: Views) -> tuple[Tensor | None, Tensor | None]:
    """z (n, m) and log q (n, k), where the model has them; encoded once where the one follows from the
    other.
    """
    z = model.encode(views) if isinstance(model, Encodes) else None
    if not isinstance(model, Clusters):
        return z, None
    if z is not None and isinstance(model, AssignsEmbeddings):
        return z, model.log_assign_embedding(z)
    return z, model.log_assign(views)


def joined(parts: Sequence[Outputs]) -> Outputs:
    """What one model says of several sets of samples, one after the other."""
    given = [dict(part.given()) for part in parts]
    return Outputs(**{name: torch.cat([part[name] for part in given]) for name in given[0]})


def _said(model: nn.Module, views: Views, known: Mapping[str, Tensor]) -> Outputs:
    said = {"x": views.flat().float(), **known}
    z, log_q = known.get("z"), known.get("log_q")
    if (z is None and isinstance(model, Encodes)) or (log_q is None and isinstance(model, Clusters)):
        z, log_q = embedding_and_groups(model, views)
        said |= {name: value.float() for name, value in (("log_q", log_q), ("z", z)) if value is not None}
    if isinstance(model, Decodes) and z is not None:
        said["reconstruction"] = model.decode(z).float()
    elif isinstance(model, Reconstructs):
        said["reconstruction"] = model.reconstruct(views).float()
    if isinstance(model, Classifies):
        said["logits"] = model.logits(views).float()
    return Outputs(**said)
