"""The attack that Inspect shows: chosen here, or brought by a link."""

from typing import Any

import streamlit as st

from app.address import connection, layout, links, notices
from app.forms import in_address, possible
from app.forms.choose_model import Victim, choose_model
from app.forms.choose_threat import choose_threat
from app.forms.threat import Threat
from app.inspect.finished_attack import FinishedAttack, look, target_of
from app.inspect.selection import Selection
from app.runs import reproduce
from app.runs import wanted as runs
from app.words import _
from engine.errors import FeintError
from engine.store.run import Run

PATIENCE = 10.0
"""Seconds that a page waits for an attack before it follows it instead."""
SAMPLES = 500

Choices = tuple[str, str, int]
"""Model, threat and number of samples, to see whether any of them changed."""


def adopt() -> None:
    """A link may hold a run: an attack sets all choices to its own, a trained model becomes the model."""
    name = str(st.session_state["address"].get("run", ""))
    seen = st.session_state.setdefault("inspect", {"run": "", "choices": None})
    if not name or name == seen["run"]:
        return
    try:
        run = connection.store().find(name)
        action = run.spec.action
    except FeintError as error:
        notices.notice(
            f"{error} "
            + _(
                "A link holds the key of a run on the machine where it was made; here the attack is made"
                " anew."
            )
        )
        links.forget("run")
        return
    if action == "attack":
        _adopt_attack(run)
        st.session_state["inspect"] = {"run": run.key, "choices": None}
        return
    links.forget("run")
    if action == "pairs":
        _adopt_attack(run)
        st.session_state["inspect_pairs"] = True
        st.session_state["inspect_who"] = run.key
    elif action == "train":
        links.put("model", run.name)


def _adopt_attack(run: Run) -> None:
    """Make the choices of this page those of an attack run."""
    for name, value in _choices_of(run).items():
        if value is not None:
            links.put(name, value)


def _choices_of(run: Run) -> dict[str, Any]:
    """What the address says of an attack run; None where it says nothing."""
    said = run.spec.settings
    names = {found.key: name for name, found in connection.models().items()}
    model = {"model": names.get(run.spec.builds_on["model"]), "seed": run.spec.seed}
    if possible.entry("attack", run.spec.name).get("space") == "embedding":
        return model | {"n": int(run.result().get("n", 0)) or None}
    found = model | {
        "attack": said["attack"],
        "norm": said["norm"],
        "target": target_of(run),
        "steps": said["attack_settings"].get("steps"),
        **in_address.of_attack(run.spec),
    }
    if run.spec.action == "pairs":
        return found
    return found | {
        "objective": said["objective"],
        "eps": float(said["epsilon"]),
        "lambda": float(said["lam"]),
        "n": said["n"] or run.result().get("n"),
    }


def choose() -> tuple[Victim, Threat, int]:
    """Model, attack and how many samples, in one expander above the workspace."""
    with st.expander(_("Model and attack"), icon=":material/tune:", expanded=False):
        left, right = st.columns([4, 5], gap="large")
        with left:
            victim = choose_model()
            total = victim.overview.n
            key = links.key(
                "n",
                min(SAMPLES, total),
                lambda n: 2 <= n <= total,
                _("a whole number from 2 to {most}").format(most=total),
            )
            n = st.number_input(
                _("Samples"),
                2,
                total,
                step=100,
                key=key,
                help=_("Drawn once for a seed: more samples hold the fewer ones."),
            )
            st.caption(_("Every choice makes an attack at once; what was made before is only read."))
        with right:
            threat = choose_threat(victim)
    return victim, threat, int(n)


def attacked(victim: Victim, threat: Threat, n: int) -> FinishedAttack:
    """The finished attack of these choices. Stops the page where it is not finished: with a sentence, or
    following it.
    """
    run = _run(victim, threat, n)
    if run is None:
        layout.page_foot(reproduce.lines(threat.wanted(victim.run, n=n)))
        st.stop()
    found = look(run, victim)
    if found.latent:
        st.info(
            _(
                "This attack moved the embedding, not the pixels: pictures are decoded ones. Choose an attack"
                " above to move pixels instead."
            ),
            icon=":material/rebase_edit:",
        )
    return found


def _run(victim: Victim, threat: Threat, n: int) -> Run | None:
    """The run that a link brought, while the choices are still its own, else that of the choices; begun at
    once where it is not there, and None until it is finished.
    """
    choices: Choices = (victim.run.key, repr(threat), n)
    seen = st.session_state["inspect"]
    if seen["run"] and seen["choices"] is None:  # just adopted from the address
        seen["choices"] = choices
    words, doing = _("The attack on {n:,} samples").format(n=n), _("Attacking")
    if seen["choices"] == choices and seen["run"]:
        links.put("run", seen["run"])
        return runs.finished(connection.store().find(seen["run"]), words, wait=PATIENCE, doing=doing)
    if seen["choices"] != choices:
        _forget_lasso(seen["choices"], choices)
    asked = threat.wanted(victim.run, n=n)
    run = runs.wanted_or_button(asked, words, at_once=True, wait=PATIENCE, doing=doing)
    begun = run or runs.found(asked)
    st.session_state["inspect"] = {"run": "" if begun is None else begun.key, "choices": choices}
    if begun is not None:
        links.put("run", begun.key)
    return run


def _forget_lasso(before: Choices | None, now: Choices) -> None:
    """Cells stay when only the attack changes; a lasso holds places among the samples, and other models have
    other groups.
    """
    if before is not None:
        links.put("pick", "" if before[0] != now[0] else str(Selection.read().without("map")))
