"""The list of runs as rows: what each is and what it came to. Nothing here draws."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from app import measured
from app.address import connection, house
from app.runs import apart
from app.runs.naming import title
from app.words import _
from engine.store.run import Run
from engine.store.store import LIVE


@dataclass(frozen=True)
class Row:
    """One run in the list; of one that cannot be read only name and status are known."""

    name: str
    title: str
    what: str
    """The kind of run: train, attack, sweep …"""
    data: str
    seed: int | None
    score: str
    """Its first number, with its name."""
    made: str | None
    """When it was begun, to the minute."""
    status: str
    place: str
    """Where it is: "mine" or "zoo"."""
    settings: str = ""
    """What sets it apart from others of its method and data."""

    @property
    def lives(self) -> bool:
        """Whether it is going on."""
        return self.status in LIVE

    @property
    def words(self) -> str:
        """Everything that it can be searched by."""
        return " ".join(str(value) for value in asdict(self).values()).lower()


def listed() -> list[Row]:
    """A row for every run, newest first, then the zoo, of which the data that pages begin with come first."""
    store, first = connection.store(), house.data()
    ships = sorted(store.zoo().values(), key=lambda run: house.of(run.spec.data) != first)
    return [_row(run) for run in [*store.all(), *ships]]


def as_table(rows: Iterable[Row]) -> pd.DataFrame:
    """The list as a table to take away."""
    return pd.DataFrame([asdict(row) for row in rows])


def numbers(result: Mapping[str, Any]) -> list[str]:
    """The first number of a model, and the first of an attack with noise beside it, as they are declared."""
    metrics, said = connection.catalogue()["metric"], of_model(result)[:1]
    for name in [name for name in _first(result) if measured.controls_of(name, metrics)][:1]:
        control, what = next(iter(measured.controls_of(name, metrics).items()))
        value = result.get(control)
        beside = f", {what} {value:.3f}" if isinstance(value, float) else ""
        said.append(f"{_(metrics[name]['title'])} {result[name]:.3f}{beside}")
    return said


def of_model(result: Mapping[str, Any]) -> list[str]:
    """The first numbers of a model, in their order, with their names; none where none was measured."""
    return [f"{title} {value:.3f}" for title, value in scores_of_model(result)]


def scores_of_model(result: Mapping[str, Any]) -> list[tuple[str, float]]:
    """(name, number) of the same."""
    metrics = connection.catalogue()["metric"]
    return [
        (_(metrics[name]["title"]), result[name]) for name in _first(result) if metrics[name]["of"] == "model"
    ]


def _first(result: Mapping[str, Any]) -> list[str]:
    """The metrics that stand among the first numbers and were measured here, in their order."""
    metrics = connection.catalogue()["metric"]
    ranked = [name for name, metric in metrics.items() if metric["headline"] is not None]
    known = [name for name in ranked if isinstance(result.get(name), float)]
    return sorted(known, key=lambda name: (metrics[name]["headline"], name))


def _row(run: Run) -> Row:
    status, place = run.status(), "zoo" if run.zoo else "mine"
    if status == "broken":
        return Row(run.name, _("Unreadable run"), "unreadable", "", None, "", None, status, place)
    spec, card = run.spec, run.card()
    created = card.get("created")
    made = None if created is None else datetime.fromtimestamp(created).isoformat(" ", "minutes")
    score = next(iter(numbers(card.get("metrics", {}))), "")
    return Row(
        run.name,
        title(spec),
        spec.action,
        spec.data,
        spec.seed,
        score,
        made,
        status,
        place,
        ", ".join(apart.parts(spec)),
    )
