"""Is a failed attack a strong model or a hidden gradient? Four cheap checks on a few samples, as doubts.

FGSM beats the attack; the attack does no better than noise; a huge ε does not reach nearly all; the gradient
vanishes away from the clean sample. Source: Athalye, Carlini and Wagner, "Obfuscated gradients give a false
sense of security", ICML 2018, arXiv:1802.00420; Carlini et al., "On evaluating adversarial robustness", 2019,
arXiv:1902.06705.
"""

import torch
from torch import Tensor

from engine import registry
from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings, answer, value_and_gradient
from engine.objectives.protocols import Objective
from engine.registry import Metric, register_metric
from engine.running.judging import Judge, stream
from engine.running.threat import Threat

SAMPLES = 100
NEARLY_ALL = 0.95
VANISHED = 0.02
"""Share of samples without a gradient that is worth a doubt."""

register_metric(
    Metric(
        "masking_fgsm_gain",
        "Gain over FGSM",
        "Mean objective of the attack minus that of FGSM; negative: the gradient may mislead.",
        unit="the objective's own",
        of="attack",
    ),
    Metric(
        "masking_noise_gain",
        "Gain over noise",
        "Mean objective of the attack minus that of noise; not above zero: the gradient may be masked.",
        unit="the objective's own",
        of="attack",
    ),
    Metric(
        "masking_huge_reach",
        "Reach of a huge ε",
        "Share of samples, not there before, that the attack brings where the objective wants them with the"
        " largest ε the box allows; far below 1: the search fails.",
        of="attack",
    ),
    Metric(
        "masking_zero_gradient",
        "Vanished gradients",
        "Share of random points in the ball where the gradient is exactly zero.",
        of="attack",
    ),
)


def check(
    threat: Threat, judge: Judge, index: Tensor, seed: int
) -> tuple[dict[str, float | None], list[str]]:
    """Measured values and the doubts they raise, on the first 100 of the samples; nothing for a control or
    for ε = 0.
    """
    names = ("masking_fgsm_gain", "masking_noise_gain", "masking_huge_reach", "masking_zero_gradient")
    values: dict[str, float | None] = dict.fromkeys(names)
    if not threat.attack.searches or threat.epsilon == 0:
        return values, []
    rows = index[:SAMPLES]
    flat, objective = judge.clean(rows).flat(), judge.bind(threat.objective, rows)
    budget = threat.budget(judge.data.views.shapes)

    def mean_value(attack: AttackSettings) -> float:
        return float(answer(attack.perturb(flat, objective, budget, stream(seed, "masking"))).value.mean())

    own = mean_value(threat.attack)
    values["masking_noise_gain"] = own - mean_value(registry.find("attack", "noise")())
    if threat.attack.name != "fgsm":
        values["masking_fgsm_gain"] = own - mean_value(registry.find("attack", "fgsm")())
    values["masking_zero_gradient"] = _vanished(objective, flat, budget, stream(seed, "masking"))
    values["masking_huge_reach"] = _huge_reach(threat, judge, rows, objective, seed)
    return values, _doubts(threat.attack.name, values)


def _vanished(objective: Objective, flat: Tensor, budget: Budget, rng: torch.Generator) -> float:
    _, gradient = value_and_gradient(objective, budget.random_point(flat, rng))
    return float((gradient == 0).all(dim=1).float().mean())


def _huge_reach(threat: Threat, judge: Judge, rows: Tensor, objective: Objective, seed: int) -> float | None:
    """Share of the samples not yet where the objective wants them that the attack brings there when nothing
    but the box limits it; None where there are none, or the objective has no such notion.
    """
    flat, budget = judge.clean(rows).flat(), threat.budget(judge.data.views.shapes)
    before = judge.outputs(flat, rows)
    counted = threat.objective.counted(before)
    if counted is None or not bool(counted.any()):
        return None
    widest = budget.of(budget.limit(flat.shape[1]))
    found = answer(threat.attack.perturb(flat, objective, widest, stream(seed, "masking"))).x
    reached = threat.objective.reached(before, judge.outputs(found, rows))
    return None if reached is None else float(reached[counted].float().mean())


def _doubts(attack: str, values: dict[str, float | None]) -> list[str]:
    """The sentence of every value that is worth one."""
    over_fgsm, over_noise = values["masking_fgsm_gain"], values["masking_noise_gain"]
    reach, vanished = values["masking_huge_reach"], values["masking_zero_gradient"]
    said = []
    if over_fgsm is not None and over_fgsm < 0:
        said.append(
            f"FGSM makes the objective larger than {attack} does: the gradient may mislead. Try more"
            " steps or starts."
        )
    if over_noise is not None and over_noise <= 0:
        said.append(
            f"{attack} does no better than random noise of the same size: the gradient may be masked."
        )
    if reach is not None and reach < NEARLY_ALL:
        said.append(
            f"With the largest ε that the box allows, {attack} reaches {reach:.0%} of the samples: the search"
            " fails, not the model's weakness."
        )
    if vanished is not None and vanished > VANISHED:
        said.append(f"The gradient is exactly zero at {vanished:.0%} of random points: gradients vanish.")
    return said
