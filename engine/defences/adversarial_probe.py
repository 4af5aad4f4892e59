"""Adversarial probe: one affine layer on a frozen encoder, which learns from attacked samples alone.

    min_{W, b} mean_i max_{‖δ_i‖∞ ≤ ε} −log softmax(W E(x_i + δ_i) + b)_{y_i}

The attack, PGD on the cross-entropy of encoder and layer as they are, begins anew at a random point of the
ball in every step and answers with its best iterate. As published, but for crops and mirrored samples, which
are left out (adversarial linear fine-tuning, ALF). The encoder stays bit-identical. Sources: Jiang, Chen,
Chen and Wang, "Robust pre-training by adversarial contrastive learning", NeurIPS 2020, arXiv:2010.13337;
settings of "Cluster-driven adversarial perturbations for robust contrastive learning", anonymous submission.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.attacks.budget import Budget
from engine.attacks.pgd import PGD
from engine.attacks.protocols import answer
from engine.data.views import AtRest, Views
from engine.device import How
from engine.events import Event
from engine.models.declared import Arm, Curve, Family
from engine.models.linear_probe import (
    CLASSIFIERS,
    Probe,
    at_least_two,
    by_descent,
    descent,
    probe_of,
    probe_on,
)
from engine.models.on_encoder import OnEncoder
from engine.models.simclr import SimCLR
from engine.models.state import State
from engine.nets.dual_norm import Branch
from engine.objectives.protocols import Objective
from engine.registry import register
from engine.settings import Settings, knob

PUBLISHED = "the paper on neighbouring clusters"
GREY = {"batch": 64, "epsilon": 0.1, "attack_step": 0.025}
SMALL = {"quick": GREY, "mnist_test": GREY}


@register
class AdversarialProbe(OnEncoder):
    """Settings of the layer, of the attack that it learns from, and of the encoder that it reads."""

    name: ClassVar[str] = "adversarial_probe"
    title: ClassVar[str] = "Adversarial probe"
    source: ClassVar[str] = "Jiang, Chen, Chen and Wang, NeurIPS 2020, arXiv:2010.13337"
    equation: ClassVar[str] = (
        r"\min_{W, b} \mathrm{mean}_i \max_{\|\delta\|_\infty \leq \varepsilon}"
        r" -\log \mathrm{softmax}(W E(x_i + \delta) + b)_{y_i}"
    )
    summary: ClassVar[str] = (
        "A linear probe that learns from samples which PGD has just pushed against it; the encoder is frozen."
    )
    abilities: ClassVar[tuple[str, ...]] = ("encodes", "classifies")
    supervised: ClassVar[bool] = True
    defends: ClassVar[bool] = True
    rows: ClassVar[str] = "train"
    family: ClassVar[Family] = CLASSIFIERS
    curves: ClassVar[tuple[Curve, ...]] = (
        Curve("cross_entropy", "cross-entropy, last attacked batch", "nats"),
    )
    phases: ClassVar[Mapping[str, str]] = {"probe": "fitting the layer to attacked samples"}
    fits: ClassVar[Mapping[str, str]] = SimCLR.fits
    compared_with: ClassVar[tuple[Arm, ...]] = (Arm("adversarial_probe"), Arm("linear_probe"))
    presets = {
        name: {"encoder": "simclr", "encoder_settings": values} | SMALL.get(name, {})
        for name, values in SimCLR.presets.items()
    }

    epsilon: float = knob(
        8 / 255,
        "ε of training",
        "How far each number of a training sample is pushed. 0: clean samples.",
        symbol="ε",
        source=PUBLISHED,
        ge=0,
        le=1,
    )
    attack_steps: int = knob(
        10, "Steps of the attack", "Of PGD, from a random start.", symbol="T", source=PUBLISHED, ge=1, le=1000
    )
    attack_step: float = knob(
        2 / 255, "Step of the attack", "In the unit of ε.", source=PUBLISHED, gt=0, le=1, advanced=True
    )
    epochs: int = knob(
        25, "Epochs", "Passes over the training rows.", source=PUBLISHED, ge=1, le=100_000, log=True
    )
    batch: int = knob(512, "Batch size", "Samples a step.", source=PUBLISHED, ge=1, le=8192, log=True)
    rate: float = knob(
        0.1,
        "Learning rate",
        "Of gradient descent; a tenth of it after 15 of 25 epochs, a hundredth after 20.",
        source=PUBLISHED,
        gt=0,
        le=10,
        log=True,
    )
    decay: float = knob(2e-4, "Weight decay", source=PUBLISHED, ge=0, le=10, advanced=True)
    branch: Branch = knob(
        "adversarial",
        "Normalisations",
        "Those that are read, of an encoder that normalises clean and attacked samples apart.",
        source="ACL's code",
        advanced=True,
    )
    evaluations: int = knob(
        5, "Evaluations", "How often, spread evenly, the scores are taken.", ge=1, le=1000, advanced=True
    )

    @classmethod
    def depends_on(cls) -> tuple[type[Settings], ...]:
        """The attack that it learns from."""
        return (PGD,)

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> Probe:
        """The encoder untrained, with a head for as many classes as `clusters`."""
        return probe_on(self, shapes, clusters, torch.Generator().manual_seed(0), self.branch)

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """A head and its optimiser."""
        model = probe_on(self, data.shapes, clusters, rng, self.branch).to(how.device)
        state = State(model, rng, how)
        state.optimisers["head"] = descent(model, self.rate, self.decay)
        return state

    def adopt(self, state: State, bases: Mapping[str, nn.Module]) -> None:
        """The encoder's weights."""
        self.take(probe_of(state).encoder, bases["base"])

    def train_on_labels(self, state: State, data: AtRest, labels: Tensor) -> Iterator[Event]:
        """Batches of a new order in every epoch, each attacked before its step. Raises DataError for a single
        class, Diverged where the rate is too high.
        """
        at_least_two(labels)
        data, probe = data.to(state.how.device), probe_of(state).eval()

        def embedding(index: Tensor) -> Tensor:
            pushed = self.pushed(state, data.rows(index), labels[index])
            with torch.no_grad():
                return probe.encode(pushed)

        yield from by_descent(state, self, self.evaluations, labels, embedding)

    def pushed(self, state: State, x: Views, labels: Tensor) -> Views:
        """A batch as PGD on the cross-entropy leaves it."""
        if self.epsilon == 0:
            return x
        probe = probe_of(state)

        def error(flat: Tensor) -> Tensor:
            return F.cross_entropy(probe.logits(x.like(flat)), labels, reduction="none")

        attack = PGD(steps=self.attack_steps, step_size=self.attack_step)
        objective, budget = Objective(error, how=state.how), Budget("linf", self.epsilon)
        return x.like(answer(attack.perturb(x.flat(), objective, budget, state.rng)).x.detach())

    def watched_attack(self) -> Mapping[str, Any] | None:
        """The same attack on 200 test samples."""
        if self.epsilon == 0:
            return None
        return {
            "attack": "pgd",
            "attack_settings": {"steps": self.attack_steps, "step_size": self.attack_step},
            "objective": "misclassify",
            "epsilon": self.epsilon,
            "n": 200,
            "half": "test",
        }
