"""What a method is compared with, as it declares: the arms of its comparison, and its control."""

from collections.abc import Mapping
from typing import Any

from app.address import connection
from app.forms import fields, settings_form
from app.runs import naming
from app.words import N_, _
from engine.models.declared import title_of
from engine.store.run import Run
from engine.store.spec import Spec

Arm = Mapping[str, Any]
"""A registered `model` with `changes`."""
NUMBERS = {2: N_("two"), 3: N_("three"), 4: N_("four"), 5: N_("five"), 6: N_("six")}


def of(entry: Mapping[str, Any]) -> list[Arm]:
    """The arms that a method declares; only those that are registered here."""
    return [arm for arm in entry.get("compared_with", ()) if arm["model"] in connection.catalogue()["model"]]


def words(entry: Mapping[str, Any]) -> str:
    """What the button says that trains them all."""
    count = len(of(entry))
    return _("Compare the {count} arms").format(count=_(NUMBERS.get(count, str(count))))


def title(arm: Arm) -> str:
    """What an arm is called."""
    return title_of(connection.in_words(connection.catalogue()["model"][arm["model"]]), arm["changes"])


def chosen(entry: Mapping[str, Any], choice: settings_form.Choice) -> list[settings_form.Choice]:
    """The arms with the choices of a form: what was changed in it holds for all that know it, except where
    arms differ.
    """
    models, arms = connection.catalogue()["model"], of(entry)
    apart = {path for arm in arms for path in arm["changes"]}
    found = []
    for arm in arms:
        model = models[arm["model"]]
        known = {knob.path for knob in fields.leaves(fields.knobs(model))} - apart
        changes = {path: value for path, value in choice["changes"].items() if path in known}
        preset = choice["preset"] if choice["preset"] in model["presets"] else None
        found.append({"name": arm["model"], "preset": preset, "changes": changes | dict(arm["changes"])})
    return found


def control(spec: Spec) -> Arm | None:
    """The arm whose curves stand behind those of a run; None where the run is that arm itself."""
    declared: Arm | None = connection.catalogue()["model"].get(spec.name, {}).get("control")
    return None if declared is None or _is(spec, declared) else declared


def control_run(run: Run) -> Run | None:
    """A run of the control on the same base, from own runs or the zoo; None where there is none."""
    base, arm = run.spec.builds_on.get("base"), control(run.spec)
    if base is None or arm is None:
        return None
    alike = connection.store().query(action="train", name=arm["model"], base=base)
    own_first = sorted(alike, key=lambda other: bool(other.zoo))
    return next((other for other in own_first if _is(other.spec, arm)), None)


def _is(spec: Spec, arm: Arm) -> bool:
    """Whether a training is of an arm."""
    settings = naming.settings(spec)
    return spec.name == arm["model"] and all(
        settings.get(field) == value for field, value in arm["changes"].items()
    )
