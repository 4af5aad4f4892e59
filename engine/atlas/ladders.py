"""The ladders that rules of the atlas look at."""

import math

import numpy as np

from engine import registry
from engine.asking import shipping
from engine.asking.answers import LadderAnswer
from engine.asking.questions import (
    AttackChoice,
    Axis,
    EmbeddingLadderQuestion,
    LadderQuestion,
    ObjectiveChoice,
    Question,
)
from engine.models.protocols import ModelSettings
from engine.store.run import Run
from engine.store.store import Store

LEVELS = 33
FEWER = Axis(levels=LEVELS)
"""Levels over ε: ε* is refined between two of them."""
LEFT = {
    "ncp_acl": "spherical_k_means",
    "deacl": "spherical_k_means",
    "ar_dmvc": "comvc",
    "ar_dmvc_am": "comvc",
}
"""Defended model -> the one of the same data without its defence."""


def groups(model: type[ModelSettings]) -> bool:
    """Whether a model sorts samples into something that is attacked at the pixels."""
    return bool({"clusters", "classifies"} & set(model.abilities))


def embeds(model: type[ModelSettings]) -> bool:
    """Whether it is one whose embedding is attacked."""
    return "nu" in registry.find("attack", model.family.attack).axes


def leaving(run: Run, sample: int) -> LadderQuestion:
    """Out of its group, with the house's usual attack."""
    wanted = shipping.first_ladder(run).objective
    return LadderQuestion(model=run.key, sample=sample, objective=wanted, axis=FEWER)


def one_step(run: Run, sample: int) -> LadderQuestion:
    """The same with one step of the gradient."""
    return leaving(run, sample).model_copy(update={"attack": AttackChoice(name="fgsm")})


def undefended(run: Run, sample: int) -> Question[LadderAnswer] | None:
    """The same sample in the model without the defence."""
    name = f"{run.spec.data}/{LEFT.get(run.spec.name, '')}"
    zoo = Store().zoo()
    return leaving(zoo[name], sample) if name in zoo else None


def moved_embedding(run: Run, sample: int) -> EmbeddingLadderQuestion:
    """The embedding of a sample along ν."""
    size = math.prod(registry.find("data", run.spec.data).shape)
    return EmbeddingLadderQuestion.usual(run.key, sample, size)


def copying(run: Run, sample: int) -> LadderQuestion:
    """Away from its copy."""
    wanted = ObjectiveChoice(name="raise_reconstruction")
    return LadderQuestion(model=run.key, sample=sample, objective=wanted, axis=Axis(top=0.1, levels=11))


def mean_square(values: np.ndarray) -> float:
    """Mean over the numbers of a sample."""
    return float(np.square(values.astype(np.float64)).mean())
