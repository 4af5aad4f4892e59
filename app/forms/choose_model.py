"""A trained model, chosen from the zoo or from a person's own runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from app.address import state
from engine.asking.answers import Answer
from engine.store.run import Run

DEFAULT_MODEL, DEFAULT_OF_VIEWS = "digits/adec", "noisy_digits/comvc"


@dataclass(frozen=True)
class Victim:
    """A chosen model: its name in lists, its run and what is known of its clean samples."""

    name: str
    run: Run
    overview: Answer

    @property
    def names(self) -> list[str]:
        """Names of the clusters."""
        return list(self.overview.json["cluster_names"])

    @property
    def shape(self) -> list[int]:
        """Shape of one sample."""
        return list(self.overview.json["shape"])


def in_order(victim: Victim) -> list[int]:
    """The clusters in the order of the classes they are matched to; those without one last."""
    mapping = victim.overview.json["mapping"]
    return sorted(range(len(mapping)), key=lambda cluster: (mapping[cluster] < 0, mapping[cluster]))


def choose_model(ability: str = "clusters") -> Victim:
    """A model from the zoo or from own runs; stops the page with a sentence where none can be read."""
    found = state.models(ability=ability)
    if not found:
        st.info("No trained model is here yet. Train one on the Train page; digits take a minute.")
        st.stop()
    default = next(name for name in (DEFAULT_MODEL, DEFAULT_OF_VIEWS, *found) if name in found)
    key = state.key(
        "model",
        default,
        lambda name: name in found,
        "a zoo name or the key of a finished run (train it with `python3 -m engine train`)",
    )
    name = st.selectbox(
        "Model",
        list(found),
        key=key,
        format_func=lambda option: state.model_title(option, found[option]),
        help="Trained models: those that come with Feint, then your own finished runs.",
    )
    overview = state.ask({"ask": "overview", "model": found[name].key}, "Looking at the model…")
    return Victim(name, found[name], overview)


def sees_views(victim: Victim) -> bool:
    """Whether a model fuses several views."""
    return "fuses" in state.catalogue()["model"][victim.run.spec.name]["abilities"]


def cluster_captions(victim: Victim, clusters: Sequence[int]) -> list[str]:
    """Names of clusters for captions."""
    return [victim.names[int(cluster)] for cluster in clusters]
