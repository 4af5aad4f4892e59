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
from engine.events import Row
from engine.metrics.intervals import paired_difference

TEST, SUCCESS = "reconstruction_mse_test", "success_rate"


def bars(found: Result) -> None:
    """Test errors, model by model: a bar an arm, the control grey; what each defence adds to the control."""
    for model, rows in _by_model(found).items():
        st.markdown(" ".join(_beside_the_control(found, rows)))
        arms = found.declared["arms"]
        values = [results.value(row, TEST) for row in rows]
        chart = bar_chart.bars(
            [arms[row.arm] for row in rows],
            [mean for mean, _ in values],
            title=f"{_title(model)}: test error",
            y_title="mean squared error of rows never trained on",
            caption=f"Whiskers: a deviation over seeds. Grey: {arms[found.declared['baseline']]}.",
            low=[mean - spread for mean, spread in values],
            high=[mean + spread for mean, spread in values],
            controls=[arms[found.declared["baseline"]]],
        )
        chart.figure.update_xaxes(tickformat="~g")
        chart.figure.update_traces(hovertemplate="%{y}: %{x:.5f}<extra></extra>")
        plot.show(chart, f"arms/{found.study}/{found.size}/{model}")


def against_epsilon(found: Result) -> None:
    """Success of the attack against ε, model by model: a line an arm."""
    for model, rows in _by_model(found).items():
        chart = curves.curve(
            found,
            rows,
            "epsilon",
            partial(results.value, name=SUCCESS),
            title=f"{_title(model)}: success of the attack",
            y_title="share",
            caption="L∞, test rows that were classified as labelled before.",
        )
        if chart is not None:
            plot.show(chart, f"epsilon/{found.study}/{found.size}/{model}")


def _by_model(found: Result) -> dict[str, list[Row]]:
    """Model -> its rows that were measured."""
    models = dict.fromkeys(row.model for row in found.measured)
    return {model: [row for row in found.measured if row.model == model] for model in models}


def _title(model: str) -> str:
    return str(connection.catalogue()["model"].get(model, {}).get("title", model))


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
            words = "the control for equal steps" if other is None else _name(titles[other])
            told.append(_sentence(titles[arm], words, _seeds(by_arm[arm]), _seeds(beside)))
    return longer + told


def _longer(short: np.ndarray, long: np.ndarray) -> str:
    gain = 100 * float(long.mean() / short.mean() - 1)
    return f"Training longer on the originals alone changes the test error by {_percent(gain)} %."


def _name(arm: str) -> str:
    return arm.removeprefix("and ")


def _sentence(arm: str, control: str, with_it: np.ndarray, without: np.ndarray) -> str:
    mean, low, high = (100 * value / float(without.mean()) for value in paired_difference(with_it, without))
    name = _name(arm)
    if len(with_it) == 1:
        return f"**{name}**: {_percent(mean)} % test error against {control}, in one seed."
    word = "less than" if high < 0 else "more than" if low > 0 else "not to be told from"
    return (
        f"**{name}**: test error {word} that of {control} ({_percent(mean)} %, 95 %"
        f" interval over seeds {_percent(low)} to {_percent(high)})."
    )


def _percent(change: float) -> str:
    return minus(f"{change:+.1f}")


def _seeds(row: Row) -> np.ndarray:
    return np.array((row.measured or {})[TEST]["seeds"])
