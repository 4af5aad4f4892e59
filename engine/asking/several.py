"""The question about several samples of one model at one ε: how many an attack brings where its objective
wants them, beside noise of the same size. Made as a run over so many samples makes it.
"""

import numpy as np
from torch import Tensor

from engine.asking.answers import SeveralAnswer
from engine.asking.case import ready
from engine.asking.questions import SeveralQuestion
from engine.asking.victims import numbers, victim_of, whole_numbers
from engine.errors import SettingsError
from engine.objectives import combine
from engine.running.judging import Judge
from engine.running.launching import ended, launch, with_recognised
from engine.running.threat import Threat


def several(question: SeveralQuestion) -> SeveralAnswer:
    """Raises SettingsError for an objective that knows no success."""
    victim, wanted = victim_of(question.model), question.objective
    objective = combine(wanted.name, wanted.lam, wanted.settings)
    threat = Threat(
        ready(victim, question.attack),
        objective,
        question.norm,
        question.epsilon,
        n=question.n,
        half=question.half,
    )
    judge = Judge(victim.model, victim.data, victim.device)
    samples = with_recognised(judge, ended(launch(threat, judge, question.seed)))
    reached = objective.reached(samples.clean, samples.attacked)
    noise = None if samples.noisy is None else objective.reached(samples.clean, samples.noisy)
    if reached is None or noise is None:
        raise SettingsError(
            f"{wanted.name} knows no success, so there is nothing to count. Choose leave_cluster or another"
            " objective that does."
        )
    counted = objective.counted(samples.clean)
    legible, labels = samples.recognised, samples.clean.labels
    return SeveralAnswer(
        ids=whole_numbers(samples.index),
        counted=numbers(counted),
        reached=numbers(reached),
        noise=numbers(noise),
        group_clean=_groups(samples.clean.groups),
        group=_groups(samples.attacked.groups),
        legible=None if legible is None or labels is None else legible[1] == numbers(labels),
    )


def _groups(groups: Tensor | None) -> np.ndarray | None:
    return None if groups is None else whole_numbers(groups.argmax(1))
