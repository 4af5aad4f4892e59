"""A person's own methods: the folders of `FEINT_PLUGINS`, whose files are found exactly as the engine's own.

Their files are modules of the package `feint_plugins`, so that one may import another. Nothing here imports
torch, nor, before `modules` is asked for by the registry, any of those files.
"""

import importlib.util
import os
import pkgutil
import sys
import traceback
from pathlib import Path
from types import ModuleType

from engine.errors import FeintError

PACKAGE = "feint_plugins"
ROOT = Path(__file__).resolve().parents[1]


def folders() -> list[Path]:
    """The folders that `FEINT_PLUGINS` names (several with the system's separator), a relative one seen from
    the checkout.
    """
    given = os.environ.get("FEINT_PLUGINS", "").split(os.pathsep)
    return [(ROOT / Path(folder).expanduser()).resolve() for folder in given if folder]


def sources() -> list[Path]:
    """Every Python file in these folders: what a change of the catalogue depends on."""
    return [file for folder in folders() for file in sorted(folder.rglob("*.py"))]


def modules() -> list[str]:
    """The names under which the files can be imported, from now on."""
    paths = [str(folder) for folder in folders() if folder.is_dir()]
    package = sys.modules.setdefault(PACKAGE, ModuleType(PACKAGE, "Files of a person's own."))
    package.__path__ = paths
    return [module.name for module in pkgutil.iter_modules(paths, f"{PACKAGE}.")]


def absent() -> list[str]:
    """A sentence for each folder that is none."""
    return [
        f"FEINT_PLUGINS names {folder}, which is no folder here; make it, or name another."
        for folder in folders()
        if not folder.is_dir()
    ]


def complaint(module: str, error: BaseException) -> str:
    """One sentence on a file that did not load: which, what went wrong and where, and the cure."""
    found = importlib.util.find_spec(module)
    file = found.origin if found and found.origin else module
    cure = "Mend it, or take it out of FEINT_PLUGINS"
    if isinstance(error, ImportError):
        cure = "Install what it needs and run `python -m engine catalogue`, or mend it"
    where = _line(error, file)
    return (
        f"The extension {file} was not loaded: {_said(error)}{f' (line {where})' if where else ''}. {cure};"
        " everything else works without it."
    )


def _said(error: BaseException) -> str:
    words = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split()).rstrip(".")[:400]
    return words if isinstance(error, FeintError) else f"{type(error).__name__}: {words or 'without a word'}"


def _line(error: BaseException, file: str) -> int | None:
    """The line of the file where it went wrong, if it did there."""
    if isinstance(error, SyntaxError):
        return error.lineno if error.filename == file else None
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return lines[-1] if lines else None
