"""The question about one attacked sample: its ladder over ε, the attack's path, or λ, beside noise of the
same size. Every number is judged in float32.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import registry
from engine.asking import views
from engine.asking.answers import NOISES, LadderAnswer
from engine.asking.case import Case
from engine.asking.questions import FEW_LEVELS, SAID, LadderQuestion, epsilon_text
from engine.asking.victims import as_bytes, numbers, read_as
from engine.attacks import ladder as ladders
from engine.attacks.budget import Budget
from engine.attacks.protocols import SCORE
from engine.attacks.protocols import answer as launched
from engine.data.fixed import fixed_of
from engine.data.views import picture
from engine.errors import BudgetError
from engine.models.outputs import Outputs
from engine.objectives.protocols import Objective
from engine.running.judging import stream

NORMS = {"linf": "L∞", "l2": "L2"}


@dataclass(frozen=True)
class Search:
    """What a ladder found: samples x (L, d) with the objective's value (L,) at each level, what the attack
    traced (L,), and ε*.
    """

    levels: list[float]
    x: Tensor
    value: Tensor
    traces: Mapping[str, Tensor]
    epsilon_star: float | None = None

    @classmethod
    def of(cls, found: ladders.Ladder, epsilon_star: float | None = None) -> "Search":
        """The only sample of a ladder."""
        traces = {name: trace[0] for name, trace in found.traces.items()}
        return cls(found.levels[0].tolist(), found.x[0], found.value[0], traces, epsilon_star)


def ladder(question: LadderQuestion) -> LadderAnswer:
    """One sample along ε, along the path of one attack, or along λ, with its noise at every level."""
    case = Case.of(question)
    own = not case.attack.fills  # such an attack draws for each sample as its run over many does
    rng = stream(question.seed, "attack") if own else torch.Generator().manual_seed(question.seed)
    found = _search(case, question, rng)
    drawn = _noise(case, question, found, rng)
    noise = drawn[0]
    after, noisy = case.outputs(found.x), case.outputs(noise)
    reached = _counted(case.reached(after), question, found)
    by_noise = None if reached is None else case.reached(case.outputs(drawn.flatten(0, 1)))
    unsaid = noisy.groups is None or by_noise is None
    delta = found.x - case.clean.flat()
    return LadderAnswer(
        axis=question.axis.name,
        levels=tuple(float(f"{level:.9g}") for level in found.levels),
        norm=question.norm,
        epsilon=question.axis.epsilon,
        shape=picture(case.clean.shapes),
        protocol=_protocol(case, question),
        target=case.target,
        already=first_of(case.reached(case.before)) is not None,
        first_reached=first_of(reached),
        epsilon_star=found.epsilon_star,
        **noise_counted(by_noise, (drawn[0] != case.clean.flat()).any(dim=1)),
        read_as=read_as(case.victim, case.sample, found.x),
        clean=numbers(case.clean.flat()[0]),
        delta=numbers(delta),
        linf=numbers(delta.abs().amax(1)),
        l2=numbers(delta.norm(dim=1)),
        value=numbers(found.value),
        **_traces(case, found),
        noise_value=numbers(_noise_value(case, question, noise) if unsaid else None),
        reached=numbers(reached),
        **case.facts(after.z),
        **probabilities(case.before, after, noisy),
        **_reconstructions(case.before, after),
        **views.view_facts(case.victim, case.clean, case.clean.like(found.x)),
    )


def _traces(case: Case, found: Search) -> dict[str, Any]:
    """What the attack declares that it traces, along the ladder; nothing where it traces nothing."""
    known = {name: title for name, title in case.attack.traces.items() if name in found.traces}
    if not known:
        return {}
    traces = torch.stack([found.traces[name].float() for name in known])
    return {
        "traced": tuple(known.items()),
        "traces": numbers(torch.where(traces.isfinite(), traces, torch.nan)),
    }


def _counted(reached: Tensor | None, question: LadderQuestion, found: Search) -> Tensor | None:
    """Where the objective was reached (L,): along the path of an attack that scores its answers only from the
    first on that it accepts, which its start never is.
    """
    if reached is None or question.axis.name != "path" or SCORE not in found.traces:
        return reached
    return reached & (found.traces[SCORE] > -torch.inf)


def first_of(reached: Tensor | None) -> int | None:
    """The first level (L,) at which the objective was reached; None where it never was."""
    return None if reached is None or not bool(reached.any()) else int(reached.int().argmax())


def _search(case: Case, question: LadderQuestion, rng: torch.Generator) -> Search:
    """Climb along the axis that was asked for."""
    axis = question.axis
    if axis.name == "epsilon":
        return _over_epsilon(case, question, rng)
    if axis.epsilon is None:
        raise BudgetError(f"A ladder over {axis.name} needs one ε; got none. Give epsilon.")
    if axis.name == "path":
        return Search.of(ladders.over_path(case.attempt(question.objective.lam), axis.epsilon, rng))
    if axis.name == "compressed":
        return Search.of(
            ladders.over_variants(case.attempt(question.objective.lam), axis.name, axis.epsilon, rng)
        )
    change = registry.find("objective", "reconstruction_change")()
    penalty = ladders.binding(change, case.victim.model)
    lams = torch.linspace(0, axis.top, axis.levels).tolist()
    return Search.of(ladders.over_lambda(case.attempt(), penalty, lams, axis.epsilon, rng))


def _over_epsilon(case: Case, question: LadderQuestion, rng: torch.Generator) -> Search:
    """The ladder over ε, and the smallest ε that reaches the objective, where it has such a notion: the level
    itself where there are many and the attack need not use its budget up, else refined between two.
    """
    axis, attempt = question.axis, case.attempt(question.objective.lam)
    top = axis.top
    if attempt.mask is not None:  # few places have little room
        top = min(top, attempt.budget(0.0).limit(case.victim.data.views.size))
    found = ladders.over_epsilon(attempt, torch.linspace(0, top, axis.levels), rng)

    def reached(rows: Tensor, _: Tensor) -> Tensor:
        there = case.reached(case.outputs(rows))
        assert there is not None, "asked only where there is something to reach"
        return there

    if case.reached(case.before) is None:
        return Search.of(found)
    rounds = 0 if _among_levels(case, question) else 2
    star = ladders.smallest_reaching(attempt, found, reached, rng, rounds)
    smallest = float(star.epsilon)
    return Search.of(found, smallest if np.isfinite(smallest) else None)


def _among_levels(case: Case, question: LadderQuestion) -> bool:
    """Whether ε* is one of the levels: each refinement takes an attack of this kind as long as they all."""
    axis = question.axis
    return axis.name == "epsilon" and axis.levels >= FEW_LEVELS and not case.attack.fills


def noise_counted(by_noise: Tensor | None, moved: Tensor) -> dict[str, Any]:
    """How often noise reached the objective, of draws (NOISES · L,), all levels once after the other; where a
    level's noise is nothing, as `moved` (L,) says, nothing was drawn.
    """
    if by_noise is None:
        return {"noise_reached": None, "noise_n": None}
    hits = by_noise.reshape(NOISES, -1).float()[:, moved]
    share = torch.zeros(len(moved), device=hits.device)
    share[moved] = hits.mean(dim=0)
    return {"noise_reached": int(hits.sum()), "noise_n": hits.numel(), "noise_share": numbers(share)}


def _noise(case: Case, question: LadderQuestion, found: Search, rng: torch.Generator) -> Tensor:
    """Noises (NOISES, L, d) of the size of each level. Along ε a draw is one direction, scaled by each level;
    at one ε every level has noises of its own, or all would be the same. Those of an attack that does not use
    its budget up are as long as its own δ.
    """
    base, axis, count = case.clean.flat(), question.axis, len(found.levels)
    over_epsilon = axis.name == "epsilon"
    sizes = torch.tensor(found.levels if over_epsilon else [float(axis.epsilon or 0)] * count)
    sizes, shared = sizes.repeat(NOISES).to(base.device), count if over_epsilon else 1
    budget = Budget(question.norm, sizes, mask=case.mask, shared=shared)
    if not case.attack.fills:
        budget = Budget("l2", (found.x - base).norm(dim=1).repeat(NOISES), mask=case.mask)
    still = Objective(lambda rows: rows.sum(1))
    noise = registry.find("attack", "noise")()
    drawn = launched(noise.perturb(base.expand(len(sizes), -1), still, budget, rng)).x
    return drawn.reshape(NOISES, count, -1)


def _noise_value(case: Case, question: LadderQuestion, noise: Tensor) -> Tensor:
    """The objective (L,) under that noise."""
    copies = torch.zeros(len(noise), dtype=torch.long, device=noise.device)
    bound = case.attempt(question.objective.lam).bind(case.clean.rows(copies), copies)
    with torch.no_grad():
        return bound(noise)


def probabilities(before: Outputs, after: Outputs, noisy: Outputs) -> dict[str, Any]:
    """Probabilities of the groups at every level, of the clean sample, and under noise; nothing without."""
    if before.groups is None or after.groups is None or noisy.groups is None:
        return {}
    return {
        "q_clean": numbers(before.groups[0].exp()),
        "q": numbers(after.groups.exp()),
        "noise_q": numbers(noisy.groups.exp()),
    }


def _reconstructions(before: Outputs, after: Outputs) -> dict[str, Any]:
    if before.reconstruction is None or after.reconstruction is None:
        return {}
    return {"recon_clean": as_bytes(before.reconstruction)[0], "recon": as_bytes(after.reconstruction)}


def _protocol(case: Case, question: LadderQuestion) -> str:
    """The line under a picture that says how its numbers were made."""
    wanted, attack, axis = question.objective, case.attack, question.axis
    aim = registry.find("objective", wanted.name).title
    aim += "" if case.target is None else f": {case.victim.group_names[case.target]}"
    penalty = f" − {wanted.lam:g}·reconstruction change" if wanted.lam else ""
    parts = [attack.in_words(()), aim + penalty, NORMS[question.norm]]
    values = attack.values()
    parts += [f"{said} {values[name]}" for name, said in SAID if values.get(name) is not None]
    if _among_levels(case, question):
        parts += [f"ε* among {axis.levels} levels"]
    if question.fixed:
        shape = picture(case.clean.shapes)
        fixed = fixed_of(question.fixed, shape)
        parts += [f"{fixed.sum():,} of {len(fixed):,} {'pixels' if len(shape) == 3 else 'features'} fixed"]
    return " · ".join(
        parts if axis.name == "epsilon" else [*parts, f"ε = {epsilon_text(axis.epsilon or 0.0)}"]
    )
