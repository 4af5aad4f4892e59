"""Results of studies: those that ship with Feint and one's own; which of them a page shows, and how they are
made again.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from app.address import connection, house, links, notices
from app.measured import minus
from app.runs import reproduce
from app.words import _
from engine.events import Row
from engine.store.run import Run
from engine.store.wanted import Wanted

STRONGEST = "strongest"
"""The treatment that judges, where a study has it."""
SHIPPED = links.ROOT / "assets" / "studies"


@dataclass(frozen=True)
class Result:
    """A study's rows of one size, with how they came about."""

    study: str
    size: str
    rows: list[Row]
    protocol: str
    seeds: int
    where: str

    @property
    def declared(self) -> dict[str, Any]:
        """What the study says about itself: arms, treatments, titles."""
        return declared(self.study)

    @property
    def measured(self) -> list[Row]:
        """The rows that were measured here; the others have published values alone."""
        return [row for row in self.rows if row.measured]


def declared(name: str) -> dict[str, Any]:
    """The catalogue's entry of a study."""
    return dict(connection.catalogue()["study"][name])


def of_page(page: str, figure: str | None = None) -> list[str]:
    """The studies that a page shows, in their order; with `figure` only those that it draws in that way."""
    found = [
        (entry["place"], name)
        for name, entry in connection.catalogue()["study"].items()
        if entry["page"] == page and figure in (None, entry["figure"])
    ]
    return [name for _, name in sorted(found)]


def result(name: str, size: str) -> Result | None:
    """The rows of a study: as shipped, or of one's own finished run with as many seeds and rows; None where
    there are neither.
    """
    file = SHIPPED / f"{name}.{size}.json"
    shipped = _shipped(name, size, file) if file.exists() else None
    own = (_own(name, size, run) for run in _runs(name, size) if _of_today(name, size, run))
    enough = (found for found in own if shipped is None or _as_much(found, shipped))
    return next(enough, shipped)


def _runs(name: str, size: str) -> list[Run]:
    """One's own finished runs of a study, newest first."""
    made = connection.store().query(
        action="study", name=name, settings={"study_settings.size": size}, status="finished"
    )
    return [run for run in made if not run.zoo]


def _of_today(name: str, size: str, run: Run) -> bool:
    """Whether a result was made as its study is made today: rows of an earlier protocol mean something
    else.
    """
    return bool(run.result().get("protocol") == declared(name)["protocol"][size])


def of_run(name: str, size: str, run: Run) -> Result:
    """The rows of one finished run of a study."""
    return _own(name, size, run)


def _own(name: str, size: str, run: Run) -> Result:
    where = _("measured on this machine, run {key}").format(key=run.key)
    return _result(name, size, run.result(), where)


@st.cache_data(show_spinner=False)
def _contents(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8")))


def _shipped(name: str, size: str, file: Path) -> Result:
    found = _contents(file)
    how = found["how"]
    where = _("shipped: {device}, {precision}, PyTorch {torch}").format(
        device=how["device"], precision=how["precision"], torch=how["torch"]
    )
    return _result(name, size, found, where)


def _result(name: str, size: str, found: dict[str, Any], where: str) -> Result:
    return Result(
        name,
        size,
        [Row.model_validate(row) for row in found["rows"]],
        found["protocol"],
        found["seeds"],
        where,
    )


def _as_much(found: Result, shipped: Result) -> bool:
    return found.seeds >= shipped.seeds and len(found.rows) >= len(shipped.rows)


def sizes(name: str, first: str) -> list[str]:
    """The sizes of which results are here, those on the images that are to come `first` before the others."""
    data = declared(name)["data"]
    there = [size for size in declared(name)["measured_on"] if result(name, size) is not None]
    return sorted(there, key=lambda size: house.of(data[size]) != first)


def chosen(name: str) -> tuple[Result | None, str]:
    """The study's results at the size that was chosen; how to make them where there are none."""
    measured_on, data = declared(name)["measured_on"], declared(name)["data"]
    first = sizes(name, house.data())
    there = [size for size in measured_on if size in first]
    if not there:
        st.info(
            _("No result of this study is here yet. Make it with: `{command}`").format(
                command=command(name, "")["Command line"]
            ),
            icon=":material/science:",
        )
        return None, ""
    if house.of(data[first[0]]) != house.data():
        why = _("This study was not made on {data}.").format(data=house.title(house.data()))
        made = result(name, first[0])
        if made is not None and len({row.about.get("data") for row in made.measured}) > 1:
            st.caption(notices.plain(why))  # the size says of which it was made
        else:
            house.tell(data[first[0]], why)
    size = st.segmented_control(
        _("Size"),
        there,
        format_func=lambda size: _(measured_on[size]),
        required=True,
        key=links.key("size", first[0], lambda size: size in there),
        label_visibility="collapsed",
    )
    return result(name, str(size)), str(size)


def command(name: str, size: str, seeds: int = 3) -> dict[str, str]:
    """How a study is run again; without a size, at its first."""
    size = size or next(iter(declared(name)["measured_on"]))
    return reproduce.lines(Wanted("study", name, changes={"size": size, "seeds": seeds}))


def caption(found: Result) -> None:
    """The line under a figure: seeds, protocol, where it was measured."""
    several = _("Mean ± standard deviation of {n} seeds").format(n=found.seeds)
    spread = several if found.seeds > 1 else _("One seed: no deviation")
    st.caption(f"{spread}; {found.where}. {found.protocol}")


def value(row: Row, name: str) -> tuple[float, float]:
    """Mean and spread over seeds of a measured value or of a control."""
    found = (row.measured or {}).get(name) or row.controls[name]
    return found["mean"], found["spread"] or 0.0


def samples(row: Row) -> int:
    """On how many samples a row was measured for one seed."""
    return round(row.controls["n"]["mean"])


def published(row: Row, name: str) -> str:
    """What was published for a row, marked where it is doubtful; "" where nothing was."""
    if name not in (row.published or {}):
        return ""
    doubt = " (?)" if name in row.doubtful else ""
    return f"{(row.published or {})[name]:g}{doubt}"


def drop(row: Row, clean: str, attacked: str) -> tuple[float, float]:
    """Mean and spread over seeds of a control minus a measured value."""
    pairs = zip(row.controls[clean]["seeds"], (row.measured or {})[attacked]["seeds"], strict=True)
    return spread_over([before - after for before, after in pairs])


def spread_over(seeds: list[float]) -> tuple[float, float]:
    """Mean and standard deviation (n − 1; 0 for one seed) of values by seed."""
    mean = sum(seeds) / len(seeds)
    if len(seeds) < 2:
        return mean, 0.0
    return mean, (sum((seed - mean) ** 2 for seed in seeds) / (len(seeds) - 1)) ** 0.5


def in_words(found: dict[str, Any]) -> str:
    """Mean ± standard deviation of a measured value."""
    if "mean" not in found:
        return str(found.get("first"))
    if all(seed == round(found["mean"]) for seed in found["seeds"]) and found["mean"] > 1:
        return f"{found['mean']:.0f}"  # a count that every seed shares
    digits = decimals(found["mean"])
    spread = f" ± {found['spread']:.{digits}f}" if found["spread"] is not None else ""
    return minus(f"{found['mean']:.{digits}f}{spread}")


def data_in_words(value: str) -> str:
    """The title of data, and what more is said about them."""
    data, *more = value.split(", ")
    return ", ".join([connection.data_title(data), *more])


def decimals(value: float) -> int:
    """How many decimals tell a value: three, of small ones three digits, but never more than five."""
    return next((digits for digits in (3, 4) if abs(value) >= 10 ** (2 - digits)), 5) if value else 3
