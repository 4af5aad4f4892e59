"""What a lesson consists of, as values: steps, predictions, exercises, and what is read from measured things.

Nothing in a lesson is run: a right answer is a name, or is read from what was measured (`measured.py`).
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.words import _
from engine.errors import FeintError
from engine.settings import sentence

Written = Literal["percent", "epsilon", "number"]
Read = Literal[
    "epsilon_star",
    "first",
    "reached",
    "own",
    "becomes",
    "noise_reached",
    "noise_n",
    "read_clean",
    "read_first",
]


class LessonError(FeintError):
    """A lesson that cannot be read or checked; the message names its file, and the line if there is one."""


class Part(BaseModel):
    """The base of what is declared in a lesson. What is put wrongly is refused in one sentence."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    name: ClassVar[str] = "a measured value"
    """What a person calls it, in a sentence of the settings."""

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            whole = not error.errors()[0]["loc"]  # no field of it, but how they go together
            said = error.errors()[0]["msg"].removeprefix("Value error, ")
            raise LessonError(said if whole else sentence(type(self), error)) from None


class OfRun(Part):
    """A number of a finished run that ships; of a sweep at the values in `at`, mean over its seeds."""

    run: str
    read: str
    at: dict[str, float] = {}
    written: Written = "percent"


class OfLadder(Part):
    """What a ladder of one sample came to: the smallest ε found, the first level that reached the objective,
    how many levels did, the group before and there, noise, or what 5 nearest neighbours read. `locked` views
    stay as they are.
    """

    ladder: str
    sample: int
    read: Read
    along: Literal["epsilon", "path", "lambda"] = "epsilon"
    epsilon: float = 0.1
    objective: str = "leave_cluster"
    locked: tuple[int, ...] = ()
    written: Written = "epsilon"


class OfControls(Part):
    """How many of how many tries of a control reached the objective, at the level that a ladder shows first;
    of all samples together.
    """

    controls: str
    samples: tuple[int, ...] = Field(min_length=1)
    of: Literal["attack", "strongest", "noise", "other_delta", "fgsm", "unlimited"]
    read: Literal["reached", "n", "share"] = "reached"
    written: Written = "number"


class OfStudy(Part):
    """A measured number, or a control, of one row of a shipped study (`NAME.SIZE`), mean over its seeds."""

    study: str
    row: dict[str, str | int | float]
    read: str
    written: Written = "percent"


class Ratio(Part):
    """The first of two measured values as a multiple of the second."""

    ratio: tuple[str, str]
    written: Written = "percent"


class Difference(Part):
    """The first of two measured values less the second."""

    difference: tuple[str, str]
    written: Written = "percent"


Query = OfRun | OfLadder | OfControls | OfStudy | Ratio | Difference
QUERIES: dict[str, type[Query]] = {
    "run": OfRun,
    "ladder": OfLadder,
    "controls": OfControls,
    "study": OfStudy,
    "ratio": Ratio,
    "difference": Difference,
}
"""The field that a query is known by -> its class."""


class Choice(Part):
    """One of some options. The right one is named; or holds the measured value between its `bounds`; or is
    what was read; or belongs to the largest or smallest of measured values, one an option.
    """

    name: ClassVar[str] = "a question with options"
    question: str
    options: tuple[str, ...] = Field(min_length=2, max_length=8)
    right: str = ""
    measured: str = ""
    bounds: tuple[float, ...] = ()
    largest: tuple[str, ...] = ()
    smallest: tuple[str, ...] = ()
    hint: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [way for way in (self.right, self.measured, self.largest, self.smallest) if way]
        if len(ways) != 1:
            raise ValueError(
                _(
                    "a question with options must be one with exactly one of right, measured, largest,"
                    " smallest."
                )
            )
        if self.right and self.right not in self.options:
            words = _(
                "a question with options must be one whose right answer is among its options, not {right!r}."
            )
            raise ValueError(words.format(right=self.right))
        if self.bounds and len(self.bounds) != len(self.options) - 1:
            raise ValueError(_("a question with options must be one with one bound fewer than options."))
        if list(self.bounds) != sorted(set(self.bounds)):
            raise ValueError(_("a question with options must be one whose bounds grow."))
        if (several := self.largest or self.smallest) and len(several) != len(self.options):
            raise ValueError(_("a question with options must be one with a measured value for each option."))
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The measured values that it needs."""
        return (*((self.measured,) if self.measured else ()), *self.largest, *self.smallest)


class Number(Part):
    """A number, right within `tolerance` of a measured one."""

    name: ClassVar[str] = "a question for a number"
    question: str
    measured: str
    tolerance: float = Field(gt=0)
    hint: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The measured value that it needs."""
        return (self.measured,)


class Address(Part):
    """Something to be set on the page: its parameter in the address is a text, or within `tolerance` of a
    measured value, while the parameters in `where` are as they say.
    """

    name: ClassVar[str] = "an exercise on the page"
    question: str
    address: str
    equals: str = ""
    measured: str = ""
    tolerance: float = Field(default=0.0, ge=0)
    where: dict[str, str] = {}
    hint: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.equals) == bool(self.measured):
            raise ValueError(_("an exercise on the page must be one with either equals or measured."))
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The measured values that it needs."""
        return (self.measured,) if self.measured else ()


Exercise = Choice | Number | Address


@dataclass(frozen=True)
class Link:
    """A page and its parameters."""

    page: str
    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Step:
    """One screen of a lesson: text, a prediction, what is revealed after it, an exercise, and the pages
    beside it: `link` from the beginning, `revealed` once the prediction is made.
    """

    title: str
    line: int
    text: str = ""
    link: Link | None = None
    revealed: Link | None = None
    predict: Choice | None = None
    reveal: str = ""
    exercise: Exercise | None = None

    def question(self, kind: str) -> Exercise | None:
        """What is asked in it: the prediction ("p") or the exercise ("e")."""
        return self.predict if kind == "p" else self.exercise


class Head(Part):
    """What a lesson says of itself before its steps."""

    name: ClassVar[str] = "the lesson"
    title: str
    minutes: int = Field(ge=1, le=180)
    aim: str
    paper: str
    notes: str = ""
    place: int = 100
    measured: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True)
class Lesson:
    """A lesson: its name and language, what it says of itself, its measured values by name, its steps."""

    name: str
    language: str
    head: Head
    measured: dict[str, Query]
    steps: tuple[Step, ...]

    def link(self, part: int, predicted: bool) -> Link:
        """The page beside a step (from 1): its own, or that of the last step before it that has one."""
        step = self.steps[part - 1]
        if step.revealed is not None and (predicted or step.link is None):
            return step.revealed
        if step.link is not None:
            return step.link
        assert part > 1, "a lesson's first step has a page"
        return self.link(part - 1, predicted=True)

    def covered(self, part: int, predicted: bool) -> bool:
        """Whether the page beside a step would give the answer away: it is shown after the prediction."""
        step = self.steps[part - 1]
        return not predicted and step.link is None and step.revealed is not None

    @property
    def asked(self) -> list[tuple[int, str]]:
        """Every question in it: its step (from 1) and "p" or "e"."""
        return [
            (part, kind)
            for part, step in enumerate(self.steps, 1)
            for kind in "pe"
            if step.question(kind) is not None
        ]
