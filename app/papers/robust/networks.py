"""The networks whose embedding is attacked: base networks, and what a defence makes of them."""

import streamlit as st

from app.address import connection, links
from app.forms.choose_model import Victim, victim_of
from engine.store.run import Run


def defence() -> str:
    """The registered defence that goes on from another method's network."""
    return next(name for name, entry in connection.catalogue()["model"].items() if entry["begins_from"])


def attack() -> str:
    """The registered attack that is fitted on embeddings."""
    return next(
        name for name, entry in connection.catalogue()["attack"].items() if entry["space"] == "embedding"
    )


def base_names() -> list[str]:
    """The methods whose networks can be defended."""
    return list(connection.catalogue()["model"][defence()]["begins_from"])


def preset_for(kind: str, name: str, data: str) -> str | None:
    """The preset of a method that is meant for a data set; None where it declares none."""
    preset = connection.catalogue()[kind][name]["fits"].get(data)
    return None if preset is None else str(preset)


def bases() -> dict[str, Run]:
    """Name -> run of every trained base network."""
    names = base_names()
    return {name: run for name, run in connection.models().items() if run.spec.name in names}


def choose_base() -> Victim:
    """A base network, from the zoo or from own runs; stops the page where there is none."""
    found = bases()
    if st.session_state["address"].get("model") not in (None, *found):
        links.forget("model")
    if not found:
        st.info("No base network is here yet. Train one under Train.")
        st.stop()
    name = str(
        st.selectbox(
            "Base network",
            list(found),
            key=links.key("model", next(iter(found)), lambda name: name in found),
            format_func=lambda option: connection.model_title(option, found[option]),
            help="ConvAE alone, with mutual information, or with a graph.",
        )
    )
    return victim_of(found[name], name)
