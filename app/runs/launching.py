"""Parts of this folder under one name, until every page imports them themselves."""

from collections.abc import Mapping
from typing import Any

from app.runs import wanted
from app.runs.naming import *  # noqa: F403
from app.runs.reproduce import card  # noqa: F401
from engine.store.store import DONE, LIVE  # noqa: F401
from engine.store.wanted import Wanted


def begin(question: Mapping[str, Any]) -> str | None:
    """The name of the run that was begun; None where it was refused."""
    run = wanted.begin(Wanted(**{name: value for name, value in question.items() if name != "ask"}))
    return None if run is None else run.name
