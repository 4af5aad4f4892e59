"""Is a failed attack a strong model or a hidden gradient? Five checks on a few samples, as doubts.

FGSM beats the attack; the attack does no better than noise; a huge ε does not reach nearly all; the gradient
vanishes away from the clean sample; the strongest attack of the house reaches what this one missed.

Source: Athalye, Carlini and Wagner, "Obfuscated gradients give a false
sense of security", ICML 2018, arXiv:1802.00420; Carlini et al., "On evaluating adversarial robustness", 2019,
arXiv:1902.06705.

A share is worth a doubt where it is beyond its mark by more than chance: of 5 samples one that the attack
missed says nothing of 3 points. What the strongest attack reaches besides is counted as it is from 100
samples on.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine import registry
from engine.attacks.protocols import AttackSettings, Iterate, answer, value_and_gradient
from engine.attacks.strongest import Strongest
from engine.events import Progress
from engine.metrics.intervals import above, mean_interval, misses, wilson
from engine.metrics.protocols import AttackedSamples
from engine.objectives.protocols import ObjectiveSettings
from engine.registry import Metric, register_metric
from engine.running.judging import Judge, check_inside, stream
from engine.running.launching import Clock
from engine.running.threat import Threat

SAMPLES = 100
NEARLY_ALL = 0.95
VANISHED = 0.02
"""Share of samples without a gradient that is worth a doubt."""

register_metric(
    Metric(
        "masking_fgsm_gain",
        "Gain over FGSM",
        "Mean objective of the attack minus that of FGSM; negative: the gradient may mislead. Of an attack"
        " that stops at success, over samples that it did not reach.",
        unit="the objective's own",
        of="attack",
    ),
    Metric(
        "masking_noise_gain",
        "Gain over noise",
        "Mean objective of the attack minus that of noise; not above zero: the gradient may be masked. Of an"
        " attack that stops at success, over samples that it did not reach.",
        unit="the objective's own",
        of="attack",
    ),
    Metric(
        "masking_huge_reach",
        "Reach of a huge ε",
        "Share of samples, not there before, that the attack brings where the objective wants them with the"
        " largest ε the box allows, without a penalty; far below 1: the search fails.",
        of="attack",
    ),
    Metric(
        "masking_zero_gradient",
        "Vanished gradients",
        "Share of random points in the ball where the gradient is exactly zero.",
        of="attack",
    ),
    Metric(
        "strongest_success_rate",
        "Success, strongest attack",
        "Share that this attack or, where it fails, the strongest one of the house (several objectives,"
        " targets and starts) brings where the objective wants them; of the first 100 samples, those that"
        " were not there before.",
        of="attack",
        better="down",
        headline=6,
        counted_in="strongest_n",
    ),
    Metric(
        "strongest_missed",
        "Missed",
        "Share of those samples that only the strongest attack reaches.",
        of="attack",
        counted_in="strongest_n",
    ),
    Metric(
        "strongest_n",
        "n of the strongest attack",
        "On how many samples the two were compared.",
        unit="samples",
        of="attack",
    ),
)


def check(
    threat: Threat, judge: Judge, samples: AttackedSamples, seed: int
) -> Generator[Progress, None, tuple[dict[str, float | None], list[str]]]:
    """Measured values and the doubts they raise, on the first 100 of the attacked samples; nothing for a
    control or for ε = 0. Of an attack that does not look for the largest value, or not for success, only what
    then means something. Yields Progress.
    """
    names = ("masking_fgsm_gain", "masking_noise_gain", "masking_huge_reach", "masking_zero_gradient")
    values: dict[str, float | None] = dict.fromkeys(names)
    if not threat.attack.searches or threat.epsilon == 0:
        return values, []
    few = _Few(threat, judge, samples.index[:SAMPLES], seed)
    found: dict[str, Tensor | None] = {"masking_zero_gradient": few.vanished()}
    if threat.attack.chases == "value":
        own = few.found(threat.attack)
        found["masking_noise_gain"] = few.gain(own, registry.find("attack", "noise")())
        if threat.attack.name != "fgsm":
            found["masking_fgsm_gain"] = few.gain(own, registry.find("attack", "fgsm")())
    if threat.attack.chases != "likeness":
        found["masking_huge_reach"] = few.huge_reach()
    there = {name: each.float() for name, each in found.items() if each is not None and len(each)}
    values |= {name: float(each.mean()) for name, each in there.items()}
    missed = (yield from few.missed(samples)) or {}
    return values | missed, _doubts(threat.attack, there, missed) + _unanswered(threat.attack, samples)


@dataclass(frozen=True)
class _Few:
    """The samples at `rows` (m,) that the checks are made on."""

    threat: Threat
    judge: Judge
    rows: Tensor
    seed: int

    @property
    def flat(self) -> Tensor:
        return self.judge.clean(self.rows).flat()

    def found(
        self, attack: AttackSettings, of: "ObjectiveSettings | None" = None, widest: bool = False
    ) -> Iterate:
        """What an attack answers, for this objective, in the ball or in the widest that the box allows."""
        budget = self.threat.budget(self.judge.data.views.shapes)
        budget = budget.of(budget.limit(self.flat.shape[1])) if widest else budget
        objective = self.judge.bind(of or self.threat.objective, self.rows)
        return answer(attack.perturb(self.flat, objective, budget, stream(self.seed, "masking")))

    def gain(self, own: Iterate, other: AttackSettings) -> Tensor:
        """By how much the objective is larger than under another attack: (m,), without those that an attack
        which stops has reached.
        """
        gain = own.value - self.found(other).value
        if self.threat.attack.stops and (there := self.reached(self.threat.objective, own.x)) is not None:
            gain = gain[~there.to(gain.device)]
        return gain

    def vanished(self) -> Tensor:
        """Which of random points in the ball, one a sample, have no gradient: (m,) bool."""
        budget = self.threat.budget(self.judge.data.views.shapes)
        point = budget.random_point(self.flat, stream(self.seed, "masking"))
        _, gradient = value_and_gradient(self.judge.bind(self.threat.objective, self.rows), point)
        return (gradient == 0).all(dim=1)

    def reached(self, objective: ObjectiveSettings, x: Tensor) -> Tensor | None:
        """Which rows (m, d) are where the objective wants them: (m,) bool."""
        before = self.judge.outputs(self.flat, self.rows, objective)
        return objective.reached(before, self.judge.outputs(x, self.rows, objective))

    def huge_reach(self) -> Tensor | None:
        """Which of the samples not yet where the objective wants them the attack brings there when nothing
        but the box limits it: bool; None where there are none, or the objective has no such notion.

        A penalty is left out: under it the best point need not be there, and whoever finds it does not fail.
        """
        wanted = self.threat.objective.without_penalties()
        counted = wanted.counted(self.judge.outputs(self.flat, self.rows, wanted))
        if counted is None or not bool(counted.any()):
            return None
        reached = self.reached(wanted, self.found(self.threat.attack, wanted, widest=True).x)
        return None if reached is None else reached[counted]

    def missed(self, samples: AttackedSamples) -> Generator[Progress, None, dict[str, float | None] | None]:
        """What the strongest attack makes of those that the attack did not reach; None where there is nothing
        to reach, or a penalty stands against reaching it.
        """
        wanted, counted = self.threat.objective, samples.objective.counted(samples.clean)
        if self.threat.attack.chases == "likeness":
            return None
        if samples.space != "pixels" or counted is None or samples.reached is None:
            return None
        if wanted.without_penalties() != wanted or not bool(counted[: len(self.rows)].any()):
            return None
        left = torch.nonzero((counted & ~samples.reached)[: len(self.rows)])[:, 0]
        more = 0 if len(left) == 0 else (yield from replace(self, rows=self.rows[left])._fell())
        n = int(counted[: len(self.rows)].sum())
        low, high = wilson(n - len(left) + more, n)
        rate = {"": (n - len(left) + more) / n, "_low": low, "_high": high}
        return {
            **{f"strongest_success_rate{end}": value for end, value in rate.items()},
            "strongest_missed": more / n,
            "strongest_n": n,
        }

    def _fell(self) -> Generator[Progress, None, int]:
        """How many of the samples the strongest attack reaches."""
        attack, budget = Strongest(), self.threat.budget(self.judge.data.views.shapes)
        objective = self.judge.bind(self.threat.objective, self.rows)
        clock = Clock(attack.iterates_for(objective), "strongest attack")
        for iterate in attack.perturb(self.flat, objective, budget, stream(self.seed, "masking")):  # noqa: B007
            yield from clock.reach(iterate.step + 1)
        check_inside(attack.name, iterate.x, self.flat, budget)
        there = self.reached(self.threat.objective, iterate.x)
        return 0 if there is None else int(there.sum())


def _unanswered(attack: AttackSettings, samples: AttackedSamples) -> list[str]:
    """The sentence of an attack that looks for the unlike and comes back with nothing for most samples."""
    if attack.chases != "likeness" or "goal" not in samples.present:
        return []
    there = samples.success(samples.attacked)
    if 2 * int(there.sum()) >= len(there):
        return []
    return [
        f"{attack.name} finds no answer for {int((~there).sum())} of {len(there)} samples: its start may be"
        " too wide for them, or its steps too short. That says nothing of the"
        " model; try the preset visible."
    ]


def _doubts(
    chosen: AttackSettings, found: Mapping[str, Tensor], missed: Mapping[str, float | None]
) -> list[str]:
    """The sentence of everything `found` (sample by sample) or `missed` that is worth one."""
    attack, said = chosen.name, []
    over_fgsm, over_noise = found.get("masking_fgsm_gain"), found.get("masking_noise_gain")
    reach, vanished = found.get("masking_huge_reach"), found.get("masking_zero_gradient")
    if over_fgsm is not None and mean_interval(over_fgsm.cpu().numpy())[-1] < 0:
        said.append(
            f"FGSM makes the objective larger than {attack} does: the gradient may mislead. Try more"
            " steps or starts."
        )
    if over_noise is not None and float(over_noise.mean()) <= 0:
        said.append(
            f"{attack} does no better than random noise of the same size: the gradient may be masked."
        )
    if reach is not None and above(int((reach == 0).sum()), len(reach), 1 - NEARLY_ALL):
        said.append(
            f"With the largest ε that the box allows, {attack} reaches {reach.mean():.0%} of {len(reach)}"
            " samples: the search fails, not the model's weakness."
        )
    n = int(missed.get("strongest_n") or 0)
    more = round((missed.get("strongest_missed") or 0.0) * n)
    if misses(more, n):
        said.append(
            f"{chosen.in_words()} misses {more} of {n} samples; the strongest attack reaches them. Judge a"
            " model by that one."
        )
    if vanished is not None and above(int(vanished.sum()), len(vanished), VANISHED):
        said.append(
            f"The gradient is exactly zero at {vanished.mean():.0%} of {len(vanished)} random points:"
            " gradients vanish."
        )
    return said
