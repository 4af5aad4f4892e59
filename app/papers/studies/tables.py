"""Any study as its table: published values beside those measured here, with their controls."""

from typing import Any

import pandas as pd
import streamlit as st

from app import take_away
from app.address import connection, links
from app.papers.studies import arms, claims, confusion, results, scores
from app.papers.studies.results import Result
from app.words import _
from engine.events import Row

DRAWN = {
    "confusion": confusion.matrices,
    "test_errors": arms.bars,
    "epsilon": arms.against_epsilon,
    "scores": scores.bars,
    "clusters": scores.against_clusters,
    "lam": scores.against_lambda,
}
"""Figure of a study -> what draws it above its table."""
LETTER, MARGIN, WIDEST = 7, 24, 320
"""Pixels of a letter in a table, of what stands beside the text of a cell, and of a column at most."""


def tables(page: str) -> dict[str, str]:
    """Any study of a page as its table; how it is run again."""
    known = connection.catalogue()["study"]
    here = results.of_page(page)
    key = links.key("study", here[0], lambda study: study in here, _("a study of this page"))
    name = str(st.selectbox(_("Study"), here, key=key, format_func=lambda study: _(known[study]["title"])))
    st.caption(_(known[name]["summary"]))
    found, size = results.chosen(name)
    if found is None:
        return results.command(name, size)
    if known[name]["figure"] in DRAWN:
        DRAWN[known[name]["figure"]](found)
    claims.show(found)
    frame = table(found)
    st.dataframe(frame, hide_index=True, key=f"table/{name}/{size}", column_config=widths(frame))
    st.caption(_("Where columns are cut off, scroll the table sideways; the CSV has them all."))
    take_away.table(frame, f"feint-{name}-{size}", f"table/{name}/{size}")
    st.caption(_(known[name]["about_published"]))
    results.caption(found)
    return results.command(name, size, found.seeds)


def widths(frame: pd.DataFrame) -> dict[str, Any]:
    """Columns as wide as what stands in them; the first stays where it is while the others scroll."""
    pixels = {
        name: LETTER * max(map(len, [name, *frame[name].astype(str)])) + MARGIN for name in frame.columns
    }
    return {
        name: st.column_config.Column(width=min(width, WIDEST), pinned=place == 0)
        for place, (name, width) in enumerate(pixels.items())
    }


def table(found: Result) -> pd.DataFrame:
    """One line a row: model, what sets it apart, published and measured values, then controls. Columns that
    say nothing are left out.
    """
    apart = _apart(found)
    lines = [_first(row, found, apart) | _scores(row, found) for row in found.rows]
    last = [_controls(row, found, apart) for row in found.rows]
    columns = list(dict.fromkeys(title for row in sorted(last, key=len, reverse=True) for title in row))
    notes = pd.DataFrame({_("note"): [row.note or _unjudged(row, found) for row in found.rows]})
    frame = pd.concat([pd.DataFrame(lines), pd.DataFrame(last, columns=columns), notes], axis=1)
    empty = [column for column in frame if frame[column].isna().all() or (frame[column] == "").all()]
    return frame.drop(columns=empty).astype(object).where(lambda values: values.notna(), "")


def _unjudged(row: Row, found: Result) -> str:
    """That the strongest attack, which judges others of this study, was not run on a row's model."""
    judged = {(one.model, one.arm) for one in found.measured if one.treatment == results.STRONGEST}
    if not judged or not row.measured or row.treatment == "clean" or (row.model, row.arm) in judged:
        return ""
    return _("Not judged by the strongest attack: an upper bound.")


def _apart(found: Result) -> list[str]:
    """What sets rows apart; the data only where there are several sets."""
    names = dict.fromkeys(name for row in found.rows for name in row.about)
    sets = {row.about.get("data") for row in found.rows}
    return [name for name in names if name != "data" or len(sets) > 1]


def _first(row: Row, found: Result, apart: list[str]) -> dict[str, Any]:
    """Model, arm, treatment, and what else sets the row apart."""
    declared = found.declared
    treatment = declared["treatments"].get(row.treatment, {"title": row.treatment})
    return {
        _("model"): _(connection.catalogue()["model"].get(row.model, {}).get("title", row.model)),
        _("arm"): _(declared["arms"].get(row.arm, row.arm)),
        _("treatment"): _(treatment["title"]),
    } | {_(declared["axes"].get(name, name)): _word(name, row.about.get(name)) for name in apart}


def _scores(row: Row, found: Result) -> dict[str, str | None]:
    """Published and measured values side by side."""
    scores: dict[str, str | None] = {}
    metrics, columns = connection.catalogue()["metric"], found.declared["columns"]
    for name in dict.fromkeys((*(row.measured or {}), *(row.published or {}))):
        here = (row.measured or {}).get(name)
        title = _(columns.get(name) or metrics.get(name, {}).get("title", name))
        scores[_("{title}, published").format(title=title)] = results.published(row, name) or None
        scores[_("{title}, here").format(title=title)] = None if here is None else results.in_words(here)
    return scores


def _controls(row: Row, found: Result, apart: list[str]) -> dict[str, str]:
    """Controls by their titles; what is no number has a figure of its own."""
    metrics, columns = connection.catalogue()["metric"], found.declared["columns"]
    return {
        _(columns.get(name) or metrics.get(name, {}).get("title", name)): results.in_words(values)
        for name, values in row.controls.items()
        if name not in apart and "mean" in values
    }


def _word(name: str, value: Any) -> str:
    """What sets a row apart, written out; data by their title, which may be followed by more about them."""
    if name in ("data", "published_for") and value:
        return results.data_in_words(str(value))
    return "" if value is None else f"{value:g}" if isinstance(value, int | float) else str(value)
