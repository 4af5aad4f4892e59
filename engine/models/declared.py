"""What a method says of its training, so that pages show it without knowing the method: curves and their
figures, alarms, what it is compared with, what it is called.

Plain values without torch: settings classes declare them, the catalogue holds them as JSON, and `title_of`
reads that JSON.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from engine import registry
from engine.errors import RegistrationError


@dataclass(frozen=True)
class Panel:
    """A figure of a training: all curves that name it, in one pair of axes.

    `y_title` labels the values, `share` says that they lie in [0, 1], `limit` is drawn as a dashed line.
    """

    name: str
    title: str
    caption: str = ""
    y_title: str = ""
    share: bool = False
    limit: float | None = None


@dataclass(frozen=True)
class Curve:
    """A value of Progress and Evaluate events that is worth a curve, by its name there, in the figure
    `panel`.
    """

    name: str
    title: str
    unit: str = ""
    panel: str = "losses"


@dataclass(frozen=True)
class Alarm:
    """A value that must not exceed `above`; `sentence` says what that means and what helps, with {value} and
    {above} in it.
    """

    value: str
    above: float
    sentence: str


@dataclass(frozen=True)
class Arm:
    """One arm of a comparison: a registered model with changed fields. `title_of` says what it is called."""

    model: str
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Qualifier:
    """Words that follow a method's title where its `field` has this value; None: any but its default."""

    field: str
    words: str
    value: Any = None


@dataclass(frozen=True)
class Family:
    """A kind of model: the heading under which pages list it, and what is said under that heading.

    `page` is the page that is about it, `example` the model whose pictures stand for it ("": any of it),
    under the attack and for the objective named here; `defence` is the model that is trained against it.
    The page offers other methods of the same kind beside these.
    """

    name: str
    about: str
    page: str = "attack"
    example: str = ""
    attack: str = "pgd"
    objective: str = "leave_cluster"
    defence: str = ""


OTHER = Family("Other models", "Models of a kind that has no heading of its own yet.")
LOSSES = Panel("losses", "Parts of the loss", "Mean over a batch, unweighted.")
WEIGHTED_LOSSES = Panel("losses", "Parts of the loss", "Mean over a batch, weighted as they are summed.")


def plain(values: Sequence[Any]) -> list[dict[str, Any]]:
    """Declared values as JSON has them."""
    return [asdict(value) for value in values]


def title_of(entry: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """What a method with these settings is called: its title in the catalogue's `entry`, and the words of all
    qualifiers that hold, each once.
    """
    words = [said["words"] for said in entry.get("qualifiers", ()) if _holds(said, entry, settings)]
    return str(entry["title"]) + "".join(dict.fromkeys(words))


def _holds(said: Mapping[str, Any], entry: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    default = entry["defaults"].get(said["field"])
    value = settings.get(said["field"], default)
    return bool(value != default if said["value"] is None else value == said["value"])


def check_names(owner: str, part: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raises RegistrationError where a model declares what is not among the known names."""
    known = list(known)
    wrong = next((name for name in names if name not in known), None)
    if wrong is not None:
        among = ", ".join(known) or "none"
        raise RegistrationError(f"{owner}.{part} must name some of: {among}; got {wrong!r}.")


def attack_in_words(fields: Mapping[str, Any]) -> str:
    """An attack by the fields of the action `attack`: "PGD, T = 5, for the disruption of views, ε = 0.2 in
    L∞, on 100 samples of the second half".
    """
    attack = registry.find("attack", fields["attack"])(**fields.get("attack_settings", {}))
    aims = fields.get("objective_settings", {})
    objective = registry.find("objective", fields["objective"])(**aims)
    parts = [attack.in_words(), f"for “{objective.in_words(aims)}”"]
    if attack.space == "pixels":
        norm = {"linf": "L∞", "l2": "L2"}[fields.get("norm", "linf")]
        parts.append(f"ε = {fields['epsilon']:g} in {norm}")
    n, rows = fields.get("n"), fields.get("half", "all")
    return ", ".join(parts) + f", on {n or 'all'} samples{'' if rows == 'all' else f' of the {rows} half'}"
