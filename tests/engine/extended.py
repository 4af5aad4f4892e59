"""A folder of a person's own files beside the house, for one test."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine import extensions, registry
from engine.store import catalogue

EXAMPLES = Path(__file__).resolve().parents[1] / "extensions"
"""The files that a newcomer copies: one new attack, objective, model, data set and metric."""


@contextmanager
def extended_by(folder: Path) -> Iterator[Path]:
    """`FEINT_PLUGINS` names `folder`, here and in child processes; afterwards the registry is as before."""
    registry.names("model")
    kept = dict(registry._settings), dict(registry._metrics)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEINT_PLUGINS", str(folder))
        _reload()
        try:
            yield folder
        finally:
            for known, before in zip((registry._settings, registry._metrics), kept, strict=True):
                known.clear()  # type: ignore[attr-defined]
                known.update(before)  # type: ignore[arg-type]
    _reload()


def _reload() -> None:
    registry._load.cache_clear()
    catalogue._place.cache_clear()
    for module in [name for name in sys.modules if name.split(".")[0] == extensions.PACKAGE]:
        del sys.modules[module]


SMALL = {
    "base.hidden": [16],
    "base.embedding": 4,
    "base.iterations": 60,
    "base.evaluate_every": 30,
    "base.batch": 32,
    "base.starts": 2,
    "iterations": 40,
    "evaluate_every": 20,
    "batch": 32,
}
"""Settings of the example model that train in a second."""


def examples(folder: Path) -> Path:
    """The examples, copied into a folder of their own."""
    folder.mkdir()
    for file in EXAMPLES.glob("*.py"):
        shutil.copy(file, folder)
    return folder
