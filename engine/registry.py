"""Name -> settings class, for everything that can be chosen: models, attacks, objectives, data, metrics,
studies.

A new file in one of the folders below is found by itself; nothing else needs a new line. The catalogue is
what the page server and `python -m engine list` read: it describes every registered thing without importing
torch again.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from engine.errors import UnknownName
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

Owner = TypeVar("Owner", bound=type[Settings])


@dataclass(frozen=True)
class Metric:
    """A measured number: what it means, in which unit and range, and whether more is better (None:
    neither).
    """

    name: str
    title: str
    summary: str
    source: str = ""
    unit: str = "share"
    better: str | None = None
    labels: bool = False


_settings: dict[tuple[str, str], type[Settings]] = {}
_metrics: dict[str, Metric] = {}


def register(owner: Owner) -> Owner:
    """Class decorator: the settings class becomes what its `kind` and `name` say. A second owner is
    refused.
    """
    key = (owner.kind, owner.name)
    assert owner.kind in KINDS and owner.name and owner.title and owner.source, (
        f"{owner} must say kind, name, title and source"
    )
    other = _settings.get(key)
    assert other is None or (other.__module__, other.__qualname__) == (
        owner.__module__,
        owner.__qualname__,
    ), f"{key} is already {other}"
    _settings[key] = owner
    return owner


def register_metric(*metrics: Metric) -> None:
    """Declare measured numbers. A second owner of a name is refused."""
    for metric in metrics:
        assert _metrics.get(metric.name, metric) == metric, f"metric {metric.name!r} is declared twice"
        _metrics[metric.name] = metric


@cache
def _load() -> None:
    for folder in FOLDERS:
        package = importlib.import_module(folder)
        for module in pkgutil.iter_modules(package.__path__, folder + "."):
            importlib.import_module(module.name)


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
        "version": owner.version,
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


def catalogue() -> dict[str, dict[str, dict[str, Any]]]:
    """kind -> name -> entry, as plain JSON values."""
    _load()
    entries: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    for (kind, name), owner in sorted(_settings.items()):
        entries[kind][name] = describe(owner)
    entries["metric"] = {
        name: metric.__dict__ | {"kind": "metric"} for name, metric in sorted(_metrics.items())
    }
    return entries
