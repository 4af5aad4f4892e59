"""The caller's judgement of attacks: in float32, inside the ball it checks itself, with the controls beside
it.

No attack says of itself that it succeeded; what counts is what the model answers to the rows it left behind.
"""

import hashlib
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from engine.attacks.budget import Budget
from engine.data.dataset import Dataset
from engine.data.views import Views, picture
from engine.errors import BudgetError, DataError
from engine.metrics import legibility
from engine.models.outputs import BLOCK, Outputs, outputs
from engine.models.protocols import Clusters, Contrasts, Decodes, require
from engine.objectives.protocols import Objective, ObjectiveSettings

OTHERS = 64
"""Samples that one is told from, where views of it are contrasted."""


class Judge:
    """A model and the data it is attacked on. Raises DataError where the model does not take samples of that
    shape.
    """

    def __init__(self, model: nn.Module, data: Dataset, device: str) -> None:
        self.model, self.data, self.device = model, data, device
        give_others(model, data)
        first = torch.zeros(1, dtype=torch.long)
        self._like = data.views.rows(first)
        try:
            outputs(model, self.clean(first))
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

    def labels(self, index: Tensor) -> Tensor | None:
        """(n,) the labels at `index`, or None where the data have none."""
        return None if self.data.labels is None else torch.from_numpy(self.data.labels[index.numpy()])

    def bind(self, objective: ObjectiveSettings, index: Tensor) -> Objective:
        """The objective for the clean samples at `index`, with their labels where it needs them."""
        labels = self.labels(index) if objective.asks_labels() else None
        return objective.bind(
            self.model, self.clean(index), None if labels is None else labels.to(self.device)
        )

    def outputs(self, flat: Tensor, index: Tensor, objective: ObjectiveSettings | None = None) -> Outputs:
        """What the model says of flat rows (n, d) made of the samples at `index`: float32, on the CPU; with
        what an objective needs to judge them.
        """
        views, look = self._like.like(flat.to(self.device)), outputs if objective is None else objective.look
        said = look(self.model, views).to("cpu")
        return said.with_labels(self.labels(index))

    @torch.no_grad()
    def outputs_at(self, z: Tensor, index: Tensor) -> Outputs:
        """The same of embeddings z (n, m), of models that decode; x are the clean samples."""
        heads = require(self.model, Decodes, "An attack on the embedding")
        blocks = [block.to(self.device) for block in z.split(BLOCK)]
        return Outputs(
            x=self.data.views.rows(index).flat(),
            log_q=torch.cat([heads.log_assign_embedding(block).float() for block in blocks]).cpu(),
            z=z.cpu(),
            reconstruction=torch.cat([heads.decode(block).float() for block in blocks]).cpu(),
            labels=self.labels(index),
        )

    @torch.no_grad()
    def cluster(self, flat: Tensor) -> Tensor:
        """The cluster of each flat row (n, d), in float32, where the rows are: (n,)."""
        model = require(self.model, Clusters, "Sorting into clusters")
        views = [self._like.like(block) for block in flat.split(BLOCK)]
        return torch.cat([model.log_assign(block).float().argmax(dim=1) for block in views])

    @cached_property
    def clusters(self) -> int:
        """How many clusters the model has."""
        with torch.no_grad():
            first = self.clean(torch.zeros(1, dtype=torch.long))
            return require(self.model, Clusters, "Counting clusters").log_assign(first).shape[1]

    @cached_property
    def clean_clusters(self) -> np.ndarray:
        """The clean cluster of every sample of the data: (N,)."""
        every = self.data.views.chunks(BLOCK)
        return np.concatenate([self.cluster(views.to(self.device).flat()).cpu().numpy() for views in every])

    def recognised_as(self, flat: np.ndarray, index: Tensor) -> np.ndarray | None:
        """What 5 nearest neighbours among the clean samples, without the row itself, take each row (n, d)
        for; None without labels.
        """
        if self.data.labels is None or len(self.data) <= legibility.NEIGHBOURS:
            return None
        reference = (views.flat().cpu().numpy() for views in self.data.views.chunks(BLOCK))
        return legibility.vote(legibility.nearest(flat, index.numpy(), reference), self.data.labels)


def give_others(model: nn.Module, data: Dataset) -> None:
    """A model that contrasts is given the same OTHERS training samples whenever it is looked at."""
    if isinstance(model, Contrasts):
        rows = torch.from_numpy(data.rows("train"))
        order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
        device = next(model.parameters()).device
        model.remember(data.views.rows(rows[order[:OTHERS]]).to(str(device)))


def stream(seed: int, purpose: str) -> torch.Generator:
    """A generator of its own for each purpose, so that what one draws does not shift the others."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def check_inside(name: str, attacked: Tensor, clean: Tensor, budget: Budget) -> None:
    """Raises BudgetError where an attack's answer lies outside its budget (or is not a number): its fault,
    not the model's.
    """
    outside = int((~budget.holds(attacked, clean)).sum())
    if outside:
        largest = float(budget.size(attacked, clean).max())
        raise BudgetError(
            f"The attack {name} must stay inside its budget; {outside} of {len(clean)} samples left it "
            f"(largest {budget.norm} {largest:.4g}). Let it end with budget.project."
        )


def another_delta(attacked: Tensor, clean: Tensor, budget: Budget) -> Tensor:
    """Every clean row with the perturbation of the row before it, put into its own box: (n, d)."""
    return budget.project(clean + (attacked - clean).roll(1, dims=0), clean)
