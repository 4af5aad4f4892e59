"""What long work says while it goes on: eight events, each to and from one line of JSON.

`train` generators yield Progress and Evaluate; the runner adds what needs labels (`metrics`) and the other
six.
"""

import json
import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from engine.errors import RunBroken


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    at: float | None = None
    """Seconds since the epoch, stamped by the runner."""


class Started(_Event):
    """A run begins (or goes on: `step` > 0)."""

    event: Literal["started"] = "started"
    run: str
    title: str = ""
    step: int = 0
    how: dict[str, Any] = Field(default_factory=dict)


class Progress(_Event):
    """At least one a second: `step` of `total`, with the parts of the loss and whatever else moves."""

    event: Literal["progress"] = "progress"
    step: int
    total: int
    phase: str = ""
    values: dict[str, float | None] = Field(default_factory=dict)


class Picture(_Event):
    """An image or map written to the run's `pictures/`; `file` is relative to the run's folder."""

    event: Literal["picture"] = "picture"
    step: int
    picture: str
    file: str
    caption: str = ""


class Evaluate(_Event):
    """The place where its paper evaluates; the runner fills `metrics` with what needs labels."""

    event: Literal["evaluate"] = "evaluate"
    step: int
    total: int = 0
    values: dict[str, float | None] = Field(default_factory=dict)
    metrics: dict[str, Any] = Field(default_factory=dict)


class Row(_Event):
    """One row of a study: what was published beside what was measured here, with its controls."""

    event: Literal["row"] = "row"
    step: int
    total: int
    model: str
    arm: str = ""
    """How its models were made, and"""
    treatment: str = ""
    """what was done to them: keys of the study's `arms` and `treatments`."""
    about: dict[str, Any] = Field(default_factory=dict)
    """What else sets the row apart: data, ε, λ …"""
    published: dict[str, float] | None = None
    doubtful: list[str] = Field(default_factory=list)
    """Names of published values that cannot be taken as they stand."""
    measured: dict[str, dict[str, Any]] | None = None
    """Name -> mean, spread (standard deviation over seeds) and the values by seed; None where nothing can be
    measured here.
    """
    controls: dict[str, dict[str, Any]] = Field(default_factory=dict)
    runs: dict[str, list[str]] = Field(default_factory=dict)
    """Role ("model", "attack", "attack2") -> the runs behind it, seed by seed."""
    seconds: float = 0.0
    note: str = ""


class Finished(_Event):
    """The work is done; `metrics` is the result."""

    event: Literal["finished"] = "finished"
    run: str
    metrics: dict[str, Any] = Field(default_factory=dict)
    seconds: float = 0.0


class Failed(_Event):
    """The work broke; `reason` is one sentence."""

    event: Literal["failed"] = "failed"
    run: str
    reason: str
    resumable: bool = False


class Stopped(_Event):
    """The work was stopped or paused by a person and can be resumed from `step`."""

    event: Literal["stopped"] = "stopped"
    run: str
    step: int
    paused: bool = False


Event = Started | Progress | Picture | Evaluate | Row | Finished | Failed | Stopped
_adapter: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])


def to_line(event: Event) -> str:
    """One line of strict JSON; NaN and infinities become null."""
    values = event.model_dump(mode="python", exclude={"at"} if event.at is None else None)
    order = {"event": values.pop("event"), **values}
    return json.dumps(finite(order), ensure_ascii=False, allow_nan=False)


def from_line(line: str) -> Event:
    """The event of one line. Raises RunBroken where the line is none."""
    try:
        return _adapter.validate_json(line)
    except ValidationError as error:
        raise RunBroken(
            f"An event must be one line of JSON that Feint wrote; got {line[:60]!r} ({error.error_count()}"
            " problems)."
        ) from None


def finite(value: Any) -> Any:
    """The same value as plain JSON has it; what is NaN or infinite is None."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
