"""The three rounds between attack and defence: the base network attacked, the defended network under the same
attack, and under a fresh one; which runs they are, and which is missing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from app.address import connection, links
from app.forms.choose_model import Victim
from app.papers.robust import networks
from app.runs import naming, progress, wanted
from app.words import _, within
from engine.store.reproduce import nearest_preset
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import DONE
from engine.store.wanted import Wanted

N = 1000
"""Samples that are attacked."""


@dataclass(frozen=True)
class Rounds:
    """A base network with what was done to it: its attack, its defence, the same attack on the defended
    network, a fresh one. None where it is not there yet.
    """

    base: Run
    attack: Run | None
    defended: Run | None
    same: Run | None
    again: Run | None

    def attacks(self) -> dict[str, Run | None]:
        """Round -> the run of its attack."""
        return {"base": self.attack, "same": self.same, "again": self.again}

    def runs(self) -> list[Run]:
        """All that is there, in the order in which it is made."""
        every = (self.base, self.attack, self.defended, self.same, self.again)
        return [run for run in every if run is not None]


def choose(victim: Victim) -> Rounds:
    """The attack and the defence that are looked at: the newest that were made for this base, or those of the
    zoo, unless others are chosen.
    """
    done = finished()
    attacks = {run.name: run for run in fitted_to(victim.run.key, done)}
    attack = _chosen(
        _("Attack"),
        attacks,
        "attacker",
        attack_title,
        _("Fitted to the base. ν weighs how much assignments shall disagree."),
    )
    defences = {
        run.name: run
        for run in done
        if run.spec.name == networks.defence() and run.spec.builds_on.get("base") == victim.run.key
    }
    defended = _chosen(
        _("Defence"),
        defences,
        "run",
        _defence_title,
        _("Trained from this base, against its own attack at one ν."),
    )
    return of(victim.run, attack, defended, done)


def of(base: Run, attack: Run | None, defended: Run | None, done: Sequence[Run]) -> Rounds:
    """The rounds of a base, an attack on it and a defended network, from the runs that are done."""
    if attack is None or defended is None:
        return Rounds(base, attack, defended, None, None)
    same = (run for run in on(defended.key, done) if run.spec.builds_on.get("fitted") == attack.key)
    again = (run for run in fitted_to(defended.key, done) if _aim(run) == _aim(attack))
    return Rounds(base, attack, defended, next(same, None), next(again, None))


def _chosen(
    label: str, found: dict[str, Run], parameter: str, title: Callable[[Run], str], help_: str
) -> Run | None:
    if not found:
        return None
    name = st.selectbox(
        label,
        list(found),
        key=links.key(parameter, next(iter(found)), lambda option: option in found),
        format_func=lambda option: title(found[option]),
        help=help_,
    )
    return found[str(name)]


def finished() -> list[Run]:
    """Every finished attack and defence of the kinds that are looked at, the zoo's first: read once a rerun,
    for it looks into every folder.
    """
    kinds = (networks.attack(), networks.defence())
    return connection.store().query(name=kinds, status=DONE)


def on(model: str, done: Sequence[Run]) -> list[Run]:
    """Attacks on the embedding of a model among the runs that are done; those at the default ν first."""
    name = networks.attack()
    alike = [run for run in done if run.spec.name == name and run.spec.builds_on.get("model") == model]
    return sorted(alike, key=lambda run: "nu" in run.spec.settings["objective_settings"])


def fitted_to(model: str, done: Sequence[Run]) -> list[Run]:
    """Those of them that were fitted to this very model."""
    return [run for run in on(model, done) if "fitted" not in run.spec.builds_on]


def _aim(run: Run) -> dict[str, object]:
    """What two attacks of one kind and weight have in common."""
    return {name: run.spec.settings[name] for name in ("objective", "objective_settings", "attack_settings")}


def attack_title(run: Run) -> str:
    """What a list calls an attack on an embedding: its weight, what differs from the usual, what it does."""
    entry, found = connection.catalogue()["attack"][run.spec.name], run.result()
    changes = nearest_preset(entry, run.spec.settings["attack_settings"])[1]
    fields = entry["schema"]["properties"]
    kind = ", ".join(f"{within(fields[name]['title'])} {value}" for name, value in changes.items())
    flips = _("flips {share:.0%}").format(share=found.get("flip_rate", 0))
    parts = [f"ν = {found.get('nu', 0):g}", kind or _("as published"), flips]
    return " · ".join(parts)


def _defence_title(run: Run) -> str:
    steps = _("{n} steps").format(n=naming.settings(run.spec)["steps"])
    return f"{connection.method_title(run.spec)} · {steps}"


def make_missing(rounds: Rounds) -> None:
    """A button for the next run that is not there yet, or the progress of the one that is being made."""
    following = next_of(rounds)
    if following is not None:
        wish, words = following
        if wanted.wanted_or_button(wish, words, beside=progress.newest_picture) is not None:
            st.rerun()


def next_of(rounds: Rounds) -> tuple[Wanted, str] | None:
    """The run that comes next, and what making it is called; None where all are there."""
    base, attack, defended = rounds.base.spec, rounds.attack, rounds.defended
    if attack is None:
        return fit(rounds.base, base.seed), _("Fit the attack")
    if defended is None:
        preset = networks.preset_for("model", networks.defence(), base.data)
        changes = _begins_from(rounds.base)
        defence = Wanted("train", networks.defence(), base.data, base.seed, preset, changes)
        return defence, _("Train the defence")
    if rounds.same is None:
        models = {"model": defended.key, "fitted": attack.key}
        same = Wanted("attack", attack.spec.name, base.data, base.seed, None, {"n": N}, models)
        return same, _("Attack the defended network in the same way")
    if rounds.again is None:
        changes = aims() | _aim(attack)
        models = {"model": defended.key}
        again = Wanted("attack", attack.spec.name, base.data, base.seed, None, changes, models)
        return again, _("Attack the defended network anew")
    return None


def fit(model: Run, seed: int, **changes: object) -> Wanted:
    """The attack on the embedding of a model, fitted to it; `changes` are its own and its objective's."""
    name, data = networks.attack(), model.spec.data
    preset = networks.preset_for("attack", name, data)
    return Wanted("attack", name, data, seed, preset, aims() | changes, {"model": model.key})


def aims() -> dict[str, object]:
    """What an attack on embeddings wants: its objective, of so many samples."""
    return {"objective": networks.objective(), "n": N}


def _begins_from(base: Run) -> dict[str, object]:
    """The settings of a defence that begins from this very base."""
    settings = dict(naming.settings(base.spec))
    defence = connection.catalogue()["model"][networks.defence()]["defaults"]
    own = [name for name in settings if name in defence and name not in defence["base"]]
    modules = {name: settings.pop(name) for name in own}
    return {"module": base.spec.name, "base": settings} | modules


def made_by(rounds: Rounds) -> list[Spec | Wanted]:
    """Every run beside the base, as it was made; and the one that comes next, as it would be."""
    made: list[Spec | Wanted] = [run.spec for run in rounds.runs()[1:]]
    following = next_of(rounds)
    return made + ([following[0]] if following is not None else [])


def sentence(rounds: Rounds) -> str | None:
    """What the three rounds amount to, in a line; None until all are there."""
    if rounds.attack is None or rounds.same is None or rounds.again is None:
        return None
    first, same, again = (run.result()["flip_rate"] for run in (rounds.attack, rounds.same, rounds.again))
    flips = _("flips **{first:.1%} → {same:.1%}**").format(first=first, same=same)
    chance = rounds.same.result()["noise_flip_rate"]
    if same <= 1.2 * chance:
        flips += ", " + _("no more than a random direction of that length: {chance:.1%}").format(
            chance=chance
        )
    seen = _("The defence does not hold even against the attack it has seen ({flips})")
    if same < first / 2:
        seen = _("The defence holds against the attack it has seen ({flips})")
    return f"{seen.format(flips=flips)}, {_against_fresh(first, same, again)} (**{again:.1%}**)."


def _against_fresh(first: float, same: float, again: float) -> str:
    """What a fresh attack does to the defence, by the flips of the three rounds."""
    if again < first / 2:
        return _("and against a fresh one")
    if again < 0.8 * first:
        return _("and takes something from a fresh one")
    if same < first / 2:
        return _("but a fresh attack of the same weight wins again")
    return _("and a fresh attack of the same weight wins again")


def over_nu(model: Run) -> list[Run]:
    """The attacks of the usual kind that were fitted to a model, one for each ν, rising."""
    entry = connection.catalogue()["attack"][networks.attack()]
    found: dict[float, Run] = {}
    for run in fitted_to(model.key, finished()):
        if not nearest_preset(entry, run.spec.settings["attack_settings"])[1]:
            found.setdefault(run.result()["nu"], run)
    return [found[nu] for nu in sorted(found)]
