"""The questions about one sample whose embedding is moved: its ladder over ν, the weight that takes the place
of ε there; and what a finished attack makes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import registry
from engine.asking.answers import NOISES, AttackedSampleAnswer, EmbeddingLadderAnswer
from engine.asking.case import fitted_in
from engine.asking.ladder import first_of, noise_counted, probabilities
from engine.asking.questions import AttackedSampleQuestion, EmbeddingLadderQuestion, ObjectiveChoice
from engine.asking.victims import (
    Victim,
    as_bytes,
    check_ids,
    numbers,
    place_facts,
    read_as,
    sample_facts,
    victim_of,
)
from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings, PerSample
from engine.attacks.protocols import answer as launched
from engine.data.views import Views, picture
from engine.errors import SettingsError
from engine.home import home
from engine.metrics import embedding
from engine.models.outputs import Outputs
from engine.models.protocols import Decodes, require
from engine.objectives.protocols import LatentObjective, ObjectiveSettings, OverWeight, on_embedding
from engine.store.store import Store

NOWHERE = Budget("linf", 0.0)
"""Attacks are called with a budget; this one's has no meaning in the embedding."""


def embedding_ladder(question: EmbeddingLadderQuestion) -> EmbeddingLadderAnswer:
    """One sample along ν (0 … top, in the paper's units), or at the ν of each of the fitted runs, after 0."""
    victim, number = victim_of(question.model), question.sample
    check_ids([number], len(victim.data))
    clean, heads = victim.rows([number]), require(victim.model, Decodes, "A ladder over ν")
    objective = _objective(question.objective)
    found = _search(victim, clean, question, objective)
    z = on_embedding(objective.bind(victim.model, clean)).z  # (1, m)
    before, after = said_at(heads, z), said_at(heads, found.z)
    drawn = torch.stack([_noise(z, found.z, question.seed + draw) for draw in range(NOISES)])
    noisy, reached = said_at(heads, drawn[0]), _reached(objective, before, after)
    by_noise = _reached(objective, before, said_at(heads, drawn.flatten(0, 1)))
    return EmbeddingLadderAnswer(
        axis="nu",
        levels=tuple(float(f"{level:.6g}") for level in found.levels.tolist()),
        norm="embedding",
        epsilon=None,
        shape=picture(clean.shapes),
        protocol=f"{found.title} · nothing bounds δ but the objective",
        target=None,
        first_reached=first_of(reached),
        epsilon_star=None,
        **noise_counted(by_noise, (found.z != z).any(dim=1)),
        reached=numbers(reached),
        value=numbers(_bound(objective, victim, clean, found.levels)(found.z)),
        **_pictures(victim, number, before, after),
        **_lengths(z, found.z),
        **probabilities(before, after, noisy),
        **sample_facts(victim, number),
        **place_facts(victim, number, found.z),
    )


@dataclass(frozen=True)
class Search:
    """ν of each level (L,), the embeddings found there (L, m), and how."""

    levels: Tensor
    z: Tensor
    title: str


def attacked_sample(question: AttackedSampleQuestion) -> AttackedSampleAnswer:
    """One sample under the attack of a run, whether that run chose it or not."""
    run, number = Store(home()).find(question.run), question.sample
    victim = victim_of(run.spec.builds_on["model"])
    check_ids([number], len(victim.data))
    heads = require(victim.model, Decodes, "An attack on the embedding")
    moved, objective = _launched(victim, run.spec.name, run.key, victim.rows([number]))
    before, after = said_at(heads, objective.z), said_at(heads, moved)
    assert before.groups is not None and after.groups is not None, "heads decode and cluster"
    assert before.reconstruction is not None and after.reconstruction is not None, "heads decode and cluster"
    return AttackedSampleAnswer(
        sample=number,
        xy_clean=numbers(victim.places(objective.z))[0],
        xy=numbers(victim.places(moved))[0],
        q_clean=numbers(before.groups.exp())[0],
        q=numbers(after.groups.exp())[0],
        recon_clean=as_bytes(before.reconstruction)[0],
        recon=as_bytes(after.reconstruction)[0],
    )


@torch.no_grad()
def said_at(heads: Decodes, z: Tensor) -> Outputs:
    """What a model says of embeddings z (n, m) by themselves; the sample is what is decoded from them."""
    decoded = heads.decode(z).float()
    return Outputs(x=decoded, log_q=heads.log_assign_embedding(z).float(), z=z, reconstruction=decoded)


def _objective(choice: ObjectiveChoice) -> ObjectiveSettings:
    """What is wanted, at its own ν, whatever that of the level is."""
    settings = {name: value for name, value in choice.settings.items() if name != "nu"}
    made: ObjectiveSettings = registry.find("objective", choice.name)(**settings)
    return made


def _weighed(objective: ObjectiveSettings) -> OverWeight:
    """The objective, known to have a ν. Raises SettingsError where it has none."""
    if isinstance(objective, OverWeight):
        return objective
    raise SettingsError(
        f"A ladder over ν needs an objective that ν weighs; {objective.name} has none. Choose flip_and_keep."
    )


def _bound(objective: ObjectiveSettings, victim: Victim, clean: Views, levels: Tensor) -> LatentObjective:
    """The objective for a copy of the sample at each ν (L,)."""
    copies = clean.rows(torch.zeros(len(levels), dtype=torch.long))
    return _weighed(objective).over_weight(victim.model, copies, levels.to(victim.device))


def _search(
    victim: Victim, clean: Views, question: EmbeddingLadderQuestion, objective: ObjectiveSettings
) -> Search:
    attack: AttackSettings = registry.find("attack", question.attack.name)(**question.attack.settings)
    if question.attack.fitted:
        title = f"{attack.title} · one network for all samples at each ν"
        return Search(*_by_networks(victim, clean, attack.name, question.attack.fitted), title)
    if not isinstance(attack, PerSample):
        raise SettingsError(
            f"{attack.name} finds no δ for one sample by itself. Give runs in which it was fitted, or choose"
            " latent_attack."
        )
    levels = torch.linspace(0, question.top, question.levels)
    bound = _bound(objective, victim, clean, levels)
    found = launched(attack.per_sample(bound)).x
    return Search(levels, found, f"{attack.title} · δ for this sample alone, {attack.per_sample_in_words()}")


def _by_networks(victim: Victim, clean: Views, attack: str, runs: Sequence[str]) -> tuple[Tensor, Tensor]:
    """ν and moved embedding of each fitted run, rising, after the clean one."""
    found = [(_nu(victim, run), *_launched(victim, attack, run, clean)) for run in runs]
    found.sort(key=lambda one: one[0])
    levels = torch.tensor([0.0, *(nu for nu, _, _ in found)])
    return levels, torch.cat([found[0][2].z, *(moved for _, moved, _ in found)])


def _launched(victim: Victim, attack: str, key: str, clean: Views) -> tuple[Tensor, LatentObjective]:
    """Where a run's attack moves embeddings of clean samples (n, m), and its objective bound to them.

    Raises SettingsError for a run that holds no such attack on this model.
    """
    objective = on_embedding(_of_run(key).bind(victim.model, clean))
    ready = _ready(victim, attack, key, clean)
    return launched(ready.perturb(clean.flat(), objective, NOWHERE, torch.Generator())).x, objective


def _ready(victim: Victim, attack: str, key: str, clean: Views) -> AttackSettings:
    """The attack of a run as it was launched there."""
    owner: type[AttackSettings] = registry.find("attack", attack)
    if not owner.fitted:
        return owner(**Store(home()).find(key).spec.settings["attack_settings"])
    settings, networks = fitted_in(victim, attack, key)
    return settings.bound(networks, clean)


def _of_run(key: str) -> ObjectiveSettings:
    said = Store(home()).find(key).spec.settings
    made: ObjectiveSettings = registry.find("objective", said["objective"])(**said["objective_settings"])
    return made


def _nu(victim: Victim, key: str) -> float:
    return _weighed(_of_run(key)).weight_of(victim.data.views.size)


def _noise(z: Tensor, moved: Tensor, seed: int) -> Tensor:
    """Embeddings (L, m) that lie in one random direction from z (1, m), as far as each level's."""
    delta = moved - z
    drawn = embedding.random_directions(delta[-1:].cpu().numpy(), seed)
    unit = torch.from_numpy(drawn / max(float(np.linalg.norm(drawn)), 1e-12)).to(z)
    return z + unit * delta.norm(dim=1, keepdim=True)


def _reached(objective: ObjectiveSettings, before: Outputs, after: Outputs) -> Tensor | None:
    return objective.reached(before.rows(torch.zeros(len(after.x), dtype=torch.long)), after)


def _pictures(victim: Victim, sample: int, before: Outputs, after: Outputs) -> dict[str, Any]:
    """What is decoded, and how it differs from what is decoded from the clean embedding."""
    original, change = victim.rows([sample]).flat(), after.x - before.x
    return {
        "clean": numbers(before.x[0]),
        "delta": numbers(change),
        "linf": numbers(change.abs().amax(1)),
        "l2": numbers(change.norm(dim=1)),
        "shift_mse": numbers(change.square().mean(1)),
        "error_mse": float((before.x - original).square().mean()),
        "original": as_bytes(original)[0],
        "read_as": read_as(victim, sample, after.x),
    }


def _lengths(z: Tensor, moved: Tensor) -> dict[str, Any]:
    """‖δ‖/‖z‖ at each level."""
    return {"ratio": numbers((moved - z).norm(dim=1) / z.norm().clamp_min(1e-12))}
