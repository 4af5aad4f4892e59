"""Arms of a study beside one another: bars of a model trained in several ways, with their spread over seeds,
or the success of an attack against ε; and a sentence on what the control leaves of a gain.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st

from app.address import connection
from app.charts import bar_chart, plot
from app.measured import minus
from app.papers.studies import curves, results
from app.papers.studies.results import Result
from app.words import _
from engine.events import Row
from engine.metrics.intervals import paired_difference

TEST, SUCCESS = "reconstruction_mse_test", "success_rate"


def bars(found: Result) -> None:
    """Test errors, model by model and data by data: a bar an arm, the control grey; what each defence adds to
    the control.
    """
    for model, rows in _by_model(found).items():
        st.markdown(" ".join(_beside_the_control(found, rows)))
        arms = {arm: _(words) for arm, words in found.declared["arms"].items()}
        values = [results.value(row, TEST) for row in rows]
        chart = bar_chart.bars(
            [arms[row.arm] for row in rows],
            [mean for mean, __ in values],
            title=_("{model}: test error").format(model=_title(*model)),
            y_title=_("mean squared error of rows never trained on"),
            caption=_("Whiskers: a deviation over seeds. Grey: {arm}.").format(
                arm=arms[found.declared["baseline"]]
            ),
            low=[mean - spread for mean, spread in values],
            high=[mean + spread for mean, spread in values],
            controls=[arms[found.declared["baseline"]]],
        )
        chart.figure.update_xaxes(tickformat="~g")
        chart.figure.update_traces(hovertemplate="%{y}: %{x:.5f}<extra></extra>")
        plot.show(chart, "/".join(("arms", found.study, found.size, *filter(None, model))))


def against_epsilon(found: Result) -> None:
    """Success of the attack against ε, model by model and data by data: a line an arm."""
    for model, rows in _by_model(found).items():
        chart = curves.curve(
            found,
            rows,
            "epsilon",
            partial(results.value, name=SUCCESS),
            title=_("{model}: success of the attack").format(model=_title(*model)),
            y_title=_("share"),
            caption=_("L∞, test rows that were classified as labelled before."),
        )
        if chart is not None:
            plot.show(chart, "/".join(("epsilon", found.study, found.size, *filter(None, model))))


def _by_model(found: Result) -> dict[tuple[str, str], list[Row]]:
    """Model and data -> its rows that were measured; "" for the data where the study holds one set alone."""
    several = len({row.about.get("data") for row in found.measured}) > 1
    by_model: dict[tuple[str, str], list[Row]] = {}
    for row in found.measured:
        data = str(row.about.get("data", "")) if several else ""
        by_model.setdefault((row.model, data), []).append(row)
    return by_model


def _title(model: str, data: str) -> str:
    title = _(str(connection.catalogue()["model"].get(model, {}).get("title", model)))
    return _("{method} on {data}").format(method=title, data=connection.data_title(data)) if data else title


def _beside_the_control(found: Result, rows: Sequence[Row]) -> list[str]:
    """What training longer is worth, and a sentence for each defence: how much less its test error is than
    the control's, seed by seed.
    """
    said, by_arm = found.declared, {row.arm: row for row in rows}
    control = by_arm.get(said["baseline"])
    if control is None:
        return []
    longer = [] if "original" not in by_arm else [_longer(_seeds(by_arm["original"]), _seeds(control))]
    titles, told = said["arms"], []
    for arm in said["defences"]:
        other = said["against"].get(arm)
        if arm in by_arm and (other is None or other in by_arm):
            beside = control if other is None else by_arm[other]
            words = _("the control for equal steps") if other is None else name_of(titles[other])
            told.append(_sentence(titles[arm], words, _seeds(by_arm[arm]), _seeds(beside)))
    return longer + told


def _longer(short: np.ndarray, long: np.ndarray) -> str:
    gain = 100 * float(long.mean() / short.mean() - 1)
    said = _("Training longer on the originals alone changes the test error by {change} %.")
    return said.format(change=_percent(gain))


def name_of(arm: str) -> str:
    """An arm by what is appended: "UAE"."""
    return _(arm).removeprefix(_("and "))


def _sentence(arm: str, control: str, with_it: np.ndarray, without: np.ndarray) -> str:
    mean, low, high = (100 * value / float(without.mean()) for value in paired_difference(with_it, without))
    name = name_of(arm)
    if len(with_it) == 1:
        said = _("**{name}**: {change} % test error against {control}, in one seed.")
    elif high < 0:
        said = _(
            "**{name}**: test error less than that of {control} ({change} %, 95 % interval over seeds {low}"
            " to {high})."
        )
    elif low > 0:
        said = _(
            "**{name}**: test error more than that of {control} ({change} %, 95 % interval over seeds {low}"
            " to {high})."
        )
    else:
        said = _(
            "**{name}**: test error not to be told from that of {control} ({change} %, 95 % interval over"
            " seeds {low} to {high})."
        )
    told = {"change": _percent(mean), "low": _percent(low), "high": _percent(high)}
    return said.format(name=name, control=control, **told)


def _percent(change: float) -> str:
    return minus(f"{change:+.1f}")


def _seeds(row: Row) -> np.ndarray:
    return np.array((row.measured or {})[TEST]["seeds"])
