"""What a person calls a run, and the page that shows it."""

from typing import Any

from app.address import connection
from app.words import N_, _
from engine.errors import FeintError
from engine.models.declared import title_of
from engine.store.run import Run
from engine.store.spec import Spec

OPENS = {"train": "train", "sweep": "curves", "attack": "inspect", "pairs": "inspect"}
"""The page that shows a run of an action; a study names its own."""
ACTIONS = {
    "attack": N_("Attack: {name}"),
    "pairs": N_("Pairs: {name}"),
    "place": N_("Place: {name}"),
    "study": N_("Study: {name}"),
    "sweep": N_("Sweep: {name}"),
}
"""What a run of an action is called."""
STATUSES = {
    "queued": N_("queued"),
    "running": N_("running"),
    "finished": N_("finished"),
    "zoo": N_("from the zoo"),
    "failed": N_("failed"),
    "broken": N_("unreadable"),
    "paused": N_("paused"),
    "stopped": N_("stopped"),
}
"""What a status is called."""


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
    name = title_of(connection.in_words(entry), settings) if entry else spec.name or spec.action
    called = _(ACTIONS[spec.action]) if spec.action in ACTIONS else f"{spec.action.capitalize()}: {{name}}"
    return called.format(name=name)


def about(spec: Spec) -> str:
    """Its title in bold, and what it is about: "ADEC on MNIST"; of an attack the model too, "Attack: PGD of
    ADEC on MNIST".
    """
    name, model = bold(title(spec)), spec.builds_on.get("model")
    if model is None:
        return _("{method} on {data}").format(method=name, data=connection.data_title(spec.data))
    return _("{attack} of {model}").format(attack=name, model=model_of(model))


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
