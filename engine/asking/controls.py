"""What stands beside a ladder: one level's controls, and the same sample in other models."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine import device, registry
from engine.asking import keeping
from engine.asking.answers import Control, ControlKind, ControlsAnswer, OtherModel, OtherModelsAnswer
from engine.asking.case import Case
from engine.asking.ladder import ladder
from engine.asking.questions import Axis, ControlsQuestion, LadderQuestion, OtherModelsQuestion
from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings
from engine.attacks.protocols import answer as launched
from engine.data.views import Views
from engine.errors import SettingsError
from engine.metrics.intervals import wilson

DRAWS = 64
"""Noises drawn for one sample's control; half as many other samples lend their perturbation."""
OTHER_LEVELS = 33
"""Levels of a ladder in other models."""


@dataclass(frozen=True)
class Trial:
    """Launches attacks on one sample at one ε and λ, and says which rows reach the objective."""

    case: Case
    epsilon: float
    lam: float
    rng: torch.Generator

    @property
    def budget(self) -> Budget:
        """The ball at ε."""
        return Budget(self.case.norm, self.epsilon, mask=self.case.mask)

    def launch(
        self,
        attack: AttackSettings,
        samples: Views,
        labels: Tensor | None,
        size: float,
        lam: float | None = None,
    ) -> Tensor:
        """Where an attack of this size moves samples: (m, d); under another λ where one is given."""
        wanted = self.case.objective(self.lam if lam is None else lam)
        objective = wanted.bind(self.case.victim.model, samples, labels)
        budget = self.budget.of(size)
        return launched(attack.perturb(samples.flat(), objective, budget, self.rng)).x

    def unlimited(self) -> Tensor:
        """Where the attack moves the sample in the largest ball, without a penalty: (1, d)."""
        size = self.budget.limit(self.case.victim.data.views.size)
        return self.launch(self.case.attack, self.case.clean, self.case.before.labels, size, lam=0.0)

    def own(self, attack: AttackSettings, copies: int = 1) -> Tensor:
        """The same of copies of the sample itself: (copies, d)."""
        samples = self.case.clean.rows(torch.zeros(copies, dtype=torch.long))
        labels = None if self.case.before.labels is None else self.case.before.labels.expand(copies)
        return self.launch(attack, samples, labels, self.epsilon)

    def borrowed(self) -> Tensor:
        """The sample with the perturbations that were made for others: (m, d)."""
        case, victim = self.case, self.case.victim
        drawn = torch.randperm(len(victim.data), generator=self.rng)
        others = drawn[drawn != case.sample][: DRAWS // 2].numpy()
        strangers = victim.rows(others)
        moved = self.launch(case.attack, strangers, victim.labels_of(others), self.epsilon)
        return self.budget.project(case.clean.flat() + moved - strangers.flat(), case.clean.flat())

    def hits(self, x: Tensor) -> np.ndarray:
        """Which rows (m, d) reach the objective: (m,) bool."""
        reached = self.case.reached(self.case.outputs(x))
        assert reached is not None, "asked only where there is something to reach"
        return reached.cpu().numpy()


def controls(question: ControlsQuestion) -> ControlsAnswer:
    """One level of a ladder beside its controls at the same ε, each a share with n: what does *not* need an
    attack?

    Noise of the same size, perturbations made for other samples, FGSM, and an ε without limit. Raises
    SettingsError for a level it lacks.
    """
    asked, level = question.ladder, question.level
    climbed = keeping.kept_or(asked, ladder, device.of_answers)
    if level >= len(climbed.levels):
        raise SettingsError(
            f"The ladder has levels 0 to {len(climbed.levels) - 1}; got {level}. Choose one of them."
        )
    axis, here = asked.axis, climbed.levels[level]
    epsilon = here if axis.name == "epsilon" else float(axis.epsilon or 0)
    if climbed.reached is None:
        return ControlsAnswer(epsilon=epsilon, rows=())
    lam = here if axis.name == "lambda" else asked.objective.lam
    trial = Trial(Case.of(asked), epsilon, lam, torch.Generator().manual_seed(asked.seed))
    return ControlsAnswer(epsilon=epsilon, rows=_rows(trial, climbed.reached[[level]]))


def _rows(trial: Trial, reached: np.ndarray) -> tuple[Control, ...]:
    borrowed = trial.hits(trial.borrowed())
    free = ", λ = 0" if trial.lam else ""
    noise, fgsm, strongest = (registry.find("attack", name)() for name in ("noise", "fgsm", "strongest"))
    best = reached if reached.all() else reached | trial.hits(trial.own(strongest))
    return (
        _control("attack", "this attack", reached),
        _control("strongest", "the strongest attack", best),
        _control("noise", "noise of the same size", trial.hits(trial.own(noise, DRAWS))),
        _control("other_delta", "perturbations of other samples", borrowed),
        _control("fgsm", "FGSM", trial.hits(trial.own(fgsm))),
        _control("unlimited", "this attack, no limit on ε" + free, trial.hits(trial.unlimited())),
    )


def _control(kind: ControlKind, title: str, hits: np.ndarray) -> Control:
    low, high = wilson(int(hits.sum()), len(hits))
    return Control(kind=kind, title=title, reached=int(hits.sum()), n=len(hits), low=low, high=high)


def other_models(question: OtherModelsQuestion) -> OtherModelsAnswer:
    """One sample against several models: its group in each, and the smallest ε that reaches the objective (an
    upper bound).
    """
    return OtherModelsAnswer(
        sample=question.sample,
        norm=question.norm,
        top=question.top,
        rows=tuple(_in_model(question, model) for model in question.models),
    )


def _in_model(question: OtherModelsQuestion, model: str) -> OtherModel:
    found = ladder(
        LadderQuestion(
            model=model,
            sample=question.sample,
            own=question.own,
            attack=question.attack,
            objective=question.objective,
            norm=question.norm,
            axis=Axis(top=question.top, levels=OTHER_LEVELS),
            fixed=question.fixed,
            seed=question.seed,
        )
    )
    return OtherModel(
        model=model,
        group=found.own_group,
        name="" if found.own_group is None else found.group_names[found.own_group],
        first_reached=found.first_reached,
        epsilon_star=found.epsilon_star,
    )
