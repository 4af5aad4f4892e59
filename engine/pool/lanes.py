"""The lanes of the pool: what waits behind what.

train    runs that train networks, one at a time (one a GPU), each in a child process of its own
play     answers that a person waits for, in a warm process with its models in memory
attack   runs that train nothing (attacks, pairs, maps): they never delay an answer
map      questions that need UMAP, which compiles for half a minute at its first use
"""

from engine.store.spec import Spec
from engine.store.wanted import Entries

LANES = ("train", "play", "attack", "map")
NICENESS = {"train": 10, "attack": 2, "map": 10}
"""How far each lane stands back from the page and from answers."""


def lane_of(spec: Spec, entries: Entries) -> str:
    """The lane in which a run waits: that of what it is about, if that says one, else its action's."""
    action = entries["action"][spec.action]
    about = entries.get(str(action["about"]), {}).get(spec.name, {})
    return str(about.get("lane") or action["lane"])
