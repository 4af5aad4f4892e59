"""The networks whose embedding is attacked: base networks, and what a defence makes of them."""

from collections.abc import Mapping

import streamlit as st

from app.address import connection, fetching, house, links
from app.forms.choose_model import Victim, of_other_pages, victim_of
from app.forms.declared_first import Methods, family
from app.train import choose
from app.words import _
from engine.store.run import Run

PAGE = "robust"


def defences() -> Methods:
    """The defences that go on from another method's network."""
    names = [name for name, said in connection.catalogue()["model"].items() if said["begins_from"]]
    return Methods("model", names, family(PAGE)["defence"], "defence", _("Kind of defence"))


def attacks() -> Methods:
    """The attacks that are fitted on embeddings."""
    return Methods("attack", _of_embeddings("attack"), family(PAGE)["attack"], "kind", _("Kind of attack"))


def objectives() -> Methods:
    """What is wanted of embeddings."""
    names = _of_embeddings("objective")
    return Methods("objective", names, family(PAGE)["objective"], "aim", _("Objective"))


def _of_embeddings(kind: str) -> list[str]:
    return [name for name, entry in connection.catalogue()[kind].items() if entry["space"] == "embedding"]


def defence() -> str:
    """The defence that the page is about."""
    return defences().chosen()


def attack() -> str:
    """The attack on embeddings that the page is about."""
    return attacks().chosen()


def objective() -> str:
    """What it wants."""
    return objectives().chosen()


def choose_methods() -> None:
    """A box for the attack, its objective and the defence, each where several are registered."""
    for methods in (attacks(), objectives(), defences()):
        methods.choose()


def base_names() -> list[str]:
    """The methods whose networks can be defended."""
    return list(connection.catalogue()["model"][defence()]["begins_from"])


def preset_for(kind: str, name: str, data: str) -> str | None:
    """The preset that a form begins with for these data, here as on Train."""
    return choose.preset_for(connection.catalogue()[kind][name], data)


def bases() -> dict[str, Run]:
    """Name -> run of every trained base network."""
    names = base_names()
    return {name: run for name, run in connection.models().items() if run.spec.name in names}


def first(found: Mapping[str, Run]) -> str:
    """The base network that is shown first: of the data that pages begin with, where these are here, since
    the rounds read them; else of those that stand in.
    """
    data = house.STAND_IN if fetching.about(house.data()) else house.data()
    return next((name for name, run in found.items() if run.spec.data == data), next(iter(found)))


def choose_base() -> Victim:
    """A base network, from the zoo or from own runs; stops the page where there is none."""
    found = bases()
    asked = st.session_state["address"].get("model")
    if asked not in (None, *found):
        of_other_pages(str(asked))
    if not found:
        st.info(_("No base network is here yet. Train one under Train."))
        st.stop()
    key = links.key("model", first(found), lambda name: name in found)
    chosen = st.session_state[key]
    if chosen != first(found):  # what stands in for data that are not here contradicts nothing
        house.model_decides(chosen, found[chosen].spec.data)
    name = str(
        st.selectbox(
            _("Base network"),
            list(found),
            key=key,
            on_change=lambda: house.follow_model(found, key),
            format_func=lambda option: connection.model_title(option, found[option]),
            help=_("ConvAE alone, with mutual information, or with a graph."),
        )
    )
    house.tell(found[name].spec.data, str(fetching.about(house.data()) or ""))
    return victim_of(found[name], name)
