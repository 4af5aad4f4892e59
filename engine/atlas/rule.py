"""What a rule of the atlas is: a file in `rules/` that says what is striking about a sample, and how much so.

A file declares `RULE`; it is found by itself.
"""

import importlib
import math
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.asking.answers import LadderAnswer
from engine.asking.questions import Question
from engine.atlas.case import Sentence
from engine.models.protocols import ModelSettings
from engine.store.run import Run


@dataclass(frozen=True)
class Seen:
    """One sample of a model: its ladder, and the other one that a rule holds beside it."""

    model: str
    """The model's name in the zoo."""
    answer: LadderAnswer
    beside: LadderAnswer | None = None

    @property
    def at(self) -> int:
        """The level that is shown: the first that reached the objective."""
        return self.answer.start

    @property
    def own(self) -> str:
        """What the clean sample is taken for."""
        return "" if self.answer.own_group is None else self.answer.group_names[self.answer.own_group]

    @property
    def taken(self) -> int:
        """The group in which it ends."""
        return 0 if self.answer.q is None else int(self.answer.q[self.at].argmax())

    @property
    def becomes(self) -> str:
        """The name of that group."""
        return self.answer.group_names[self.taken]


Ask = Callable[[Run, int], Question[Any] | None]
"""The question about a sample of a model; None where there is none."""


@dataclass(frozen=True)
class Rule:
    """Which of a model's samples is striking."""

    title: str
    about: str
    """What it looks for, in a sentence."""
    score: Callable[[Seen], float | None]
    """The larger, the more striking; None: it is no case of this rule."""
    sentence: Callable[[Seen], Sentence]
    measured: Callable[[Seen], Mapping[str, float]]
    suits: Callable[[type[ModelSettings]], bool]
    """Of which models samples are looked at."""
    ask: Ask
    beside: Ask | None = None
    """The other ladder of the same sample, where the rule compares two."""
    most: int | None = None
    """Samples of a model that are looked at, at most, where a ladder takes long."""
    level: Callable[[Seen], int] = field(default=lambda seen: seen.at)
    """The level that is shown."""
    extra: Callable[[Seen], list[tuple[str, np.ndarray]]] = field(default=lambda seen: [])
    """Further pictures (d,), and what stands under them."""


def rules() -> Iterator[tuple[str, Rule]]:
    """Every rule by the name of its file."""
    from engine.atlas import rules as folder

    for module in sorted(one.name for one in pkgutil.iter_modules(folder.__path__)):
        yield module, importlib.import_module(f"{folder.__name__}.{module}").RULE


def up(value: float, digits: int = 3) -> str:
    """An upper bound as it is written: rounded up."""
    scale = 10**digits
    return f"{math.ceil(value * scale - 1e-9) / scale:.{digits}f}"
