"""DYNACL: ACL whose views are distorted less and less, while its attacked stream counts more and more.

    L = (1 − w/2) NT-Xent(z, z') + w/2 NT-Xent(z̃, z̃'),    w = 1 + ⅔ p,   strength of the views s = 1 − p

p is the share of the training that is over, in twenty steps. The first view goes through the student, the
second through its slowly moving average. Published, it begins from nothing; here from stage 1, as ACL.
Source: Luo, Wang and Wang, "Rethinking the effect of data augmentation in adversarial contrastive learning",
ICLR 2023, arXiv:2303.01289.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.defences.acl import ACL, contraster_of
from engine.defences.student import Contraster
from engine.device import How
from engine.models.state import State
from engine.nets.contrastive import RandomViews
from engine.nets.dual_norm import Branch, reading
from engine.registry import register
from engine.settings import knob

PIECES = 20
"""The published schedule changes every 50 of 1,000 epochs."""


@register
class DynACL(ACL):
    """Settings of the schedule, of the student and of its training."""

    name: ClassVar[str] = "dynacl"
    title: ClassVar[str] = "DYNACL"
    source: ClassVar[str] = "Luo, Wang and Wang, ICLR 2023, arXiv:2303.01289"
    equation: ClassVar[str] = (
        r"L = (1 - \tfrac w2)\, \mathrm{NT\text{-}Xent}(z, z')"
        r" + \tfrac w2\, \mathrm{NT\text{-}Xent}(\tilde z, \tilde z'), \quad w = 1 + \tfrac23 p"
    )
    summary: ClassVar[str] = (
        "A defence: as ACL, with views that are distorted less and less and attacked ones that count more and"
        " more."
    )

    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        **{name: {**values, "rate": 4.0} for name, values in ACL.presets.items()},
        "cifar10": ACL.presets["cifar10"],
        "small": {**ACL.presets["small"], "rate": 1.0},
    }

    average: float = knob(
        0.99,
        "Moving average",
        "Share of the old weights that the network of the second view keeps after a step.",
        source="the paper's code",
        ge=0,
        lt=1,
        advanced=True,
    )
    weight_growth: float = knob(
        2 / 3,
        "Growth of the attacked loss",
        "By how much its weight w has grown at the end.",
        source="the paper's code",
        ge=0,
        le=1,
        advanced=True,
    )

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """The student, and the network of its average."""
        state = super().skeleton(data, clusters, rng, how)
        state.extra["average"] = deepcopy(state.model).requires_grad_(False)
        return state

    def adopt(self, state: State, bases: Mapping[str, nn.Module]) -> None:
        """The encoder of the base, in the student and in its average."""
        super().adopt(state, bases)
        state.extra["average"].load_state_dict(state.model.state_dict())

    def views_at(self, state: State) -> RandomViews:
        """Those that the encoder learned from, at the strength of now."""
        return weakened(contraster_of(state).views, 1 - progress(state))

    def weights(self, state: State) -> tuple[float, float]:
        """w grows with the training."""
        w = 1 + self.weight_growth * progress(state)
        return (2 - w) / 2, w / 2

    def contrast(self, state: State, x: Views, branch: Branch) -> Tensor:
        """The same, where the average reads as the student does."""
        with reading(average_of(state).train(state.model.training), branch):
            return super().contrast(state, x, branch)

    def projections(self, state: State, x: Views) -> tuple[Tensor, Tensor]:
        """The first views through the student, the second through its average."""
        half = x.n // 2
        one, two = Views([x[0][:half]]), Views([x[0][half:]])
        return contraster_of(state).project(one), average_of(state).project(two)

    def step(self, state: State, x: Views, index: Tensor, total: int) -> dict[str, Tensor]:
        """A step of the student; its average follows."""
        values = super().step(state, x, index, total)
        pairs = zip(average_of(state).parameters(), state.model.parameters(), strict=True)
        with torch.no_grad():
            for kept, new in pairs:
                kept.lerp_(new, 1 - self.average)
        return values


def progress(state: State) -> float:
    """The share of the training that is over, in twenty steps."""
    return int(PIECES * state.step / state.counters["total"]) / PIECES


@cache
def weakened(views: RandomViews, strength: float) -> RandomViews:
    """These random views with a share of their strength; flips stay. Made once, since kornia is slow to
    begin.
    """
    return replace(
        views,
        crop=1 - (1 - views.crop) * strength,
        strength=views.strength * strength,
        jitter=views.jitter * strength,
        grey=views.grey * strength,
    )


def average_of(state: State) -> Contraster:
    """The network of the second views."""
    average = state.extra["average"]
    assert isinstance(average, Contraster)
    return average
