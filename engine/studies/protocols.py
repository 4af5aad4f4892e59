"""What a study is: settings that list rows, each a model under a treatment, measured over seeds beside what
was published.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from engine.settings import Settings, knob

PUBLISHED = Path(__file__).resolve().parents[2] / "assets" / "published"


@dataclass(frozen=True)
class Training:
    """A model to train: its registered name, preset and changed fields, and on which data."""

    model: str
    data: str
    preset: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Attacking:
    """An attack on it: registered name, preset, changed fields, and other data than the model's where `data`
    says so.
    """

    attack: str
    preset: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    data: str | None = None
    fitted: str | None = None
    """Role, in the model's own run, of the run whose fitted networks are used as they are; None: fitted anew,
    where the attack needs it.
    """


@dataclass(frozen=True)
class Case:
    """One row before it is measured.

    `measured` and `controls` map the row's names to those of the attack's metrics (of the training's where
    there is no attack); `more` computes further values from the folder of the last run of one seed. Without a
    training there is nothing to measure, and `note` says why.
    """

    model: str
    about: Mapping[str, Any]
    training: Training | None = None
    attacking: Attacking | None = None
    measured: Mapping[str, str] = field(default_factory=dict)
    controls: Mapping[str, str] = field(default_factory=dict)
    more: Callable[[Path], Mapping[str, Any]] | None = None
    published: Mapping[str, float] | None = None
    doubtful: tuple[str, ...] = ()
    note: str = ""


class StudySettings(Settings):
    """The base of every study."""

    kind: ClassVar[str] = "study"
    paper: ClassVar[str] = ""
    """The published tables it stands beside: a file in assets/published."""
    protocol: ClassVar[str] = ""
    """How its numbers are made, in a few sentences, for every reader of its results."""

    size: Literal["quick", "mini", "paper"] = knob(
        "quick",
        "Size",
        "quick: 8x8 digits; mini: MNIST (and texts, where the paper has "
        "them), reduced; paper: the published settings, for a GPU.",
    )
    seeds: int = knob(3, "Seeds", "Every row is measured for seeds 0 … n − 1.", ge=1, le=100)

    def data(self) -> str:
        """The data of its first row: what the study's own run is filed under."""
        return next(case.training.data for case in self.cases() if case.training)

    def cases(self) -> list[Case]:
        """Every row, in the order in which they are measured."""
        raise NotImplementedError

    @classmethod
    def describe_more(cls) -> dict[str, Any]:
        """What a study adds to its catalogue entry."""
        return {"paper": cls.paper, "protocol": cls.protocol}


@cache
def published(paper: str) -> dict[str, Any]:
    """The published tables of a paper: `source`, `note`, and lists of cells by table."""
    return dict(json.loads((PUBLISHED / f"{paper}.json").read_text(encoding="utf-8")))


def cell(
    paper: str, table: str, names: tuple[str, ...], **where: Any
) -> tuple[dict[str, float] | None, tuple[str, ...]]:
    """The values called `names` of the one published cell with these properties, and which are doubtful;
    (None, ()) where there is none.
    """
    for row in published(paper)[table]:
        if all(row[name] == value for name, value in where.items()):
            return {name: row[name] for name in names if name in row}, tuple(row["doubtful"])
    return None, ()
