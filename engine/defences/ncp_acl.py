"""NCP-ACL: the attack that a contrastive encoder is trained against pushes every picture out of its cluster
and towards a neighbouring one.

    x' = argmax  cos(f(x'), C_n) − cos(f(x'), C_x),    L = −cos(f(x), t(x)) − λ cos(f(x'), f(x))

| symbol | name | shape |
|---|---|---|
| f, t | student, and its frozen teacher: the encoder that it began as | (n, m) |
| C | unit centroids, found anew in every epoch | (k, m) |
| C_x, C_n | nearest and n-th nearest centroid of f(x) | (n, m) |

Where the paper says nothing: features for the centroids are those of the clean normalisations in eval mode
without augmentation, the centroids of a step are chosen by the same, DeACL's code gives the optimiser.
Source: "Cluster-driven adversarial perturbations for robust contrastive learning", anonymous submission, eqs
(3) and (4).
"""

from collections.abc import Callable
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.data.views import AtRest, Views
from engine.defences.imitating import SAME_LOOP, Imitating, imitator_of
from engine.defences.second_stage import COLOUR, MNIST_TEST, QUICK, embedded
from engine.device import How
from engine.errors import SettingsError
from engine.models.declared import Arm, Qualifier
from engine.models.simclr import SimCLR
from engine.models.state import State
from engine.nets.spherical_k_means import spherical_k_means
from engine.objectives.ncp import SOURCE, Strategy, neighbours, score
from engine.registry import register
from engine.settings import knob

STAGE_1 = {"blur": 0.5, "rate": 0.4, "optimiser": "lars_clipped", "projection": (2048, 256)} | {
    "normalised": True
}
"""Where the paper's stage 1 differs from SimCLR here; all but the blur as in solo-learn, whose head has no
normalisation; it normalises in its loader, here the encoder does, as in DeACL.
"""


@register
class NCPACL(Imitating):
    """Settings of the perturbation, of the student and of its training."""

    name: ClassVar[str] = "ncp_acl"
    title: ClassVar[str] = "NCP-ACL"
    source: ClassVar[str] = SOURCE
    equation: ClassVar[str] = (
        r"L = -\cos(f(x), t(x)) - \lambda \cos(f(x'), f(x)), \quad"
        r" x' = \mathrm{argmax}\, \cos(f(x'), C_n) - \cos(f(x'), C_x)"
    )
    summary: ClassVar[str] = (
        "A defence: a contrastive encoder learns to keep pictures where they are that are pushed towards the"
        " neighbouring cluster."
    )
    compared_with: ClassVar[tuple[Arm, ...]] = (
        Arm("ncp_acl"),
        Arm("ncp_acl", {"strategy": "away"}),
        Arm("ncp_acl", {"strategy": "toward"}),
        Arm("deacl", SAME_LOOP),
        Arm("deacl"),
    )
    qualifiers: ClassVar[tuple[Qualifier, ...]] = (
        Qualifier("strategy", ", away from the own cluster", "away"),
        Qualifier("strategy", ", towards the neighbour", "toward"),
        Qualifier("neighbour", ", a farther neighbour"),
    )
    presets = {
        "quick": {"encoder_settings": SimCLR.presets["quick"], **QUICK},
        "mnist_test": {"encoder_settings": SimCLR.presets["mnist_test"], **MNIST_TEST},
        "cifar10": {"encoder_settings": {**SimCLR.presets["cifar10"], **STAGE_1}},
        "small": {"encoder_settings": SimCLR.presets["small"], **COLOUR},
    }

    strategy: Strategy = knob(
        "both",
        "Perturbation",
        "away: from the own centroid (i); toward: to the neighbouring one (ii); both (iii).",
        source="the paper, table 4",
    )
    neighbour: int = knob(
        2,
        "Neighbour",
        "Which centroid is the neighbour, by its distance.",
        symbol="n",
        source="table 5",
        ge=2,
        le=5,
    )
    assign: Literal["step", "epoch"] = knob(
        "step",
        "Assignment",
        "When own and neighbouring centroid are chosen: of every batch as it is, or once an epoch.",
        source="the paper's algorithm (step); its text can be read as epoch",
        advanced=True,
    )

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """A fresh student. Raises SettingsError where there are too few clusters for that neighbour."""
        if clusters < self.neighbour:
            raise SettingsError(
                f"ncp_acl pushes towards neighbour {self.neighbour}, but looks for {clusters} clusters. Ask"
                " for more clusters, or for a nearer neighbour."
            )
        return super().skeleton(data, clusters, rng, how)

    def begin_epoch(self, state: State, data: AtRest) -> None:
        """New centroids, of the clean embedding; and whose are the own and the neighbouring, where they stay
        for an epoch.
        """
        model = imitator_of(state)
        z = embedded(model, data, "clean")
        state.tensors["centroids"] = spherical_k_means(z, len(model.directions), state.rng)[0]
        if self.assign == "epoch":
            own = neighbours(z, state.tensors["centroids"], self.neighbour)
            state.tensors["own"], state.tensors["neighbour"] = own

    def wanted(self, state: State, x: Views, index: Tensor, teacher: Tensor) -> Callable[[Tensor], Tensor]:
        """The score against the own and the neighbouring centroid of each picture."""
        centroids = state.tensors["centroids"]
        if self.assign == "epoch":
            chosen = state.tensors["own"][index], state.tensors["neighbour"][index]
        else:
            model = imitator_of(state).eval()
            with torch.no_grad(), model.reading("clean"), state.how.autocast():
                chosen = neighbours(model.encode(x), centroids, self.neighbour)
        own, neighbour = centroids[chosen[0]], centroids[chosen[1]]
        return lambda z: score(z, own, neighbour, self.strategy)
