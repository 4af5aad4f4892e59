"""The views of the workspace that show many samples: scores, matrices, map, grid. Each draws a `Broken` under
the one selection.
"""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import gallery
from app.address import state
from app.charts import charts
from app.components.map import Classes, Values, map_payload, point_map
from app.components.picker import picker
from app.inspect.workspace import MATRICES, Broken, Terms
from engine.asking.answers import Answer

SCORES = (
    (
        "acc_clean",
        "ACC clean",
        (
            "Accuracy of the clean samples: clusters matched to classes one to one (Hungarian). Labels only"
            " measure."
        ),
    ),
    (
        "acc_attacked",
        "ACC attacked",
        "Accuracy under attack, clusters matched *anew*. A consistent relabelling would hide here.",
    ),
    (
        "acc_attacked_fixed_match",
        "ACC, fixed",
        "Accuracy under attack with the matching of the *clean* clusters: what a user of the model meets.",
    ),
    ("nmi_attacked", "NMI attacked", "Normalised mutual information of labels and attacked clusters."),
    ("flip_rate", "Flipped", "Share of samples whose cluster under attack is not the clean one."),
    ("noise_flip_rate", "Noise", "Control: share flipped by random noise of the same norm and size."),
    (
        "other_delta_flip_rate",
        "Another's δ",
        "Control: share flipped by the perturbation made for another sample.",
    ),
    (
        "knn_acc_attacked",
        "Legible",
        (
            "Share that 5 nearest neighbours on raw pixels still take for their label: is it still the same"
            " picture?"
        ),
    ),
)
COLOURS = {"label": "Label", "cluster": "Cluster", "margin": "Margin", "flipped": "Flipped"}
ORDERS = {
    "margin_attacked": "Margin",
    "l2": "L2 moved",
    "embedding_move": "Embedding",
    "assignment_kl": "L_AM",
    "id": "Number",
}
GRID = 40
"""Thumbnails on a page of the grid."""
ARROWS = 120
"""Arrows drawn while nothing is selected."""
SHEET = 1000
"""Samples up to which the map's hover cards carry pictures."""
TITLES = {
    "clean": "Before the attack",
    "attacked": "Under attack",
    "difference": "What the attack changed",
    "flow": "From where to where",
}


def scores(broken: Broken) -> None:
    """The measured numbers with intervals, their protocol, and the doubts that the engine has."""
    result = broken.result
    with st.container(horizontal=True, gap="small"):
        for name, title, help_ in SCORES:
            value = result.get(name)
            if value is not None:
                low, high = result.get(f"{name}_low"), result.get(f"{name}_high")
                st.metric(
                    title,
                    f"{value:.3f}",
                    None if low is None else f"{low:.2f} – {high:.2f}",
                    delta_color="off",
                    delta_arrow="off",
                    width=112,
                    help=f"{help_} {broken.protocol()}."
                    + ("" if low is None else " Below: 95 % Wilson interval."),
                )
    st.caption(broken.protocol())
    for sentence in result.get("doubts", ()):
        st.warning(sentence)


def chips(broken: Broken, terms: Terms, mask: np.ndarray) -> None:
    """What is selected, in words and numbers; each part can be taken away, or all."""
    count, n = int(mask.sum()), len(mask)
    moved = int(broken.table["flipped"].to_numpy()[mask].sum())
    with st.container(horizontal=True, vertical_alignment="center", key="inspect_chips"):
        st.markdown(
            f"**{count:,} / {n:,}** selected · {moved:,} of them moved"
            if terms.of
            else f"**All {n:,}** samples · {moved:,} moved. Click a cell or a header, or draw round points."
        )
        for view in terms.of:
            st.button(
                terms.words(view, broken),
                key=f"chip/{view}",
                icon=":material/close:",
                help="Take this part of the selection away",
                on_click=choose,
                args=(terms.without(view),),
            )
        if terms.of:
            st.button(
                "Clear",
                key="inspect_clear",
                type="primary",
                shortcut="Escape",
                on_click=choose,
                args=(Terms({}),),
            )


def choose(terms: Terms, boxed: bool = False) -> None:
    """Make it the selection; the matrix is drawn anew, since a browser would take a second click on a cell
    for its end.
    """
    terms.put()
    for widget in ("inspect_drawn",) if boxed else ("inspect_drawn", "inspect_boxes"):
        st.session_state[widget] = st.session_state.get(widget, 0) + 1


def matrices(broken: Broken, terms: Terms) -> None:
    """One of the matrices; cells and headers select. It counts the samples that all *other* views have
    selected.
    """
    options = list(MATRICES) if broken.labelled else ["flow"]
    key = state.key("view", "attacked" if broken.labelled else "flow", lambda name: name in options)
    view = str(
        st.segmented_control(
            "Matrix",
            options,
            key=key,
            format_func=MATRICES.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
    )
    mask = terms.without(view).mask(broken)
    rows, row_names = _rows(broken, view)
    columns = broken.order
    counts = _counts(broken.table[mask], view, rows, columns)
    cell = terms.cell(view)
    chosen = None if cell is None else (_at(rows, cell[0]), _at(columns, cell[1]))
    titles = ("clean" if view == "flow" else "label", "attacked" if view == "flow" else "cluster")
    draw = charts.difference if view == "difference" else charts.confusion
    chart = draw(
        counts,
        row_names,
        [broken.victim.names[column] for column in columns],
        title=TITLES[view],
        row_title=titles[0],
        column_title=titles[1],
        caption=f"{int(mask.sum()):,} of {len(mask):,} samples · {broken.protocol()}",
        chosen=chosen,
    )
    name = f"matrix/{view}/{st.session_state.get('inspect_drawn', 0)}"
    charts.show(chart, name, on_select=lambda: _clicked(name, view, rows, columns))
    _boxes(broken, view, rows, row_names, cell)
    _mapping(broken)


def _rows(broken: Broken, view: str) -> tuple[list[int], list[str]]:
    if view == "flow":
        return broken.order, [broken.victim.names[cluster] for cluster in broken.order]
    return list(range(len(broken.classes))), broken.classes


def _counts(table: pd.DataFrame, view: str, rows: list[int], columns: list[int]) -> np.ndarray:
    down = table["cluster_clean" if view == "flow" else "label"].to_numpy()

    def table_of(name: str) -> np.ndarray:
        counted = np.zeros((max(rows) + 1, max(columns) + 1))
        np.add.at(counted, (down, table[name].to_numpy()), 1)
        return counted[np.ix_(rows, columns)]

    if view == "difference":
        return table_of("cluster_attacked") - table_of("cluster_clean")
    return table_of("cluster_clean" if view == "clean" else "cluster_attacked")


def _clicked(name: str, view: str, rows: list[int], columns: list[int]) -> None:
    """Take the cell that was clicked; a click on the chosen one lets it go."""
    points = charts.clicked(st.session_state[name])
    terms = Terms.read()
    if points:
        row, column = (int(part) for part in points[-1])
        cell = f"{rows[row] if row >= 0 else -1}:{columns[column] if column >= 0 else -1}"
        choose(terms.without(view) if terms.of.get(view) == cell else terms.with_(view, cell))


def _at(numbers: list[int], number: int) -> int:
    """Where a label or cluster is drawn; −1 (all) stays."""
    return numbers.index(number) if number in numbers else -1


def _boxes(
    broken: Broken, view: str, rows: list[int], row_names: list[str], cell: tuple[int, int] | None
) -> None:
    """The same choice with the keyboard: a row and a column. Choices made elsewhere make the boxes anew, so
    no older value comes back.
    """
    turn = f"{view}/{st.session_state.get('inspect_boxes', 0)}"
    named_rows = {-1: "all"} | dict(zip(rows, row_names, strict=True))
    named_columns = {-1: "all"} | {
        cluster: f"{broken.victim.names[cluster]} (cluster {cluster})" for cluster in broken.order
    }
    chosen = cell or (-1, -1)
    titles = (
        "Clean cluster" if view == "flow" else "Label",
        "Joined or left" if view == "difference" else "Cluster",
    )
    with st.container(horizontal=True):
        for part, (title, options) in enumerate(zip(titles, (named_rows, named_columns), strict=True)):
            st.selectbox(
                title,
                list(options),
                index=list(options).index(chosen[part]) if chosen[part] in options else 0,
                key=f"box{part}/{turn}",
                on_change=_boxed,
                args=(view, turn),
                format_func=options.__getitem__,
            )


def _boxed(view: str, turn: str) -> None:
    row, column = (st.session_state[f"box{part}/{turn}"] for part in (0, 1))
    terms = Terms.read().without(view)
    choose(terms if row < 0 and column < 0 else terms.with_(view, f"{row}:{column}"), boxed=True)


def _mapping(broken: Broken) -> None:
    """Which cluster is called what, with its medoid: in words and pictures."""
    said, arrays = broken.victim.overview.json, broken.victim.overview.arrays
    with st.expander("Which cluster is which?", icon=":material/label:"):
        st.caption(
            "A cluster is called after the class that the Hungarian matching of the clean samples gives it;"
            " below, its medoid: the sample nearest to its middle."
            if broken.labelled
            else (
                "The data have no labels: a cluster is called after its medoid, the sample nearest to its"
                " middle."
            )
        )
        if len(broken.victim.shape) == 3:
            captions = [
                f"cluster {cluster} = {broken.victim.names[cluster]}, {said['sizes'][cluster]:,} samples"
                for cluster in broken.order
            ]
            gallery.grid(
                [arrays["medoid_images"][cluster].reshape(broken.victim.shape) for cluster in broken.order],
                captions,
                columns=10,
                size=64,
            )
        else:
            st.markdown(
                " · ".join(f"cluster {cluster} = {broken.victim.names[cluster]}" for cluster in broken.order)
            )


def show_map(broken: Broken, terms: Terms, mask: np.ndarray, sample: int) -> None:
    """Every attacked sample, clean and attacked; a lasso or the legend selects, a click opens."""
    options = [name for name in COLOURS if name != "label" or broken.labelled]
    with st.container(horizontal=True):
        key = state.key("colour", "cluster", lambda name: name in options)
        colour = str(
            st.segmented_control(
                "Colour",
                options,
                key=key,
                format_func=COLOURS.__getitem__,
                required=True,
                label_visibility="collapsed",
            )
        )
        umap = st.toggle(
            "UMAP",
            key=state.key("umap", False),
            help=(
                "PCA is there at once. UMAP takes up to a minute the first time in a session, then it is"
                " kept."
            ),
        )
    moved, name, error = _places(broken, umap)
    flipped = np.flatnonzero(broken.table["flipped"].to_numpy())
    shown = flipped[:: -(-len(flipped) // ARROWS) or 1]
    payload = map_payload(
        moved.arrays["xy_clean"],
        _colour(broken, colour),
        ids=broken.ids,
        xy_attacked=moved.arrays["xy"],
        uncertain=broken.moved.arrays["uncertain"],
        arrows=shown,
        sprite=_sheet(broken),
        selected=broken.ids[mask] if terms.of else None,
        focus=sample,
        title=f"{name} of the embedding",
        xy_error=error,
        extra=_extra(broken),
        caption=f"{_legend(broken, len(shown), len(flipped), umap)} {broken.protocol()}",
    )
    key = f"inspect_map/{broken.run.key}/{umap}"
    picked = point_map(payload, key=key, on_selection=lambda: _lassoed(key))
    if picked.point is not None and picked.point != sample:
        state.put("sample", picked.point)
        st.rerun()


def _legend(broken: Broken, shown: int, flipped: int, umap: bool) -> str:
    grey = "; grey ones are shorter than the error of this map" if umap else ""
    return (
        f"Arrows: {shown} of {flipped} that moved to another cluster{grey}. Rings:"
        f" {broken.moved.json['uncertain']} attacked samples lie farther from every clean one than 99 % of"
        " these do from theirs, so their place says little."
    )


def _lassoed(name: str) -> None:
    selection = st.session_state[name].get("selection")
    choose(Terms.read().with_("map", selection) if selection else Terms({}))


def _places(broken: Broken, umap: bool) -> tuple[Answer, str, float]:
    if not umap:
        return broken.moved, "PCA", 0.0
    placed = state.ask(
        {"ask": "moved_umap", "run": broken.run.key},
        "Drawing the UMAP; the first one takes up to a minute…",
        timeout=300,
    )
    return placed, "UMAP", float(placed.json["error"])


def _colour(broken: Broken, colour: str) -> Classes | Values:
    table = broken.table
    if colour == "margin":
        return Values("margin under attack", table["margin_attacked"].to_numpy())
    if colour == "label":
        return Classes("label", table["label"].to_numpy(), broken.classes)
    if colour == "flipped":
        return Classes("under attack", table["flipped"].to_numpy().astype(int), ["held", "flipped"])
    shown = np.argsort(broken.order)
    names = [broken.victim.names[cluster] for cluster in broken.order]
    return Classes(
        "cluster",
        shown[table["cluster_clean"].to_numpy()],
        names,
        shown[table["cluster_attacked"].to_numpy()],
    )


def _extra(broken: Broken) -> list[Classes]:
    names, table = broken.victim.names, broken.table
    label = [Classes("label", table["label"].to_numpy(), broken.classes)] if broken.labelled else []
    return [
        *label,
        Classes("clean", table["cluster_clean"].to_numpy(), names),
        Classes("attacked", table["cluster_attacked"].to_numpy(), names),
    ]


def _sheet(broken: Broken) -> dict[str, Any] | None:
    if len(broken.victim.shape) != 3 or len(broken.ids) > SHEET:
        return None
    return _sprite(broken.run.key, broken.images, broken.victim.shape, broken.ids)


@st.cache_resource(max_entries=4, show_spinner=False)
def _sprite(key: str, _images: np.ndarray, _shape: list[int], _ids: np.ndarray) -> dict[str, Any]:
    return gallery.sprite_sheet(_images.reshape(len(_images), *_shape), _ids)


def ordered(broken: Broken, mask: np.ndarray) -> np.ndarray:
    """The selected ids in the order of the grid."""
    options = [name for name in ORDERS if name in broken.table]
    by = state.value("order", "margin_attacked", lambda name: name in options)
    values = broken.table[by].to_numpy()[mask]
    return broken.ids[mask][np.argsort(values if by in ("margin_attacked", "id") else -values, kind="stable")]


def grid(broken: Broken, ids: np.ndarray, sample: int) -> None:
    """The selected samples as pictures, a page at a time; those that changed their cluster are marked."""
    options = [name for name in ORDERS if name in broken.table]
    with st.container(horizontal=True):
        st.segmented_control(
            "Sorted by",
            options,
            key=state.key("order", "margin_attacked", lambda name: name in options),
            format_func=ORDERS.__getitem__,
            required=True,
            help=(
                "Margin: by how much the clean cluster leads under attack, most broken first. Others: largest"
                " first."
            ),
        )
        which = st.segmented_control(
            "Pictures",
            ["adversarial", "clean"],
            default="adversarial",
            required=True,
            key="inspect_pictures",
            persist_state="session",
        )
    pages = max(1, -(-len(ids) // GRID))
    page = _page(pages)
    part = ids[(page - 1) * GRID : page * GRID]
    places = [broken.place(number) for number in part]
    images = broken.images[places] if which == "adversarial" else clean_images(broken)[places]
    rows = broken.table.iloc[places]
    names = broken.victim.names
    captions = [
        f"{names[before]} → {names[after]}" if before != after else names[before]
        for before, after in zip(rows["cluster_clean"], rows["cluster_attacked"], strict=True)
    ]
    clicked = picker(
        images,
        broken.victim.shape,
        part.tolist(),
        captions,
        "inspect_grid",
        chosen=sample,
        marked=rows["flipped"].tolist(),
        label="Selected samples",
        size=52,
    )
    if clicked is not None and clicked != sample:
        state.put("sample", clicked)
        st.rerun()
    st.caption("A corner marks samples that changed their cluster (clean → attacked).")


def _page(pages: int) -> int:
    """The page of the grid, which the buttons beside the sample turn too: the widget is made anew for
    that.
    """
    at = st.session_state.setdefault("inspect_page", {"page": 1, "turn": 0})
    if pages > 1:
        at["page"] = st.pagination(
            pages, default=min(at["page"], pages), key=f"inspect_page/{pages}/{at['turn']}"
        )
    return min(at["page"], pages)


def turn_to(page: int) -> None:
    """Show this page of the grid."""
    at = st.session_state["inspect_page"]
    if at["page"] != page:
        st.session_state["inspect_page"] = {"page": page, "turn": at["turn"] + 1}


def clean_images(broken: Broken) -> np.ndarray:
    """(n, d) uint8 in the table's order."""
    if broken.latent:
        return broken.moved.arrays["recon_clean"]
    return _clean(broken.victim.run.spec.data, broken.run.key, broken.ids)


@st.cache_resource(max_entries=4, show_spinner=False)
def _clean(data: str, key: str, _ids: np.ndarray) -> np.ndarray:
    return state.ask({"ask": "images", "data": data, "ids": [int(number) for number in _ids]}).arrays[
        "images"
    ]
