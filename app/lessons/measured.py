"""What a lesson reads from measured things: shipped runs, answers and studies. Nothing is computed."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from app.address import connection
from app.charts import plot
from app.lessons.declared import (
    Difference,
    Lesson,
    LessonError,
    OfControls,
    OfLadder,
    OfRun,
    OfStudy,
    Query,
    Ratio,
)
from app.lessons.parse import PLACEHOLDER
from app.measured import minus
from app.papers.studies.results import SHIPPED
from app.words import _
from engine.asking import keeping
from engine.asking.answers import LadderAnswer
from engine.asking.questions import Axis, ControlsQuestion, LadderQuestion, ObjectiveChoice, epsilon_text
from engine.errors import FeintError

Value = float | str
"""A measured number, or a name such as that of a cluster."""
AT_FIRST = ("epsilon_star", "first", "becomes", "read_first")
"""What is read at the first level that reached the objective."""


def values(lesson: Lesson) -> dict[str, Value]:
    """Every measured value that a lesson declares, by name. Raises LessonError where one is not there."""
    found: dict[str, Value] = {}
    for name, query in lesson.measured.items():
        if isinstance(query, Ratio | Difference):
            found[name] = _of_two(lesson.name, name, query, found)
        else:
            found[name] = _read(lesson.name, name, query.model_dump_json(), query)
    return found


def _of_two(lesson: str, name: str, query: Ratio | Difference, found: Mapping[str, Value]) -> float:
    """Of two values that are declared above it."""
    pair = query.ratio if isinstance(query, Ratio) else query.difference
    if missing := [other for other in pair if not isinstance(found.get(other), float)]:
        words = _("Lesson {lesson}, measured {name}: {other!r} is no number declared above it.")
        raise LessonError(words.format(lesson=lesson, name=name, other=missing[0]))
    first, second = (float(found[other]) for other in pair)
    return first / second if isinstance(query, Ratio) else first - second


def filled(text: str, lesson: Lesson, found: Mapping[str, Value]) -> str:
    """A text with its measured values written in."""

    def say(match: re.Match[str]) -> str:
        return written(lesson.measured[match[1]], found[match[1]])

    return PLACEHOLDER.sub(say, text)


def written(query: Query, value: Value) -> str:
    """A value as the lesson shows it: "90.4 %", an ε rounded up, three figures of a number, a name."""
    if isinstance(value, str):
        return value
    if query.written == "percent":
        return f"{100 * value:.3g}\u00a0%"
    if query.written == "number":
        return minus(f"{value:.3g}") if value != int(value) else f"{int(value):,}"
    upper_bound = isinstance(query, OfLadder) and query.read == "epsilon_star"
    return plot.bound(value) if upper_bound else epsilon_text(value)


@st.cache_data(show_spinner=False, max_entries=1000)
def _read(lesson: str, name: str, what: str, _query: Query) -> Value:
    try:
        found = READERS[type(_query)](_query)
    except (FeintError, OSError, KeyError, IndexError, ValueError) as error:
        raise _not_there(lesson, name, error) from None
    return found


def _not_there(lesson: str, name: str, error: Exception) -> LessonError:
    words, why = _("Lesson {lesson}, measured {name}: {why}"), str(error)
    if isinstance(error, KeyError):
        words = _("Lesson {lesson}, measured {name}: nothing is called {why!r} there.")
        why = error.args[0]
    return LessonError(words.format(lesson=lesson, name=name, why=why))


def _of_run(query: OfRun) -> Value:
    result = connection.store().find(query.run).result()
    if not query.at:
        return float(result[query.read])
    cells = [
        cell for cell in result["cells"] if all(abs(cell[of] - at) < 1e-9 for of, at in query.at.items())
    ]
    if not cells:
        raise ValueError(_("{run} has no cell at {at}.").format(run=query.run, at=query.at))
    return float(np.mean([cell["metrics"][query.read] for cell in cells]))


def ladder_of(query: OfLadder) -> LadderQuestion:
    """The question of the ladder that a query reads, as pages ask it."""
    axes = {
        "epsilon": Axis.of_epsilon,
        "path": lambda: Axis.of_path(query.epsilon),
        "lambda": lambda: Axis.of_lambda(query.epsilon),
    }
    return LadderQuestion(
        model=connection.store().find(query.ladder).key,
        sample=query.sample,
        objective=ObjectiveChoice(name=query.objective),
        axis=axes[query.along](),
        locked=query.locked,
    )


def _answer(question: LadderQuestion) -> LadderAnswer:
    answer = keeping.kept(question)
    if answer is None:
        raise ValueError(_("this ladder does not ship; choose a sample whose ladder does."))
    return answer


def _of_ladder(query: OfLadder) -> Value:
    answer = _answer(ladder_of(query))
    if answer.first_reached is None and query.read in AT_FIRST:
        raise ValueError(_("the attack never reaches its objective on this ladder."))
    at, names, read_as = answer.first_reached or 0, answer.group_names, answer.read_as or ()
    found = {
        "epsilon_star": answer.epsilon_star,
        "first": answer.levels[at],
        "reached": None if answer.reached is None else int(answer.reached.sum()),
        "own": None if answer.own_group is None else names[answer.own_group],
        "becomes": None if answer.q is None else names[int(answer.q[at].argmax())],
        "noise_reached": answer.noise_reached,
        "noise_n": answer.noise_n,
        "read_clean": read_as[0] if read_as else None,
        "read_first": read_as[at] if read_as else None,
    }[query.read]
    if found is None:
        raise ValueError(_("this ladder has no {what}.").format(what=query.read))
    return found if isinstance(found, str) else float(found)


def _of_controls(query: OfControls) -> Value:
    reached = tries = 0
    for sample in query.samples:
        ladder = LadderQuestion(model=connection.store().find(query.controls).key, sample=sample)
        answer = keeping.kept(ControlsQuestion(ladder=ladder, level=_answer(ladder).start))
        if answer is None:
            raise ValueError(_("the controls of sample {n} do not ship.").format(n=sample))
        row = next(row for row in answer.rows if row.kind == query.of)
        reached, tries = reached + row.reached, tries + row.n
    return float({"reached": reached, "n": tries, "share": reached / tries}[query.read])


def _of_study(query: OfStudy) -> Value:
    rows = json.loads((SHIPPED / f"{query.study}.json").read_text(encoding="utf-8"))["rows"]
    found = [row for row in rows if all((row | row["about"]).get(of) == is_ for of, is_ in query.row.items())]
    if len(found) != 1:
        words = _("{n} rows of {study} are like {row}; one is needed.")
        raise ValueError(words.format(n=len(found), study=query.study, row=query.row))
    return float(((found[0]["controls"] or {}) | found[0]["measured"])[query.read]["mean"])


READERS: dict[type[Query], Callable[[Any], Value]] = {
    OfRun: _of_run,
    OfLadder: _of_ladder,
    OfControls: _of_controls,
    OfStudy: _of_study,
}
