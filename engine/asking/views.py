"""What is known of a multi-view model's views, one by one: their places, how far they agree, what the head
says of each alone.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.asking.answers import ViewsAnswer
from engine.asking.questions import ViewsQuestion
from engine.asking.victims import Plane, Victim, victim_of
from engine.data.views import Views
from engine.models.protocols import Fuses, require

CONTRAST = (0.05, 0.95)
"""The contrast of a view is the width between these quantiles of an image's numbers, the median over images.
"""
IMAGES = 2000
"""Images, at most, from which it is taken."""


@dataclass(frozen=True)
class Seen:
    """The clean embedding z^v (n, m) of every sample in each view, and the planes of their maps."""

    z: tuple[Tensor, ...]
    planes: tuple[Plane, ...]

    def places(self, z: tuple[Tensor, ...]) -> np.ndarray:
        """(V, n, 2): embeddings of each view on the plane of its clean ones."""
        every = zip(z, self.planes, strict=True)
        return torch.stack([plane.places(part) for part, plane in every]).cpu().numpy()


@lru_cache(maxsize=4)
def seen(key: str) -> Seen:
    """The views of a model, cached in the worker. Raises AbilityError for a model that sees but one."""
    victim = victim_of(key)
    model = require(victim.model, Fuses, "This page")
    with torch.no_grad():
        parts = [model.parts(x)[0] for x in victim.data.views.to(victim.device).chunks()]
    z = tuple(torch.cat(part) for part in zip(*parts, strict=True))
    return Seen(z, tuple(Plane.of(part) for part in z))


def views(question: ViewsQuestion) -> ViewsAnswer:
    """A multi-view model at rest: the map of each view, how far views agree, what the head makes of each
    alone, contrasts.
    """
    victim, clean = victim_of(question.model), seen(question.model)
    model = require(victim.model, Fuses, "This page")
    rng = torch.Generator().manual_seed(0)
    strangers = tuple(part[torch.randperm(len(part), generator=rng).to(part.device)] for part in clean.z)
    return ViewsAnswer(
        weights=tuple(model.view_weights().tolist()),
        alone=_alone(victim, model, clean.z),
        agreement=float(agreement(clean.z).mean()),
        agreement_of_strangers=float(agreement(strangers).mean()),
        contrast=contrasts(victim.data.views.rows(slice(0, IMAGES))),
        xy=clean.places(clean.z).astype(np.float32),
    )


def _alone(victim: Victim, model: Fuses, z: tuple[Tensor, ...]) -> tuple[float, ...]:
    """The share of samples on which the head, asked about one view, agrees with the fusion."""
    alone = heads(model, z)
    if alone is None or victim.group is None:
        return ()
    agrees = alone.argmax(2) == victim.group[:, None]  # (n, V)
    return tuple(agrees.float().mean(0).tolist())


def view_facts(victim: Victim, clean: Views, x: Views) -> dict[str, Any]:
    """What a ladder's levels x (L) do to each view of a clean sample; nothing for a model of one view."""
    if not isinstance(victim.model, Fuses):
        return {}
    known, model = seen(victim.run.key), victim.model
    with torch.no_grad():
        after, before = model.parts(x)[0], model.parts(clean)[0]
    sizes = [(new - old).abs().flatten(1).amax(1) for new, old in zip(x, clean, strict=True)]
    facts = {
        "agreement": agreement(after),
        "agreement_clean": agreement(before)[0],
        "view_linf": torch.stack(sizes, dim=1),
    }
    alone, alone_clean = heads(model, after), heads(model, before)
    if alone is not None and alone_clean is not None:
        facts |= {"view_q": alone, "view_q_clean": alone_clean[0]}
    placed = {"view_xy": known.places(after).transpose(1, 0, 2), "view_xy_clean": known.places(before)[:, 0]}
    return {name: np.asarray(value.cpu()) for name, value in facts.items()} | placed


@torch.no_grad()
def heads(model: Fuses, z: tuple[Tensor, ...]) -> Tensor | None:
    """The assignment that the head, trained on the fusion, gives each view's own embedding: (n, V, K)."""
    alone = [model.log_assign_view(part) for part in z]
    there = [part.exp() for part in alone if part is not None]
    return torch.stack(there, dim=1) if there else None


def agreement(z: tuple[Tensor, ...]) -> Tensor:
    """The cosine of each sample's views, mean over pairs of views: (n,)."""
    unit = torch.stack([F.normalize(part, dim=1) for part in z])
    inner = torch.einsum("unm,vnm->nuv", unit, unit)
    rows, columns = torch.triu_indices(len(z), len(z), offset=1)
    return inner[:, rows, columns].mean(1)


def contrasts(x: Views) -> tuple[float, ...]:
    """The contrast of each view: how far dark and bright lie apart in an ordinary image."""
    low, high = CONTRAST
    widths = [
        torch.quantile(view.flatten(1), high, dim=1) - torch.quantile(view.flatten(1), low, dim=1)
        for view in x
    ]
    return tuple(float(width.median()) for width in widths)
