"""Is a failed attack a strong model or a hidden gradient? Four cheap checks on a few samples, told as doubts.

FGSM beats the attack; the attack does no better than noise; a huge ε does not reach nearly all; the gradient
vanishes away from the clean sample. Source: Athalye, Carlini and Wagner, "Obfuscated gradients give a false
sense of security", ICML 2018, arXiv:1802.00420; Carlini et al., "On evaluating adversarial robustness", 2019,
arXiv:1902.06705.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from engine import registry
from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings, answer, value_and_gradient
from engine.objectives.protocols import Objective
from engine.running.judging import Judge, stream

if TYPE_CHECKING:
    from engine.running.attacking import Attack

SAMPLES = 100
NEARLY_ALL = 0.95
VANISHED = 0.02
"""Share of samples without a gradient that is worth a doubt."""


def check(
    choice: "Attack", judge: Judge, index: Tensor, seed: int
) -> tuple[dict[str, float | None], list[str]]:
    """Measured values and the doubts they raise, on the first 100 of the samples; nothing for a control or
    for ε = 0.
    """
    names = ("masking_fgsm_gain", "masking_noise_gain", "masking_huge_reach", "masking_zero_gradient")
    values: dict[str, float | None] = dict.fromkeys(names)
    if not choice.chosen_attack.searches or choice.epsilon == 0:
        return values, []
    clean = judge.clean(index[:SAMPLES])
    flat, budget, objective = (
        clean.flat(),
        choice.budget(judge.data.views.shapes),
        choice.chosen_objective.bind(judge.model, clean),
    )

    def mean_value(name: str | AttackSettings) -> float:
        attack = registry.find("attack", name)() if isinstance(name, str) else name
        return float(answer(attack.perturb(flat, objective, budget, stream(seed, "masking"))).value.mean())

    mine = mean_value(choice.chosen_attack)
    values["masking_noise_gain"] = mine - mean_value("noise")
    if choice.attack != "fgsm":
        values["masking_fgsm_gain"] = mine - mean_value("fgsm")
    values["masking_zero_gradient"] = _vanished(objective, flat, budget, stream(seed, "masking"))
    if "clusters" in registry.find("objective", choice.objective).needs:
        values["masking_huge_reach"] = _huge_reach(choice, judge, flat, objective, seed)
    return values, list(_doubts(choice, values))


def _vanished(objective: Objective, flat: Tensor, budget: Budget, rng: torch.Generator) -> float:
    _, gradient = value_and_gradient(objective, budget.random_point(flat, rng))
    return float((gradient == 0).all(dim=1).float().mean())


def _huge_reach(
    choice: "Attack", judge: Judge, flat: Tensor, objective: Objective, seed: int
) -> float | None:
    """Share of the samples not yet where the attack wants them that it brings there when nothing but the box
    limits it.
    """
    budget = choice.budget(judge.data.views.shapes)
    own, widest = judge.cluster(flat), budget.of(budget.limit(flat.shape[1]))
    away = torch.ones_like(own, dtype=torch.bool) if choice.target is None else own != choice.target
    if not bool(away.any()):
        return None
    moved = judge.cluster(
        answer(choice.chosen_attack.perturb(flat, objective, widest, stream(seed, "masking"))).x
    )
    reached = moved != own if choice.target is None else moved == choice.target
    return float(reached[away].float().mean())


def _doubts(choice: "Attack", values: dict[str, Any]) -> list[str]:
    said = []
    if values["masking_fgsm_gain"] is not None and values["masking_fgsm_gain"] < 0:
        said.append(
            f"FGSM makes the objective larger than {choice.attack} does: the gradient may mislead. Try more"
            " steps or starts."
        )
    if values["masking_noise_gain"] <= 0:
        said.append(
            f"{choice.attack} does no better than random noise of the same size: the gradient may be masked."
        )
    if values["masking_huge_reach"] is not None and values["masking_huge_reach"] < NEARLY_ALL:
        said.append(
            f"With the largest ε that the box allows, {choice.attack} reaches"
            f" {values['masking_huge_reach']:.0%} of the samples: the search fails, not the model's weakness."
        )
    if values["masking_zero_gradient"] > VANISHED:
        said.append(
            f"The gradient is exactly zero at {values['masking_zero_gradient']:.0%} of random points:"
            " gradients vanish."
        )
    return said
