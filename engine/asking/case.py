"""One sample under a chosen attack and objective, ready to launch: what ladders and their controls share."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from engine import registry
from engine.asking.own_picture import own_facts, own_labels, own_views
from engine.asking.questions import OWN, AttackChoice, LadderQuestion, ObjectiveChoice, OwnPicture
from engine.asking.victims import Victim, check_ids, place_facts, sample_facts, victim_of
from engine.attacks import ladder as ladders
from engine.attacks.protocols import AttackSettings
from engine.data.views import Views
from engine.errors import SettingsError
from engine.home import home
from engine.models.outputs import Outputs
from engine.objectives import combine
from engine.objectives.protocols import ObjectiveSettings
from engine.running.fitting import restored
from engine.running.threat import free
from engine.store.store import Store


@dataclass(frozen=True)
class Case:
    """A clean sample with what the model says of it, the attack, and what is wanted."""

    victim: Victim
    sample: int
    clean: Views
    before: Outputs
    attack: AttackSettings
    wanted: ObjectiveChoice
    norm: str
    mask: Tensor | None
    """(d,) True where a number may change; None: everywhere."""
    own: OwnPicture | None = None
    """The person's own picture, where that is the sample."""

    @classmethod
    def of(cls, question: LadderQuestion) -> "Case":
        """That of a ladder. Raises SettingsError for a sample or a view that is not there, DataError for a
        picture that is not.
        """
        victim, number, own = victim_of(question.model), question.sample, question.own
        if own is None:
            check_ids([number], len(victim.data))
            clean, labels = victim.rows([number]), victim.labels_of([number])
        else:
            clean, labels = own_views(victim, own), own_labels(victim, own)
        return cls(
            victim,
            OWN if own else number,
            clean,
            _wanted(question.objective).look(victim.model, clean, labels),
            ready(victim, question.attack),
            question.objective,
            question.norm,
            free(question.locked, question.fixed, clean.shapes),
            own,
        )

    def facts(self, z: Tensor | None) -> dict[str, Any]:
        """What its ladder says of model and sample, and where its embeddings z (levels, m) lie."""
        if self.own is not None:
            return own_facts(self.victim, self.own, self.before, z)
        return sample_facts(self.victim, self.sample) | place_facts(self.victim, self.sample, z)

    def objective(self, lam: float = 0.0) -> ObjectiveSettings:
        """What is wanted, minus λ times the change of the reconstruction."""
        return _wanted(self.wanted, lam)

    def attempt(self, lam: float = 0.0) -> ladders.Attempt:
        """The attack for that objective at the sample."""
        bind = ladders.binding(self.objective(lam), self.victim.model, self.before.labels)
        return ladders.Attempt(bind, self.clean, self.attack, self.norm, self.mask)

    def outputs(self, x: Tensor) -> Outputs:
        """What the model says of flat rows (m, d)."""
        return self.objective().look(self.victim.model, self.clean.like(x))

    def reached(self, after: Outputs) -> Tensor | None:
        """Whether rows with these outputs are where the objective wants the sample: (m,) bool, or None."""
        copies = torch.zeros(len(after.x), dtype=torch.long, device=after.x.device)
        return self.objective().reached(self.before.rows(copies), after)

    @property
    def target(self) -> int | None:
        """The group that is to be reached, where it is a certain one."""
        objective: Any = self.objective()
        return int(objective.cluster) if objective.targeted else None


def _wanted(choice: ObjectiveChoice, lam: float = 0.0) -> ObjectiveSettings:
    return combine(choice.name, lam, choice.settings)


def ready(victim: Victim, choice: AttackChoice) -> AttackSettings:
    """The attack ready to launch: one that must be fitted, with the weights of the run in which it was.

    Raises SettingsError where none is given, or one that was fitted to another model.
    """
    chosen: AttackSettings = registry.find("attack", choice.name)(**choice.settings)
    if not chosen.fitted:
        return chosen
    if not choice.fitted:
        raise SettingsError(
            f"{choice.name} must be fitted to the model first; got no run. Fit it with `python3 -m engine"
            f" attack {choice.name} --model {victim.run.name}`, or choose pgd."
        )
    settings, networks = fitted_in(victim, choice.name, choice.fitted[0])
    return settings.bound(networks, victim.rows([0]))


def fitted_in(victim: Victim, attack: str, key: str) -> tuple[AttackSettings, nn.Module]:
    """Settings and networks of an attack that was fitted to the model in a run.

    Raises SettingsError where the run holds none.
    """
    store = Store(home())
    run = store.find(key)
    if run.spec.name != attack or run.spec.builds_on.get("model") != victim.run.key:
        raise SettingsError(
            f"The run {run.name} holds no {attack} fitted to {victim.run.name}; fit one to this model."
        )
    source = store.find(run.spec.builds_on["fitted"]) if "fitted" in run.spec.builds_on else run
    settings: AttackSettings = registry.find("attack", attack)(**run.spec.settings["attack_settings"])
    return settings, restored(source, victim.data.views.shapes).to(victim.device)
