"""What is chosen on the page Contrastive: an encoder with its clusters, how many these are, and where a
sample is pushed.
"""

from dataclasses import dataclass

import streamlit as st

from app.address import connection, house, links
from app.forms import possible
from app.forms.choose_model import Victim, of_other_pages, victim_of
from app.forms.threat import Threat
from app.runs import wanted
from app.words import N_, _
from engine.asking.questions import CLUSTERS_OF, encoder_of
from engine.store.run import Run
from engine.store.wanted import BASE, Wanted

PAGE = "contrastive"
FIRST = ("ncp_acl", "deacl", CLUSTERS_OF)
"""Methods of which a model is shown before anybody has chosen, the first that is there."""
NEIGHBOURS = {2: N_("2nd"), 3: N_("3rd"), 4: N_("4th"), 5: N_("5th")}
MOST = 80
"""Clusters at most."""
WAIT = 10.0
"""Seconds for which the page waits for clusters: finding them takes a few."""


@dataclass(frozen=True)
class Chosen:
    """An encoder that compares directions with centroids, and the run of its encoder alone."""

    victim: Victim
    encoder: Run

    @property
    def k(self) -> int:
        """How many clusters it has."""
        return len(self.victim.names)


def encoder() -> Victim:
    """An encoder with clusters; stops the page where there is none."""
    found = connection.models(ability="compares")
    if not found:
        st.info(
            _("No encoder with clusters is here yet. Train {model} under Train.").format(
                model=_(possible.title("model", FIRST[0]))
            )
        )
        st.stop()
    asked = st.session_state["address"].get("model")
    if asked not in (None, *found):
        of_other_pages(str(asked))
    first = _first(found)
    key = links.key("model", first, lambda name: name in found)
    chosen = st.session_state[key]
    if chosen != first:
        house.model_decides(chosen, found[chosen].spec.data)

    def turned() -> None:
        if not links.left(key):
            links.forget("sample", "clusters", "weight")
        house.follow_model(found, key)

    name = str(
        st.selectbox(
            _("Encoder"),
            list(found),
            key=key,
            on_change=turned,
            format_func=lambda option: connection.model_title(option, found[option]),
            help=_(
                "Encoders whose embeddings are clustered by direction: undefended, and after each defence."
            ),
        )
    )
    house.tell(found[name].spec.data, "")
    return victim_of(found[name], name)


def _first(found: dict[str, Run]) -> str:
    """The defended encoder on the data that pages begin with, else any."""
    usual = [
        name
        for data in dict.fromkeys((house.data(), house.ready()))
        for method in FIRST
        for name, run in found.items()
        if run.spec.name == method and run.spec.data == data
    ]
    return next(iter((*usual, *found)))


def of(victim: Victim) -> Chosen:
    """An encoder, and what was clustered: for clusters of an encoder the run of that one."""
    return Chosen(victim, connection.store().find(encoder_of(victim.run)))


def with_clusters(chosen: Chosen) -> Chosen | None:
    """The same encoder with as many clusters as the slider says; None while those are made."""
    k = int(
        st.slider(
            _("K, clusters"),
            2,
            MOST,
            key=links.key(
                "clusters",
                chosen.k,
                lambda number: 2 <= number <= MOST,
                _("a whole number from 2 to {most}").format(most=MOST),
            ),
            help=_("Into how many clusters the directions of the embedding are sorted."),
        )
    )
    if k == chosen.k:
        return chosen
    wish = Wanted(
        "train",
        CLUSTERS_OF,
        chosen.encoder.spec.data,
        chosen.encoder.spec.seed,
        changes={"clusters": k},
        models={BASE: chosen.encoder.key},
    )
    run = wanted.wanted_or_button(
        wish,
        _("Find {k} clusters").format(k=k),
        at_once=True,
        wait=WAIT,
        doing=_("Finding {k} clusters…").format(k=k),
    )
    return None if run is None else Chosen(victim_of(run, chosen.victim.name), chosen.encoder)


def threat(victim: Victim) -> Threat:
    """Where the sample is pushed, and to which neighbour."""
    offered = [
        name
        for name in possible.objectives(victim.run.spec.name, labelled=False)
        if {"compares", "imitates"} & set(possible.entry("objective", name).get("needs", ()))
    ]
    first = "chase_neighbour" if "chase_neighbour" in offered else offered[0]
    objective = str(
        st.radio(
            _("Push it"),
            offered,
            key=links.key("objective", first, lambda name: name in offered),
            format_func=lambda name: _(possible.title("objective", name)),
            captions=[_(str(possible.entry("objective", name)["summary"])) for name in offered],
        )
    )
    settings = {}
    if "neighbour" in possible.entry("objective", objective)["defaults"]:
        here = tuple(n for n in NEIGHBOURS if n <= len(victim.names))
        n = st.segmented_control(
            _("Which neighbour"),
            here,
            required=True,
            key=links.key("neighbour", 2, lambda number: number in here),
            format_func=lambda number: _(NEIGHBOURS[number]),
            help=_("Of the centroids, the n-th nearest to the clean sample; the 1st is its own."),
        )
        settings = {"neighbour": int(n or 2)} if n != 2 else {}
    return Threat(objective=objective, objective_settings=settings, epsilon=0.1)
