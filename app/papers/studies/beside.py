"""Small tables that stand beside the figures of a study: the model without a defence for equal epochs, and
other ways to defend.
"""

import pandas as pd
import streamlit as st

from app import take_away
from app.papers.studies import curves, results
from app.papers.studies.results import Result
from app.words import _
from engine.events import Row


def equal_epochs(clean: Result, against: Result) -> None:
    """The model without defence for as many epochs as the defences have, and for its own."""
    said = clean.declared
    chosen = [row for row in clean.measured if row.treatment == "clean"]
    chosen += [row for row in against.measured if row.treatment == "pgd"]
    lines: dict[str, dict[str, str]] = {}
    for row in (row for row in chosen if row.model in (said["baseline"], *said["defences"])):
        name = _("{model}, {n} epochs").format(model=curves.title(clean, row.model), n=row.about["epochs"])
        lines.setdefault(name, {})[_column(row, _(said["treatments"][row.treatment]["title"]))] = (
            results.in_words(
                row.controls["acc_attacked_fixed_match"]
                if row.treatment == "pgd"
                else (row.measured or {})["acc"]
            )
        )
    st.markdown(
        _(
            "**For equal epochs.** The model without defence is trained as long as the defences, and once for"
            " its own number of epochs."
        )
    )
    frame = pd.DataFrame([{_("model"): name} | values for name, values in lines.items()]).fillna("")
    st.dataframe(frame, hide_index=True, key="equal_epochs")
    take_away.below(frame, "feint-equal-epochs", "equal_epochs")


def _column(row: Row, title: str) -> str:
    return _("ACC, clean") if row.treatment == "clean" else f"{title}, ε = {row.about['epsilon']:g}"


def other_defences(page: str, size: str) -> None:
    """Every way to defend a network beside one another: flips under the attack it has seen, and under a fresh
    one.
    """
    found = [one for name in results.of_page(page, "arms") if (one := results.result(name, size))]
    rows = [row for one in found for row in one.measured]
    where = next((row for row in rows if row.arm == "alternating"), None)
    if where is None:
        return
    here = [row for row in rows if _place(row) == _place(where)]
    lines = []
    for arm, title in found[0].declared["arms"].items():
        seen, fresh = (_of(here, arm, treatment) for treatment in ("same_attack", "fresh_attack"))
        if seen is not None and fresh is not None:
            lines.append({_("network"): _(title)} | _scores(seen, fresh))
    st.markdown(
        _(
            "**Other ways to defend.** ConvAE at d = {d} and the default ν. A defence"
            " that has seen one attack only has learnt that one."
        ).format(d=where.about["dimension"])
    )
    frame = pd.DataFrame(lines)
    st.dataframe(frame, hide_index=True, key=f"arms/{size}")
    take_away.below(frame, f"feint-other-defences-{size}", f"arms/{size}")


def _place(row: Row) -> tuple[str, object, object]:
    return row.model, row.about["data"], row.about["dimension"]


def _of(rows: list[Row], arm: str, treatment: str) -> Row | None:
    return next((row for row in rows if (row.arm, row.treatment) == (arm, treatment)), None)


def _scores(seen: Row, fresh: Row) -> dict[str, str]:
    return {
        _("ACC, clean"): results.in_words(fresh.controls["acc_clean"]),
        _("flips, attack it has seen"): results.in_words(seen.controls["flip_rate"]),
        _("flips, fresh attack"): results.in_words(fresh.controls["flip_rate"]),
        _("ACC, fresh attack"): results.in_words((fresh.measured or {})["acc"]),
    }
