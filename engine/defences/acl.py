"""ACL, dual stream: views are told from those of others, clean ones and ones that an attack has moved so that
they no longer find one another.

    L = ½ NT-Xent(z, z') + ½ NT-Xent(z̃, z̃'),    (x̃, x̃') = argmax NT-Xent over both views

z through the clean normalisations, z̃ through the adversarial ones. As in SimCLR here, NT-Xent adds both
directions of a pair: it is twice the published mean over views, and a rate does as much as twice that rate.
Published, it begins from nothing; here from the encoder of stage 1, as every method of this loop. Source:
Jiang, Chen, Chen and Wang, "Robust pre-training by adversarial contrastive learning", NeurIPS 2020,
arXiv:2010.13337.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from engine.data.views import Views
from engine.defences.ncp_acl import NCPACL
from engine.defences.second_stage import MNIST_TEST, QUICK, SecondStage
from engine.defences.student import Contraster, Student
from engine.models.declared import Curve
from engine.models.simclr import SimCLR
from engine.models.state import State
from engine.nets.contrastive import RandomViews, nt_xent
from engine.nets.dual_norm import Branch
from engine.registry import register
from engine.settings import knob


@register
class ACL(SecondStage):
    """Settings of the student and of its training."""

    name: ClassVar[str] = "acl"
    title: ClassVar[str] = "ACL"
    source: ClassVar[str] = "Jiang, Chen, Chen and Wang, NeurIPS 2020, arXiv:2010.13337"
    equation: ClassVar[str] = (
        r"L = \tfrac12 \mathrm{NT\text{-}Xent}(z, z') + \tfrac12 \mathrm{NT\text{-}Xent}(\tilde z, \tilde z')"
    )
    summary: ClassVar[str] = (
        "A defence: a contrastive encoder learns to know two views of a picture as one, though an attack"
        " parts them."
    )
    abilities: ClassVar[tuple[str, ...]] = ("encodes", "clusters", "contrasts", "compares")
    curves: ClassVar[tuple[Curve, ...]] = (
        Curve("clean", "contrastive loss, clean", "nats"),
        Curve("attacked", "contrastive loss, attacked", "nats"),
        *SecondStage.pushed,
    )
    network_kind: ClassVar[type[Student]] = Contraster
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "quick": {"encoder_settings": SimCLR.presets["quick"], **QUICK, "epochs": 20, "rate": 0.2},
        "mnist_test": {
            "encoder_settings": SimCLR.presets["mnist_test"],
            **MNIST_TEST,
            "epochs": 5,
            "rate": 0.2,  # at that of NCP-ACL attacked views end as one
        },
        "cifar10": NCPACL.presets["cifar10"],
        "small": {**NCPACL.presets["small"], "epochs": 5, "rate": 0.1},
    }

    temperature: float = knob(0.5, "Temperature", symbol="τ", source="the paper", gt=0, le=10, log=True)

    def seen(self, state: State, x: Views) -> Views:
        """Two random views of every picture, one set after the other: 2b rows."""
        views = self.views_at(state)
        return Views([torch.cat([views.seen(x[0], views.draw(x.n, state.rng)) for _ in range(2)])])

    def views_at(self, state: State) -> RandomViews:
        """How views are made now: as those that the encoder learned from."""
        return contraster_of(state).views

    def weights(self, state: State) -> tuple[float, float]:
        """Of the clean and of the attacked loss now."""
        return 0.5, 0.5

    def parts(self, state: State, x: Views, index: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Both streams, mean over the pairs and weighted."""
        push = self.pushed_by(state, x, lambda pushed: self.contrast(state, pushed, "adversarial"))
        contraster_of(state).train()
        clean, attacked = self.weights(state)
        with state.how.autocast():
            parts = {
                "clean": clean * self.contrast(state, x, "clean").mean(),
                "attacked": attacked * self.contrast(state, push.x, "adversarial").mean(),
            }
        return parts, push.values()

    def contrast(self, state: State, x: Views, branch: Branch) -> Tensor:
        """The loss of every pair among 2b views, in the mode that the network is in: (b,) nats."""
        with contraster_of(state).reading(branch):
            return nt_xent(*self.projections(state, x), self.temperature)

    def projections(self, state: State, x: Views) -> tuple[Tensor, Tensor]:
        """What is compared, of the first and of the second views: (b, p) each."""
        z = contraster_of(state).project(x)
        return z[: x.n // 2], z[x.n // 2 :]


def contraster_of(state: State) -> Contraster:
    """The network of a state that such a method made."""
    assert isinstance(state.model, Contraster)
    return state.model
