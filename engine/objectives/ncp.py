r"""`ncp`: away from the own centroid and towards a neighbouring one; NCP-ACL's perturbation.

    f(x') = cos(z(x'), C_n) − cos(z(x'), C_x)

C_x is the unit centroid whose direction is nearest to that of the clean embedding, C_n the n-th nearest
(n = 2: the neighbour). Never above 0 at the clean sample; always within |C_n − C_x| of 0. The paper's CosSim
is the negative cosine, with which this is its eq. (4). Training and attacks share the functions here.
Source: "Cluster-driven adversarial perturbations for robust contrastive learning", anonymous submission,
sections 3.2 and 4.4 (the strategies i, ii and iii).
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from engine.data.views import Views
from engine.errors import SettingsError
from engine.models.outputs import Outputs
from engine.models.protocols import Compares, Encodes, require
from engine.objectives.protocols import Measure, ObjectiveSettings, cluster_changed
from engine.registry import register
from engine.settings import knob

Strategy = Literal["away", "toward", "both"]
"""The paper's (i) away from the own centroid, (ii) towards the neighbouring one, (iii) both."""

SOURCE = "Cluster-driven adversarial perturbations for robust contrastive learning, anonymous submission"


def neighbours(z: Tensor, centroids: Tensor, n: int = 2) -> tuple[Tensor, Tensor]:
    """Which of the unit `centroids` (k, m) is the nearest in direction to each z (b, m), and which the n-th
    nearest: (b,) and (b,).

    n = 1 is the nearest itself. Raises SettingsError where there are fewer than n.
    """
    if not 1 <= n <= len(centroids):
        raise SettingsError(
            f"The neighbour must be one of the {len(centroids)} clusters of this model; got neighbour {n}."
            " Choose a nearer one, or a model with more clusters."
        )
    nearest = (normalize(z.float()) @ centroids.T).topk(n, dim=1).indices
    return nearest[:, 0], nearest[:, n - 1]


def score(z: Tensor, own: Tensor, neighbour: Tensor, strategy: Strategy) -> Tensor:
    """What the perturbation makes large, at embeddings z (b, m) with their unit centroids, own and
    neighbouring (b, m): (b,).
    """
    direction = normalize(z.float())
    away, toward = -(direction * own).sum(dim=1), (direction * neighbour).sum(dim=1)
    return {"away": away, "toward": toward, "both": away + toward}[strategy]


class AmongCentroids(ObjectiveSettings):
    """What the three strategies have in common."""

    source: ClassVar[str] = SOURCE
    needs: ClassVar[tuple[str, ...]] = ("compares", "encodes", "clusters")
    strategy: ClassVar[Strategy] = "both"

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The score against the centroids of each clean sample. Raises SettingsError where the model has too
        few.
        """
        encoder, centroids = require(model, Encodes, self.name), require(model, Compares, self.name)
        with torch.no_grad():
            every = centroids.centroids().float()
            own, neighbour = (
                every[index] for index in neighbours(encoder.encode(clean), every, self._neighbour())
            )
        return lambda flat: score(encoder.encode(clean.like(flat)), own, neighbour, self.strategy)

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """Where the nearest centroid is another one than before. A third one may be it, so no value says so
        exactly.
        """
        return cluster_changed(before, after)

    def _neighbour(self) -> int:
        return 2


class TowardsNeighbour(AmongCentroids):
    """Those that name a neighbour."""

    neighbour: int = knob(
        2,
        "Neighbour",
        "Which centroid to go to, by its distance from the clean embedding; 1 would be its own.",
        symbol="n",
        source=SOURCE,
        ge=2,
    )

    def _neighbour(self) -> int:
        return self.neighbour


@register
class NCP(TowardsNeighbour):
    """Away from the own centroid and towards the neighbouring one."""

    name: ClassVar[str] = "ncp"
    title: ClassVar[str] = "Leave for the neighbouring cluster"
    summary: ClassVar[str] = (
        "By how much nearer in direction the embedding is to a neighbouring cluster's centroid than to its"
        " own."
    )
    equation: ClassVar[str] = r"\cos(z(x'), C_n) - \cos(z(x'), C_x)"
    success: ClassVar[str] = "leaves {own}"
    effect: ClassVar[str] = "reaches a difference of cosines of {value}"
