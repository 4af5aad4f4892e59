"""What NCP-ACL and DeACL share: a student that embeds clean pictures as its frozen teacher does, and attacked
ones as the clean ones.

    L = −cos(f(x), t(x)) − λ cos(f(x'), f(x))

Both embeddings of the second term get gradients. Source: Zhang et al., "Decoupled adversarial contrastive
learning for self-supervised adversarial robustness", ECCV 2022, arXiv:2207.10899.
"""

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from engine.data.views import Views
from engine.defences.second_stage import SecondStage
from engine.defences.student import Imitator, Student
from engine.models.declared import Curve
from engine.models.state import State
from engine.settings import knob

SAME_LOOP = {"lam": 6.0, "dual_norm": True}
"""What NCP-ACL sets, for DeACL to differ from it in the attack alone."""


class Imitating(SecondStage):
    """The loss, and a place for what the attack makes large."""

    abilities: ClassVar[tuple[str, ...]] = (*SecondStage.abilities, "imitates")
    curves: ClassVar[tuple[Curve, ...]] = (
        Curve("imitation", "−cos, clean and teacher"),
        Curve("agreement", "−λ cos, attacked and clean"),
        *SecondStage.pushed,
    )
    network_kind: ClassVar[type[Student]] = Imitator

    lam: float = knob(
        6.0,
        "Weight of attacked pictures",
        "How much attacked and clean embedding are kept together.",
        symbol="λ",
        source="the paper",
        ge=0,
        le=1000,
    )

    def parts(self, state: State, x: Views, index: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Both terms of the loss, mean over the batch."""
        model = imitator_of(state)
        with state.how.autocast():
            teacher = model.teacher(x)
        wanted = self.wanted(state, x, index, teacher)
        push = self.pushed_by(state, x, lambda pushed: wanted(model.encode(pushed)))
        clean, attacked = self.embeddings(state, x, push.x)
        parts = {
            "imitation": -cosine_similarity(clean, teacher).mean(),
            "agreement": -self.lam * cosine_similarity(attacked, clean).mean(),
        }
        return parts, push.values()

    def wanted(self, state: State, x: Views, index: Tensor, teacher: Tensor) -> Callable[[Tensor], Tensor]:
        """What the attack makes large of the batch at rows `index`: embeddings (b, m) -> (b,)."""
        raise NotImplementedError

    def embeddings(self, state: State, x: Views, pushed: Views) -> tuple[Tensor, Tensor]:
        """Clean and attacked embedding (b, m) in training mode: each through its own normalisations, or both
        in one batch where there is but one.
        """
        model = imitator_of(state).train()
        with state.how.autocast():
            if not self.dual_norm:
                both = model.encode(Views([torch.cat([x[0], pushed[0]])]))
                return both[: x.n], both[x.n :]
            with model.reading("clean"):
                clean = model.encode(x)
            with model.reading("adversarial"):
                return clean, model.encode(pushed)


def imitator_of(state: State) -> Imitator:
    """The network of a state that such a method made."""
    assert isinstance(state.model, Imitator)
    return state.model
