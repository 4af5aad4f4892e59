"""`mv_gan`: a generator a view, trained to move the views of a model apart while a discriminator a view tells
moved from clean.

    min_G max_D   L_GAN + ‖δ‖ − μ · f(x + δ),    δ^v = clamp(G_v(x^v), −ε, ε)

f is the objective it is fitted for (`mv_disrupt` in the paper). As released the GAN is a least-squares one,
the budget a hard clamp in L∞ and the kernels begin at N(0, 1), which saturates clamp and tanh; 0.02 makes a
far stronger attack and is the default here. Source: Huang, Zhou, Zheng, Qiu, Wang and Zhao, ICML 2024; after
AdvGAN, Xiao et al., IJCAI 2018 (arXiv 1801.02610).
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings, Iterate
from engine.data.views import AtRest, Shapes, Views
from engine.device import How
from engine.errors import BudgetError, RunBroken, SettingsError
from engine.events import Evaluate, Event, Progress
from engine.nets.gan import discriminator, generator, judged
from engine.nets.layers import float32
from engine.nets.views import still
from engine.objectives.protocols import Objective
from engine.registry import register
from engine.settings import knob

DROP_AT = 20
"""Epoch, counted from 1, at whose start both optimisers begin anew with a tenth of the rate."""


@register
class MvGAN(AttackSettings):
    """Settings of the GAN attack; it is fitted once, then an attack is one forward pass."""

    name: ClassVar[str] = "mv_gan"
    title: ClassVar[str] = "GAN, a generator a view"
    summary: ClassVar[str] = (
        "Generators learn, from unlabelled views alone, perturbations that drive views and fusion from where"
        " they were."
    )
    source: ClassVar[str] = "Huang, Zhou, Zheng, Qiu, Wang and Zhao, ICML 2024"
    equation: ClassVar[str] = (
        r"\min_G \max_D\; L_{GAN} + \lVert\delta\rVert - \mu\, f(x + \delta),\quad \delta^v ="
        r" \mathrm{clamp}(G_v(x^v), \pm\varepsilon)"
    )
    version: ClassVar[int] = 2
    needs: ClassVar[tuple[str, ...]] = ("fuses",)
    axes: ClassVar[tuple[str, ...]] = ("epsilon",)
    fitted: ClassVar[bool] = True
    searches: ClassVar[bool] = False
    presets = {"as_released": {"init_sd": 1.0, "batch_statistics": True}}

    epochs: int = knob(
        30, "Epochs", "Passes over the samples it is fitted on.", source="AR-DMVC's code", ge=1, le=1000
    )
    batch: int = knob(
        100,
        "Batch size",
        "Samples an iteration; what does not fill the last batch is left out.",
        source="AR-DMVC's code",
        ge=2,
        le=4096,
    )
    rate: float = knob(
        1e-3,
        "Learning rate",
        "Adam's step; a tenth of it from epoch 20 on.",
        source="AR-DMVC's code",
        gt=0,
        le=1,
        log=True,
    )
    init_sd: float = knob(
        0.02,
        "Spread of the first kernels",
        "0.02: strong; 1, as released, saturates clamp and tanh and is far weaker.",
        source="AdvGAN's code (AR-DMVC's: 1)",
        gt=0,
        le=2,
    )
    weight: float = knob(
        5.0,
        "Weight of the objective",
        "How much the attack counts beside the GAN.",
        symbol="μ",
        source="AR-DMVC's code",
        ge=0,
        le=1000,
    )
    gan: Literal["least_squares", "log"] = knob(
        "least_squares",
        "GAN",
        "Loss of the discriminator and against it.",
        source="AR-DMVC's code (the paper: log)",
        advanced=True,
    )
    constraint: Literal["clamp", "penalty"] = knob(
        "clamp",
        "Budget",
        "clamp: every number of δ within ±ε. penalty: the paper's soft bound on ‖δ‖² by `squared`, projected"
        " at the end.",
        source="AR-DMVC's code (clamp), the paper (penalty)",
        advanced=True,
    )
    squared: float = knob(
        0.3,
        "Bound on ‖δ‖²",
        "For the penalty alone, in squared L2 units: not ε.",
        source="the paper",
        gt=0,
        le=1e4,
        advanced=True,
    )
    protocol: Literal["transductive", "inductive"] = knob(
        "transductive",
        "Fitted on",
        "transductive, as released: the very samples it is scored on. inductive: the first half of the data,"
        " scored on others.",
        source="AR-DMVC's code",
    )
    batch_statistics: bool = knob(
        False,
        "Target with batch statistics",
        "As released, while fitting; running statistics are never touched.",
        source="AR-DMVC's code (on)",
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
            "mv_gan must be fitted to a model before it attacks; launch it with `attack mv_gan`, or choose"
            " pgd."
        )

    def fitting_half(self, half: str) -> str:
        """The very rows that are attacked, or those that models are trained on."""
        if self.protocol == "transductive":
            return half
        return "train" if half == "test" else "first"

    def fit(
        self,
        model: nn.Module,
        bind: Callable[[Views], Objective],
        data: AtRest,
        budget: Budget,
        rng: torch.Generator,
        how: How,
    ) -> Generator[tuple[Event, nn.Module], None, nn.Module]:
        """Fit to the samples of `data` (no labels); returns the generators, a module a view. The model stays
        bit-identical.
        """
        if budget.norm != "linf":
            raise BudgetError("mv_gan's budget is L∞ (a clamp); got l2. Use --norm linf, or pgd for L2.")
        if len(data) < self.batch:
            raise SettingsError(
                f"mv_gan.batch must be at most the number of samples; got {self.batch} for {len(data)}."
            )
        nets = {
            "generators": networks(self, data.shapes, rng).to(how.device),
            "discriminators": (
                nn.ModuleList(discriminator(shape, rng, self.init_sd) for shape in data.shapes).to(how.device)
            ),
        }
        steps, optimisers = len(data) // self.batch, self._optimisers(nets, self.rate)
        for epoch in range(1, self.epochs + 1):
            if epoch == DROP_AT:
                optimisers = self._optimisers(nets, self.rate / 10)
            order = torch.randperm(len(data), generator=rng)
            for step in range(steps):
                x = data.rows(order[step * self.batch : (step + 1) * self.batch]).to(how.device)
                with still(model, self.batch_statistics):
                    values = self._step(nets, optimisers, x, bind, budget, how)
                done = (epoch - 1) * steps + step + 1
                now: dict[str, Any] = {"step": done, "total": self.epochs * steps, "values": values}
                yield (
                    (Evaluate(**now) if step == steps - 1 else Progress(phase="generators", **now)),
                    nets["generators"],
                )
        return nets["generators"].eval().requires_grad_(False)

    def restored(self, weights: Mapping[str, Tensor], shapes: Shapes) -> nn.Module:
        """The generators with these weights. Raises RunBroken where they do not fit."""
        made = networks(self, shapes, torch.Generator())
        try:
            made.load_state_dict(dict(weights))
        except RuntimeError:
            raise RunBroken(
                f"The fitted generators do not fit views of the shapes {tuple(map(tuple, shapes))}; fit the"
                " attack anew."
            ) from None
        return made.eval().requires_grad_(False)

    def bound(self, fitted: nn.Module, clean: Views) -> "Bound":
        """The fitted attack on samples shaped as `clean`."""
        return Bound(fitted, clean)

    def _optimisers(self, nets: dict[str, nn.ModuleList], rate: float) -> dict[str, torch.optim.Optimizer]:
        return {name: torch.optim.Adam(net.parameters(), lr=rate, fused=True) for name, net in nets.items()}

    def _step(
        self,
        nets: dict[str, nn.ModuleList],
        optimisers: dict[str, torch.optim.Optimizer],
        x: Views,
        bind: Callable[[Views], Objective],
        budget: Budget,
        how: How,
    ) -> dict[str, float | None]:
        """One step of the discriminators, then one of the generators against them as they are now."""
        with how.autocast():
            objective, deltas = bind(x), self.deltas(nets["generators"], x, budget)
            moved = Views(
                (view + delta).clamp(budget.low, budget.high) for view, delta in zip(x, deltas, strict=True)
            )
            real, fake = (
                judged(nets["discriminators"], x),
                judged(nets["discriminators"], [view.detach() for view in moved]),
            )
        loss = self._against(real, 1) + self._against(fake, 0)
        _down(optimisers["discriminators"], loss)
        with (
            how.autocast()
        ):  # a context of its own: autocast keeps copies of the weights that were stepped above
            answers, attack = judged(nets["discriminators"], moved), objective(moved.flat()).sum()
        fooled = self._fooled(answers)
        _down(optimisers["generators"], fooled + self._size(deltas) - self.weight * attack)
        return {
            "discriminator": float(loss.detach()),
            "fooled": float(fooled.detach()),
            "objective": float(attack.detach()) / x.n,
        }

    def deltas(self, generators: nn.Module, x: Views, budget: Budget) -> list[Tensor]:
        """δ of each view (n, C, H, W)."""
        raw = Views(float32(net(view)) for net, view in zip(generators.children(), x, strict=True))
        if budget.mask is not None:
            raw = Views(
                delta * free for delta, free in zip(raw, raw.like(budget.mask.to(raw[0])[None]), strict=True)
            )
        return (
            [delta.clamp(-float(budget.epsilon), float(budget.epsilon)) for delta in raw]
            if self.constraint == "clamp"
            else list(raw)
        )

    def _size(self, deltas: list[Tensor]) -> Tensor:
        flat = [delta.flatten(1) for delta in deltas]
        if self.constraint == "clamp":
            return torch.stack([(delta.square().sum(1) + 1e-12).sqrt().mean() for delta in flat]).sum()
        return torch.stack([F.relu(delta.square().sum(1) - self.squared).mean() for delta in flat]).sum()

    def _fooled(self, answers: Tensor) -> Tensor:
        """What generators make small: (D − 1)² of their samples, or log(1 − D) as the paper prints it, mean
        over samples and views.
        """
        return (
            self._against(answers, 1)
            if self.gan == "least_squares"
            else (1 - answers).clamp_min(1e-6).log().mean()
        )

    def _against(self, answers: Tensor, wanted: float) -> Tensor:
        target = torch.full_like(answers, wanted)
        return (
            F.mse_loss(answers, target)
            if self.gan == "least_squares"
            else F.binary_cross_entropy(answers, target)
        )


def networks(settings: MvGAN, shapes: Shapes, rng: torch.Generator) -> nn.ModuleList:
    """A generator for each view."""
    return nn.ModuleList(generator(shape, rng, settings.init_sd) for shape in shapes)


class Bound(AttackSettings):
    """A fitted attack: one forward pass, clamped at any ε of the budget and then projected."""

    title: ClassVar[str] = MvGAN.title
    searches: ClassVar[bool] = False

    def __init__(self, generators: nn.Module, clean: Views) -> None:
        super().__init__()
        object.__setattr__(self, "_nets", (generators, clean))

    @torch.no_grad()
    def perturb(
        self,
        x: Tensor,
        objective: Objective,
        budget: Budget,
        rng: torch.Generator,
        start: Tensor | None = None,
    ) -> Iterator[Iterate]:
        """The generators' answer inside the budget: no search, no draw."""
        generators, clean = self._nets  # type: ignore[attr-defined]
        moved = Views(view + net(view) for net, view in zip(generators, clean.like(x), strict=True)).flat()
        moved = budget.project(moved, x)
        yield Iterate(moved, objective(moved), 0)


def _down(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
