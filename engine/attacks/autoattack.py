"""`autoattack`: four attacks in turn on the samples that are still classified correctly; one is enough.

    APGD-CE, APGD-T (targeted difference of logits ratio), FAB-T (smallest distance), Square (no gradients)

A sample is robust only where all of them fail. The standard ensemble, whose accuracy papers call AA, is the
default; with fewer steps, targets, queries or attacks it is called AA-lite. The four are those of the package
torchattacks, whose own `AutoAttack` gives APGD and FAB 10 steps where the standard says 100: here the
settings say how many. Source: Croce and Hein, "Reliable evaluation of adversarial robustness with an ensemble
of diverse parameter-free attacks", ICML 2020, arXiv:2003.01690; Kim, "Torchattacks", 2020, arXiv:2010.01950.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import model_validator
from torch import Tensor, nn

from engine.attacks.budget import Budget
from engine.attacks.own_draws import forked
from engine.attacks.protocols import AttackSettings, Iterate, answer, value_only
from engine.errors import BudgetError, DataError, SettingsError
from engine.models.protocols import Qualifier
from engine.objectives.protocols import Objective
from engine.registry import register
from engine.settings import knob

PARTS = {"apgd_ce": "APGD-CE", "apgd_t": "APGD-T", "fab_t": "FAB-T", "square": "Square"}
"""The standard ensemble, in its order, by the settings that switch its parts on."""
LITE = ("steps", "targets", "queries", *PARTS)
FEWEST = 4
"""Classes that the ratio of the targeted loss is made of."""


@register
class AutoAttack(AttackSettings):
    """The ensemble; the settings' upper limits are the standard."""

    name: ClassVar[str] = "autoattack"
    title: ClassVar[str] = "AutoAttack"
    summary: ClassVar[str] = (
        "Four attacks in turn, three by gradients and one without; a sample is robust only where all fail."
    )
    source: ClassVar[str] = "Croce and Hein, ICML 2020, arXiv:2003.01690; torchattacks 3.3.0"
    equation: ClassVar[str] = (
        r"x' = \text{the first of } \mathrm{APGD_{CE}}, \mathrm{APGD_T}, \mathrm{FAB_T}, \mathrm{Square}"
        r"\text{ that is misclassified}"
    )
    needs: ClassVar[tuple[str, ...]] = ("classifies",)
    axes: ClassVar[tuple[str, ...]] = ("epsilon",)
    only_for: ClassVar[tuple[str, ...]] = ("misclassify",)
    norms: ClassVar[tuple[str, ...]] = ("linf",)
    slow: ClassVar[bool] = True
    qualifiers: ClassVar[tuple[Qualifier, ...]] = tuple(Qualifier(name, " (AA-lite)") for name in LITE)
    presets = {"standard": {}, "lite": {"steps": 25, "targets": 3, "queries": 200, "fab_t": False}}

    steps: int = knob(100, "Steps", "Of APGD and of FAB, for each target.", symbol="T", ge=1, le=100)
    targets: int = knob(
        9, "Targets", "So many wrong classes at most, the likeliest; of APGD-T and FAB-T.", ge=1, le=9
    )
    queries: int = knob(5000, "Queries", "Of Square, for each sample.", ge=1, le=5000, log=True)
    apgd_ce: bool = knob(True, "APGD-CE", "Gradient steps of adapted size on the cross-entropy.")
    apgd_t: bool = knob(True, "APGD-T", "The same towards wrong classes; needs at least 4 classes.")
    fab_t: bool = knob(True, "FAB-T", "The nearest misclassified point, towards wrong classes.")
    square: bool = knob(True, "Square", "Random squares, without gradients.")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.parts:
            raise SettingsError(
                "autoattack needs at least one of its attacks; got none. Switch on apgd_ce, apgd_t, fab_t or"
                " square."
            )
        return self

    @property
    def parts(self) -> list[str]:
        """The attacks that are switched on, in order."""
        return [name for name in PARTS if getattr(self, name)]

    @property
    def is_standard(self) -> bool:
        """Whether its accuracy is what papers call AA, on as many samples as they take."""
        return self == AutoAttack()

    @property
    def iterates(self) -> int:
        """One for each of its attacks."""
        return len(self.parts)

    @property
    def stops(self) -> bool:
        """Yes: a sample that one attack has fooled is left alone by the next."""
        return True

    @property
    def chases(self) -> Literal["success"]:
        """Success: where all fail, the sample itself is the answer."""
        return "success"

    def in_words(self, fields: Collection[str] | None = None) -> str:
        """What its accuracy may be called, and, unless there are no `fields` to be said, what it is made
        of.
        """
        if self.is_standard:
            return self.title
        if fields is not None and not fields:
            return f"{self.title} (AA-lite)"
        parts = ", ".join(PARTS[name] for name in self.parts)
        return f"AA-lite ({parts}; T = {self.steps}, {self.targets} targets, {self.queries} queries)"

    def perturb(
        self,
        x: Tensor,
        objective: Objective,
        budget: Budget,
        rng: torch.Generator,
        start: Tensor | None = None,
    ) -> Iterator[Iterate]:
        """The rows after each attack: misclassified points where one was found, the rows themselves (or
        `start`) elsewhere. Raises SettingsError, BudgetError or DataError for what it cannot attack.
        """
        shape = self._attackable(x, objective, budget)
        if budget.shared > 1:
            yield self._climbed(x, objective, budget, rng, start)
            return
        best = x if start is None else budget.project(start, x)
        value, radius = value_only(objective, best), budget.radius(x).expand(len(x), 1)[:, 0]
        seed = int(torch.randint(2**31 - 1, (1,), generator=rng, device=rng.device))
        for step, part in enumerate(self.parts):
            left = (value <= 0) & (radius > 0)
            for epsilon in radius[left].unique().tolist():
                rows = (left & (radius == epsilon)).nonzero()[:, 0]
                moved = self._moved(part, x[rows].reshape(-1, *shape), objective.rows(rows), epsilon, seed)
                moved = budget.rows(rows).project(moved.flatten(1), x[rows])
                found = value_only(objective.rows(rows), moved)
                there = rows[found > 0]
                best, value = best.index_copy(0, there, moved[found > 0]), value.clone()
                value[there] = found[found > 0]
            yield Iterate(best, value, step)

    def _climbed(
        self, x: Tensor, objective: Objective, budget: Budget, rng: torch.Generator, start: Tensor | None
    ) -> Iterate:
        """The answers at the rising levels of a ladder, `budget.shared` rows a sample. What is misclassified
        at a level is so at all above, and the first such level is found by halving: 7 levels are attacked
        where 65 are asked for.
        """
        rows = torch.arange(len(x), device=x.device).reshape(-1, budget.shared)  # (n, L)
        low, high, best = torch.zeros_like(rows[:, 0]), torch.full_like(rows[:, 0], budget.shared), x.clone()
        while bool((left := low < high).any()):
            sample, middle = left.nonzero()[:, 0], (low + high) // 2
            at = rows[sample, middle[sample]]
            begun = None if start is None else start[at]
            found = answer(self.perturb(x[at], objective.rows(at), budget.rows(at), forked(rng), begun))
            fell = found.value > 0
            for one, level, point in zip(sample[fell], middle[sample[fell]], found.x[fell], strict=True):
                best[rows[one, level:]] = point
            high[sample[fell]], low[sample[~fell]] = middle[sample[fell]], middle[sample[~fell]] + 1
        return Iterate(best, value_only(objective, best), self.iterates - 1)

    def _moved(self, part: str, images: Tensor, objective: Objective, epsilon: float, seed: int) -> Tensor:
        """What one attack makes of images (n, C, H, W) that are all classified correctly."""
        assert objective.logits is not None and objective.labels is not None
        with undisturbed(images.device):
            model = _Logits(objective.logits, images.device)
            with torch.no_grad():
                classes = model(images[:1]).shape[1]
            moved: Tensor = self._library(part, model, classes, epsilon, seed)(images, objective.labels)
        return moved.detach()

    def _library(self, part: str, model: nn.Module, classes: int, epsilon: float, seed: int) -> Any:
        """One attack of the library, which is imported when it is first needed."""
        import torchattacks

        common: dict[str, Any] = {"norm": "Linf", "eps": epsilon, "seed": seed, "n_restarts": 1}
        several = {"steps": self.steps, "n_classes": min(self.targets + 1, classes)}
        match part:
            case "apgd_ce":
                return torchattacks.APGD(model, steps=self.steps, loss="ce", **common)
            case "apgd_t":
                return torchattacks.APGDT(model, **several, **common)
            case "fab_t":
                return torchattacks.FAB(model, multi_targeted=True, **several, **common)
        return torchattacks.Square(model, n_queries=self.queries, **common)

    def _attackable(self, x: Tensor, objective: Objective, budget: Budget) -> tuple[int, ...]:
        """The shape of a sample. Raises SettingsError, BudgetError or DataError where there is none."""
        if objective.logits is None or objective.labels is None:
            raise SettingsError(
                "autoattack looks for wrong classes alone; got another objective. Choose misclassify."
            )
        if budget.norm != "linf" or budget.mask is not None or (budget.low, budget.high) != (0.0, 1.0):
            raise BudgetError(
                f"autoattack moves whole samples in L∞, inside [0, 1]; got the norm {budget.norm}"
                f"{' and a lock' if budget.mask is not None else ''}. Choose norm linf without locks, or pgd."
            )
        shapes = objective.shapes or ()
        if len(shapes) != 1 or len(shapes[0]) != 3:
            raise DataError(
                "autoattack moves squares of pictures of one view; these samples have"
                f" {len(shapes)} views of shapes {', '.join(str(tuple(shape)) for shape in shapes)}. Choose"
                " pgd or strongest."
            )
        with torch.no_grad():
            classes = objective.logits(x[:1]).shape[1]
        if self.apgd_t and classes < FEWEST:
            raise SettingsError(
                f"autoattack needs at least {FEWEST} classes, which its targeted loss compares; this model"
                f" has {classes}. Leave APGD-T out (apgd_t = false)."
            )
        return tuple(shapes[0])


class _Logits(nn.Module):
    """The classifier as the library asks it: images (n, C, H, W) -> logits (n, c), in float32."""

    def __init__(self, logits: Callable[[Tensor], Tensor], device: torch.device) -> None:
        super().__init__()
        self.logits = logits
        self.place = nn.Parameter(torch.zeros((), device=device), requires_grad=False)  # where it computes

    def forward(self, images: Tensor) -> Tensor:
        return self.logits(images.flatten(1))


def undisturbed(device: torch.device) -> AbstractContextManager[None]:
    """A context that leaves the global generators, which the library seeds, as they were."""
    return torch.random.fork_rng([device] if device.type == "cuda" else [])
