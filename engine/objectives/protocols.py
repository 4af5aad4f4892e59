"""What an objective is: a function x' (n, d) -> (n,) to be made large, bound to a model and the clean
samples.

Threats to unsupervised models differ in what is to be made large; attack x objective x budget x model
multiply.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from engine.data.views import Shapes, Views
from engine.device import How
from engine.errors import DataError, SettingsError
from engine.models.outputs import Outputs, outputs
from engine.models.protocols import Classifies, Convolves, check_abilities
from engine.settings import Settings

Measure = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Objective:
    """A bound objective: flat rows (n, d), one for each clean sample it was bound to, -> values (n,),
    float32.

    `stationary_at_clean` says that its gradient vanishes at δ = 0, so that an attack must start beside the
    clean point. `how` is the arithmetic in which an attack may take gradients (None: float32); asked for its
    values, it answers in float32 always. A sample whose value is above `reached_above` is where the objective
    wants it (None: no value says so).
    """

    measure: Measure
    stationary_at_clean: bool = False
    how: How | None = None
    reached_above: float | None = None
    bind_rows: Callable[[Tensor], "Objective"] | None = None
    """The objective bound to some of the clean samples alone, by their rows (m,)."""
    reached: Callable[[Tensor], Tensor | None] | None = None
    """Whether rows (n, d) are where the objective wants them, by what the model says of them in float32: (n,)
    bool; None where there is no such notion.
    """
    alternatives: Callable[[int | None], Sequence["Objective"]] | None = None
    """Further functions that chase the same success, towards at most so many targets (None: all)."""
    penalised: bool = False
    """Whether something is subtracted, so that the best point need not be one that is reached."""
    maps: Callable[[Tensor], Tensor] | None = None
    """The maps of the model's first convolution for rows (n, d): (n, K, h, w); None where it has none."""
    shapes: Shapes | None = None
    """The shapes of a sample's views; None where nobody says so."""
    met_at_mark: bool = False
    """Whether a sample whose value is exactly `reached_above`, and that moved, is there too."""
    logits: Callable[[Tensor], Tensor] | None = None
    """The class logits of rows (n, d), in float32: (n, c); None where the model does not classify."""
    labels: Tensor | None = None
    """The samples' labels (n,); None where the objective is not about labels."""

    @property
    def is_exact(self) -> bool:
        """Whether values that come with gradients are those of float32."""
        return self.how is None or self.how.precision == "float32"

    def arithmetic(self) -> AbstractContextManager[Any]:
        """The context in which an attack takes gradients."""
        return nullcontext() if self.how is None else self.how.autocast()

    def rows(self, index: Tensor) -> "Objective":
        """The same for the clean samples at `index` (m,) alone: what is asked of fewer rows costs less."""
        assert self.bind_rows is not None, "whoever binds an objective with `reached_above` says how"
        return replace(self.bind_rows(index), how=self.how)

    def others(self, targets: int | None) -> list["Objective"]:
        """Further functions that chase the same success, in the same arithmetic; the nearest targets
        first.
        """
        found = () if self.alternatives is None else self.alternatives(targets)
        return [replace(other, how=self.how) for other in found]

    def __call__(self, flat: Tensor) -> Tensor:
        return self.measure(flat)


@dataclass(frozen=True, kw_only=True)
class LatentObjective(Objective):
    """A bound objective on the embedding: its rows are embeddings (n, m), one for each clean sample it was
    bound to.

    `z` (n, m) are the clean ones and `spread` (n, m) how widely training draws them; `drawn(rows, eta)` is
    the objective where clean and moved embedding carry the same draw eta (n, m), `measure` that without one.
    """

    z: Tensor
    spread: Tensor
    drawn: Callable[[Tensor, Tensor], Tensor]


def added(parts: Sequence[tuple[float | Tensor, Objective]]) -> Objective:
    """The weighted sum of objectives bound to the same samples; a weight is a number, or one a row (n,).

    It is reached where every part of positive weight is, and what chases a part's success does so in the sum.
    """
    wanted = [part for weight, part in parts if not isinstance(weight, Tensor) and weight > 0]

    def rows(index: Tensor) -> Objective:
        cut = [weight[index] if isinstance(weight, Tensor) else weight for weight, _ in parts]
        return added([(weight, part.rows(index)) for weight, (_, part) in zip(cut, parts, strict=True)])

    def reached(flat: Tensor) -> Tensor | None:
        found = [part.reached(flat) for part in wanted if part.reached is not None]
        known = [there for there in found if there is not None]
        return torch.stack(known).all(dim=0) if known else None

    def alternatives(targets: int | None) -> list[Objective]:
        return [
            added([(weight, other if part is aim else part) for weight, part in parts])
            for aim in wanted
            for other in aim.others(targets)
        ]

    return Objective(
        lambda flat: functools.reduce(torch.add, (weight * part(flat) for weight, part in parts)),
        all(part.stationary_at_clean for _, part in parts),
        bind_rows=rows,
        reached=reached,
        alternatives=alternatives,
        penalised=any(isinstance(weight, Tensor) or weight < 0 for weight, _ in parts),
        shapes=parts[0][1].shapes,
    )


def on_embedding(objective: Objective) -> LatentObjective:
    """The objective, known to be one on the embedding. Raises SettingsError where it is about pixels."""
    if isinstance(objective, LatentObjective):
        return objective
    raise SettingsError(
        "An attack on the embedding needs an objective on the embedding; got one about pixels. Choose"
        " flip_and_keep."
    )


@runtime_checkable
class OverWeight(Protocol):
    """An objective on the embedding in which one weight, ν, trades its goal against its price."""

    def weight_of(self, size: int) -> float:
        """ν for samples of `size` numbers."""
        ...

    def over_weight(self, model: nn.Module, clean: Views, nu: float | Tensor) -> LatentObjective:
        """The objective for these clean samples with this ν, or with one for each sample (n,)."""
        ...


class ObjectiveSettings(Settings):
    """The base of every objective: which abilities it needs and how it binds."""

    kind: ClassVar[str] = "objective"
    needs: ClassVar[tuple[str, ...]] = ()
    """Abilities of the model, by their names in `engine.models.protocols`."""
    needs_labels: ClassVar[bool] = False
    """Whether it is about the samples' labels: `measure_labelled` is then asked in place of `measure`."""
    stationary_at_clean: ClassVar[bool] = False
    reached_above: ClassVar[float | None] = None
    """The value above which `reached` is true, so that an attack may stop there; None: no value says so."""
    met_at_mark: ClassVar[bool] = False
    """Whether it is true of a moved sample at exactly that value, too."""
    targeted: ClassVar[bool] = False
    """Whether it names a cluster to reach."""
    space: ClassVar[str] = "pixels"
    """What its rows are: "pixels" or "embedding", and so which attacks can make it large."""
    success: ClassVar[str] = ""
    """What a sample does that it reached, as in "it leaves {own}"; pages put the names of its own and of the
    target group in place of {own} and {target}. Empty where `reached` has no such notion.
    """
    effect: ClassVar[str] = "reaches a value of {value}"
    """What an attack does by its value, as in "it moves the embedding by {value}"."""

    def bind(self, model: nn.Module, clean: Views, labels: Tensor | None = None) -> Objective:
        """The objective for these clean samples; `labels` (n,) are looked at only where it needs them.

        Raises AbilityError where the model lacks what it needs, DataError where the labels are missing.
        """
        check_abilities(model, self.needs, self.name)
        if not self.needs_labels:
            measure = self.measure(model, clean)
        elif labels is not None:
            measure = self.measure_labelled(model, clean, labels)
        else:
            raise DataError(f"{self.name} needs the samples' labels; got none. Choose data that have labels.")

        def bind_rows(index: Tensor) -> Objective:
            return self.bind(model, clean.rows(index), None if labels is None else labels[index])

        def alternatives(targets: int | None) -> list[Objective]:
            others = self.alternatives(model, clean, targets)
            return [other.bind(model, clean, labels) for other in others]

        return Objective(
            measure,
            self.stationary_at_clean,
            reached_above=self.reached_above,
            bind_rows=bind_rows,
            reached=self._judging(model, clean, labels),
            alternatives=alternatives,
            maps=(lambda flat: model.maps(clean.like(flat))) if isinstance(model, Convolves) else None,
            shapes=clean.shapes,
            met_at_mark=self.met_at_mark,
            logits=(lambda flat: model.logits(clean.like(flat)).float())
            if isinstance(model, Classifies)
            else None,
            labels=labels if self.needs_labels else None,
        )

    def _judging(
        self, model: nn.Module, clean: Views, labels: Tensor | None
    ) -> Callable[[Tensor], Tensor | None] | None:
        """`reached` of attacked rows (n, d); the clean samples are asked about when it is first called."""
        if type(self).reached is ObjectiveSettings.reached:
            return None
        before = functools.cache(lambda: self.look(model, clean, labels))
        return lambda flat: self.reached(before(), self.look(model, clean.like(flat), labels))

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The function x' (n, d) -> (n,), with whatever it needs of the clean samples already computed."""
        raise NotImplementedError

    def measure_labelled(self, model: nn.Module, clean: Views, labels: Tensor) -> Measure:
        """The same, for an objective that needs the labels (n,)."""
        raise NotImplementedError

    def look(self, model: nn.Module, views: Views, labels: Tensor | None = None) -> Outputs:
        """What the model says of samples, with all that `reached` needs of them."""
        return replace(outputs(model, views, labels), **self.more_of(model, views))

    def more_of(self, model: nn.Module, views: Views) -> dict[str, Tensor]:
        """What `reached` needs of samples beside what every model is asked: fields of `Outputs`."""
        return {}

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """Whether each sample is where the objective wants it: (n,) bool; None where it has no such notion.

        `before` is what the model says of the clean samples, `after` of the attacked ones.
        """
        return None

    def counted(self, before: Outputs) -> Tensor | None:
        """Samples that could still be reached: (n,) bool; None where there is nothing to reach."""
        there = self.reached(before, before)
        return None if there is None else ~there

    def alternatives(
        self, model: nn.Module, clean: Views, targets: int | None
    ) -> Iterator["ObjectiveSettings"]:
        """Further objectives that bring the samples to where this one wants them, for an attack that tries
        several; where they go to a target, at most so many of the nearest (None: all).
        """
        return iter(())

    def without_penalties(self) -> "ObjectiveSettings":
        """What is wanted, whatever it costs: itself, where nothing is subtracted."""
        return self

    def every_need(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Who needs which abilities of the model: itself, or its parts, by name."""
        yield self.name, self.needs

    def asks_labels(self) -> bool:
        """Whether binding it needs labels: its own need, or that of a part."""
        return self.needs_labels

    @classmethod
    def describe_more(cls) -> dict[str, Any]:
        """What an objective adds to its catalogue entry."""
        return {
            "needs": list(cls.needs),
            "needs_labels": cls.needs_labels,
            "stationary_at_clean": cls.stationary_at_clean,
            "targeted": cls.targeted,
            "space": cls.space,
            "has_goal": cls.reached is not ObjectiveSettings.reached,
            "has_mark": cls.reached_above is not None,
            "success": cls.success,
            "effect": cls.effect,
        }


def cluster_changed(before: Outputs, after: Outputs) -> Tensor | None:
    """Whether each sample's cluster is another one than before: (n,) bool; None without clusters."""
    if before.cluster is None or after.cluster is None:
        return None
    return before.cluster != after.cluster
