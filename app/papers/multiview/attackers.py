"""Who attacks the views: an attack that searches for each sample by itself, or one that was fitted once to
the model and then answers at once; and which views it may not touch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from app.address import connection, links
from app.forms import choose_threat, possible
from app.forms.choose_model import Victim
from app.forms.declared_first import Methods, family
from app.forms.threat import Threat
from app.runs import progress, wanted
from app.words import _
from engine.asking.questions import epsilon_text
from engine.store.run import Run
from engine.store.store import DONE
from engine.store.wanted import Wanted

PAGE = "multiview"
FITTED_AT = 0.3
"""ε at which attacks are fitted, as published."""
HALF = "second"
"""The samples that are attacked: those that the models were not trained on."""
OLD_NAMES = {"strong": "mv_gan", "released": "mv_gan.as_released"}
"""What links of earlier versions call an attacker -> its name now."""


@dataclass(frozen=True)
class Attacker:
    """An attack on views as a list offers it: its registered name, a preset, and what it is called."""

    attack: str
    preset: str | None
    title: str

    @property
    def entry(self) -> Mapping[str, Any]:
        """Its catalogue entry."""
        return possible.entry("attack", self.attack)


@dataclass(frozen=True)
class Chosen:
    """An attacker with what was chosen for it. `protocol` says on which samples it is fitted; "" for one that
    is not.
    """

    attacker: Attacker
    locked: tuple[int, ...]
    protocol: str = ""
    threat: Threat = Threat()
    """What it is on one sample, where it is not fitted."""

    @property
    def fitted(self) -> bool:
        """Whether it must be fitted first."""
        return bool(self.attacker.entry["fitted"])

    def fit(self, model: Run, locked: tuple[int, ...] = ()) -> Wanted:
        """The run in which it is fitted to a model, with these views locked."""
        changes = {"objective": self.threat.objective, "epsilon": FITTED_AT, "half": HALF, "n": None}
        changes |= {"protocol": self.protocol} if self.protocol else {}
        changes |= {"locked": list(locked)} if locked else {}
        name, data = self.attacker.attack, model.spec.data
        return Wanted("attack", name, data, 0, self.attacker.preset, changes, {"model": model.key})

    def understates(self, run: Run) -> bool:
        """Whether the lock is put on an attack that was fitted without it."""
        return tuple(run.spec.settings["locked"]) != self.locked


def objectives() -> Methods:
    """The objectives that are about several views."""
    entries = connection.catalogue()["objective"]
    names = [name for name, entry in entries.items() if "fuses" in entry["needs"]]
    return Methods("objective", names, family(PAGE)["objective"], "aim", _("Objective"))


def attackers(victim: Victim, objective: str) -> dict[str, Attacker]:
    """Name in the address -> every attack on a model of several views that can chase the objective, those
    that search first.
    """
    found: dict[str, Attacker] = {}
    for name in possible.attacks(victim.run.spec.name, objective, fitted=True):
        entry = possible.entry("attack", name)
        for preset in (None, *entry["presets"]) if entry["fitted"] else (None,):
            said = f", {_(preset.replace('_', ' '))}" if preset else ""
            key = f"{name}.{preset}" if preset else name
            found[key] = Attacker(name, preset, _(entry["title"]) + said)
    first = Threat().attack
    order = sorted(found, key=lambda name: (bool(found[name].entry["fitted"]), name != first))
    return {name: found[name] for name in order}


def choose(victim: Victim) -> Chosen | None:
    """Attacker, locks and its settings; None, with a sentence on the page, where every view is locked."""
    _rename_old_links()
    aim = objectives().choose()
    known = attackers(victim, aim)
    name = st.selectbox(
        _("Attacker"),
        list(known),
        key=links.key("attacker", next(iter(known)), lambda name: name in known),
        format_func=lambda name: known[name].title,
        help=_(
            "PGD searches for each sample by itself. A fitted attack is trained once and then answers at"
            " once; the generators as released start saturated and are far weaker."
        ),
    )
    attacker = known[str(name)]
    locked = choose_threat.choose_locked(victim)
    if len(locked) == victim.overview.views:
        return None
    threat = Threat(attacker.attack, objective=aim, epsilon=FITTED_AT, locked=locked)
    if attacker.entry["fitted"]:
        return Chosen(attacker, locked, _protocol(attacker), threat)
    defaults = attacker.entry["defaults"]
    if "steps" in defaults:
        steps = choose_threat.choose_steps(int(defaults["steps"]))
        threat = replace(threat, settings={"steps": steps} if steps != defaults["steps"] else {})
    return Chosen(attacker, locked, "", replace(threat, seed=choose_threat.choose_seed()))


def _rename_old_links() -> None:
    asked = links.value("attacker", "")
    if asked in OLD_NAMES:
        links.put("attacker", OLD_NAMES[asked])


def _protocol(attacker: Attacker) -> str:
    """On which samples it is fitted, where that is one of its settings."""
    field = attacker.entry["schema"]["properties"].get("protocol")
    if field is None:
        return ""
    options = list(field["enum"])
    key = links.key("protocol", field["default"], lambda name: name in options)
    return str(st.selectbox(_(field["title"]), options, key=key, help=_(field["description"])))


def ready(victim: Victim, chosen: Chosen) -> Threat | None:
    """The attack on one sample: at once where it searches; where it is fitted, once that is done. Until then
    its button or its progress is on the page, and what was fitted without the lock stands in for it.
    """
    if not chosen.fitted:
        return chosen.threat
    own = chosen.fit(victim.run, chosen.locked)
    joint = wanted.found(chosen.fit(victim.run)) if chosen.locked else None
    joint = joint if joint is not None and joint.status() in DONE else None
    if joint is not None and wanted.found(own) is None:
        st.caption(
            _(
                "Shown is an attack that was fitted to all views together, without this lock. Fit it with the"
                " lock, or use PGD, for what one view allows."
            )
        )
    run = wanted.wanted_or_button(
        own,
        _("Fit generators with this lock") if chosen.locked else _("Fit generators"),
        beside=progress.reached_so_far,
        icon=":material/model_training:",
    )
    run = run or joint
    return None if run is None else replace(chosen.threat, fitted=run.key)


def explain_fit(chosen: Chosen, threat: Threat) -> None:
    """What the ladder of a fitted attack is, and what it is not."""
    if not threat.fitted:
        return
    run = connection.store().find(threat.fitted)
    on = run.spec.settings["attack_settings"].get("protocol", "")
    fitted_at = epsilon_text(run.spec.settings["epsilon"])
    st.caption(
        _(
            "One generator, fitted at ε = {epsilon}, clamped at each ε. The curve of ACC against ε, on Curves"
            " and Defend, fits one for each ε."
        ).format(epsilon=f"{fitted_at} ({on})" if on else fitted_at)
    )
    if chosen.understates(run):
        st.warning(
            _(
                "The lock is put on generators that were fitted together: this understates what an attacker"
                " of"
                " one view can do."
            )
        )


def on_all(victim: Victim, chosen: Chosen, threat: Threat) -> Wanted:
    """The same attack on every sample of the half that was not trained on."""
    if chosen.fitted:
        run = connection.store().find(threat.fitted)
        return chosen.fit(victim.run, tuple(run.spec.settings["locked"]))
    wish = threat.wanted(victim.run, half=HALF)
    return replace(wish, changes={**wish.changes, "n": None})
