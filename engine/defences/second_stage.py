"""The second stage of robust contrastive learning, the one loop of its methods: an encoder that was trained
before learns from weakly augmented pictures and from the same pictures as an attack leaves them.

    x' = argmax_{‖x' − x‖∞ ≤ ε} f(x'),    then a step down L(x, x')

Methods differ in f and in L. The attack is PGD from a random start, in eval mode and through the adversarial
normalisations; the step takes each part through its own. Settings that a paper leaves open are those of
DeACL's public code. Sources: of each method in its own file; of dual normalisation Jiang, Chen, Chen and
Wang, NeurIPS 2020, arXiv:2010.13337.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from engine.attacks.budget import Budget
from engine.data.views import AtRest, Views
from engine.defences.student import Student, as_base
from engine.device import How
from engine.errors import DataError
from engine.events import Event
from engine.models.batches import batches, is_scored, steps_of, told
from engine.models.declared import WEIGHTED_LOSSES, Curve, Family, Panel
from engine.models.on_encoder import OnEncoder
from engine.models.pace import Pace, descend
from engine.models.protocols import Encodes, require
from engine.models.simclr import CONTRASTIVE, SimCLR
from engine.models.spherical_k_means import embedding
from engine.models.state import State
from engine.nets.augmentation import shifted_and_flipped
from engine.nets.dual_norm import Branch
from engine.nets.spherical_k_means import spherical_k_means
from engine.settings import knob

FIRST_RATE = 0.003
"""Where the warm-up begins, as in DeACL's code."""
DEACL = "DeACL's code"
SMALL = {"flip": 0.0}
QUICK = SMALL | {"epochs": 40, "batch": 64, "rate": 4.0, "epsilon": 0.2, "attack_step": 0.05, "padding": 0}
MNIST_TEST = SMALL | {
    "epochs": 10,
    "batch": 64,
    "rate": 4.0,
    "epsilon": 0.1,
    "attack_step": 0.025,
    "padding": 2,
}
COLOUR = {"epochs": 10, "batch": 128, "rate": 1.0}
PUSH = Panel(
    "push",
    "What the attack makes large",
    "At the random start of the attack and at its last gradient, mean over a batch.",
)


@dataclass(frozen=True)
class Push:
    """Attacked pictures, and the mean of what was made large: where it began, and at the last gradient."""

    x: Views
    began: Tensor
    ended: Tensor

    def values(self) -> dict[str, Tensor]:
        """As a training tells them."""
        return {"push_began": self.began, "push_ended": self.ended}


class SecondStage(OnEncoder):
    """What every method of the second stage has: the attack, the normalisations, the training."""

    abilities: ClassVar[tuple[str, ...]] = ("encodes", "clusters", "compares")
    defends: ClassVar[bool] = True
    rows: ClassVar[str] = "train"
    family: ClassVar[Family] = CONTRASTIVE
    panels: ClassVar[tuple[Panel, ...]] = (WEIGHTED_LOSSES, PUSH)
    phases: ClassVar[Mapping[str, str]] = {"second_stage": "training on attacked pictures"}
    fits: ClassVar[Mapping[str, str]] = SimCLR.fits
    pushed: ClassVar[tuple[Curve, ...]] = (
        Curve("push_began", "at the random start", panel="push"),
        Curve("push_ended", "at the last gradient", panel="push"),
    )
    network_kind: ClassVar[type[Student]] = Student

    epsilon: float = knob(
        8 / 255,
        "ε of training",
        "How far each number of a training picture is pushed.",
        symbol="ε",
        source="the paper",
        ge=0,
        le=1,
    )
    attack_steps: int = knob(
        5, "Steps of the attack", "Of PGD, from a random start.", symbol="T", source=DEACL, ge=0, le=1000
    )
    attack_step: float = knob(
        2 / 255, "Step of the attack", "In the unit of ε.", source=DEACL, gt=0, le=1, advanced=True
    )
    dual_norm: bool = knob(
        True,
        "Dual normalisation",
        "Clean and attacked pictures are normalised apart; else in one batch, as in DeACL.",
        source="ACL",
    )
    padding: int = knob(
        4, "Shift", "Pixels, at most, by which a picture is moved each way.", source=DEACL, ge=0, le=64
    )
    flip: float = knob(0.5, "Flips", "How often a picture is mirrored.", source=DEACL, ge=0, le=1)
    epochs: int = knob(
        200,
        "Epochs",
        "Passes over the training rows.",
        source="the paper, CIFAR-10",
        ge=1,
        le=100_000,
        log=True,
    )
    batch: int = knob(
        256,
        "Batch size",
        "Pictures a step; what is left of an epoch is left out.",
        source=DEACL,
        ge=2,
        le=8192,
        log=True,
    )
    rate: float = knob(
        0.5,
        "Learning rate",
        "For a batch of 256, and in proportion for others.",
        source=DEACL,
        gt=0,
        le=10,
        log=True,
    )
    momentum: float = knob(0.9, "Momentum", source=DEACL, ge=0, lt=1, advanced=True)
    decay: float = knob(5e-4, "Weight decay", "Of all weights.", source=DEACL, ge=0, le=1, advanced=True)
    warm_up: float = knob(
        0.05,
        "Warm-up",
        "Share of the steps in which the rate grows from 0.003; it then falls along a cosine, by the step.",
        source="DeACL's code: 10 epochs",
        ge=0,
        lt=1,
        advanced=True,
    )
    evaluations: int = knob(
        10, "Evaluations", "How often, spread evenly, the scores are taken.", ge=1, le=1000, advanced=True
    )

    def watched_attack(self) -> Mapping[str, Any] | None:
        """The same attack towards the neighbouring centroid, whatever it was trained against."""
        if self.epsilon == 0:
            return None
        return {
            "attack": "pgd",
            "attack_settings": {"steps": self.attack_steps, "step_size": self.attack_step},
            "objective": "ncp",
            "epsilon": self.epsilon,
            "n": 200,
            "half": "test",
        }

    def network(self, shapes: tuple[tuple[int, ...], ...], clusters: int) -> Student:
        """The untrained student. Raises AbilityError for a base that it cannot begin as, DataError for
        pictures that are no larger than the shift.
        """
        height, width = shapes[0][-2:] if len(shapes[0]) == 3 else (0, 0)
        if 0 < min(height, width) <= self.padding:
            raise DataError(
                f"{self.name} moves pictures by up to {self.padding} pixels; these have {height} x {width}."
                " Choose a smaller padding."
            )
        base = as_base(self.untrained(shapes, clusters), self.name, self.encoder).eval()
        with torch.no_grad():
            one = Views(torch.zeros(1, *shape) for shape in shapes)
            size = require(base, Encodes, self.name).encode(one).shape[1]
        return self.network_kind(base, size, clusters, self.dual_norm)

    def skeleton(self, data: AtRest, clusters: int, rng: torch.Generator, how: How) -> State:
        """The student with stochastic gradient descent on all that is not frozen."""
        state = State(self.network(data.shapes, clusters).to(how.device), rng, how)
        state.optimisers["student"] = torch.optim.SGD(
            self.learning(student_of(state)), lr=self.rate, momentum=self.momentum, weight_decay=self.decay
        )
        return state

    def learning(self, model: Student) -> list[nn.Parameter]:
        """The weights that are trained."""
        return [weight for weight in model.parameters() if weight.requires_grad]

    def adopt(self, state: State, bases: Mapping[str, nn.Module]) -> None:
        """The encoder of the base, in both normalisations."""
        student_of(state).begin(as_base(bases["base"], self.name, self.encoder))

    def train(self, state: State, data: AtRest) -> Iterator[Event]:
        """Whole batches of a new order in every epoch, of the training rows alone. Centroids are found anew,
        in the embedding that is read when it is used, wherever the student is scored.
        """
        data = (data if state.rows is None else data.subset(state.rows)).to(state.how.device)
        pace, epoch = Pace(), steps_of(None, 1, len(data), self.batch, whole=True)
        total = epoch * self.all_epochs
        state.counters["total"] = total
        if state.step == 0:
            self.begin(state, data)
        for index in batches(state, len(data), self.batch, total, whole=True):
            if state.step % epoch == 0:
                self.begin_epoch(state, data)
            values = self.step(state, self.seen(state, data.rows(index)), index, total)
            state.counters["step"] += 1
            if is_scored(state, total, self.evaluations):
                self.settle(state, data)
            yield from told(state, total, self.evaluations, self.phase(state), values, pace)

    @property
    def all_epochs(self) -> int:
        """Passes over the training rows."""
        return self.epochs

    def phase(self, state: State) -> str:
        """What is going on, by its name among the phases."""
        return "second_stage"

    def begin(self, state: State, data: AtRest) -> None:
        """What is found before the first step: centroids."""
        self.settle(state, data)

    def begin_epoch(self, state: State, data: AtRest) -> None:
        """What is found anew before every epoch: nothing here."""

    def seen(self, state: State, x: Views) -> Views:
        """The weakly augmented batch."""
        return Views([shifted_and_flipped(x[0], state.rng, self.padding, self.flip)])

    def step(self, state: State, x: Views, index: Tensor, total: int) -> dict[str, Tensor]:
        """One step on a batch at rows `index` (b,); returns what is told of it."""
        parts, beside = self.parts(state, x, index)
        optimiser = self.learner(state)
        for group in optimiser.param_groups:
            group["lr"] = self.rate_at(state.step, total)
        descend(optimiser, torch.stack(list(parts.values())).sum())
        return {name: part.detach() for name, part in parts.items()} | beside

    def learner(self, state: State) -> torch.optim.Optimizer:
        """The optimiser of this step."""
        return state.optimisers["student"]

    def parts(self, state: State, x: Views, index: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The parts of the loss of a batch at rows `index` (b,), as they are summed; and what stands beside
        them.
        """
        raise NotImplementedError

    def rate_at(self, step: int, total: int) -> float:
        """The learning rate: growing in the warm-up, then falling along a cosine."""
        warm, rate = round(self.warm_up * total), self.rate * self.batch / 256
        if step < warm:
            return FIRST_RATE + (rate - FIRST_RATE) * (step + 1) / warm
        return rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))

    def pushed_by(self, state: State, x: Views, value: Callable[[Views], Tensor]) -> Push:
        """PGD on the sum of `value` (b,) over the batch: in eval mode, through the adversarial
        normalisations, with gradients of the pictures alone. No buffer changes.
        """
        model, flat, budget = student_of(state).eval(), x.flat(), Budget("linf", self.epsilon)
        project, values = budget.around(flat), []
        point = budget.random_point(flat, state.rng)
        with model.reading("adversarial"):
            for _ in range(self.attack_steps):
                point = point.requires_grad_(True)
                with state.how.autocast():
                    reached = value(x.like(point))
                (gradient,) = torch.autograd.grad(reached.sum(), point)
                values.append(reached.detach().mean())
                point = project(point.detach() + self.attack_step * gradient.sign())
            if not values:  # no step: the random start is the answer
                with torch.no_grad(), state.how.autocast():
                    values.append(value(x.like(point)).mean())
        return Push(x.like(point), values[0], values[-1])

    def settle(self, state: State, data: AtRest) -> None:
        """Put the student's centroids where the clusters of its embedding are now."""
        model = student_of(state)
        z = embedded(model, data, "adversarial")
        model.directions.copy_(spherical_k_means(z, len(model.directions), state.rng)[0])


def embedded(model: Student, data: AtRest, branch: Branch) -> Tensor:
    """The embedding of all samples in eval mode, through these normalisations: (n, m)."""
    with model.eval().reading(branch):
        return embedding(model, data)


def student_of(state: State) -> Student:
    """The network of a state that a method of the second stage made."""
    assert isinstance(state.model, Student)
    return state.model
