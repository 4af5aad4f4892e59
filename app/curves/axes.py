"""Along what a sweep may go: the size ε, or the weight λ on keeping the reconstruction."""

from dataclasses import dataclass

from app.forms import possible
from app.forms.choose_model import Victim
from app.forms.threat import largest
from app.words import _
from engine.asking.questions import LAMBDA_TOP, Norm
from engine.store.spec import Spec


@dataclass(frozen=True)
class SweepAxis:
    """An axis of a sweep: its name in links, its symbol, its column in a table of cells, and the field of the
    sweep's settings that holds its values.
    """

    name: str
    symbol: str
    column: str
    field: str

    @property
    def along(self) -> str:
        """How it is called in a sentence."""
        return _("along {symbol}").format(symbol=self.symbol)

    @property
    def other(self) -> "SweepAxis":
        """The axis on which a sweep along this one usually has a single value."""
        return LAMBDA if self is EPSILON else EPSILON

    def top(self, norm: Norm) -> float:
        """The largest value that a form offers."""
        return LAMBDA_TOP if self is LAMBDA else largest(norm)

    def values(self, spec: Spec) -> list[float]:
        """The values that a sweep has on it."""
        return [float(value) for value in spec.settings[self.field]]


EPSILON = SweepAxis("epsilon", "ε", "epsilon", "epsilons")
LAMBDA = SweepAxis("lambda", "λ", "lam", "lams")
AXES = {axis.name: axis for axis in (EPSILON, LAMBDA)}


def of_model(victim: Victim) -> list[str]:
    """The axes along which some attack on a model can be swept."""
    method = victim.run.spec.name
    found = {
        axis
        for objective in possible.objectives(method, victim.labelled)
        for attack in possible.attacks(method, objective, fitted=True)
        for axis in possible.axes(method, attack, objective)
    }
    return [name for name in AXES if name in found]


def of_sweep(spec: Spec) -> list[str]:
    """The axes on which a sweep has several values; ε where it has one value only."""
    return [name for name, axis in AXES.items() if len(axis.values(spec)) > 1] or [EPSILON.name]
