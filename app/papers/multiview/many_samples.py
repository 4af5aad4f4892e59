"""The same attack on many samples: labels against what the model sorts into, before and after, over the half
of the data that was not trained on.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from app.address import connection, notices
from app.charts import matrix_chart, plot
from app.forms.choose_model import Victim
from app.forms.threat import Threat
from app.papers.multiview.attackers import HALF, Chosen
from app.runs import headline, wanted
from app.words import N_, _
from engine.asking.questions import epsilon_text
from engine.errors import FeintError
from engine.store.run import Run

UNLABELLED = {
    "cluster": N_("These data have no labels: the matrix shows clean clusters against attacked ones."),
    "class": N_("These data have no labels: the matrix shows clean classes against attacked ones."),
}
SCORES = {"acc": "ACC", "accuracy": N_("accuracy")}
N = 300
"""Samples that are attacked at once."""


def matrices(victim: Victim, chosen: Chosen, threat: Threat, epsilon: float) -> None:
    """Two matrices, clean and attacked, once the attack on many samples is there; before, its button."""
    run = _run(victim, chosen, threat, epsilon)
    if run is None:
        return
    try:
        _show(victim, run)
    except FeintError as error:
        notices.refused(error)


def _run(victim: Victim, chosen: Chosen, threat: Threat, epsilon: float) -> Run | None:
    """The run that attacked them: that of the fit, where it holds its samples; else one at this ε, of the
    usual attack where the lock was put on one that was fitted without it.
    """
    if threat.fitted:
        fit = connection.store().find(threat.fitted)
        if not chosen.understates(fit):
            if (fit.folder / "samples.parquet").exists():
                return fit
        else:
            threat = Threat(objective=threat.objective, locked=threat.locked, epsilon=epsilon)
    else:
        threat = replace(threat, epsilon=epsilon)
    return wanted.wanted_or_button(
        threat.wanted(victim.run, half=HALF, n=N),
        _("Attack {n} samples at ε = {epsilon}").format(n=N, epsilon=epsilon_text(threat.epsilon)),
        icon=":material/groups:",
        help=_("PGD takes seconds; its result is kept as a run."),
        primary=False,
    )


def _show(victim: Victim, run: Run) -> None:
    if victim.overview.grouping is None:
        st.caption(_("This model sorts samples into nothing, so there is no matrix of them."))
    else:
        _matrices(victim, run)
    parameters = {"model": victim.name, "run": run.name}
    headline.link("inspect", _("Inspect these samples one by one"), "search", parameters)


def _matrices(victim: Victim, run: Run) -> None:
    """Clean and attacked beside one another, each with its agreement with the labels."""
    table, result = run.table(), run.result()
    labelled = bool((table["label"] >= 0).all())
    if not labelled:
        st.caption(_(UNLABELLED[victim.grouping]))
    epsilon = float(run.spec.settings["epsilon"])
    attacked = _("Attacked at ε = {epsilon}").format(epsilon=epsilon_text(epsilon))
    titles = {"clean": _("Clean"), "attacked": attacked}
    for column, (name, title) in zip(st.columns(2, gap="medium"), titles.items(), strict=True):
        known = {_(words): result.get(f"{score}_{name}") for score, words in SCORES.items()}
        said = [f"{words} {value:.3f}" for words, value in known.items() if value is not None]
        with column:
            plot.show(_matrix(victim, table, name, labelled, ": ".join([title, *said[:1]])), f"matrix-{name}")


def _matrix(victim: Victim, table: pd.DataFrame, name: str, labelled: bool, title: str) -> plot.Chart:
    """Labels, or clean groups where there are none, against the groups of a column."""
    group = victim.grouping
    classes = list(victim.overview.class_names) if labelled else victim.names
    rows = table["label" if labelled else f"{group}_clean"].to_numpy()
    counts = np.zeros((len(classes), len(victim.names)), dtype=int)
    np.add.at(counts, (rows, table[f"{group}_{name}"].to_numpy()), 1)
    order = victim.order
    return matrix_chart.confusion(
        counts[:, order],
        classes,
        [victim.names[number] for number in order],
        title=title,
        row_title=_("label") if labelled else _(group),
        column_title=_(group),
        places=(
            list(range(len(classes))) if labelled else victim.colours,
            [victim.colours[number] for number in order],
        ),
        caption=_("n = {n} of the half that was not trained on.").format(n=len(table)),
    )
