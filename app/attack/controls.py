"""The attack on one sample beside what must not be credited to it."""

import streamlit as st

from app.address import connection
from app.attack import takeaway
from app.charts import bar_chart, plot
from app.forms import possible
from app.forms.choose_model import Victim
from app.forms.threat import NORMS
from app.words import N_, _
from engine.asking.answers import Control, LadderAnswer
from engine.asking.questions import ControlsQuestion, LadderQuestion, epsilon_text

CALLED = (
    N_("this attack"),
    N_("the strongest attack"),
    N_("noise of the same size"),
    N_("perturbations of other samples"),
    N_("this attack, no limit on ε"),
    N_("this attack, no limit on ε, λ = 0"),
)
"""What the engine calls the controls."""
NEEDS_NO_GRADIENT = ("noise", "other_delta")
"""Controls that look at no gradient of this sample."""


def show(victim: Victim, question: LadderQuestion, answer: LadderAnswer, level: int) -> None:
    """Shares that reach the objective, with n and 95 % intervals."""
    objective = question.objective.name
    if not possible.has_success(objective):
        st.caption(
            _(
                "This objective knows no success, so there is no share to count. The curve behind the handle"
                " carries its control: the value that noise of the same size comes to."
            )
        )
        return
    if takeaway.already(answer):
        st.caption(_("It is where the attack wants it already: there is nothing to control."))
        return
    asked = ControlsQuestion(ladder=question, level=level)
    found = connection.ask(asked, _("Running the controls…"))
    if not found.rows:
        st.caption(_("Nothing could be reached here: there is nothing to control."))
        return
    does = takeaway.success(victim, objective, None, answer.target).replace("**", "")
    names = {row.kind: f"{_(row.title)} (n = {row.n})" for row in found.rows}
    chart = bar_chart.bars(
        list(names.values()),
        [row.reached / row.n for row in found.rows],
        controls=[names[kind] for kind in NEEDS_NO_GRADIENT if kind in names],
        share=True,
        title=_("What moves this sample at {norm} ε = {epsilon}?").format(
            norm=NORMS[question.norm], epsilon=epsilon_text(found.epsilon)
        ),
        y_title=_("share that {does}").format(does=does),
        caption=(
            _(
                "95 % Wilson intervals; one try where n = 1. Hatched: controls that need no gradient of this"
                " sample."
            )
        ),
        low=[row.low for row in found.rows],
        high=[row.high for row in found.rows],
    )
    plot.show(chart, "controls")
    penalised = bool(question.objective.lam) or question.axis.name == "lambda"
    for doubt in doubts({row.kind: row for row in found.rows}, penalised):
        st.warning(doubt)


def doubts(rows: dict[str, Control], penalised: bool = False) -> list[str]:
    """Signs that gradients mislead the attack, and not that the model is robust. Under a penalty the best
    point need not be there, so who does not get there need not have failed.
    """
    share = {kind: row.reached / row.n for kind, row in rows.items()}
    said = []
    if share["fgsm"] > share["attack"] and not penalised:
        said.append(
            _(
                "One step (FGSM) succeeds on this sample and the attack does not: its gradients may be"
                " masked. Try more steps or starts."
            )
        )
    if share.get("strongest", 0.0) > share["attack"] and not penalised:
        said.append(
            _("The strongest attack succeeds on this sample where this one does not: judge by that one.")
        )
    if not share["unlimited"]:
        said.append(
            _(
                "Not even an unlimited ε succeeds on this sample: the attack fails, which does not make the"
                " model robust. Try more steps or starts."
            )
        )
    if share["noise"] >= 0.5:
        said.append(_("Noise of the same size does it as well: at this ε no attack is needed."))
    return said
