"""The same sample in the other models of its data."""

import pandas as pd
import streamlit as st

from app import take_away
from app.address import connection
from app.attack import takeaway
from app.charts import plot
from app.forms import possible
from app.forms.choose_model import Victim
from app.forms.threat import NORMS, Threat, of_sample
from app.words import _
from engine.asking.questions import (
    TOP,
    AttackChoice,
    ObjectiveChoice,
    OtherModelsQuestion,
    OwnPicture,
    epsilon_text,
)
from engine.store.run import Run


def show(victim: Victim, threat: Threat, sample: int | OwnPicture) -> None:
    """Its group in each, and the smallest ε that reaches the objective there."""
    objective = comparable(threat)
    others = {name: run for name, run in _models(victim).items() if objective.name in _objectives(run)}
    if not others:
        st.caption(_("No model of these data knows when this attack succeeds: there is nothing to compare."))
        return
    asked = OtherModelsQuestion(
        models=tuple(run.key for run in others.values()),
        **of_sample(sample),
        attack=AttackChoice() if threat.fitted else threat.attack_choice,
        objective=objective,
        norm=threat.norm,
        top=TOP[threat.norm],
        fixed=threat.fixed,
        seed=threat.seed,
    )
    found = connection.ask(asked, _("Asking the other models…"))
    frame = pd.DataFrame(
        {
            _("model"): [connection.model_title(name, run) for name, run in others.items()],
            _("cluster or class"): [row.name for row in found.rows],
            "ε* ≤": [
                f"> {epsilon_text(found.top)}" if row.epsilon_star is None else plot.bound(row.epsilon_star)
                for row in found.rows
            ],
        }
    )
    st.dataframe(frame, hide_index=True, key="other_models")
    does = takeaway.success(victim, objective.name, None, None)
    st.caption(
        _("Smallest ε found at which it {does}, {norm}, up to {top}: upper bounds, one seed.").format(
            does=does, norm=NORMS[threat.norm], top=epsilon_text(found.top)
        )
    )
    take_away.below(frame, "feint-other-models", "other_models")


def comparable(threat: Threat) -> ObjectiveChoice:
    """The objective that is asked of every model: the threat's own, or leaving the cluster where that names
    a target, which is another one in each model, or knows no success.
    """
    if threat.target is not None or not possible.has_success(threat.objective):
        return ObjectiveChoice()
    return threat.objective_choice.model_copy(update={"lam": 0.0})


def _models(victim: Victim) -> dict[str, Run]:
    """The models of the same data that come with Feint, and this one."""
    return {
        name: run
        for name, run in connection.models(victim.run.spec.data).items()
        if "/" in name or name == victim.name
    }


def _objectives(run: Run) -> list[str]:
    return possible.objectives(run.spec.name)
