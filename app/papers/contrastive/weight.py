"""λ of an encoder after a second stage: how much attacked and clean embedding were kept together while it was
trained. Another λ is another training, of the same settings and the same seed.
"""

from dataclasses import replace

import streamlit as st

from app.address import connection, links
from app.forms import possible
from app.forms.choose_model import Victim, victim_of
from app.papers.studies import results, scores
from app.runs import wanted
from app.words import _
from engine.store.reproduce import wanted_of

STUDY = "ncp.lambda"
"""What has measured several λ."""


def of(victim: Victim) -> float | None:
    """The λ with which a model was trained; None for one that knows none."""
    usual = possible.entry("model", victim.run.spec.name)["defaults"].get("lam")
    return None if usual is None else float(victim.run.spec.settings["model_settings"].get("lam", usual))


def _measured() -> set[float]:
    found = (results.result(STUDY, size) for size in connection.catalogue()["study"][STUDY]["data"])
    return {float(row.about["lam"]) for one in found if one is not None for row in one.measured}


def with_weight(victim: Victim) -> Victim | None:
    """The same method with λ as the slider says; None while nobody has trained that."""
    trained = of(victim)
    if trained is None:
        links.forget("weight")
        return victim
    options = sorted({trained, *_measured()})
    lam = float(
        st.select_slider(
            _("λ, weight of attacked pictures"),
            options,
            key=links.key("weight", trained, lambda number: number in options),
            format_func=lambda number: f"{number:g}",
            help=_("How much attacked and clean embedding are kept together. Another λ is another training."),
        )
    )
    if lam == trained:
        return victim
    same = wanted_of(victim.run.spec, connection.catalogue(), connection.store())
    wish = replace(same, changes={**same.changes, "lam": lam})
    run = wanted.wanted_or_button(wish, _("Train it with λ = {lam:g}").format(lam=lam))
    return None if run is None else victim_of(run, victim.name)


def show(victim: Victim) -> None:
    """What λ is worth to this method, as the study on these data has measured it."""
    study, lam = connection.catalogue()["study"][STUDY], of(victim)
    if lam is None or victim.run.spec.name not in study["defences"]:
        return
    for size, data in study["data"].items():
        found = results.result(STUDY, size) if data == victim.run.spec.data else None
        if found is not None:
            scores.against_lambda(found, lam)
