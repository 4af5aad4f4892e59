"""Which data sets are registered, and their cards, without torch."""

import importlib
import pkgutil
from functools import cache
from typing import Any

from engine import extensions, registry
from engine.data import sets
from engine.data.dataset import DataSettings
from engine.errors import UnknownName


@cache
def owners() -> dict[str, type[DataSettings]]:
    """Name -> settings class of every data set of the engine's own, sorted by name."""
    found: dict[str, type[DataSettings]] = {}
    for info in pkgutil.iter_modules(sets.__path__, sets.__name__ + "."):
        module = importlib.import_module(info.name)
        found |= {
            value.name: value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, DataSettings) and value.name
        }
    return dict(sorted(found.items()))


def owner(name: str) -> type[DataSettings]:
    """The settings class called `name`. Raises UnknownName with the nearest ones."""
    if name in owners():
        return owners()[name]
    brought = brought_along()
    if name not in brought:
        raise UnknownName("data set", name, [*owners(), *brought])
    return brought[name]


def brought_along() -> dict[str, type[DataSettings]]:
    """Name -> settings class of every data set of an extension. Imports torch where there are extensions."""
    names = registry.names("data") if extensions.folders() else []
    return {name: registry.find("data", name) for name in names if name not in owners()}


def card(name: str) -> dict[str, Any]:
    """What is known about a data set without loading it.

    name, title, summary, source, licence, samples, shape ((C, H, W) or (d,)), clusters, classes (their
    names), counts, note (how it differs from the release), download (bytes to fetch, 0: none), fingerprint
    (of the copy on which Feint's own results were measured), here (loads without a network), where (from).
    """
    cls = owner(name)
    where = cls.whereabouts()
    return {
        "name": name,
        "title": cls.title,
        "summary": cls.summary,
        "source": cls.source,
        **cls.describe_more(),
        "here": where is not None,
        "where": where,
    }


def cards() -> dict[str, dict[str, Any]]:
    """The card of every data set of the engine's own, by name."""
    return {name: card(name) for name in owners()}
