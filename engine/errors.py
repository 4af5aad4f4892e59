"""What can go wrong, as one tree. Every message names the thing, what was expected, what came, and the cure.

FeintError
├── SettingsError      a value outside its limits, or a field nobody owns
├── RegistrationError  a class or metric that does not say what it is, or whose name is taken
├── MetricError        a metric whose measure breaks, or gives what is no measurement
├── UnknownName        a name that nothing answers to; carries the nearest valid ones
├── DataError          data that cannot be used as they are
│   └── DataMissing    data that are not on this machine and could not be fetched
├── BudgetError        an ε, a box or a mask that no perturbation can satisfy
├── AbilityError       a model asked for something it cannot do
├── Diverged           a training whose numbers are no longer finite
├── RunError           a run folder that cannot be used
│   ├── RunBroken      half-written, truncated, or of another version
│   └── ResumeRefused  a run that exists but cannot go on (read-only, other device, finished)
├── DiskError          a folder that cannot be written: the disk is full, or read-only
└── EngineUnavailable  the worker processes could not be reached or started
    └── EngineGone     they ended while they were asked
"""

import re
import reprlib
from difflib import SequenceMatcher

SHORT = reprlib.Repr()
SHORT.maxstring = 60
"""Says a name that nobody has: of a long one, its beginning and its end."""
LONGEST = 100
"""Letters of a name for which others are looked for that are spelt alike."""
LISTED = 12
"""Names that a sentence lists; of more it says how many."""
KEY = re.compile(r"[0-9a-f]{16}")
"""The key of a run, which says nothing to a person: names stand before keys."""


class FeintError(Exception):
    """Anything Feint refuses to do; the message is one clear sentence with the cure."""


class SettingsError(FeintError):
    """A value outside its limits, or a field nobody owns."""


class RegistrationError(FeintError):
    """A settings class or a metric that does not say what it is, or whose name is taken."""


class MetricError(FeintError):
    """A metric whose measure breaks, or gives what is no measurement."""


class UnknownName(FeintError):
    """A name that nothing answers to.

    `kind` says what was looked up, `name` what was asked for, `known` what exists, `cure` what to do where
    nothing is near.
    """

    def __init__(self, kind: str, name: str, known: list[str], cure: str = "") -> None:
        self.kind, self.name, self.known, self.cure = kind, name, known, cure
        self.nearest = nearest(str(name), known, cutoff=0.6 if cure else 0.4)
        hint = cure or f"known: {listed(str(name), known)}."
        if self.nearest:
            hint = f"did you mean {' or '.join(self.nearest)}? {cure}".strip()
        super().__init__(
            f"No {kind} is called {SHORT.repr(name)}{'; ' if self.nearest or not cure else ' here. '}{hint}"
        )

    def __reduce__(self) -> tuple[type["UnknownName"], tuple[str, str, list[str], str]]:
        return type(self), (self.kind, self.name, self.known, self.cure)


def nearest(name: str, known: list[str], cutoff: float) -> list[str]:
    """At most three known names: those that begin so or end so after a "/", then those that are spelt
    alike.
    """
    likeness = {other: alike(name, other) for other in known}
    near = [other for other in likeness if likeness[other] >= cutoff]
    return sorted(near, key=lambda other: (-likeness[other], bool(KEY.match(other))))[:3]


def listed(name: str, known: list[str]) -> str:
    """The first known names, the nearest ones first and keys of runs last, and how many more there are."""
    order = sorted(
        dict.fromkeys(known), key=lambda other: (bool(KEY.match(other)), -alike(name, other), other)
    )
    more = len(order) - LISTED
    return (", ".join(order[:LISTED]) or "none") + (f" … and {more} more" if more > 0 else "")


def alike(name: str, other: str) -> float:
    """How alike two names are, from 0 to 1: 1 where the other one begins so, or ends so after a "/"."""
    if not name or len(name) > LONGEST:
        return 0.0
    tail = other.rsplit("/", 1)[-1]
    if other.startswith(name) or tail == name:
        return 1.0
    return max(SequenceMatcher(None, name, part).ratio() for part in (other, tail))


class DataError(FeintError):
    """Data that cannot be used as they are."""


class DataMissing(DataError):
    """Data that are not on this machine and could not be fetched."""


class BudgetError(FeintError):
    """An ε, a box or a mask that no perturbation can satisfy."""


class AbilityError(FeintError):
    """A model asked for something it cannot do."""


class Diverged(FeintError):
    """A training whose numbers are no longer finite."""


class RunError(FeintError):
    """A run folder that cannot be used."""


class RunBroken(RunError):
    """A run folder that is half-written, truncated, or of another version."""


class ResumeRefused(RunError):
    """A run that exists but cannot go on."""


class DiskError(FeintError):
    """A folder that cannot be written: the disk is full, or read-only."""


class EngineUnavailable(FeintError):
    """The worker processes could not be reached or started."""


class EngineGone(EngineUnavailable):
    """The worker processes ended while they were asked."""
