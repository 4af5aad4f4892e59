"""The workspace of Inspect: which attack is looked at, and the one selection that all its views share.

A selection is a few terms, each from one view: `attacked:4:9` is a cell of a matrix (−1: a whole row or
column), `map:…` a lasso. A sample is selected where every term holds. It stands in the address, so a link
opens the same samples.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.address import state
from app.components import map as plane
from app.forms import choices
from app.forms.choices import Threat, Victim
from app.runs import live
from engine.asking import answers
from engine.asking.answers import Answer
from engine.errors import FeintError
from engine.store.run import Run
from engine.store.spec import Spec

MATRICES = {"clean": "Clean", "attacked": "Attacked", "difference": "Difference", "flow": "Flow"}
PATIENCE = 10.0
"""Seconds that a page waits for an attack before it follows it instead."""
SAMPLES = 500


@dataclass(frozen=True)
class Broken:
    """A finished attack: its run, the victim, a row a sample, the adversarial images (n, d) uint8, the
    result, where samples went.

    Where the embedding was moved, images are what is decoded from it.
    """

    run: Run
    victim: Victim
    table: pd.DataFrame
    images: np.ndarray
    result: dict[str, Any]
    moved: Answer

    @property
    def ids(self) -> np.ndarray:
        """(n,) sample ids in the table's order."""
        return self.table["id"].to_numpy()

    @property
    def labelled(self) -> bool:
        """Whether the data have labels."""
        return bool(self.victim.overview.json["class_names"]) and bool((self.table["label"] >= 0).all())

    @property
    def classes(self) -> list[str]:
        """Names of the labels."""
        return list(self.victim.overview.json["class_names"])

    @property
    def order(self) -> list[int]:
        """Clusters in the order they are shown in: by their matched class, unmatched ones last."""
        mapping = self.victim.overview.json["mapping"]
        return sorted(
            range(len(mapping)), key=lambda cluster: (mapping[cluster] < 0, mapping[cluster], cluster)
        )

    @property
    def latent(self) -> bool:
        """Whether the embedding was moved, and no pixel."""
        return str(state.catalogue()["attack"][self.run.spec.name]["space"]) == "embedding"

    def place(self, sample: int) -> int:
        """The row of a sample in the table."""
        return int(np.flatnonzero(self.ids == sample)[0])

    def protocol(self) -> str:
        """The line that every number of this attack carries."""
        said = self.run.spec.settings
        entry = state.catalogue()["attack"][said["attack"]]
        wanted = said["objective"].replace("_", " ") + (
            f" − {said['lam']:g} · reconstruction change" if said["lam"] else ""
        )
        size = (
            f"ν = {self.result['nu']:g}"
            if self.latent
            else f"{choices.NORMS[said['norm']]} ε = {said['epsilon']:g}"
        )
        parts = [entry["title"], wanted, size]
        values = entry["defaults"] | said["attack_settings"]
        parts += [
            f"{name} {values[key]}"
            for key, name in (("steps", "T ="), ("restarts", "restarts"))
            if key in values
        ]
        return " · ".join(
            [
                *parts,
                f"n = {self.result['n']}",
                f"seed {self.run.spec.seed}",
                f"model {self.victim.run.key}",
                f"run {self.run.key}",
            ]
        )


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
            victim = choices.choose_model()
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
            threat = choices.choose_threat(victim)
    return victim, threat, n


def attacked(victim: Victim, threat: Threat, n: int) -> Broken:
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
    live.follow(run.name)
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
                _refused(answer["sentence"])
            known[asked] = state.store().create(Spec.model_validate(answer["spec"])).key
        except FeintError as error:
            _refused(str(error))
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
            _refused(str(error))
    with st.spinner("Attacking…"):
        end = time.monotonic() + PATIENCE
        while run.status() in live.LIVE and time.monotonic() < end:
            time.sleep(0.05)
    return run.status() == "finished"


def again(run: Run) -> None:
    """Let a run that failed or was stopped be submitted once more."""
    st.session_state.get("inspect_submitted", set()).discard(run.key)


@st.cache_resource(max_entries=8, show_spinner=False)
def _read(key: str) -> tuple[pd.DataFrame, np.ndarray, dict[str, Any]]:
    """Table, images and result of a finished run; a key stands for its content, so they are read once."""
    run = state.store().find(key)
    stored = run.arrays("images")
    images = (
        np.rint(stored["adversarial"] * 255).astype(np.uint8)
        if "adversarial" in stored
        else _moved(key).arrays["recon"]
    )
    return run.table(), images, run.result()


def look(run: Run, victim: Victim) -> Broken:
    """Everything about a finished attack; stops the page with a sentence where its folder is damaged."""
    try:
        table, images, result = _read(run.key)
        moved = _moved(run.key)
    except FeintError as error:
        _refused(str(error))
    return Broken(run, victim, table, images, result, moved)


@st.cache_resource(max_entries=8, show_spinner=False)
def _moved(key: str) -> Answer:
    return state.ask({"ask": "moved", "run": key}, "Looking where they went…")


def _refused(sentence: str) -> None:
    st.error(sentence)
    state.page_foot()
    st.stop()


def _forget_lasso(before: tuple[str, str, int] | None, now: tuple[str, str, int]) -> None:
    """Cells stay when only the attack changes; a lasso holds places among the samples, and other models have
    other clusters.
    """
    terms = Terms.read()
    if before is not None:
        state.put("pick", "" if before[0] != now[0] else str(terms.without("map")))


@dataclass(frozen=True)
class Terms:
    """View -> what was chosen there. As text, terms are joined by commas, as they stand in the address."""

    of: dict[str, str]

    @classmethod
    def read(cls) -> "Terms":
        """The selection of the address."""
        pairs = [term.partition(":") for term in state.value("pick", "").split(",")]
        return cls({view: rest for view, _, rest in pairs if view in (*MATRICES, "map") and rest})

    def __str__(self) -> str:
        return ",".join(f"{view}:{rest}" for view, rest in self.of.items())

    def put(self) -> None:
        """Make it the page's selection."""
        state.put("pick", str(self))

    def without(self, view: str) -> "Terms":
        """The same without what was chosen in a view."""
        return Terms({name: rest for name, rest in self.of.items() if name != view})

    def with_(self, view: str, rest: str) -> "Terms":
        """The same with something else chosen in a view."""
        return Terms(self.of | {view: rest})

    def cell(self, view: str) -> tuple[int, int] | None:
        """Row and column chosen in a matrix, as label or cluster numbers, −1 for all."""
        try:
            row, column = (int(part) for part in self.of[view].split(":"))
        except (KeyError, ValueError):
            return None
        return row, column

    def mask(self, broken: Broken) -> np.ndarray:
        """(n,) which rows of the table are selected; all where nothing is chosen."""
        inside = np.ones(len(broken.table), dtype=bool)
        for view in self.of:
            inside &= self._mask_of(view, broken)
        return inside

    def _mask_of(self, view: str, broken: Broken) -> np.ndarray:
        n, cell = len(broken.table), self.cell(view)
        if view == "map":
            try:
                return np.isin(np.arange(n), plane.decode(self.of["map"], n))
            except ValueError:
                return np.ones(n, dtype=bool)
        return np.ones(n, dtype=bool) if cell is None else cell_mask(broken.table, view, *cell)

    def words(self, view: str, broken: Broken) -> str:
        """What was chosen in a view, for its chip."""
        cell = self.cell(view)
        if view == "map" or cell is None:
            return "a part of the map"
        row, column = cell
        rows = broken.victim.names if view == "flow" else broken.classes
        named = [f"label {rows[row]}" if view != "flow" else f"clean cluster {rows[row]}"] * (
            0 <= row < len(rows)
        )
        verb = {
            "clean": "clean cluster",
            "attacked": "attacked cluster",
            "difference": "joined or left",
            "flow": "attacked cluster",
        }[view]
        named += [f"{verb} {broken.victim.names[column]}"] * (0 <= column < len(broken.victim.names))
        return ", ".join(named) or "nothing"


def cell_mask(table: pd.DataFrame, view: str, row: int, column: int) -> np.ndarray:
    """(n,) the samples in a cell of a matrix; −1 stands for all rows or all columns."""
    clean, after = table["cluster_clean"].to_numpy(), table["cluster_attacked"].to_numpy()
    down = (
        np.ones(len(table), dtype=bool)
        if row < 0
        else (clean if view == "flow" else table["label"].to_numpy()) == row
    )
    across = {
        "clean": clean == column,
        "attacked": after == column,
        "flow": after == column,
        "difference": (clean == column) != (after == column),
    }
    return down if column < 0 else down & across[view]
