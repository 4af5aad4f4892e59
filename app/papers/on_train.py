"""Links to the page Train with a method, its data and its preset chosen: training stands there alone."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.address import connection, house, layout, links
from app.runs import headline
from app.train import arms, choose
from app.words import _


def tab(names: Sequence[str], views: Callable[[int], bool] = lambda views: views == 1) -> dict[str, str]:
    """A page's tab about training its methods: the data, so many views of them, and the links."""
    left, look = layout.choose_and_look()
    with left:
        data = choose_data(views)
    with look:
        show(names, data)
    return {}


def of_family(page: str) -> list[str]:
    """The methods whose family has this page."""
    known = connection.catalogue()["model"]
    return [name for name, entry in known.items() if entry["family"].get("page") == page]


def choose_data(views: Callable[[int], bool]) -> str:
    """A data set of so many views, at first the one that pages begin with."""
    cards = connection.catalogue()["data"]
    sets = {name: card for name, card in cards.items() if views(card["views"])}
    usual = (house.data(), house.OF_VIEWS[house.ready()], house.ready())
    first = next(name for name in (*usual, *sets) if name in sets)
    if st.session_state["address"].get("data") not in sets:
        links.forget("data")  # it is a choice for other pages
    return choose.choose_data(sets, first)[0]


def show(names: Sequence[str], data: str) -> None:
    """A link for each method, what its preset took and reached where that was measured, and what to press
    there.
    """
    models = connection.catalogue()["model"]
    for name in names:
        entry = models[name]
        preset, figures = choose.preset_for(entry, data), choose.measured(entry, data)
        chosen = {"method": name, "data": data} | ({"preset": preset} if preset else {})
        headline.link(
            "train", _("{method} on Train").format(method=_(entry["title"])), "model_training", chosen
        )
        if preset in figures:
            st.caption(choose.expected(figures[preset]))
    together = {arms.words(models[name]) for name in names if len(arms.of(models[name])) > 1}
    said = [
        _(
            "There press **Train**: its losses, its scores and, where it is watched under attack, its"
            " attacked"
            " scores are drawn as it learns."
        )
    ]
    if together:
        buttons = _(" or ").join(sorted(together))
        said.append(_("**{buttons}** trains them beside one another.").format(buttons=buttons))
    st.markdown(" ".join(said))
