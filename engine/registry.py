"""Name -> settings class, for everything that can be chosen: models, attacks, objectives, data, metrics,
studies.

A new file in one of the folders below, or in one that `FEINT_PLUGINS` names, is found by itself; nothing
else needs a new line. The catalogue is what the page server and `python -m engine list` read: it describes
every registered thing without importing torch again.
"""

import importlib
import json
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cache
from types import ModuleType
from typing import Any, TypeVar

from engine import extensions
from engine.errors import RegistrationError, UnknownName
from engine.settings import Settings

KINDS = ("model", "attack", "objective", "data", "metric", "study", "action")
FOLDERS = (
    "engine.data.sets",
    "engine.models",
    "engine.defences",
    "engine.objectives",
    "engine.attacks",
    "engine.metrics",
    "engine.studies",
    "engine.running",
)

MEASURED_OF = ("attack", "model", "training", "")
"""What a metric may be of; "": another part of the engine measures it."""
ABILITIES = {
    "encodes",
    "clusters",
    "reconstructs",
    "classifies",
    "fuses",
    "decodes",
    "contrasts",
    "compares",
    "imitates",
}
NEEDS = ABILITIES | {
    "groups",
    "goal",
    "weight",
    "noise",
    "value",
    "recognised",
    "likeness",
    "reference",
    "inception",
    "extractor",
    "pixels",
    "embedding",
    "unseen",
    "selects",
}
"""What a metric may need: abilities of the model, and facts of what is measured."""

Owner = TypeVar("Owner", bound=type[Settings])


@dataclass(frozen=True)
class Metric:
    """A measured number: what it means, its unit and range, whether more is better (None: neither), and how
    it is measured.

    `of` says of what: "attack", "model" or "training" (`engine.metrics.protocols.AttackedSamples` and
    `CleanSamples`, `engine.metrics.gradient_angles.Gradients`). One loop measures every metric whose `needs`
    and `labels` are there; the others are absent. A `measure` that gives one value a sample is averaged, and
    a share where they are true or false: it then has `NAME_low` and `NAME_high` too.
    """

    name: str
    title: str
    summary: str
    source: str = ""
    unit: str = "share"
    """A "share" counts samples, and so has Wilson's interval; an "index", as NMI, does not."""
    better: str | None = None
    labels: bool = False
    of: str = ""
    needs: tuple[str, ...] = ()
    """Abilities of the model, and "goal", "pixels" or "embedding" of the attack."""
    headline: int | None = None
    """Its place among the first numbers of a result; None: not among them."""
    control_of: str = ""
    """The metric whose control it is, "" for none: its title is that metric's, ", " and what the attack is
    held against."""
    counted_in: str = ""
    """The number that says on how many samples it is measured, where it is not on all; "" for all."""
    watched: bool = False
    """Whether it stands beside the curves of a training or a fitting that is watched under attack."""
    column: str | None = None
    """Its column in the table of samples, where there is a value for each; None: its name; "": no column."""
    measure: Callable[[Any], Any] | None = field(default=None, compare=False)
    """None: another part of the engine measures it."""

    def describe(self) -> dict[str, Any]:
        """Its catalogue entry."""
        shown = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "measure"}
        return shown | {"kind": "metric", "needs": list(self.needs)}


_settings: dict[tuple[str, str], type[Settings]] = {}
_metrics: dict[str, Metric] = {}


def register(owner: Owner) -> Owner:
    """Class decorator: the settings class becomes what its `kind` and `name` say.

    Raises RegistrationError where it does not say what it is, or where its name belongs to another.
    """
    missing = [part for part in ("name", "title", "source") if not getattr(owner, part, "")]
    if owner.kind not in KINDS:
        raise RegistrationError(
            f"{_place(owner)} must be settings of one kind ({', '.join(KINDS)}); its kind is {owner.kind!r}."
            " Derive it from AttackSettings, ObjectiveSettings, ModelSettings or DataSettings."
        )
    if missing:
        raise RegistrationError(
            f"{_place(owner)} must say name, title and source; its {missing[0]} is empty."
        )
    if not re.fullmatch(r"[a-z][a-z0-9_.]*", owner.name):
        raise RegistrationError(
            f"{_place(owner)}.name must be lower case letters, digits and _; got {owner.name!r}."
        )
    other = _settings.get((owner.kind, owner.name), owner)
    if _place(other) != _place(owner):
        raise RegistrationError(
            f"The {owner.kind} {owner.name!r} is {_place(other)} already; give {_place(owner)} another name."
        )
    _settings[owner.kind, owner.name] = owner
    return owner


def _place(owner: type[Settings]) -> str:
    return f"{owner.__module__}.{owner.__qualname__}"


def register_metric(*metrics: Metric) -> None:
    """Declare measured numbers. Raises RegistrationError where a name is taken."""
    for metric in metrics:
        if metric.of not in MEASURED_OF or not set(metric.needs) <= NEEDS:
            kinds, facts = ", ".join(map(repr, MEASURED_OF)), ", ".join(sorted(NEEDS))
            raise RegistrationError(
                f"The metric {metric.name!r} must be of {kinds}, and its needs some of {facts}; it is of"
                f" {metric.of!r} and needs {metric.needs}."
            )
        if _metrics.get(metric.name, metric) != metric:
            raise RegistrationError(
                f"The metric {metric.name!r} ({_metrics[metric.name].title}) is declared already; give"
                f" {metric.title!r} another name."
            )
        _metrics[metric.name] = metric


def problems() -> list[str]:
    """One sentence for each of a person's own files that could not be loaded."""
    return list(_load())


@cache
def _load() -> tuple[str, ...]:
    for folder in FOLDERS:
        package = importlib.import_module(folder)
        for module in pkgutil.iter_modules(package.__path__, folder + "."):
            importlib.import_module(module.name)
    failed = [_load_extension(name) for name in extensions.modules()]
    return (*extensions.absent(), *(sentence for sentence in failed if sentence))


def _load_extension(module: str) -> str | None:
    """Import one of a person's own files. Where that fails nothing of it stays, and a sentence says why."""
    known = set(_metrics)
    try:
        _check_registered(importlib.import_module(module))
        for owner in [owner for owner in _settings.values() if owner.__module__ == module]:
            _check(owner)
    except (Exception, SystemExit) as error:  # whatever is wrong in it, the rest goes on
        for key in [key for key, owner in _settings.items() if owner.__module__ == module]:
            del _settings[key]
        for name in set(_metrics) - known:  # a file that it imports may have declared some of its own
            if getattr(_metrics[name].measure, "__module__", module) == module:
                del _metrics[name]
        return extensions.complaint(module, error)
    return None


def _check_registered(module: ModuleType) -> None:
    """Raises RegistrationError for a class that says what it is and was not registered."""
    for owner in vars(module).values():
        own = isinstance(owner, type) and issubclass(owner, Settings) and owner.__module__ == module.__name__
        if own and owner.name and owner.kind in KINDS and (owner.kind, owner.name) not in _settings:
            raise RegistrationError(
                f"{_place(owner)} has a name but is not registered; put @register above it."
            )


def _check(owner: type[Settings]) -> None:
    """Raises what would go wrong later: an entry that is no plain JSON, a preset outside its limits."""
    entry = describe(owner)
    json.dumps(entry)
    for preset in () if entry["schema"].get("required") else owner.presets:
        owner.preset(preset)


def find(kind: str, name: str) -> type[Any]:
    """The settings class called `name`. Raises UnknownName with the nearest ones."""
    _load()
    if (kind, name) not in _settings:
        raise UnknownName(kind, name, names(kind))
    return _settings[kind, name]


def names(kind: str) -> list[str]:
    """All names of a kind, sorted."""
    _load()
    if kind == "metric":
        return sorted(_metrics)
    return sorted(name for owner_kind, name in _settings if owner_kind == kind)


def metrics() -> dict[str, Metric]:
    """All declared metrics by name."""
    _load()
    return dict(_metrics)


def describe(owner: type[Settings]) -> dict[str, Any]:
    """One catalogue entry: what a form, a flag, a card and a list say about a registered class."""
    schema = owner.model_json_schema()
    entry = {
        "name": owner.name,
        "kind": owner.kind,
        "title": owner.title,
        "summary": owner.summary,
        "source": owner.source,
        "equation": owner.equation,
        "version": owner.full_version(),
        "presets": {key: dict(value) for key, value in owner.presets.items()},
        "schema": schema,
        "defaults": _defaults(owner, schema),
    }
    more: Callable[[], dict[str, Any]] | None = getattr(owner, "describe_more", None)
    return entry | (more() if more else {})


def _defaults(owner: type[Settings], schema: dict[str, Any]) -> dict[str, Any]:
    """The values of settings that nobody changed; where a field must be given, those of the others."""
    if schema.get("required"):
        return {name: field["default"] for name, field in schema["properties"].items() if "default" in field}
    return owner().all_values()


def catalogue() -> dict[str, Any]:
    """kind -> name -> entry, as plain JSON values; and "problems", the sentences of `problems`."""
    entries: dict[str, Any] = {kind: {} for kind in KINDS} | {"problems": problems()}
    for (kind, name), owner in sorted(_settings.items()):
        entries[kind][name] = describe(owner)
    entries["metric"] = {name: metric.describe() for name, metric in sorted(_metrics.items())}
    return entries
