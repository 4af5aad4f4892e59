"""A chosen attack as a value: its question, its run, its command."""

from dataclasses import dataclass, field
from typing import Any

from engine.asking import legacy as answers

SPAN = {"linf": 1.0, "l2": 10.0}


PRESETS = {"Invisible": 0.03, "Visible": 0.1, "Strong": 0.3}
"""L∞ sizes that people can judge by eye; L2 sizes are ten times as large."""


NORMS = {"linf": "L∞", "l2": "L2"}


@dataclass(frozen=True)
class Threat:
    """A chosen attack: how, what for, and how large."""

    attack: str = "pgd"
    settings: dict[str, Any] = field(default_factory=dict)
    objective: str = "leave_cluster"
    objective_settings: dict[str, Any] = field(default_factory=dict)
    lam: float = 0.0
    norm: str = "linf"
    epsilon: float = 0.1
    seed: int = 0
    unseen: bool = False
    """Whether only the half of the data is attacked on which multi-view models are not trained."""

    def question(self, model: str, sample: int, axis: str = "epsilon", **changes: Any) -> dict[str, Any]:
        """The question of this threat's ladder for one sample."""
        at = None if axis == "epsilon" else self.epsilon
        asked: dict[str, Any] = {
            "attack": self.attack,
            "settings": self.settings,
            "objective": self.objective,
            "objective_settings": self.objective_settings,
            "lam": 0.0 if axis == "lambda" else self.lam,
            "norm": self.norm,
            "axis": axis,
            "seed": self.seed,
            "epsilon": at,
        }
        return answers.ladder_question(model, sample, **(asked | changes))

    def changes(self) -> dict[str, Any]:
        """The fields of an attack run."""
        return {
            "attack_settings": self.settings,
            "objective": self.objective,
            "objective_settings": self.objective_settings,
            "lam": self.lam,
            "norm": self.norm,
            "epsilon": self.epsilon,
        }

    def command(self, model: str) -> str:
        """The same threat on the command line."""
        flags = [
            f"--objective {self.objective}",
            f"--epsilon {self.epsilon:g}",
            f"--norm {self.norm}",
            f"--seed {self.seed}",
        ]
        flags += [f"--lam {self.lam:g}"] * bool(self.lam) + [
            f"--{name} {value}" for name, value in self.objective_settings.items()
        ]
        flags += [f"--{name} {value}" for name, value in self.settings.items()]
        return f"python3 -m engine attack {self.attack} --model {model} " + " ".join(flags)
