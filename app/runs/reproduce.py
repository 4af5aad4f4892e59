"""How runs are made again: one command and one piece of Python for each, for the foot of a page."""

from app.address import state
from engine.store import reproduce
from engine.store.spec import Spec
from engine.store.wanted import Wanted


def lines(*runs: Spec | Wanted) -> dict[str, str]:
    """Language -> the text that makes these runs, one after the other; empty where there are none."""
    found = [reproduce.lines(run, state.catalogue(), state.store()) for run in runs]
    if len(found) == 1:
        return found[0]
    return {"Command line": "\n".join(one["Command line"] for one in found)} if found else {}


def command(run: Spec | Wanted) -> str:
    """The same as one line for a card."""
    return lines(run)["Command line"]
