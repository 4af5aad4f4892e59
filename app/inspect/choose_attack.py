"""The attack that Inspect shows: chosen here, or brought by a link."""

import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.address import state
from app.forms.choose_model import Victim, choose_model
from app.forms.choose_threat import choose_threat
from app.forms.threat import Threat
from app.inspect.finished_attack import FinishedAttack, look, refuse
from app.inspect.selection import Terms
from app.runs import live
from app.train import follow
from engine.asking import legacy as answers
from engine.errors import FeintError
from engine.store.run import Run
from engine.store.spec import Spec

PATIENCE = 10.0
"""Seconds that a page waits for an attack before it follows it instead."""


SAMPLES = 500


def adopt() -> None:
    """A link may hold a run: an attack sets all choices to its own, a trained model becomes the model."""
    name = str(st.session_state["address"].get("run", ""))
    seen = st.session_state.setdefault("inspect", {"run": "", "wanted": None})
    if not name or name == seen["run"]:
        return
    try:
        run = state.store().find(name)
        action = run.spec.action
    except FeintError as error:
        state.notice(
            f"{error} A link holds the key of a run on the machine where it was made; here the attack is made"
            " anew."
        )
        state.forget("run")
        return
    if action == "attack":
        _adopt_attack(run)
        st.session_state["inspect"] = {"run": run.key, "wanted": None}
        return
    state.forget("run")
    if action == "pairs":
        _adopt_attack(run)
        st.session_state["inspect_pairs"] = True
        st.session_state["inspect_who"] = run.key
    elif action == "train":
        state.put("model", run.name)


def _adopt_attack(run: Run) -> None:
    said = run.spec.settings
    target = (
        said.get("cluster")
        if said.get("cluster") is not None
        else said.get("objective_settings", {}).get("cluster")
    )
    names = {found.key: name for name, found in state.models(ability="clusters").items()}
    found = {
        "model": names.get(run.spec.builds_on["model"]),
        "attack": said["attack"],
        "norm": said["norm"],
        "seed": run.spec.seed,
        "target": target,
        "steps": said["attack_settings"].get("steps"),
    }
    if state.catalogue()["attack"][run.spec.name]["space"] == "embedding":
        found = {name: found[name] for name in ("model", "seed")} | {
            "n": int(run.result().get("n", 0)) or None
        }
    elif run.spec.action == "attack":
        found |= {
            "objective": said["objective"],
            "eps": float(said["epsilon"]),
            "lambda": float(said["lam"]),
            "n": int(said["n"]),
        }
    for name, value in found.items():
        if value is not None:
            state.put(name, value)


def choose() -> tuple[Victim, Threat, int]:
    """Model, attack and how many samples, in one expander above the workspace."""
    with st.expander("Model and attack", icon=":material/tune:", expanded=False):
        left, right = st.columns([4, 5], gap="large")
        with left:
            victim = choose_model()
            total = victim.overview.json["n"]
            key = state.key(
                "n", min(SAMPLES, total), lambda n: 2 <= n <= total, f"a whole number from 2 to {total}"
            )
            n = int(
                st.number_input(
                    "Samples",
                    2,
                    total,
                    step=100,
                    key=key,
                    help="Drawn once for a seed: more samples hold the fewer ones.",
                )
            )
            st.caption("Every choice makes an attack at once; what was made before is only read.")
        with right:
            threat = choose_threat(victim)
    return victim, threat, n


def attacked(victim: Victim, threat: Threat, n: int) -> FinishedAttack:
    """The finished attack of these choices. Stops the page where it is not finished: with a sentence, or
    following it.
    """
    wanted = (victim.run.key, repr(threat), n)
    seen = st.session_state["inspect"]
    if seen["run"] and seen["wanted"] is None:  # just adopted from the address
        seen["wanted"] = wanted
    if seen["wanted"] != wanted:
        _forget_lasso(seen["wanted"], wanted)
        st.session_state["inspect"] = seen = {
            "run": prepared("attack", victim, threat, {"n": n}),
            "wanted": wanted,
        }
    run = state.store().find(seen["run"])
    state.put("run", run.key)
    if finish(run):
        found = look(run, victim)
        if found.latent:
            st.info(
                "This attack moved the embedding, not the pixels: pictures are decoded ones. Choose an attack"
                " above to move pixels instead.",
                icon=":material/rebase_edit:",
            )
        return found
    follow.one(run.name)
    state.page_foot({"Command line": f"{threat.command(victim.name)} --n {n}"})
    st.stop()


def prepared(action: str, victim: Victim, threat: Threat, more: Mapping[str, Any]) -> str:
    """The key of the run of these choices, made where it is not there. Stops the page with the engine's
    sentence where it is refused.
    """
    fields = (
        {"norm": threat.norm}
        if action == "pairs"
        else {name: value for name, value in threat.changes().items() if name != "attack_settings"}
    )
    question = {
        "ask": "prepare",
        "action": action,
        "name": threat.attack,
        "data": victim.run.spec.data,
        "seed": threat.seed,
        "models": {"model": victim.run.key},
        "changes": {**fields, **threat.settings, **more},
    }
    known = st.session_state.setdefault("inspect_prepared", {})
    asked = answers.key(question)
    if asked not in known:
        try:
            answer = state.ask(question, "Checking the choices…").json
            if answer["sentence"]:
                refuse(answer["sentence"])
            known[asked] = state.store().create(Spec.model_validate(answer["spec"])).key
        except FeintError as error:
            refuse(str(error))
    return str(known[asked])


def finish(run: Run) -> bool:
    """Whether the run is finished: it is submitted where it has not begun, and waited for a few seconds."""
    submitted = st.session_state.setdefault("inspect_submitted", set())
    if run.status() in ("finished", "zoo"):
        return True
    if run.key not in submitted and run.status() != "running":
        submitted.add(run.key)
        try:
            state.engine().submit(run)
        except FeintError as error:
            refuse(str(error))
    with st.spinner("Attacking…"):
        end = time.monotonic() + PATIENCE
        while run.status() in live.LIVE and time.monotonic() < end:
            time.sleep(0.05)
    return run.status() == "finished"


def again(run: Run) -> None:
    """Let a run that failed or was stopped be submitted once more."""
    st.session_state.get("inspect_submitted", set()).discard(run.key)


def _forget_lasso(before: tuple[str, str, int] | None, now: tuple[str, str, int]) -> None:
    """Cells stay when only the attack changes; a lasso holds places among the samples, and other models have
    other clusters.
    """
    terms = Terms.read()
    if before is not None:
        state.put("pick", "" if before[0] != now[0] else str(terms.without("map")))
