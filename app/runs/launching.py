"""Runs before and after they run: choices become runs, runs become words, commands and lists. Nothing here
draws a figure.
"""

import json
import os
import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from app.address import state
from app.forms import settings_form
from engine.errors import FeintError
from engine.store.run import Run
from engine.store.spec import Spec

LIVE = ("queued", "running")
DONE = ("finished", "zoo")
OPENS = {"train": "train", "sweep": "curves", "attack": "inspect", "pairs": "inspect"}
"""The page that shows a run of an action; a study names its own."""


def start(choice: settings_form.Choice, data: str, seed: int) -> str | None:
    """Create the training and put it into the queue; its name. None where it was refused: the engine's
    sentence is on the page.

    What is finished already is only named.
    """
    chosen = {part: choice[part] for part in ("name", "preset", "changes")}
    return begin({"ask": "prepare", "action": "train", "data": data, "seed": seed} | chosen)


def begin(question: Mapping[str, Any]) -> str | None:
    """Create the run that a question "prepare" describes and put it into the queue; its name, or None as in
    `start`.
    """
    try:
        answer = state.ask(question, "Checking the settings…").json
        if answer["sentence"]:
            st.error(answer["sentence"])
            return None
        run = state.store().create(Spec.model_validate(answer["spec"]))
        state.engine().submit(run)
    except FeintError as error:
        state.refused(error)
        return None
    return run.name


def settings(spec: Spec) -> dict[str, Any]:
    """The settings of what a spec trains; for other actions, of the action."""
    return dict(spec.settings.get("model_settings", spec.settings))


def page_of(spec: Spec) -> str:
    """The page that shows a run."""
    if spec.action == "study":
        return str(state.catalogue()["study"].get(spec.name, {}).get("page", "runs"))
    return OPENS.get(spec.action, "runs")


def title(spec: Spec) -> str:
    """What a person calls it: the method, or the arm of the comparison."""
    catalogue = state.catalogue()
    entry = catalogue[{"train": "model", "study": "study"}.get(spec.action, "attack")].get(spec.name, {})
    name = entry.get("title", spec.name or spec.action)
    if spec.action == "train":
        return state.method_title(spec)
    return f"{spec.action.capitalize()}: {name}"


def data_title(card: Mapping[str, Any]) -> str:
    """A data set in a list, with what its first use fetches."""
    away = (
        ""
        if card.get("here", True)
        else (
            " · from a folder of your own"
            if card.get("obtained")
            else f" · fetched at first use ({card.get('download', 0) / 1e6:.0f} MB)"
        )
    )
    return f"{card.get('title', card['name'])}{away}"


def about_data(card: Mapping[str, Any]) -> bool:
    """What has to be said of a data set under its name; whether it can be used now."""
    if card.get("obtained") and not card.get("here", True):
        st.info(f"{card['title']} may not be fetched. {card['obtained']}", icon=":material/folder:")
        return False
    if card.get("views", 1) > 1:
        st.caption(card["note"])
    return True


def machine() -> list[str]:
    """What computes here, as the newest run recorded it; cores where there is none."""
    cards = (run.card() for run in state.store().all() if run.status() != "broken")
    how: dict[str, Any] = next((card["how"] for card in cards if "how" in card), {})
    said = [str(how[name]) for name in ("device", "precision") if name in how]
    threads = f"{how.get('threads', os.cpu_count())} threads"
    return [*said, threads] + ([f"PyTorch {how['torch']}"] if "torch" in how else [])


def bold(name: str) -> str:
    """A name as bold Markdown; the star of DEC* stays a star."""
    return "**" + name.replace("*", r"\*") + "**"


def command(spec: Spec) -> dict[str, str]:
    """The same training on the command line and in Python, from the preset that is nearest to it."""
    entry = state.catalogue()["model"].get(spec.name)
    if spec.action != "train" or entry is None:
        return {}
    values = dict(settings_form.flat(settings(spec)))
    ways = {preset: _changes(values, _preset(entry, preset)) for preset in (*entry["presets"], None)}
    preset = min(ways, key=lambda name: len(ways[name]))
    changes = ways[preset] | (
        {"clusters": spec.settings["clusters"]} if spec.settings.get("clusters") else {}
    )
    return {"Command line": _shell(spec, preset, changes), "Python": _python(spec, preset, changes)}


def _changes(values: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    return {path: value for path, value in values.items() if base.get(path) != value}


def _shell(spec: Spec, preset: str | None, changes: Mapping[str, Any]) -> str:
    flags = [f"--data {shlex.quote(spec.data)}", f"--seed {spec.seed}"] + [f"--preset {preset}"] * bool(
        preset
    )
    return " ".join(
        [
            f"python3 -m engine train {spec.name}",
            *flags,
            *(f"--{path} {_typed(value)}" for path, value in changes.items()),
        ]
    )


def _python(spec: Spec, preset: str | None, changes: Mapping[str, Any]) -> str:
    named = (
        [f"seed={spec.seed}"]
        + [f"preset={preset!r}"] * bool(preset)
        + [f"changes={dict(changes)!r}"] * bool(changes)
    )
    call = ", ".join(['"train"', repr(spec.name), repr(spec.data), *named])
    return (
        "from engine.running.runner import prepare, run\n\n"
        f"for event in run(prepare({call})):\n    print(event)"
    )


def card(run: Run) -> str:
    """Everything that says what a run is and what came out, as JSON: key, settings, how it was computed,
    scores.
    """
    said = {
        "key": run.key,
        "spec": run.spec.model_dump(mode="json"),
        "card": run.card(),
        "result": run.result(),
    }
    return json.dumps(said, indent=1, ensure_ascii=False)


def listed() -> list[dict[str, Any]]:
    """A row for every run, newest first, then the zoo.

    Each has `name`, `title`, `what`, `data`, `seed`, `acc`, `made`, `status`, `from`, `lives`, and `words` to
    search.
    """
    shelf = state.store()
    return [_row(run) for run in [*shelf.all(), *shelf.zoo().values()]]


def _row(run: Run) -> dict[str, Any]:
    status = run.status()
    row: dict[str, Any] = {
        "name": run.name,
        "title": "Unreadable run",
        "what": "unreadable",
        "data": "",
        "seed": None,
    }
    row |= {"acc": None, "made": None}
    if status != "broken":
        spec, kept = run.spec, run.card()
        made = (
            datetime.fromtimestamp(kept["created"]).isoformat(" ", "minutes") if "created" in kept else None
        )
        row |= {"title": title(spec), "what": spec.action, "data": spec.data, "seed": spec.seed}
        row |= {"acc": kept.get("metrics", {}).get("acc"), "made": made}
    row |= {"status": status, "from": "zoo" if run.zoo else "mine", "lives": status in LIVE}
    return row | {"words": " ".join(str(value) for value in row.values()).lower()}


def as_csv(rows: list[dict[str, Any]]) -> str:
    """The list as a table to take away."""
    return pd.DataFrame(rows).drop(columns=["words", "lives"]).to_csv(index=False)


def _typed(value: Any) -> str:
    """A value as it is typed after a flag."""
    if isinstance(value, list) and len(value) > 1:
        return ",".join(map(str, value))
    return shlex.quote(value if isinstance(value, str) else json.dumps(value))


def _preset(entry: Mapping[str, Any], preset: str | None) -> dict[str, Any]:
    return dict(settings_form.flat(settings_form.merged(entry["defaults"], entry["presets"].get(preset, {}))))
