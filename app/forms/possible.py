"""Which objectives and attacks are possible for a model, and along what they can be followed: read from what
each declares in the catalogue.
"""

from typing import Any

from app.address import connection
from app.forms import fields
from app.words import _

KEEPS = "reconstruction_change"
"""The objective that λ weighs against any other."""


def waiting(attack: str) -> str:
    """What is said while one sample's ladder under an attack is waited for."""
    if not entry("attack", attack).get("slow"):
        return _("Climbing the ladder…")
    return _("Climbing the ladder: at every level several targets and starts, which can take minutes…")


def entry(kind: str, name: str) -> dict[str, Any]:
    """The catalogue's entry of a method; of one that is not there any more, its name alone."""
    return dict(connection.catalogue()[kind].get(name) or {"title": name, "name": name, "defaults": {}})


def title(kind: str, name: str) -> str:
    """What a method is called."""
    return str(entry(kind, name)["title"])


def abilities(model: str) -> frozenset[str]:
    """What a method's models can do."""
    return frozenset(entry("model", model).get("abilities", ()))


def supervised(model: str) -> bool:
    """Whether a method's training sees labels."""
    return bool(entry("model", model).get("supervised"))


def objectives(model: str, labelled: bool = True) -> list[str]:
    """The objectives on pixels that can be asked of a method's models, on data with labels or without.

    One whose settings no widget can hold, as those of a sum, is not offered.
    """
    has = abilities(model)
    return [
        name
        for name, said in connection.catalogue()["objective"].items()
        if said.get("space") == "pixels"
        and set(said.get("needs", ())) <= has
        and (labelled or not said.get("needs_labels"))
        and set(said["defaults"]) <= {knob.path for knob in fields.knobs(said)}
    ]


def attacks(model: str, objective: str = "", fitted: bool = False, axis: str = "") -> list[str]:
    """The attacks on pixels of a method's models that can chase an objective and be followed along an axis
    ("": any); those that must be fitted first only where `fitted`.
    """
    has = abilities(model)
    met = not objective or bool(entry("objective", objective).get("has_mark"))
    return [
        name
        for name, said in connection.catalogue()["attack"].items()
        if said.get("space") == "pixels"
        and set(said.get("needs", ())) <= has
        and (fitted or not said.get("fitted"))
        and (not axis or axis in said.get("axes", ()))
        and (met or not said.get("needs_mark"))
        and (not objective or objective in (said.get("only_for") or (objective,)))
    ]


def weighs(model: str, objective: str, attack: str = "") -> bool:
    """Whether λ has a meaning: the model reconstructs, the objective is not the change itself, and the attack
    ("": any) can chase a sum, which does not say when it is met.
    """
    needs = set(entry("objective", KEEPS).get("needs", ()))
    said = entry("attack", attack) if attack else {}
    sums = not said.get("needs_mark") and not said.get("only_for")
    return needs <= abilities(model) and objective != KEEPS and sums


def axes(model: str, attack: str, objective: str) -> list[str]:
    """Along what an attack on a method's models can be followed."""
    return [
        axis
        for axis in entry("attack", attack).get("axes", ())
        if axis != "lambda" or weighs(model, objective, attack)
    ]


def has_success(objective: str) -> bool:
    """Whether an objective knows when it is reached."""
    return bool(entry("objective", objective).get("has_goal"))
