"""What a study is: settings that list rows, each a model of one arm under one treatment, measured over seeds
beside what was published; and what pages need to know of it.

A study stands in a file of its own that is named after it: `ar_dmvc.table1` in `ar_dmvc_table1.py`. What the
studies of a paper share stands in a file named after the paper.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from engine.settings import Settings, knob
from engine.studies.claims import Claim

PUBLISHED = Path(__file__).resolve().parents[2] / "assets" / "published"
CLEAN = "clean"
"""The treatment of a row that says how a model does when nobody attacks it."""


@dataclass(frozen=True)
class Training:
    """A model to train: its registered name, preset and changed fields, on which data, and which attacks'
    samples are appended to them.
    """

    model: str
    data: str
    preset: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    appended: "tuple[Appended, ...]" = ()
    base: "Training | None" = None
    """What it begins from, where that is chosen and not what its own settings bring."""
    clusters: int | None = None
    """How many it looks for; as many as the data have unless set."""

    def parts(self) -> "Iterator[tuple[Training, Attacking | None]]":
        """This and every other training that it needs, each with the attack on it whose samples it needs."""
        yield self, None
        for each in self.appended:
            yield from each.model.parts()
            yield each.model, each.attacking
        if self.base is not None:
            yield from self.base.parts()


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
class Beside:
    """A further attack on the model of a row, and the row's names for those of its metrics."""

    attacking: Attacking
    measured: Mapping[str, str] = field(default_factory=dict)
    controls: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Appended:
    """The samples of an attack on another model, which are appended to the data."""

    model: Training
    attacking: Attacking


@dataclass(frozen=True)
class Treatment:
    """What is done to the models of some rows, for people."""

    title: str
    called: str = ""
    """What a sentence calls it: "the strong generator"."""
    note: str = ""
    """How it was done, under a figure that shows it alone."""
    weak: bool = False
    """Known to be much weaker than others of the same size: a defence that withstands it alone is not said to
    hold.
    """


@dataclass(frozen=True)
class Case:
    """One row before it is measured.

    `arm` and `treatment` are keys of the study's `arms` and `treatments`; `about` holds everything else that
    sets the row apart (ε, ν, λ, data …). `measured` and `controls` map the row's names to those of the
    attack's metrics (of the training's where there is no attack), `of_appended` to those of the last attack
    whose samples are appended, each of `beside` to those of a further attack; `more` computes further values
    from the folder of the attack's run of one seed (the training's where there is none). Without a training
    there is nothing to measure, and `note` says why.
    """

    model: str
    about: Mapping[str, Any]
    training: Training | None = None
    attacking: Attacking | None = None
    arm: str = ""
    treatment: str = ""
    measured: Mapping[str, str] = field(default_factory=dict)
    controls: Mapping[str, str] = field(default_factory=dict)
    of_appended: Mapping[str, str] = field(default_factory=dict)
    more: Callable[[Path], Mapping[str, Any]] | None = None
    published: Mapping[str, float] | None = None
    doubtful: tuple[str, ...] = ()
    note: str = ""
    beside: tuple[Beside, ...] = ()


class StudySettings(Settings):
    """The base of every study. The class variables say where and how pages show it."""

    kind: ClassVar[str] = "study"
    paper: ClassVar[str] = ""
    """The published tables it stands beside: a file in assets/published."""
    protocol: ClassVar[str] = ""
    """How its numbers are made, in a few sentences, for every reader of its results."""
    reduced: ClassVar[Mapping[str, str]] = {}
    """Size -> what it changes against the published settings, in a sentence or two."""
    about_published: ClassVar[str] = ""
    """What a reader of the published values beside them has to know."""

    page: ClassVar[str] = "runs"
    """The page that shows it."""
    figure: ClassVar[str] = ""
    """Which figure of that page draws it; "": its table alone."""
    tab: ClassVar[str] = "tables"
    """The tab of that page on which it is seen."""
    place: ClassVar[int] = 0
    """Its place among the studies of its page."""

    measured_on: ClassVar[Mapping[str, str]] = {}
    """Size -> what it is measured on, in a few words."""
    arms: ClassVar[Mapping[str, str]] = {"": ""}
    """Key -> title of each way in which its models are made; "" is a model's own default."""
    treatments: ClassVar[Mapping[str, Treatment]] = {}
    """Key -> what is done to the models."""
    axes: ClassVar[Mapping[str, str]] = {
        "epsilon": "ε",
        "nu": "ν",
        "lam": "λ",
        "gamma": "γ",
        "epochs": "epochs",
        "data": "data",
        "trained_on": "trained on",
        "dimension": "d",
        "published_for": "published for",
    }
    """Key of a row's `about` -> title of its column."""
    columns: ClassVar[Mapping[str, str]] = {}
    """Title of each value of its rows that is no registered metric."""
    lines: ClassVar[Literal["model", "arm"]] = "model"
    """What the lines of its figures are."""
    baseline: ClassVar[str] = ""
    """The model or arm without a defence, beside which `defences` are judged."""
    defences: ClassVar[tuple[str, ...]] = ()
    against: ClassVar[Mapping[str, str]] = {}
    """Those of `defences` that are judged beside another arm -> that arm."""

    claims: ClassVar[tuple[Claim, ...]] = ()
    """What the paper says of it, and what its controls would say."""

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

    @property
    def protocol_in_full(self) -> str:
        """How the numbers of this size are made, with what the size changes."""
        return f"{self.protocol} {self.reduced.get(self.size, '')}".strip()

    def cases(self) -> list[Case]:
        """Every row, in the order in which they are measured."""
        raise NotImplementedError

    @classmethod
    def describe_more(cls) -> dict[str, Any]:
        """What a study adds to its catalogue entry."""
        declared = {
            name: getattr(cls, name)
            for name in ("paper", "about_published", "page", "figure", "tab", "place")
        }
        shown = {name: dict(getattr(cls, name)) for name in ("measured_on", "arms", "axes", "columns")}
        compared = {"lines": cls.lines, "baseline": cls.baseline, "defences": list(cls.defences)}
        others = {"against": dict(cls.against), "claims": [asdict(claim) for claim in cls.claims]}
        treatments = {key: asdict(treatment) for key, treatment in cls.treatments.items()}
        sizes = {size: cls.preset(None, size=size) for size in cls.measured_on}
        of_size = {
            "data": {size: study.data() for size, study in sizes.items()},
            "protocol": {size: study.protocol_in_full for size, study in sizes.items()},
        }
        return declared | shown | compared | others | {"treatments": treatments} | of_size


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
