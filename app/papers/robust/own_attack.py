"""An attack of one's own on any network that decodes, watched while it is fitted."""

import streamlit as st

from app.address import connection
from app.forms import settings_form
from app.papers.robust import attacked, figures, networks, rounds
from app.runs import progress, wanted
from app.words import _
from engine.store.run import Run
from engine.store.wanted import Wanted


def choose(name: str) -> Wanted:
    """Network, ν, kind of perturbation and seed of the attack called `name`, as the run that is wanted."""
    run = _network()
    attack = connection.catalogue()["attack"][name]
    objective = connection.catalogue()["objective"][networks.objectives().choose()]
    preset = networks.preset_for("attack", attack["name"], run.spec.data)
    aim = settings_form.choose(objective, key="fit")
    how = settings_form.choose(attack, key="fit", preset=preset, fold=True)
    seed = int(st.number_input(_("Seed"), 0, 9999, 0, key="fit/seed"))
    changes = {f"objective_settings.{name}": value for name, value in aim["changes"].items()}
    models = {"model": run.key}
    changes = rounds.aims() | changes | how["changes"]
    return Wanted("attack", attack["name"], run.spec.data, seed, how["preset"], changes, models)


def _network() -> Run:
    """Any trained network that decodes."""
    found = connection.models(ability="decodes")
    first = networks.first(networks.bases() or found)
    name = st.selectbox(
        _("Network"),
        list(found),
        index=list(found).index(first),
        key="fit/model",
        format_func=lambda option: connection.model_title(option, found[option]),
    )
    return found[str(name)]


def show(wish: Wanted) -> None:
    """The button that fits it, its progress, and what it reached."""
    run = wanted.wanted_or_button(wish, _("Fit"), beside=progress.newest_picture)
    if run is None:
        if wanted.found(wish) is None:
            st.caption(_("On digits it takes five seconds. What it reached comes here."))
        return
    here = attacked.read(run)
    if here is None:
        return
    st.subheader(rounds.attack_title(run), anchor=False)
    attacked.scores(here)
    left, right = st.columns(2, gap="medium")
    with left:
        figures.arrows(here, int(here.table["id"].iloc[0]), "fit")
    with right:
        figures.flow(here, "fit")
