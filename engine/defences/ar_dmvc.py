"""AR-DMVC and AR-DMVC-AM: CoMVC trained on clean and on attacked views; the latter also keeps their
assignments together.

    L = L_base(x) + λ · L_base(x̃) + γ · KL(a ‖ ã),    x̃ by PGD on the contrastive term, over all pairs of
        views; γ = 0 without AM

Source: Huang, Zhou, Zheng, Qiu, Wang and Zhao, ICML 2024. λ and γ are those of the released code; the paper's
text has λ = 100, γ = 1.
"""

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.data.views import Views
from engine.models.comvc import CoMVC
from engine.models.declared import Curve
from engine.models.multiview import MINI, QUICK, alignment, clustering, network_of, seen
from engine.models.state import State
from engine.nets.ddc import contrast
from engine.nets.layers import float32
from engine.nets.views import still
from engine.registry import register
from engine.settings import knob

UNCLIPPED = 1e6
"""With λ = 100 a clip at 10 would cut every gradient; the released code has none."""
SMOOTH = 1e-4
"""Added to every probability before their ratio is taken."""


@register
class ARDMVC(CoMVC):
    """Settings of AR-DMVC."""

    name: ClassVar[str] = "ar_dmvc"
    title: ClassVar[str] = "AR-DMVC"
    source: ClassVar[str] = "Huang, Zhou, Zheng, Qiu, Wang and Zhao, ICML 2024"
    equation: ClassVar[str] = r"L = L_{base}(x) + \lambda\, L_{base}(\tilde x)"
    summary: ClassVar[str] = (
        "A defence: trained on clean views and on views that PGD has moved so that they no longer find one"
        " another."
    )
    defends: ClassVar[bool] = True
    curves: ClassVar[tuple[Curve, ...]] = (*CoMVC.curves, Curve("attacked", "loss at attacked views"))
    fits: ClassVar[Mapping[str, str]] = {**CoMVC.fits} | {
        name: name for name in ("noisy_fashion", "patched_mnist")
    }
    presets = {
        "quick": QUICK | {"epochs": 30, "inner_steps": 5, "inner_step": 0.04},
        "mini": MINI | {"epochs": 10, "inner_steps": 5, "inner_step": 0.04},
        "noisy_fashion": {"lam": 0.1},
        "patched_mnist": {"lam": 0.1, "epochs": 40},
        "paper": {"lam": 100.0, "clip": UNCLIPPED},
    }

    epochs: int = knob(30, "Epochs", "Passes over the training half.", source="AR-DMVC's code", ge=1, le=1000)
    lam: float = knob(
        1.0,
        "Weight of the attacked loss",
        "How much the loss at attacked views counts.",
        symbol="λ",
        source="AR-DMVC's code (the paper: 100)",
        ge=0,
        le=1000,
    )
    inner_epsilon: float = knob(
        0.2,
        "ε of the inner attack",
        "The attack that is trained against, L∞.",
        symbol="ε",
        source="AR-DMVC's code",
        ge=0,
        le=1,
    )
    inner_steps: int = knob(
        10,
        "Steps of the inner attack",
        "Gradient steps for every batch.",
        source="AR-DMVC's code",
        ge=1,
        le=100,
    )
    inner_step: float = knob(
        0.02, "Step of the inner attack", "In the unit of ε.", source="AR-DMVC's code", gt=0, le=1
    )

    def losses(self, state: State, x: Views) -> Mapping[str, Tensor]:
        """CoMVC's parts at the clean batch, its sum at the attacked one, and the Attack Mitigator."""
        attacked_views = self.attacked(state, x)
        clean, attacked = self._base(state, x), self._base(state, attacked_views)
        parts = dict(clean[0]) | {"attacked": self.lam * torch.stack(list(attacked[0].values())).sum()}
        return parts | self.mitigated(clean[1], attacked[1])

    def mitigated(self, clean: Tensor, attacked: Tensor) -> dict[str, Tensor]:
        """What the assignments (n, k) of clean and attacked views add to the loss: nothing here."""
        return {}

    def attacked(self, state: State, x: Views) -> Views:
        """x̃: PGD from a random start on the contrastive term, all views together. Running statistics are
        left as they are.
        """
        flat = x.flat()
        delta = (torch.rand(flat.shape, generator=state.rng).to(flat.device) * 2 - 1) * self.inner_epsilon
        with still(network_of(state)):
            for _ in range(self.inner_steps):
                adversarial = (flat + delta).requires_grad_(True)
                with state.how.autocast():
                    z = network_of(state).views(x.like(adversarial))
                (gradient,) = torch.autograd.grad(contrast(tuple(float32(part) for part in z)), adversarial)
                delta = (delta + self.inner_step * gradient.sign()).clamp(
                    -self.inner_epsilon, self.inner_epsilon
                )
                delta = (flat + delta).clamp(0, 1) - flat
        return x.like((flat + delta).detach())

    def _base(self, state: State, x: Views) -> tuple[dict[str, Tensor], Tensor]:
        z, h, assignment = seen(state, x)
        return clustering(h, assignment) | {"contrast": alignment(state, z, self.contrast)}, assignment


@register
class ARDMVCAM(ARDMVC):
    """Settings of AR-DMVC with the Attack Mitigator."""

    name: ClassVar[str] = "ar_dmvc_am"
    title: ClassVar[str] = "AR-DMVC-AM"
    equation: ClassVar[str] = (
        r"L = L_{base}(x) + \lambda\, L_{base}(\tilde x) + \gamma\, \mathrm{KL}(a \,\|\, \tilde a)"
    )
    summary: ClassVar[str] = (
        "A defence: as AR-DMVC, and attacked views must also be assigned as the clean ones are."
    )
    curves: ClassVar[tuple[Curve, ...]] = (*ARDMVC.curves, Curve("mitigator", "Attack Mitigator"))
    presets = ARDMVC.presets | {
        "noisy_fashion": {"lam": 0.1, "gamma": 1.0},
        "paper": {"lam": 100.0, "gamma": 1.0, "clip": UNCLIPPED},
    }

    gamma: float = knob(
        0.1,
        "Weight of the Attack Mitigator",
        "How much clean and attacked assignments are kept together.",
        symbol="γ",
        source="AR-DMVC's code (the paper: 1)",
        ge=0,
        le=1000,
    )
    direction: Literal["clean_to_attacked", "attacked_to_clean"] = knob(
        "clean_to_attacked",
        "Direction of KL",
        "KL(clean ‖ attacked), as released; KL(attacked ‖ clean) is the paper's equation 12.",
        source="AR-DMVC's code (clean to attacked), the paper (the other)",
        advanced=True,
    )

    def mitigated(self, clean: Tensor, attacked: Tensor) -> dict[str, Tensor]:
        """γ · KL of the smoothed assignments, mean over the batch."""
        first, second = (clean, attacked) if self.direction == "clean_to_attacked" else (attacked, clean)
        return {"mitigator": self.gamma * divergence(first, second).mean()}


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """KL of p from q (n, k), both with 1e-4 added: (n,)."""
    p, q = p + SMOOTH, q + SMOOTH
    return (p * (p / q).log()).sum(1)
