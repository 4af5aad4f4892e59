"""What an attack is: settings with `perturb`, a generator of iterates of which the last is the answer."""

from collections.abc import Callable, Generator, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from engine.attacks.budget import NORMS, Budget
from engine.data.views import AtRest, Shapes, Views
from engine.device import How
from engine.errors import SettingsError
from engine.events import Event
from engine.models.protocols import Qualifier, plain
from engine.nets.mine import Compression
from engine.objectives.protocols import LatentObjective, Objective, ObjectiveSettings
from engine.settings import Settings

SCORE = "score"
"""The trace by which an attack's own answers are ranked, where that is not the objective: of the best up to
an iterate; −inf: there is none yet, or the iterate is a start, which is no answer.
"""
SMALL_START = 0.01
"""Share of ε by which an attack leaves a clean point where the objective is stationary."""


class Iterate(NamedTuple):
    """One point of an attack's path: rows x (n, d), the objective's values (n,), and how many steps
    it took, those that were skipped included. `traces` are what else moves along, by the names that the
    attack declares: (n,) each.
    """

    x: Tensor
    value: Tensor
    step: int
    traces: Mapping[str, Tensor] = MappingProxyType({})


class AttackSettings(Settings):
    """The base of every attack. The caller judges the answer; no attack says of itself that it succeeded."""

    kind: ClassVar[str] = "attack"
    space: ClassVar[str] = "pixels"
    """What it moves: "pixels" or "embedding"."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Abilities of the model, by their names in `engine.models.protocols`, beside those of the objective."""
    axes: ClassVar[tuple[str, ...]] = ("epsilon", "path", "lambda")
    """Along what it can be followed: the size ε, its own path over T, the weight λ on keeping the
    reconstruction, the weight ν that takes the place of ε in the embedding, or `variants` of its own.
    """
    traces: ClassVar[Mapping[str, str]] = {}
    """What its iterates trace beside their values: symbol -> what it is."""
    fitted: ClassVar[bool] = False
    """Whether it must be fitted to model and data first, in a run of its own."""
    searches: ClassVar[bool] = True
    """Whether its answer is chosen by the objective; a control is not."""
    needs_mark: ClassVar[bool] = False
    """Whether it chases only objectives that say when they are met (`reached_above`); a sum does not."""
    only_for: ClassVar[tuple[str, ...]] = ()
    """The objectives that it can chase, by their names, alone and unweighted; none: any."""
    norms: ClassVar[tuple[str, ...]] = NORMS
    """The norms of the budgets that it can move in."""
    qualifiers: ClassVar[tuple[Qualifier, ...]] = ()
    """What is added to its title where settings make it another attack."""
    needs_room: ClassVar[bool] = False
    """Whether ε = 0 alone is no question to it, for it takes the clean sample for no answer."""
    fills: ClassVar[bool] = True
    """Whether it uses its budget up; the control of one that does not is noise as long as its δ, in L2."""
    slow: ClassVar[bool] = False
    """Whether a ladder of one sample takes it minutes where others take seconds, which pages say."""
    fits: ClassVar[Mapping[str, str]] = {}
    """Name of a data set -> the preset that is meant for it."""

    @property
    def iterates(self) -> int:
        """How many iterates `perturb` yields, for progress bars."""
        return 1

    def iterates_for(self, objective: Objective) -> int:
        """The same for a bound objective: the last iterate's `step` is one less, those skipped count too."""
        return self.iterates

    def at_once(self, x: Tensor, objective: Objective) -> int | None:
        """How many samples like x (n, d), to which the objective is bound, fit into memory at a time; None:
        any number.
        """
        return None

    def variants(self, axis: str) -> Mapping[float, "AttackSettings"]:
        """The same attack at every level of an axis of its own: level -> settings."""
        raise NotImplementedError

    def in_one(self, axis: str, n: int) -> "AttackSettings | None":
        """One attack that does what all those variants do, on the rows of n samples, each repeated as often
        as there are levels; None where they must be launched one by one.
        """
        return None

    def check(self, objective: ObjectiveSettings) -> None:
        """Raises SettingsError where it cannot look for what this objective wants."""
        if self.only_for and objective.name not in self.only_for:
            raise SettingsError(
                f"{self.name} can only chase {' or '.join(self.only_for)}; got {objective.name}. Choose that"
                " objective without a penalty, or another attack."
            )

    @property
    def chases(self) -> Literal["value", "success", "likeness"]:
        """What its answer has most of: of the objective's value; of success, however near; or, among
        successes, of something else, so that no failure of it says anything of the model.
        """
        return "value"

    @property
    def stops(self) -> bool:
        """Whether it leaves a sample where the objective wants it, so that values beyond say nothing."""
        return False

    @property
    def compression(self) -> Compression | None:
        """How the likeness of its answers and their originals is scored; None: it is not."""
        return None

    def perturb(
        self,
        x: Tensor,
        objective: Objective,
        budget: Budget,
        rng: torch.Generator,
        start: Tensor | None = None,
    ) -> Iterator[Iterate]:
        """Move the rows x (n, d) inside the budget so that the objective grows; `start` replaces the attack's
        own start.
        """
        raise NotImplementedError

    def fitting_half(self, half: str) -> str:
        """For fitted attacks: which half of the data they are fitted on, where samples of `half` are
        attacked.
        """
        return half

    def fit(
        self,
        model: nn.Module,
        bind: Callable[[Views], Objective],
        data: AtRest,
        budget: Budget,
        rng: torch.Generator,
        how: How,
    ) -> Generator[tuple[Event, nn.Module], None, nn.Module]:
        """For fitted attacks: fit to a model and unlabelled data; yields Progress, and Evaluate after an
        epoch, each with the networks as they are; returns them fitted.
        """
        raise NotImplementedError

    def restored(self, weights: Mapping[str, Tensor], shapes: Shapes) -> nn.Module:
        """For fitted attacks: the networks that `fit` returned, for views of these shapes, from their
        weights.
        """
        raise NotImplementedError

    def bound(self, fitted: nn.Module, clean: Views) -> "AttackSettings":
        """For fitted attacks: the attack whose `perturb` is one forward pass, on samples shaped as
        `clean`.
        """
        raise NotImplementedError

    @classmethod
    def describe_more(cls) -> dict[str, Any]:
        """What an attack adds to its catalogue entry."""
        return {
            "space": cls.space,
            "needs": list(cls.needs),
            "axes": list(cls.axes),
            "fitted": cls.fitted,
            "lane": "train" if cls.fitted else "",  # networks are trained first
            "searches": cls.searches,
            "needs_mark": cls.needs_mark,
            "only_for": list(cls.only_for),
            "norms": list(cls.norms),
            "qualifiers": plain(cls.qualifiers),
            "slow": cls.slow,
            "fits": dict(cls.fits),
        }


@runtime_checkable
class PerSample(Protocol):
    """An attack on the embedding that can find δ for every sample by itself, with nothing fitted."""

    def per_sample(self, objective: LatentObjective) -> Iterator[Iterate]:
        """Move the embeddings (n, m) that the objective is bound to, each by itself."""
        ...

    def per_sample_in_words(self) -> str:
        """How δ is found so: "200 steps of Adam"."""
        ...


def answer(iterates: Iterator[Iterate]) -> Iterate:
    """The last iterate: what the attack answers."""
    last = None
    for last in iterates:  # noqa: B007
        pass
    assert last is not None, "an attack yields at least one iterate"
    return last


def value_and_gradient(objective: Objective, x: Tensor) -> tuple[Tensor, Tensor]:
    """The objective's values (n,) and its gradient by x (n, d), in the objective's arithmetic, as float32."""
    with torch.enable_grad(), objective.arithmetic():
        x = x.detach().requires_grad_(True)
        value = objective(x)
        (gradient,) = torch.autograd.grad(value, x, torch.ones_like(value))
    return value.detach(), gradient


def value_only(objective: Objective, x: Tensor) -> Tensor:
    """The objective's values (n,) without a graph, in float32."""
    with torch.no_grad():
        return objective(x)
