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

from engine.asking.answers import Answer
from engine.asking.victims import Victim, victim
from engine.data.views import Views
from engine.metrics import embedding
from engine.models.protocols import Fuses, require

CONTRAST = (0.05, 0.95)
"""The contrast of a view is the width between these quantiles of an image's numbers, the median over images.
"""
IMAGES = 2000
"""Images, at most, from which it is taken."""


@dataclass(frozen=True)
class Seen:
    """The clean embedding z^v of every sample in each view, with the axes of its map."""

    z: tuple[Tensor, ...]
    centre: tuple[Tensor, ...]
    axes: tuple[Tensor, ...]

    def places(self, z: tuple[Tensor, ...]) -> np.ndarray:
        """(V, m, 2): embeddings of each view on the first two principal axes of its clean ones."""
        every = zip(z, self.centre, self.axes, strict=True)
        return torch.stack([(part - centre) @ axes for part, centre, axes in every]).cpu().numpy()


@lru_cache(maxsize=4)
def seen(key: str) -> Seen:
    """The views of a model, cached in the worker. Raises AbilityError for a model that sees but one."""
    it = victim(key)
    require(it.model, Fuses, "This page")
    parts = [it.model.views(x) for x in it.data.views.to(it.z.device).chunks()]  # type: ignore[operator]
    z = tuple(torch.cat(part) for part in zip(*parts, strict=True))
    found = [embedding.principal_axes(part) for part in z]
    return Seen(z, tuple(centre for centre, _ in found), tuple(axes for _, axes in found))


def views(model: str) -> Answer:
    """A multi-view model at rest: the map of each view, how far views agree, what the head makes of each
    alone, contrasts.
    """
    it, clean = victim(model), seen(model)
    alone = heads(it, clean.z).argmax(2)
    rng = torch.Generator().manual_seed(0)
    strangers = tuple(part[torch.randperm(len(part), generator=rng).to(part.device)] for part in clean.z)
    report: dict[str, Any] = {
        "views": len(clean.z),
        "weights": F.softmax(it.model.weights, dim=0).tolist(),  # type: ignore[arg-type]
        "alone": [float((alone[:, view] == it.cluster).float().mean()) for view in range(len(clean.z))],
        "agreement": float(agreement(clean.z).mean()),
        "agreement_strangers": float(agreement(strangers).mean()),
        "contrast": contrasts(it.data.views.rows(slice(0, IMAGES))),
    }
    return Answer(report, {"xy": clean.places(clean.z).astype(np.float32)})


def moved(it: Victim, x: Views, clean: Views) -> dict[str, np.ndarray]:
    """What a ladder's levels x (L) do to each view: `view_q` (L, V, K), `view_xy` (L, V, 2), `view_linf` (L,
    V), `agreement` (L,).
    """
    if not isinstance(it.model, Fuses):
        return {}
    known = seen(it.run.key)
    with torch.no_grad():
        after, before = it.model.views(x), it.model.views(clean)  # type: ignore[attr-defined, operator]
        sizes = [(new - old).abs().flatten(1).amax(1) for new, old in zip(x, clean, strict=True)]
        arrays = {
            "view_q": heads(it, after),
            "view_q_clean": heads(it, before)[0],
            "agreement": agreement(after),
            "agreement_clean": agreement(before)[0],
            "view_linf": torch.stack(sizes, dim=1),
        }
    placed = {"view_xy": known.places(after).transpose(1, 0, 2), "view_xy_clean": known.places(before)[:, 0]}
    return {name: value.cpu().numpy() for name, value in arrays.items()} | placed


@torch.no_grad()
def heads(it: Victim, z: tuple[Tensor, ...]) -> Tensor:
    """The assignment that the head, trained on the fusion, gives each view's own embedding: (n, V, K)."""
    return torch.stack([F.softmax(it.model.head(part)[1], dim=1) for part in z], dim=1)  # type: ignore[operator]


def agreement(z: tuple[Tensor, ...]) -> Tensor:
    """The cosine of each sample's views, mean over pairs of views: (n,)."""
    unit = torch.stack([F.normalize(part, dim=1) for part in z])
    inner = torch.einsum("unm,vnm->nuv", unit, unit)
    rows, columns = torch.triu_indices(len(z), len(z), offset=1)
    return inner[:, rows, columns].mean(1)


def contrasts(x: Views) -> list[float]:
    """The contrast of each view: how far dark and bright lie apart in an ordinary image."""
    low, high = CONTRAST
    return [
        float(
            (
                torch.quantile(view.flatten(1), high, dim=1) - torch.quantile(view.flatten(1), low, dim=1)
            ).median()
        )
        for view in x
    ]
