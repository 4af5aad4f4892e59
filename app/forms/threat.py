"""A chosen attack as a value: what it is asked as, run as, and called."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.words import N_
from engine.asking.questions import (
    OWN,
    TOP,
    AttackChoice,
    Axis,
    LadderQuestion,
    Norm,
    ObjectiveChoice,
    OwnPicture,
)
from engine.store.run import Run
from engine.store.wanted import Wanted

NORMS: dict[Norm, str] = {"linf": "L∞", "l2": "L2"}
JUDGED_BY_EYE = {N_("Invisible"): 0.1, N_("Visible"): 1 / 3, N_("Strong"): 1.0}
"""Sizes that people can judge by eye, as shares of the usual ladder's largest ε."""


def largest(norm: str) -> float:
    """The largest ε that a form offers: 1 for L∞, which is the whole box."""
    return round(TOP[norm] / TOP["linf"], 6)


def sizes(norm: str) -> dict[str, float]:
    """Sizes that people can judge by eye, by what they look like."""
    return {name: round(share * TOP[norm], 6) for name, share in JUDGED_BY_EYE.items()}


def of_sample(sample: int | OwnPicture) -> dict[str, Any]:
    """The fields by which a question names a sample of the data, or a picture of one's own."""
    return {"sample": sample} if isinstance(sample, int) else {"sample": OWN, "own": sample}


@dataclass(frozen=True)
class Threat:
    """A chosen attack: how, what for, how large, and which views and places it may not touch.

    `fitted` is the key of the run in which an attack that needs it was fitted to the model.
    """

    attack: str = "pgd"
    settings: Mapping[str, Any] = field(default_factory=dict)
    objective: str = "leave_cluster"
    objective_settings: Mapping[str, Any] = field(default_factory=dict)
    lam: float = 0.0
    norm: Norm = "linf"
    epsilon: float = 0.1
    seed: int = 0
    locked: tuple[int, ...] = ()
    fixed: str = ""
    fitted: str = ""

    @property
    def attack_choice(self) -> AttackChoice:
        """The attack, as questions name it."""
        fitted = (self.fitted,) if self.fitted else ()
        return AttackChoice(name=self.attack, settings=dict(self.settings), fitted=fitted)

    @property
    def objective_choice(self) -> ObjectiveChoice:
        """The objective, as questions name it."""
        return ObjectiveChoice(name=self.objective, settings=dict(self.objective_settings), lam=self.lam)

    @property
    def target(self) -> int | None:
        """The group to reach, where the objective names one."""
        target = self.objective_settings.get("cluster")
        return None if target is None else int(target)

    def axis(self, name: str) -> Axis:
        """The levels of its ladder: over ε, over the path, over λ or over K at its ε."""
        if name == "path":
            return Axis.of_path(self.epsilon)
        if name == "lambda":
            return Axis.of_lambda(self.epsilon)
        if name == "compressed":
            return Axis.of_compressed(self.epsilon)
        return Axis.of_epsilon(self.norm, self.epsilon)

    def ladder(self, model: str, sample: int | OwnPicture, axis: str | Axis = "epsilon") -> LadderQuestion:
        """The question of its ladder for one sample, or a picture of one's own. A ladder over λ takes no λ of
        its own.
        """
        levels = axis if isinstance(axis, Axis) else self.axis(axis)
        wanted = self.objective_choice
        if levels.name == "lambda":
            wanted = wanted.model_copy(update={"lam": 0.0})
        return LadderQuestion(
            model=model,
            **of_sample(sample),
            attack=self.attack_choice,
            objective=wanted,
            norm=self.norm,
            axis=levels,
            locked=self.locked,
            fixed=self.fixed,
            seed=self.seed,
        )

    def changes(self) -> dict[str, Any]:
        """What a run of it differs in from the defaults of its action: the attack's own fields among them."""
        wanted: dict[str, Any] = {"objective": self.objective, "norm": self.norm, "epsilon": self.epsilon}
        if self.target is not None:
            wanted["cluster"] = self.target
        elif self.objective_settings:
            wanted["objective_settings"] = dict(self.objective_settings)
        if self.lam:
            wanted["lam"] = self.lam
        if self.locked:
            wanted["locked"] = list(self.locked)
        if self.fixed:
            wanted["fixed"] = self.fixed
        return wanted | dict(self.settings)

    def wanted(self, model: Run, action: str = "attack", **changes: Any) -> Wanted:
        """The run of it on many samples. `changes` go to the action: how many samples, or the values of a
        sweep; one that is None is left out.
        """
        every = {name: value for name, value in (self.changes() | changes).items() if value is not None}
        models = {"model": model.key} | ({"fitted": self.fitted} if self.fitted else {})
        return Wanted(action, self.attack, model.spec.data, self.seed, changes=every, models=models)
