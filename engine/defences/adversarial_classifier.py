"""Adversarial training: a classifier that learns from attacked batches alone.

    min_θ mean_i max_{‖δ_i‖∞ ≤ ε} L(x_i + δ_i, y_i; θ)

Before every step the batch is attacked by PGD on the cross-entropy of the network as it is; ε = 0 is plain
training. Source: Madry, Makelov, Schmidt, Tsipras and Vladu, ICLR 2018, arXiv:1706.06083.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor

from engine.attacks.budget import Budget
from engine.attacks.pgd import PGD
from engine.attacks.protocols import answer
from engine.data.views import Views
from engine.models.classifier import Classifier, network_of
from engine.models.declared import Arm, Curve
from engine.models.state import State
from engine.objectives.protocols import Objective
from engine.registry import register
from engine.settings import Settings, knob


@register
class AdversarialClassifier(Classifier):
    """Settings of the network, of its training and of the attack in it."""

    name: ClassVar[str] = "adversarial_classifier"
    title: ClassVar[str] = "Adversarially trained classifier"
    source: ClassVar[str] = "Madry, Makelov, Schmidt, Tsipras and Vladu, ICLR 2018, arXiv:1706.06083"
    equation: ClassVar[str] = (
        r"\min_\theta \mathrm{mean}_i \max_{\|\delta\|_\infty \leq \varepsilon} L(x_i + \delta, y_i; \theta)"
    )
    summary: ClassVar[str] = "A classifier that learns from samples which PGD has just pushed against it."
    defends: ClassVar[bool] = True
    curves: ClassVar[tuple[Curve, ...]] = (
        Curve("cross_entropy", "cross-entropy, last attacked batch", "nats"),
    )
    compared_with: ClassVar[tuple[Arm, ...]] = (Arm("adversarial_classifier"), Arm("classifier"))
    presets = {
        "quick": {**Classifier.presets["quick"], "epsilon": 0.1, "epochs": 40, "attack_steps": 7},
        "mnist_test": {**Classifier.presets["mnist_test"], "epsilon": 0.2, "attack_steps": 5},
        "mnist": {},
        "table": {**Classifier.presets["table"], "epsilon": 0.05, "attack_steps": 7},
        "cifar10": {**Classifier.presets["cifar10"], "epsilon": 8 / 255, "attack_steps": 7},
    }

    epsilon: float = knob(
        0.3,
        "ε of training",
        "How far each number of a training sample is pushed. 0: plain training.",
        symbol="ε",
        source="Madry et al., MNIST",
        ge=0,
        le=1,
    )
    attack_steps: int = knob(
        10,
        "Steps of the attack",
        "Of PGD, each 2.5 ε / T long, from a random start.",
        symbol="T",
        source="Feint; Madry et al.: 40 on MNIST, 7 on CIFAR-10",
        ge=1,
        le=1000,
        log=True,
    )

    @classmethod
    def depends_on(cls) -> tuple[type[Settings], ...]:
        """The attack that it is trained against."""
        return (PGD,)

    def trained_on(self, state: State, x: Views, labels: Tensor) -> Views:
        """The batch as PGD leaves it, which sees the network without dropout."""
        if self.epsilon == 0:
            return x
        model = network_of(state).eval()

        def error(flat: Tensor) -> Tensor:
            return F.cross_entropy(model.logits(x.like(flat)), labels, reduction="none")

        attack, budget = PGD(steps=self.attack_steps), Budget("linf", self.epsilon)
        moved = answer(attack.perturb(x.flat(), Objective(error, how=state.how), budget, state.rng))
        model.train()
        return x.like(moved.x.detach())

    def watched_attack(self) -> Mapping[str, Any] | None:
        """PGD of the same ε on 200 test samples; none for plain training."""
        if self.epsilon == 0:
            return None
        return {
            "attack": "pgd",
            "attack_settings": {"steps": self.attack_steps},
            "objective": "misclassify",
            "epsilon": self.epsilon,
            "n": 200,
            "half": "test",
        }
