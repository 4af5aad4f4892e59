"""What a person calls a run, and the page that shows it."""

from typing import Any

from app.address import connection
from engine.errors import FeintError
from engine.models.declared import title_of
from engine.store.run import Run
from engine.store.spec import Spec

OPENS = {"train": "train", "sweep": "curves", "attack": "inspect", "pairs": "inspect"}
"""The page that shows a run of an action; a study names its own."""


def settings(spec: Spec) -> dict[str, Any]:
    """The settings of what a spec trains; for other actions, of the action."""
    return dict(spec.settings.get("model_settings", spec.settings))


def page_of(spec: Spec) -> str:
    """The page that shows a run."""
    if spec.action == "study":
        return str(connection.catalogue()["study"].get(spec.name, {}).get("page", "runs"))
    return OPENS.get(spec.action, "runs")


def address_of(run: Run) -> dict[str, str]:
    """What the page that shows a run is told of it; of a study also where it is seen there."""
    if run.spec.action != "study":
        return {"run": run.name}
    tab = connection.catalogue()["study"].get(run.spec.name, {}).get("tab", "")
    found = {"tab": tab, "study": run.spec.name, "size": run.spec.settings["study_settings"]["size"]}
    return {name: said for name, said in found.items() if said}


def title(spec: Spec) -> str:
    """What a person calls it: the method, or the arm of the comparison."""
    catalogue = connection.catalogue()
    entry = catalogue[{"train": "model", "study": "study"}.get(spec.action, "attack")].get(spec.name, {})
    if spec.action == "train":
        return connection.method_title(spec)
    settings = spec.settings.get("attack_settings", {})
    name = title_of(entry, settings) if entry else spec.name or spec.action
    return f"{spec.action.capitalize()}: {name}"


def about(spec: Spec) -> str:
    """What a run is about: "on MNIST"; of an attack the model too, "of ADEC on MNIST"."""
    model = spec.builds_on.get("model")
    return f"on {connection.data_title(spec.data)}" if model is None else f"of {model_of(model)}"


def model_of(key: str) -> str:
    """What a person calls the model of a key: "ADEC on MNIST"; of one that is not here the beginning of the
    key. A star stays a star.
    """
    try:
        run = connection.store().find(key)
    except FeintError:
        return key[:8]
    return connection.model_title(run.name, run).replace("*", r"\*")


def bold(name: str) -> str:
    """A name as bold Markdown; the star of DEC* stays a star."""
    return "**" + name.replace("*", r"\*") + "**"
