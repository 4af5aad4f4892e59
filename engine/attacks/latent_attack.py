"""`latent_attack`: a perturbation of the embedding, not of the pixels, read off the sample by a small network
or found for it alone.

    δ = A(x),  z' = m(x) + δ;    min_A  E[ −f(z') ],  f the objective (`flip_and_keep` in the paper)

A is affine as released: three layers without an activation between them. Nothing bounds δ but its own penalty
in the objective. Source: Yang, Deng, Wei, Yan and Liu, "Adversarial learning for robust deep clustering",
NeurIPS 2020 (as in its public code).
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import ClassVar, Literal

import torch
from pydantic import PrivateAttr
from torch import Tensor, nn

from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings, Iterate
from engine.data.views import AtRest, Shapes, Views
from engine.device import How
from engine.errors import RunBroken, SettingsError
from engine.events import Evaluate, Event, Progress
from engine.nets.layers import float32
from engine.nets.variational import perturber
from engine.objectives.protocols import LatentObjective, Objective, on_embedding
from engine.registry import register
from engine.settings import Width, knob

PROGRESS_EVERY = 5
"""Steps between two Progress events."""


@register
class LatentAttack(AttackSettings):
    """Settings of the attack on the embedding."""

    name: ClassVar[str] = "latent_attack"
    title: ClassVar[str] = "Embedding attack"
    summary: ClassVar[str] = (
        "Moves the embedding so that the cluster changes and the decoded picture does not. Its weight ν takes"
        " the place of ε."
    )
    source: ClassVar[str] = "Yang, Deng, Wei, Yan and Liu, NeurIPS 2020"
    equation: ClassVar[str] = r"z' = m(x) + A(x), \quad \max_A\; \mathbb E\, f(z')"
    space: ClassVar[str] = "embedding"
    needs: ClassVar[tuple[str, ...]] = ("encodes", "decodes")
    axes: ClassVar[tuple[str, ...]] = ("nu",)
    fitted: ClassVar[bool] = True
    searches: ClassVar[bool] = False
    fits: ClassVar[Mapping[str, str]] = {
        "digits": "quick",
        "mnist_test": "mini",
        "newsgroups4": "mini",
        "reuters_r8": "mini",
    }
    presets = {
        "quick": {"hidden": (128, 64)},
        "mini": {"hidden": (256, 128), "steps": 200, "batch": 256},
        "paper": {"steps": 50_000},
    }

    variant: Literal["amortised", "per_sample"] = knob(
        "amortised",
        "Perturbation",
        "amortised: one network reads δ off any sample; per_sample: δ is found "
        "for each sample by itself, by Adam from δ = 0. On digits it reaches more than either network up to "
        "ν = 0.005, less than one with ReLU from 0.01 on.",
        source="the public code (amortised)",
    )
    activation: Literal["none", "relu"] = knob(
        "none",
        "Activation",
        "Between the layers of the network; none makes δ an affine function of the pixels.",
        source="the public code (none)",
    )
    hidden: tuple[Width, ...] = knob(
        (1024, 512), "Hidden widths", "Of the network.", source="the public code", min_length=1, max_length=6
    )
    steps: int = knob(
        600,
        "Steps",
        "Of Adam on the network. The public code: at most 50,000.",
        symbol="T",
        source="Feint",
        ge=1,
        le=1_000_000,
        log=True,
    )
    batch: int = knob(
        1000,
        "Batch size",
        "Samples a step, without replacement; all of them where there are fewer.",
        source="the public code",
        ge=1,
        le=8192,
        log=True,
    )
    rate: float = knob(
        1e-3, "Learning rate", "Adam's step on the network.", source="the public code", gt=0, le=1, log=True
    )
    own_steps: int = knob(
        200,
        "Steps for a sample",
        "Of Adam on δ itself, per_sample.",
        source="Feint",
        ge=1,
        le=100_000,
        advanced=True,
    )
    own_rate: float = knob(
        0.05,
        "Learning rate for a sample",
        "Adam's step on δ itself, per_sample.",
        source="Feint",
        gt=0,
        le=10,
        log=True,
        advanced=True,
    )

    def perturb(
        self,
        x: Tensor,
        objective: Objective,
        budget: Budget,
        rng: torch.Generator,
        start: Tensor | None = None,
    ) -> Iterator[Iterate]:
        """Refused: it has to be fitted first."""
        raise SettingsError(
            "latent_attack must be fitted to a model before it attacks; launch it with `attack"
            " latent_attack`."
        )

    def fit(
        self,
        model: nn.Module,
        bind: Callable[[Views], Objective],
        data: AtRest,
        budget: Budget,
        rng: torch.Generator,
        how: How,
    ) -> Generator[tuple[Event, nn.Module], None, nn.Module]:
        """Fit A to the samples of `data` (no labels); returns it. The model stays bit-identical. For
        per_sample there is nothing to fit.
        """
        if self.variant == "per_sample":
            return nn.Sequential()
        first = data.rows(torch.zeros(1, dtype=torch.long)).to(how.device)
        width = on_embedding(bind(first)).z.shape[1]
        net = self.drawn(data.size, width, rng).to(how.device)
        optimiser = torch.optim.Adam(net.parameters(), lr=self.rate, fused=True)
        for step in range(1, self.steps + 1):
            value = self.descend(
                net, optimiser, bind, minibatch(data, self.batch, rng).to(how.device), rng, how
            )
            if step % max(1, self.steps // 20) == 0 or step == self.steps:
                yield Evaluate(step=step, total=self.steps, values={"objective": value}), net
            elif step % PROGRESS_EVERY == 0:
                yield (
                    Progress(step=step, total=self.steps, phase="perturbation", values={"objective": value}),
                    net,
                )
        return net.eval().requires_grad_(False)

    def descend(
        self,
        net: nn.Module,
        optimiser: torch.optim.Optimizer,
        bind: Callable[[Views], Objective],
        x: Views,
        rng: torch.Generator,
        how: How,
    ) -> float:
        """One step of A on a batch: the mean of the objective grows. Returns it."""
        with how.autocast():
            objective = on_embedding(bind(x))
            eta = objective.spread * torch.randn(objective.z.shape, generator=rng).to(objective.z)
            value = objective.drawn(objective.z + float32(net(x.flat())), eta).mean()
        optimiser.zero_grad(set_to_none=True)
        (-value).backward()
        optimiser.step()
        return float(value.detach())

    def restored(self, weights: Mapping[str, Tensor], shapes: Shapes) -> nn.Module:
        """A with these weights. Raises RunBroken where they do not fit."""
        if self.variant == "per_sample":
            return nn.Sequential()
        size, last = (
            sum(torch.Size(shape).numel() for shape in shapes),
            (1 + (self.activation == "relu")) * len(self.hidden),
        )
        try:
            made = self.drawn(size, len(weights[f"{last}.bias"]), torch.Generator())
            made.load_state_dict(dict(weights))
        except (RuntimeError, KeyError):
            raise RunBroken(
                f"The fitted perturbation does not fit samples of the shapes {tuple(map(tuple, shapes))}; fit"
                " the attack anew."
            ) from None
        return made.eval().requires_grad_(False)

    def bound(self, fitted: nn.Module, clean: Views) -> "Bound":
        """The fitted attack."""
        return Bound(self, fitted)

    def per_sample(self, objective: LatentObjective) -> Iterator[Iterate]:
        """Adam on δ of every row by itself, from zero; the last iterate is the answer."""
        delta = torch.zeros_like(objective.z, requires_grad=True)
        optimiser = torch.optim.Adam([delta], lr=self.own_rate)
        for _ in range(self.own_steps):
            with torch.enable_grad():
                (gradient,) = torch.autograd.grad(-objective(objective.z + delta).sum(), delta)
            delta.grad = gradient
            optimiser.step()
        with torch.no_grad():
            attacked = objective.z + delta.detach()
            yield Iterate(attacked, objective(attacked), self.own_steps)

    def per_sample_in_words(self) -> str:
        """The steps of Adam."""
        return f"{self.own_steps} steps of Adam"

    def drawn(self, size: int, embedding: int, rng: torch.Generator) -> nn.Sequential:
        """A, untrained, for flat samples of `size` numbers."""
        return perturber(size, self.hidden, embedding, self.activation == "relu", rng)


class Bound(AttackSettings):
    """A fitted attack: its answers are rows of the embedding, (n, m)."""

    title: ClassVar[str] = LatentAttack.title
    space: ClassVar[str] = "embedding"
    searches: ClassVar[bool] = False

    _settings: LatentAttack = PrivateAttr()
    _net: nn.Module = PrivateAttr()

    def __init__(self, settings: LatentAttack, fitted: nn.Module) -> None:
        super().__init__()
        self._settings, self._net = settings, fitted

    def perturb(
        self,
        x: Tensor,
        objective: Objective,
        budget: Budget,
        rng: torch.Generator,
        start: Tensor | None = None,
    ) -> Iterator[Iterate]:
        """z + A(x) of flat rows x (n, d); or, per_sample, z + δ where Adam brings it from zero."""
        settings, net = self._settings, self._net
        aim = on_embedding(objective)
        if settings.variant == "per_sample":
            yield from settings.per_sample(aim)
            return
        with torch.no_grad():
            attacked = aim.z + float32(net(x))  # (n, m)
            yield Iterate(attacked, aim(attacked), 0)


def minibatch(data: AtRest, size: int, rng: torch.Generator) -> Views:
    """A random batch without repeats."""
    return data.rows(torch.randperm(len(data), generator=rng)[:size])
