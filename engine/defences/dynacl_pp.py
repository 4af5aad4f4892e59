"""DYNACL++: a finished encoder learns to classify its own clusters, robustly (LP-AFT).

    first  min over the head alone   CE(s(x), k(x))
    then   min over all   CE(s(x), k(x)) + β KL(p(x) ‖ p(x')),   x' = argmax KL(p(x) ‖ p(x')),  p = softmax s

| symbol | name | shape |
|---|---|---|
| k | pseudo-label: cluster of the clean embedding, by k-means, found once | (n,) |
| s | an affine head on the embedding | (n, k) |

All through the adversarial normalisations, in which DYNACL is read. Sources: Luo, Wang and Wang, ICLR 2023,
arXiv:2303.01289 (LP-AFT); Zhang et al., "Theoretically principled trade-off between robustness and accuracy",
ICML 2019, arXiv:1901.08573 (TRADES).
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.data.views import AtRest, Views
from engine.defences.dynacl import DynACL
from engine.defences.second_stage import SecondStage, embedded, student_of
from engine.defences.student import Student
from engine.device import How
from engine.models.declared import Curve
from engine.models.state import State
from engine.nets.k_means import k_means
from engine.nets.layers import float32, linear
from engine.registry import register
from engine.settings import knob

CODE = "DYNACL's code"


@register
class DynACLPP(SecondStage):
    """Settings of the head, of the attack and of the training."""

    name: ClassVar[str] = "dynacl_pp"
    title: ClassVar[str] = "DYNACL++"
    source: ClassVar[str] = "Luo, Wang and Wang, ICLR 2023, arXiv:2303.01289"
    equation: ClassVar[str] = r"L = \mathrm{CE}(s(x), k(x)) + \beta\, \mathrm{KL}(p(x) \,\|\, p(x'))"
    summary: ClassVar[str] = (
        "A defence: an encoder of DYNACL learns to classify its own clusters, though an attack moves the"
        " pictures."
    )
    curves: ClassVar[tuple[Curve, ...]] = (
        Curve("cross_entropy", "cross-entropy with the clusters", "nats"),
        Curve("divergence", "β KL, clean and attacked", "nats"),
        *SecondStage.pushed,
    )
    phases: ClassVar[Mapping[str, str]] = {
        "probe": "training the head",
        "second_stage": "training on attacked pictures",
    }
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        name: {
            "encoder_settings": values,
            **{key: value for key, value in values.items() if key not in ("encoder_settings", "rate")},
            "epochs": 25 if name == "cifar10" else 10,
            "probe_epochs": 10,
        }
        for name, values in DynACL.presets.items()
    }

    encoder: str = knob("dynacl", "Encoder", "The registered name of the model that it begins from.")
    attack_steps: int = knob(
        10, "Steps of the attack", "Of PGD, from a random start.", symbol="T", source=CODE, ge=1, le=1000
    )
    beta: float = knob(
        6.0, "β", "Weight of the divergence of attacked pictures.", symbol="β", source=CODE, ge=0, le=1000
    )
    probe_epochs: int = knob(
        10, "Epochs of the head", "In which it learns alone.", source=CODE, ge=0, le=10_000
    )
    probe_rate: float = knob(
        0.01, "Learning rate of the head", source=CODE, gt=0, le=10, log=True, advanced=True
    )
    epochs: int = knob(25, "Epochs", "Of the whole network.", source=CODE, ge=1, le=100_000, log=True)
    batch: int = knob(512, "Batch size", "Pictures a step.", source=CODE, ge=2, le=8192, log=True)
    rate: float = knob(
        0.1,
        "Learning rate",
        "A tenth after 40 % and after 80 % of the steps.",
        source=CODE,
        gt=0,
        le=10,
        log=True,
    )
    decay: float = knob(1e-4, "Weight decay", "Of all weights.", source=CODE, ge=0, le=1, advanced=True)

    @property
    def all_epochs(self) -> int:
        """Those of the head, and those of the network."""
        return self.probe_epochs + self.epochs

    def phase(self, state: State) -> str:
        """The head comes first."""
        return "probe" if self._probing(state) else "second_stage"

    def _probing(self, state: State) -> bool:
        total: int = state.counters["total"]
        return state.step < total * self.probe_epochs // self.all_epochs

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """The student with a head for its clusters, which learns alone and then with it."""
        state = super().skeleton(data, clusters, rng, how)
        head = linear(student_of(state).directions.shape[1], clusters, rng).to(how.device)
        state.extra["head"] = head
        state.optimisers["head"] = torch.optim.SGD(
            head.parameters(), lr=self.probe_rate, momentum=self.momentum, weight_decay=self.decay
        )
        state.optimisers["student"].add_param_group({"params": list(head.parameters())})
        return state

    def learning(self, model: Student) -> list[nn.Parameter]:
        """All but the clean normalisations, through which nothing goes."""
        return [weight for name, weight in model.named_parameters() if ".clean." not in name]

    def begin(self, state: State, data: AtRest) -> None:
        """The pseudo-labels of the training rows, too."""
        super().begin(state, data)
        model = student_of(state)
        z = embedded(model, data, "clean")
        state.tensors["pseudo"] = k_means(z, len(model.directions), state.rng)[1]

    def learner(self, state: State) -> torch.optim.Optimizer:
        """The optimiser of this step."""
        return state.optimisers["head" if self._probing(state) else "student"]

    def rate_at(self, step: int, total: int) -> float:
        """A tenth after 40 % and after 80 % of the steps of the whole network."""
        first = total * self.probe_epochs // self.all_epochs
        if step < first:
            return self.probe_rate
        over = (step - first) / (total - first)
        return self.rate * 0.1 ** ((over >= 0.4) + (over >= 0.8))

    def parts(self, state: State, x: Views, index: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Cross-entropy with the pseudo-labels; once the head has learned, the divergence too."""
        pseudo = state.tensors["pseudo"][index]
        model, head = student_of(state), state.extra["head"]
        if self._probing(state):
            with torch.no_grad(), state.how.autocast():
                z = model.eval().encode(x)
            return {"cross_entropy": F.cross_entropy(head(z), pseudo)}, {}
        with torch.no_grad(), state.how.autocast():
            clean = scores(model.eval(), head, x)
        push = self.pushed_by(state, x, lambda pushed: divergence(clean, scores(model, head, pushed)))
        model.train()
        with state.how.autocast():
            said, moved = scores(model, head, x), scores(model, head, push.x)
        parts = {
            "cross_entropy": F.cross_entropy(said, pseudo),
            "divergence": self.beta * divergence(said, moved).mean(),
        }
        return parts, push.values()


def scores(model: Student, head: nn.Module, x: Views) -> Tensor:
    """What the head says of pictures: (b, k)."""
    said: Tensor = float32(head(model.encode(x)))
    return said


def divergence(clean: Tensor, moved: Tensor) -> Tensor:
    """KL(p(x) ‖ p(x')) of scores (b, k): (b,) nats."""
    log_p, log_q = clean.log_softmax(dim=1), moved.log_softmax(dim=1)
    return (log_p.exp() * (log_p - log_q)).sum(dim=1)
