"""Every attacked sample on the map, clean and attacked; a lasso or the legend selects, a click opens."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from app import gallery
from app.address import connection, fetching, links, notices
from app.attack.on_the_map import UMAP_COMES, UMAP_NEEDS
from app.components.map import Classes, MapDrawing, Values, map_payload, point_map
from app.inspect import columns
from app.inspect.finished_attack import GROUPS, FinishedAttack
from app.inspect.selection import Selection, choose
from app.words import N_, _, within
from engine.asking import keeping
from engine.asking.questions import AttackedOnUmapQuestion

MOVED = {
    "cluster": N_("Arrows: {shown} of {moved} that moved to another cluster"),
    "class": N_("Arrows: {shown} of {moved} that moved to another class"),
}
ARROWS = 120
"""Arrows drawn while nothing is selected."""
SHEET = 1000
"""Samples up to which the map's hover cards carry pictures."""


@dataclass(frozen=True)
class Places:
    """Where samples lie on a map, clean and attacked (n, 2); how far one lands from itself unmoved."""

    name: str
    clean: np.ndarray
    attacked: np.ndarray
    error: float = 0.0


def show(attacked: FinishedAttack, selection: Selection, mask: np.ndarray, sample: int) -> None:
    """The map and what its points are coloured by. Nothing for a model without an embedding."""
    if attacked.answer.xy is None:
        st.caption(_("This model has no embedding: there is no map to show."))
        return
    with st.container(horizontal=True):
        colour = _choose_colour(attacked)
        umap = st.toggle(
            "UMAP",
            key=links.key("umap", False),
            help=_("PCA is there at once, and is shown while UMAP is made: up to a minute the first time."),
        )
    places, moved = _places(attacked, umap), _moved(attacked)
    arrows = moved[:: -(-len(moved) // ARROWS) or 1]
    payload = map_payload(
        MapDrawing(
            xy=places.clean,
            colour=_colour(attacked, colour),
            ids=attacked.ids,
            xy_attacked=places.attacked,
            uncertain=attacked.answer.uncertain,
            arrows=arrows,
            sprite=_sheet(attacked),
            selected=attacked.ids[mask] if selection.of else None,
            focus=sample,
            title=_("{map} of the embedding").format(map=places.name),
            xy_error=places.error,
            extra=_extra(attacked),
            caption=f"{_legend(attacked, len(arrows), len(moved), umap)} {attacked.protocol()}",
        )
    )
    key = f"inspect_map/{attacked.run.key}/{places.name}"
    picked = point_map(payload, key=key, on_selection=lambda: _lassoed(key))
    if picked.point is not None and picked.point != sample:
        links.put("sample", picked.point)
        if picked.point not in attacked.ids[mask]:
            choose(Selection({}))
        st.rerun()


def _choose_colour(attacked: FinishedAttack) -> str:
    """What points are coloured by, among what is known of them. The names are those of links."""
    known = columns.known(attacked)
    options = {"label": _("Label")} if attacked.labelled else {}
    if attacked.before is not None:
        options["cluster"] = _(GROUPS[attacked.victim.grouping])
    if columns.MARGIN in known:
        options["margin"] = _("Margin")
    elif columns.VALUE in known:
        options["value"] = known[columns.VALUE].title
    if attacked.reached is not None:
        options["flipped"] = _("Reached")
    first = "cluster" if "cluster" in options else next(iter(options))
    return str(
        st.segmented_control(
            _("Colour"),
            list(options),
            key=links.key("colour", first, lambda name: name in options),
            format_func=options.__getitem__,
            required=True,
            wrap=True,
            label_visibility="collapsed",
        )
    )


def _moved(attacked: FinishedAttack) -> np.ndarray:
    """The rows for which arrows are drawn: those that changed their group, or were reached, or all."""
    for mark in (attacked.changed, attacked.reached):
        if mark is not None:
            return np.flatnonzero(mark)
    return np.arange(attacked.n)


def _legend(attacked: FinishedAttack, shown: int, moved: int, umap: bool) -> str:
    said = _("Arrows: {shown} of {moved} attacked samples")
    if attacked.changed is not None:
        said = _(MOVED[attacked.victim.grouping])
    grey = "; " + _("grey ones are shorter than the error of this map") if umap else ""
    far = 0 if attacked.answer.uncertain is None else int(attacked.answer.uncertain.sum())
    rings = _(
        "Rings: {n} attacked samples lie farther from every clean"
        " one than 99 % of these do from theirs, so their place says little."
    )
    return f"{said.format(shown=shown, moved=moved)}{grey}. {rings.format(n=far)}"


def _lassoed(name: str) -> None:
    lasso = st.session_state[name].get("selection")
    choose(Selection.read().with_("map", lasso) if lasso else Selection({}))


def _places(attacked: FinishedAttack, umap: bool) -> Places:
    answer = attacked.answer
    assert answer.xy_clean is not None and answer.xy is not None, "asked only where there is an embedding"
    pca = Places("PCA", answer.xy_clean, answer.xy)
    if not umap:
        return pca
    placed = keeping.kept(AttackedOnUmapQuestion(run=attacked.run.key))
    if placed is None:
        here = fetching.here(attacked.run.spec.data)
        return replace(pca, name=_(UMAP_COMES if here else UMAP_NEEDS).format(map="PCA"))
    return Places("UMAP", placed.xy_clean, placed.xy, placed.error)


def make_umap(attacked: FinishedAttack) -> None:
    """Last on the page, when all else is drawn: make the UMAP where it is wanted and not there yet, and draw
    again.
    """
    asked = AttackedOnUmapQuestion(run=attacked.run.key)
    if attacked.answer.xy is None or not links.value("umap", False) or keeping.kept(asked) is not None:
        return
    with fetching.aside():
        connection.ask(asked, _("Drawing the UMAP; the first one takes up to a minute…"))
        notices.draw_again()


def _colour(attacked: FinishedAttack, colour: str) -> Classes | Values:
    table, known = attacked.table, columns.known(attacked)
    if colour in ("margin", "value"):
        column = known[columns.MARGIN if colour == "margin" else columns.VALUE]
        return Values(within(column.title), table[column.name].to_numpy())
    if colour == "label":
        return Classes(_("label"), table["label"].to_numpy(), attacked.classes)
    if colour == "flipped" and attacked.reached is not None:
        return Classes(_("under attack"), attacked.reached.astype(int), [_("held"), _("reached")])
    assert attacked.before is not None and attacked.after is not None, "offered only where there are groups"
    order = attacked.victim.order
    shown = np.argsort(order)
    names = [attacked.victim.names[group] for group in order]
    places = [attacked.victim.colours[group] for group in order]
    return Classes(_(attacked.victim.grouping), shown[attacked.before], names, shown[attacked.after], places)


def _extra(attacked: FinishedAttack) -> list[Classes]:
    """Further lines of a point's card."""
    lines = []
    if attacked.labelled:
        lines.append(Classes(_("label"), attacked.table["label"].to_numpy(), attacked.classes))
    if attacked.before is not None and attacked.after is not None:
        names = attacked.victim.names
        lines += [Classes(_("clean"), attacked.before, names), Classes(_("attacked"), attacked.after, names)]
    return lines


def _sheet(attacked: FinishedAttack) -> dict[str, Any] | None:
    if len(attacked.victim.shape) != 3 or attacked.n > SHEET:
        return None
    return _sprite(attacked.run.key, attacked.images, attacked.victim.shape, attacked.ids)


@st.cache_resource(max_entries=4, show_spinner=False)
def _sprite(key: str, _images: np.ndarray, _shape: list[int], _ids: np.ndarray) -> dict[str, Any]:
    return gallery.sprite_sheet(_images.reshape(len(_images), *_shape), _ids)
