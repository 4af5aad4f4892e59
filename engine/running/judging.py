"""The caller's judgement of attacks: in float32, inside the ball it checks itself, with the controls beside
it.

No attack says of itself that it succeeded; what counts is what the model answers to the rows it left behind.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from engine.attacks.budget import Budget
from engine.data.dataset import Dataset
from engine.data.views import Views, picture
from engine.errors import BudgetError, DataError
from engine.metrics import legibility
from engine.models.protocols import Clusters, Encodes, Reconstructs, require
from engine.objectives.leave_cluster import margin

BLOCK = 4096
"""Rows in one forward pass of a judgement."""


@dataclass(frozen=True)
class Verdict:
    """What the model says of rows, as numpy: cluster (n,), log_q (n, k), embedding z (n, m) and
    reconstruction (n, d).

    `z` and `reconstruction` are None where the model has no such ability.
    """

    cluster: np.ndarray
    log_q: np.ndarray
    z: np.ndarray | None
    reconstruction: np.ndarray | None

    def margin(self, cluster: np.ndarray) -> np.ndarray:
        """By how much `cluster` (n,) leads the best other one in log q: (n,), negative where it does not
        lead.
        """
        return margin(torch.from_numpy(self.log_q), torch.from_numpy(cluster)).numpy()


class Judge:
    """A model and the data it is attacked on. Raises DataError where the model does not take samples of that
    shape.
    """

    def __init__(self, model: nn.Module, data: Dataset, device: str) -> None:
        require(model, Clusters, "An attack's judgement")
        self.model, self.data, self.device = model, data, device
        try:
            self.clusters = self.verdict(self.clean(torch.zeros(1, dtype=torch.long)).flat()).log_q.shape[1]
        except RuntimeError as error:
            raise DataError(
                f"The model does not take samples of shape {picture(data.views.shapes)} as {data.name!r} has"
                f" them ({str(error).splitlines()[0]}). Choose the data it was trained on."
            ) from None

    def choose(self, n: int | None, seed: int, half: str = "all") -> Tensor:
        """At most n rows (None: all), the same for the same seed: the first n of a permutation of all, or of
        those of a half.
        """
        order = torch.randperm(len(self.data), generator=stream(seed, "samples"))
        return order[torch.isin(order, self.rows(half))][:n]

    def rows(self, half: str) -> Tensor:
        """The rows of a part of the data, as `Dataset.rows`."""
        return torch.from_numpy(self.data.rows(half))

    def clean(self, index: Tensor) -> Views:
        """The clean samples at `index`, on the model's device."""
        return self.data.views.rows(index).to(self.device)

    def labels(self, index: Tensor) -> np.ndarray | None:
        """The labels at `index`, or None where the data have none."""
        return None if self.data.labels is None else self.data.labels[index.numpy()]

    @torch.no_grad()
    def verdict(self, flat: Tensor) -> Verdict:
        """What the model says of flat rows (n, d), in float32."""
        like = self.data.views.rows(torch.zeros(1, dtype=torch.long))
        blocks = [like.like(block.to(self.device)) for block in flat.split(BLOCK)]
        log_q = torch.cat([self.model.log_assign(block).float() for block in blocks]).cpu()
        z = (
            torch.cat([self.model.encode(block).float() for block in blocks]).cpu().numpy()
            if isinstance(self.model, Encodes)
            else None
        )
        shown = isinstance(self.model, Reconstructs)
        reconstruction = (
            torch.cat([self.model.reconstruct(block).float() for block in blocks]).cpu().numpy()
            if shown
            else None
        )
        return Verdict(log_q.argmax(dim=1).numpy(), log_q.numpy(), z, reconstruction)

    @torch.no_grad()
    def verdict_at(self, z: Tensor) -> Verdict:
        """What the model says of embeddings z (n, m), in float32. Only for models that decode."""
        blocks = [block.to(self.device) for block in z.split(BLOCK)]
        log_q = torch.cat([self.model.log_assign_embedding(block).float() for block in blocks]).cpu()  # type: ignore[operator]
        decoded = torch.cat([self.model.decode(block).float() for block in blocks]).cpu()  # type: ignore[operator]
        return Verdict(log_q.argmax(dim=1).numpy(), log_q.numpy(), z.cpu().numpy(), decoded.numpy())

    @torch.no_grad()
    def cluster(self, flat: Tensor) -> Tensor:
        """The cluster of each flat row (n, d), in float32, where the rows are: (n,)."""
        like = self.data.views.rows(torch.zeros(1, dtype=torch.long))
        return torch.cat(
            [self.model.log_assign(like.like(block)).float().argmax(dim=1) for block in flat.split(BLOCK)]
        )

    @cached_property
    def whole(self) -> np.ndarray:
        """The clean cluster of every sample of the data: (N,)."""
        return np.concatenate(
            [
                self.cluster(views.to(self.device).flat()).cpu().numpy()
                for views in self.data.views.chunks(BLOCK)
            ]
        )

    def recognised_as(self, flat: np.ndarray, index: Tensor) -> np.ndarray | None:
        """What 5 nearest neighbours among the clean samples, without the row itself, take each row (n, d)
        for; None without labels.
        """
        if self.data.labels is None or len(self.data) <= legibility.NEIGHBOURS:
            return None
        reference = (views.flat().cpu().numpy() for views in self.data.views.chunks(BLOCK))
        return legibility.vote(legibility.nearest(flat, index.numpy(), reference), self.data.labels)


def stream(seed: int, purpose: str) -> torch.Generator:
    """A generator of its own for each purpose, so that what one draws does not shift the others."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def check_inside(name: str, moved: Tensor, clean: Tensor, budget: Budget) -> None:
    """Raises BudgetError where an attack's answer lies outside its budget (or is not a number): its fault,
    not the model's.
    """
    outside = int((~budget.holds(moved, clean)).sum())
    if outside:
        largest = float(budget.size(moved, clean).max())
        raise BudgetError(
            f"The attack {name} must stay inside its budget; {outside} of {len(clean)} samples left it "
            f"(largest {budget.norm} {largest:.4g}). Let it end with budget.project."
        )


def another_delta(moved: Tensor, clean: Tensor, budget: Budget) -> Tensor:
    """Every clean row with the perturbation of the row before it, put into its own box: (n, d)."""
    return budget.project(clean + (moved - clean).roll(1, dims=0), clean)
