"""What augmentation is worth: one autoencoder trained on its originals, for as long as the augmented ones,
and with noise, L2-UAE and UAE; over seeds. What was trained can be opened.
"""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from app.address import connection, house, layout, links
from app.papers.studies import arms, results
from app.papers.studies.results import Result
from app.runs import headline, reproduce, wanted
from app.words import _
from engine.events import Row
from engine.store.wanted import Wanted

SHIPPED, LIVE = "uae.table7", "uae.augment"
FOUND = ("l2", "uae")
"""Arms whose samples are found by an attack that answers with the sample itself where it fails."""


def show() -> dict[str, str]:
    """Bars of what ships, or of what was trained here; how it is made again."""
    left, right = layout.choose_and_look()
    with left:
        size, model, seeds = _choose()
    with right:
        data = connection.catalogue()["study"][LIVE]["data"][size]
        wish = Wanted("study", LIVE, data, changes={"size": size, "seeds": seeds, "model": model})
        run = wanted.wanted_or_button(
            wish,
            _("Augment"),
            icon=":material/library_add:",
            help=_("Trains it anew on the originals, for equal steps, with noise, with L2-UAE and with UAE."),
        )
        whole = results.result(SHIPPED, size) if run is None else results.of_run(LIVE, size, run)
        found = None if whole is None else of_model(whole, model)
        if found is not None and found.rows:
            arms.bars(found)
            st.caption(" ".join(_in_words(found, row) for row in found.rows if row.arm in FOUND))
            results.caption(found)
            _to_open(found, f"{house.of(data)}/{model}.with_uae")
        elif wanted.found(wish) is None:
            st.info(_("Nothing was measured of it here yet: press Augment."), icon=":material/science:")
    return reproduce.lines(wish)


def _choose() -> tuple[str, str, int]:
    """Data, autoencoder and seeds."""
    declared = connection.catalogue()["study"][LIVE]
    sizes = {name: words for name, words in declared["measured_on"].items() if name != "paper"}
    first = next((name for name in sizes if house.of(declared["data"][name]) == house.data()), "quick")
    size = st.segmented_control(
        _("Data"),
        list(sizes),
        format_func=lambda name: _(sizes[name]),
        required=True,
        key=links.key("size", first, lambda name: name in sizes),
    )
    options = declared["schema"]["properties"]["model"]["enum"]
    models = connection.catalogue()["model"]
    model = st.selectbox(
        _("Autoencoder"),
        options,
        key=links.key("method", "dense_ae", lambda name: name in options),
        format_func=lambda name: _(models[name]["title"]),
    )
    key = links.key("seeds", 3, lambda number: 1 <= number <= 10)
    seeds = st.number_input(_("Seeds"), 1, 10, key=key, help=_("Every arm is trained once for each."))
    return str(size), str(model), int(seeds)


def of_model(found: Result, model: str) -> Result:
    """What was measured of one model."""
    return replace(found, rows=[row for row in found.measured if row.model == model])


def _in_words(found: Result, row: Row) -> str:
    """How many of the rows that were appended are new, and how many are copies."""
    n, share = results.samples(row), results.value(row, arms.SUCCESS)[0]
    said = _(
        "{arm}: for {reached:,} of {n:,} training rows an attacked sample was found; for the other"
        " {copies:,} a copy of the row itself is appended, so that there are {n:,} (mean over seeds)."
    )
    reached = round(share * n)
    arm = f"**{arms.name_of(found.declared['arms'][row.arm])}**"
    return said.format(arm=arm, reached=reached, n=n, copies=n - reached)


def _to_open(found: Result, shipped: str) -> None:
    """Links to the model of a chosen arm and seed; where none of them is here, to the augmented one that
    ships.
    """
    models = connection.models()
    made = _made(found, {run.key: name for name, run in models.items()})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if made:
            _links(_chosen(found, made))
        elif shipped in models:
            said = _("The weights of these models are not here. What ships can be opened: {model}.")
            title = connection.model_title(shipped, models[shipped])
            st.markdown(said.format(model=title), width="content")
            _links(shipped)


def _made(found: Result, here: Mapping[str, str]) -> dict[str, dict[int, str]]:
    """Arm -> seed -> name of its model, of those that are `here` by their keys."""
    made = {
        row.arm: {seed: here[key] for seed, key in enumerate(row.runs.get("model", ())) if key in here}
        for row in found.rows
    }
    return {arm: names for arm, names in made.items() if names}


def _chosen(found: Result, made: Mapping[str, Mapping[int, str]]) -> str:
    """The name of the model of the chosen arm and seed."""
    arms_here, titles = list(made), found.declared["arms"]
    first = "uae" if "uae" in made else arms_here[0]
    arm = st.selectbox(
        _("Model to open"),
        arms_here,
        key=links.key("which", first, lambda name: name in made),
        format_func=lambda name: _(titles[name]),
        width=300,
    )
    seeds = list(made[arm])
    key = links.key("of_seed", seeds[0], lambda number: number in seeds)
    seed = st.selectbox(_("Seed"), seeds, key=key, width=160)
    return made[arm][seed]


def _links(name: str) -> None:
    """To the pages that attack a model and look at what it makes of attacked samples."""
    headline.link("attack", _("Attack this model"), "bolt", {"model": name})
    headline.link("inspect", _("Inspect"), "search", {"model": name})
