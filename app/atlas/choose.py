"""Which cases of the atlas are shown: by rule, paper, attack and data."""

from collections.abc import Callable, Iterable

import streamlit as st

from app.address import connection, house, links, notices
from app.papers import declared
from app.words import _
from engine.atlas import case
from engine.atlas.case import Atlas, Case
from engine.errors import FeintError

EVERY = "all"
FIRST = "first"
"""Not one rule but the most striking case of each, for each kind of model."""


def opened() -> Atlas | None:
    """The atlas that ships; None, and a sentence on the page, where there is none."""
    try:
        return case.read()
    except FeintError as error:
        notices.refused(error)
        return None


def cases(atlas: Atlas) -> list[int]:
    """The places of the chosen cases, after four rows of pills."""
    titles = {name: _(about["title"]) for name, about in atlas.rules.items()}
    chosen = list(range(len(atlas.cases)))
    rules = [FIRST, *titles]
    first = _("the first of each")
    rule = _pills(_("What is striking"), "rule", rules, lambda name: titles.get(name, first))
    if rule != FIRST:
        chosen = [place for place in chosen if atlas.cases[place].rule == rule]
        st.caption(_(atlas.rules[rule]["about"]))
    chosen = _narrowed(
        chosen,
        atlas,
        _("Papers"),
        "paper",
        lambda case: declared.of_attack(case.attack, case.model),
        declared.title,
    )
    if paper := declared.sources().get(links.value("paper", EVERY)):
        st.caption(paper)
    known = connection.catalogue()["attack"]
    chosen = _narrowed(
        chosen, atlas, _("Attacks"), "by", lambda case: case.attack, lambda name: _(str(known[name]["title"]))
    )
    chosen = _narrowed(chosen, atlas, _("Data"), "of_data", lambda case: case.data, connection.data_title)
    chosen.sort(key=lambda place: house.of(atlas.cases[place].data) != house.data())
    return _first_of_each(chosen, atlas) if rule == FIRST else chosen


def _narrowed(
    chosen: list[int],
    atlas: Atlas,
    label: str,
    key: str,
    of: Callable[[Case], str],
    title: Callable[[str], str],
) -> list[int]:
    """Those of the chosen ones that have what one row of pills says; only what they have is offered."""
    there = sorted({of(atlas.cases[place]) for place in chosen})
    wanted = _pills(label, key, [EVERY, *there], lambda name: _("all") if name == EVERY else title(name))
    return [place for place in chosen if wanted in (EVERY, of(atlas.cases[place]))]


def _pills(label: str, key: str, options: list[str], title: Callable[[str], str]) -> str:
    return str(
        st.pills(
            label,
            options,
            key=links.key(key, options[0], lambda name: name in options),
            format_func=title,
            required=True,
        )
    )


def _first_of_each(chosen: Iterable[int], atlas: Atlas) -> list[int]:
    """The first of each rule and kind of model: cases stand in the order of how striking they are."""
    first: dict[tuple[str, str], int] = {}
    for place in chosen:
        first.setdefault((atlas.cases[place].rule, atlas.cases[place].family), place)
    return list(first.values())
