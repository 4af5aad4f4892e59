"""Robust clustering: an attack on the embedding, a defence against it, and a second attack on what was
defended.
"""

import streamlit as st

from app.address import connection, layout, links
from app.attack import levels, on_the_map
from app.components.ladder import ladder
from app.explain import explain
from app.forms.choose_model import Victim
from app.forms.choose_sample import choose_sample
from app.papers import acts, stage
from app.papers.studies import against_control, beside, curves, results, tables
from app.runs import reproduce
from app.train import choose, follow

TABS = {
    "acts": "Three acts",
    "nu": "Drag ν",
    "strength": "Any ν",
    "pixels": "On the pixels",
    "tables": "Published and measured",
    "train": "Train it live",
}
PAGE = "robust"
METHODS = (*acts.MODULES, "latent_defence")
ATTACK = "latent_attack"


def three_acts() -> dict[str, str]:
    """The same samples in the base, the defended and the re-attacked network."""
    choose, look = layout.choose_and_look()
    with choose:
        victim = acts.choose_base()
        sample = choose_sample(victim, first=0)
        told = acts.choose_story(victim)
    with look:
        said = acts.sentence(told)
        if said:
            st.markdown(said)
        acts.missing(victim, told)
        columns = st.columns(3, gap="medium")
        ids: list[int] = []
        every: dict[str, stage.Act] = {}
        for column, (name, run) in zip(columns, told.acts().items(), strict=True):
            with column:
                st.subheader(stage.NAMES[name], anchor=False)
                st.caption(stage.LEADS[name])
                act = stage.read(run) if run is not None else None
                if act is None:
                    st.info("Not there yet.", icon=":material/hourglass_empty:")
                    continue
                every[name] = act
                ids = ids or stage.samples(act, sample)
                stage.scores(act)
                stage.pictures(act, ids, sample, name)
                stage.clusters(act, sample, name)
                stage.arrows(act, sample, name)
                stage.flow(act, name)
        if every:
            stage.numbers(every)
    return reproduce.lines(*acts.runs_of(victim, told))


def drag() -> dict[str, str]:
    """One sample along ν: δ found for it alone, or read off it by one network at each ν."""
    choose, look = layout.choose_and_look()
    with choose:
        victim = acts.choose_base()
        sample = choose_sample(victim, first=0)
        told = acts.choose_story(victim)
        shown = {"base": victim.run} | ({"defended": told.defended} if told.defended is not None else {})
        state_of = str(
            st.segmented_control("Network", list(shown), default="base", required=True, key="nu/state")
        )
        fitted = acts.over_nu(shown[state_of])
        kind = str(
            st.segmented_control(
                "δ",
                ["for this sample", "one network"] if len(fitted) > 1 else ["for this sample"],
                default="for this sample",
                required=True,
                key="nu/kind",
                help="One network: a level for each ν at which an attack was fitted.",
            )
        )
    with look:
        run = shown[state_of]
        overview = connection.ask({"ask": "overview", "model": run.key}, "Looking at the model…")
        question = acts.ladder_question(
            run, sample, overview.json["size"], fitted if kind == "one network" else []
        )
        answer = connection.ask(question, "Climbing the ladder…")
        acts.takeaway(answer)
        here = Victim(run.name, run, overview)
        level = links.value("step", -1)
        released = ladder(
            on_the_map.drawing(here, "flip_and_keep", answer),
            key=f"nu-{question.get('fitted', '')}",
            level=level,
        )
        if released is not None:
            links.put("step", released)
        acts.pair(answer, levels.shown_level(answer, links.value("step", -1)))
    return acts.reproduce_ladder(question)


def any_nu() -> dict[str, str]:
    """What a fresh attack of any ν does to base, defended and control network."""
    name = results.of_page(PAGE, "against_nu")[0]
    found, size = results.chosen(name)
    if found is not None:
        against_control.any_nu(
            found, curves.network_of(found, st.session_state["address"].get("model", "").rsplit("/", 1)[-1])
        )
        beside.other_defences(PAGE, size)
    return results.command(name, size)


def pixels() -> dict[str, str]:
    """What PGD on the pixels does to them."""
    name = results.of_page(PAGE, "against_epsilon")[0]
    found, size = results.chosen(name)
    if found is not None:
        against_control.pixels(
            found, curves.network_of(found, st.session_state["address"].get("model", "").rsplit("/", 1)[-1])
        )
    return results.command(name, size)


def train() -> dict[str, str]:
    """A base network or its defence, trained with the scores under attack."""
    catalogue = connection.catalogue()
    sets = {name: card for name, card in catalogue["data"].items() if card["views"] == 1}
    titles = {name: catalogue["model"][name]["title"] for name in METHODS}
    choose_column, look = layout.choose_and_look()
    with choose_column:
        method = st.selectbox(
            "Network or attack",
            [*titles, ATTACK],
            format_func=(titles | {ATTACK: catalogue["attack"][ATTACK]["title"]}).__getitem__,
            key="robust/method",
            help="\n\n".join(f"{titles[name]}: {catalogue['model'][name]['summary']}" for name in METHODS),
        )
    if method == ATTACK:
        acts.fit(choose_column, look)
        return {}
    with choose_column:
        data, usable = choose.choose_data(sets, "digits")
        choose.begin(catalogue["model"][method], data, f"robust/{data}/{method}", usable)
        st.caption("The defence trains its base and fits its attack first, or finds them.")
    with look:
        run = follow.newest(data, method, "on digits base, attack and defence take half a minute")
    return {} if run is None else reproduce.lines(run.spec)


layout.page_head(
    "What if the code itself is moved?",
    "The attack shifts the embedding, not the pixels: decoded pictures stay alike, clusters change. The"
    " defence learns to ignore that shift; then the attacker learns anew.",
)
tab = st.segmented_control(
    "Show",
    list(TABS),
    key=links.key("tab", "acts", lambda name: name in TABS),
    format_func=TABS.get,
    required=True,
    label_visibility="collapsed",
)
SHOW = {
    "acts": three_acts,
    "nu": drag,
    "strength": any_nu,
    "pixels": pixels,
    "tables": lambda: tables.tables(PAGE),
    "train": train,
}
said = SHOW[str(tab)]()
explain(
    ("model", "conv_ae"),
    ("model", "latent_defence"),
    ("attack", "latent_attack"),
    ("objective", "flip_and_keep"),
)
layout.page_foot(said)
