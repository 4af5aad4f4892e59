"""What is looked for on the page UAE, in which model, how far, and with how many compressed samples."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.address import connection, house, links
from app.forms import exact, in_address
from app.forms.choose_model import Victim, of_other_pages, victim_of
from app.forms.threat import Threat, largest
from app.words import N_, _
from engine.store.run import Run
from engine.store.wanted import Wanted

PAGE, ATTACK = "uae", "minmax"
EPSILON, N = 1.0, 200
"""ε at first, as in the paper's figures, and how many samples are attacked at once."""


@dataclass(frozen=True)
class LookedFor:
    """One direction of the search: its words, what is kept or reached, and the model that is shown first."""

    title: str
    help: str
    objective: str
    ability: str
    preset: str
    example: str
    settings: tuple[tuple[str, Any], ...] = ()


DIRECTIONS = {
    "-1": LookedFor(
        N_("Least similar, copied better"),
        N_(
            "The least similar sample that an autoencoder still reconstructs better than the original (s ="
            " −1)."
        ),
        "keep_reconstruction",
        "reconstructs",
        "visible",
        "dense_ae",
    ),
    "1": LookedFor(
        N_("Most similar, mistaken"),
        N_("The most similar sample that a classifier takes for something else (s = +1)."),
        "misclassify",
        "classifies",
        "visible",
        "classifier",
        (("direction", 1),),
    ),
}


NONE_HERE = {
    "reconstructs": N_("No model that reconstructs is here yet. Train one under Train."),
    "classifies": N_("No model that classifies is here yet. Train one under Train."),
}
"""Ability -> what is said where no model has it."""


def direction() -> str:
    """Which of the two is looked for."""
    return str(
        st.segmented_control(
            _("Looked for"),
            list(DIRECTIONS),
            key=links.key("direction", "-1", lambda name: name in DIRECTIONS),
            format_func=lambda name: _(DIRECTIONS[name].title),
            help="  \n".join(_(wanted.help) for wanted in DIRECTIONS.values()),
            required=True,
        )
    )


def model(wanted: LookedFor) -> Victim:
    """A model that can do what is asked; stops the page where there is none."""
    found = {
        name: run for name, run in connection.models(ability=wanted.ability).items() if _fits(run, wanted)
    }
    if not found:
        st.info(_(NONE_HERE[wanted.ability]))
        st.stop()
    asked = st.session_state["address"].get("model")
    if asked not in (None, *found):
        of_other_pages(str(asked))
    first = _first(found, wanted)
    key = links.key("model", first, lambda name: name in found)
    chosen = st.session_state[key]
    if chosen != first:
        house.model_decides(chosen, found[chosen].spec.data)
    name = str(
        st.selectbox(
            _("Model"),
            list(found),
            key=key,
            on_change=lambda: house.follow_model(found, key),
            format_func=lambda option: connection.model_title(option, found[option]),
            help=_("Trained models: those that come with Feint, then your own."),
        )
    )
    house.tell(found[name].spec.data, "")
    return victim_of(found[name], name)


def _fits(run: Run, wanted: LookedFor) -> bool:
    """Whether the page is about a model: of the kind of the first one shown."""
    families = {
        name: entry.get("family", {}).get("name") for name, entry in connection.catalogue()["model"].items()
    }
    return families.get(run.spec.name) == families.get(wanted.example)


def _first(found: dict[str, Run], wanted: LookedFor) -> str:
    """The example on the data that pages begin with; on others, or another model, where it is not there."""
    usual = (f"{data}/{wanted.example}" for data in (house.data(), house.ready()))
    alike = (name for name, run in found.items() if run.spec.name == wanted.example)
    return next(name for name in (*usual, *alike, *found) if name in found)


def threat(wanted: LookedFor) -> Threat:
    """The attack with the chosen ε and K."""
    entry = connection.catalogue()["attack"][ATTACK]
    settings = dict(entry["presets"][wanted.preset]) | dict(wanted.settings)
    usual = int(settings.get("compressed", entry["defaults"]["compressed"]))
    epsilon_key = links.key("within", EPSILON, lambda size: 0 < size <= 1, _("a number above 0, at most 1"))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        epsilon = float(
            st.slider(
                "ε",
                0.01,
                1.0,
                step=0.01,
                key=epsilon_key,
                help=_("No number of a sample changes by more; 1 is its whole range, as in the paper."),
            )
        )
        exact.field(
            "ε", epsilon_key, 0.01, lambda size: None if 0 < size <= 1 else _("ε must lie in (0, 1].")
        )
    compressed = int(
        st.slider(
            _("K, compressed samples"),
            2,
            500,
            key=links.key(
                "compressed",
                usual,
                lambda number: 2 <= number <= 500,
                _("a whole number from 2 to {most}").format(most=500),
            ),
            help=_(
                "How many pairs the similarity is estimated from. The score grows with K alone, while what it"
                " estimates stays: compare scores of one K."
            ),
        )
    )
    settings["compressed"] = compressed
    changed = {name: value for name, value in settings.items() if value != entry["defaults"].get(name)}
    return Threat(attack=ATTACK, settings=changed, objective=wanted.objective, epsilon=epsilon)


def in_address_of_attack(run: Run, victim: Victim, sample: int) -> dict[str, str]:
    """What a link to Attack says of an attack on this page: the same one on the same sample."""
    said = run.spec.settings
    return {
        "model": victim.name,
        "sample": str(sample),
        "attack": run.spec.name,
        "objective": str(said["objective"]),
        "norm": str(said["norm"]),
        "eps": f"{min(said['epsilon'], largest(said['norm'])):g}",
        "steps": str(said["attack_settings"]["steps"]),
        **in_address.of_attack(run.spec),
    }


def attacked(threat: Threat, victim: Victim, towards: LookedFor) -> Wanted:
    """The run of it on many samples: training rows for an autoencoder, which may be trained on what comes
    out, else any.
    """
    rows = "train" if towards.ability == "reconstructs" else "all"
    return threat.wanted(victim.run, n=N, half=rows)
