"""What a difference between two runs is worth: the arms of one base over seeds, in pairs."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import streamlit as st

from app import take_away
from app.address import connection
from app.papers.studies import results, tables
from app.papers.studies.results import Result
from app.words import _
from engine.events import Row
from engine.metrics.intervals import paired_difference
from engine.store.run import Run

STUDY, ANGLES = "adec.arms", "adec.drift"


def show(run: Run) -> None:
    """Under the score of a method that the study trained on the same data: its paired differences."""
    found = _of(run.spec.data)
    own = None if found is None else _row(found, run)
    if found is None or own is None or found.seeds < 2:
        return
    others = [row for row in found.measured if row is not own]
    said = _(
        "What is a difference worth? Over {seeds} seeds, each with one base for all arms, in ACC with 95 %"
        " intervals: {pairs}."
    )
    pairs = "; ".join(_in_words(found, own, other) for other in others)
    st.caption(
        f"{said.format(seeds=found.seeds, pairs=pairs)} {_one_pair(found, own, others[-1])} {_spread(own)}"
    )
    _behind(_("The study behind it"), STUDY, found, pd.DataFrame(_table(found)), f"worth/{run.name}")
    title, angles = _("The same trainings by Δ_FR and Δ_FD"), _of(run.spec.data, ANGLES)
    if angles is not None:
        _behind(title, ANGLES, angles, tables.table(angles), f"angles/{run.name}")
    elif found.size in results.declared(ANGLES)["data"]:
        with st.expander(title):
            st.caption(_("No result of this study is here yet; this command makes it."))
            st.code(results.command(ANGLES, found.size, found.seeds)["Command line"], language="bash")


def _behind(title: str, study: str, found: Result, frame: pd.DataFrame, key: str) -> None:
    """A study's table, how it was made, and the command that makes it again."""
    with st.expander(title):
        st.dataframe(frame, hide_index=True, key=key)
        take_away.table(frame, f"feint-{study}-{found.size}", key)
        results.caption(found)
        st.code(results.command(study, found.size, found.seeds)["Command line"], language="bash")


def _of(data: str, study: str = STUDY) -> Result | None:
    """A study's result on these data."""
    sizes = connection.catalogue()["study"][study]["data"]
    return next(
        (found for size, on in sizes.items() if on == data and (found := results.result(study, size))), None
    )


def _row(found: Result, run: Run) -> Row | None:
    """The study's row of the arm that a run is."""
    arm = "no_adversary" if run.spec.settings["model_settings"].get("adv_weight") == 0 else ""
    rows = (row for row in found.measured if (row.model, row.arm) == (run.spec.name, arm))
    return next(rows, None)


def _seeds(row: Row) -> np.ndarray:
    return np.array((row.measured or {})["acc"]["seeds"])


def _in_words(found: Result, own: Row, other: Row) -> str:
    """ "ADEC − DEC* = +0.012 [−0.020, 0.044], so within chance"."""
    mean, low, high = paired_difference(_seeds(own), _seeds(other))
    chance = ", " + _("within chance") if low <= 0 <= high else ""
    pair = f"{_title(found, own)} − {_title(found, other)}"
    return f"{pair} = {mean:+.3f} [{low:+.3f}, {high:+.3f}]{chance}".replace("-", "−").replace("*", "\\*")


def _one_pair(found: Result, own: Row, other: Row) -> str:
    """How far one more run of each, on one base, may lie from their mean difference: half the 95 % prediction
    interval, t s √(1 + 1/n), where that of the mean is t s √(1/n).
    """
    mean, __, high = paired_difference(_seeds(own), _seeds(other))
    alone, title = (high - mean) * (found.seeds + 1) ** 0.5, _title(found, other).replace("*", "\\*")
    return _(
        "One run of this and one of {title} from the same base lie within ±{alone:.3f} of that by chance"
        " alone, and further from different bases."
    ).format(title=title, alone=alone)


def _spread(row: Row) -> str:
    """The least and the greatest of single runs."""
    seeds = _seeds(row)
    return _("Single runs came to {low:.3f} – {high:.3f}.").format(low=seeds.min(), high=seeds.max())


def _title(found: Result, row: Row) -> str:
    model = _(connection.catalogue()["model"][row.model]["title"])
    return " ".join(part for part in (model, _(found.declared["arms"][row.arm])) if part)


def _table(found: Result) -> Iterator[dict[str, str]]:
    """One line an arm: mean, deviation, range."""
    for row in found.measured:
        acc, nmi = ((row.measured or {})[name] for name in ("acc", "nmi"))
        yield {
            _("arm"): _title(found, row),
            "ACC": results.in_words(acc),
            _("from – to"): f"{min(acc['seeds']):.3f} – {max(acc['seeds']):.3f}",
            "NMI": results.in_words(nmi),
        }
