"""Attacks that are trained on a model before they attack: which of them stand ready for a slot."""

from collections.abc import Sequence

import streamlit as st

from app.address import connection, links
from app.forms import possible
from app.runs import headline
from app.words import _
from engine.asking.questions import epsilon_text
from engine.store.reproduce import nearest_preset
from engine.store.run import Run
from engine.store.store import DONE


def ready(model: Run, objective: str = "", norm: str = "") -> dict[str, Run]:
    """Name -> each run in which an attack on pixels was trained on this very model, with no view locked; for
    an objective and in a norm, if asked.
    """
    names = [
        name
        for name in possible.attacks(model.spec.name, axis="epsilon", fitted=True)
        if possible.entry("attack", name).get("fitted")
    ]
    if not names:
        return {}
    made = connection.store().query(action="attack", name=names, model=model.key, fitted="", status=DONE)
    return {
        run.name: run
        for run in made
        if objective in ("", run.spec.settings["objective"])
        and norm in ("", run.spec.settings["norm"])
        and not run.spec.settings["locked"]
        and not run.spec.settings["lam"]
    }


def title(run: Run) -> str:
    """What a trained attack is called: its own title, its preset, and what sets one's own apart."""
    entry = possible.entry("attack", run.spec.name)
    preset, _changed = nearest_preset(entry, run.spec.settings["attack_settings"])
    of_preset = f", {_(preset.replace('_', ' '))}" if preset else ""
    return _(entry["title"]) + of_preset + connection.apart(run.name, run)


def same_on(other: Run, run: Run) -> str:
    """The name of the same attack trained on another model; "" where nobody has trained it."""
    alike = (name for name, made in ready(other).items() if made.spec.settings == run.spec.settings)
    return next(alike, "")


def explain(run: Run) -> None:
    """What the ladder of a trained attack is."""
    words = _("Trained once, at ε = {epsilon}, and clamped at each ε of the ladder.")
    st.caption(words.format(epsilon=epsilon_text(run.spec.settings["epsilon"])))


def elsewhere(models: Sequence[Run]) -> None:
    """The pages of attacks that are trained on these models, with a sentence; nothing where none is."""
    known = connection.catalogue()
    pages: dict[str, Run] = {}
    for run in models:
        page = known["model"][run.spec.name]["family"]["page"]
        trains = (said for said in known["attack"].values() if said.get("fitted"))
        if page != "attack" and any(
            set(said.get("needs", ())) <= possible.abilities(run.spec.name) for said in trains
        ):
            pages.setdefault(page, run)
    if not pages:
        return
    st.caption(
        _(
            "An attack that is trained on a model has its own page. What was trained there, on the pixels,"
            " for this objective and in this norm, can be chosen here."
        )
    )
    for page, run in pages.items():
        script = links.pages()[page]
        headline.link(page, _(script.title), script.icon, {"model": run.name})
