"""One sample, clean and attacked in the model without defence and in each defended one, side by side: from
answers that ship with Feint.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import streamlit as st

from app import gallery
from app.address import connection, house
from app.attack.levels import adversarial
from app.forms.choose_sample import first_sample
from app.papers.studies import curves
from app.papers.studies.results import Result
from app.words import _, each
from engine.asking.answers import LadderAnswer
from engine.asking.questions import LadderQuestion, epsilon_text
from engine.store.run import Run

WIDTH = 150
"""Of a picture, in pixels: two views side by side."""


class Shown(NamedTuple):
    """A picture: the sample as a model has it at an ε, and what becomes of it there, in words."""

    image: np.ndarray
    says: str
    answer: LadderAnswer
    level: int


def show(found: Result, epsilon: float) -> None:
    """The row of pictures at an ε; nothing where no defended model of these images ships."""
    shown = list(
        pictures(found, epsilon, lambda question: connection.ask(question, _("Climbing the ladder…")))
    )
    if not shown:
        return
    gallery.grid([one.image for one in shown], [one.says for one in shown], columns=len(shown), size=WIDTH)
    answer, level = shown[-1].answer, shown[-1].level
    st.caption(
        _(
            "Sample {sample} of {data}, its two views, attacked in each shipped model at ε = {epsilon}"
            " ({protocol})."
        ).format(
            sample=answer.sample,
            data=connection.data_title(answer.data),
            epsilon=epsilon_text(answer.levels[level]),
            protocol=each(answer.protocol),
        )
    )


def pictures(
    found: Result, epsilon: float, ask: Callable[[LadderQuestion], LadderAnswer | None]
) -> Iterator[Shown]:
    """The sample as it is, then attacked at the last level up to an ε in each model; where `ask` has no
    answer, that model is left out.
    """
    for place, (title, run) in enumerate(_models(found).items()):
        answer = ask(LadderQuestion(model=run.key, sample=first_sample(run.spec.data)))
        if answer is None or answer.q is None or answer.own_group is None:
            continue
        if place == 0:
            yield Shown(
                answer.clean.reshape(answer.shape),
                _("clean: a {name}").format(name=answer.label_name),
                answer,
                0,
            )
        level = max((place for place, size in enumerate(answer.levels) if size <= epsilon + 1e-9), default=0)
        names = answer.group_names
        after, before = names[int(answer.q[level].argmax())], names[answer.own_group]
        fate = _("stays in {before}") if after == before else _("goes from {before} to {after}")
        fate = fate.format(before=before, after=after)
        yield Shown(adversarial(answer, level).reshape(answer.shape), f"{title}: {fate}", answer, level)


def _models(found: Result) -> dict[str, Run]:
    """Title -> model without defence, then the defended ones, of the study's data; where those do not ship,
    of data that are made of the same images.
    """
    said, zoo = found.declared, connection.store().zoo()
    data = said["data"][found.size]
    for place in (data, house.OF_VIEWS.get(house.of(data), data)):
        here = {
            model: zoo[f"{place}/{model}"]
            for model in (said["baseline"], *said["defences"])
            if f"{place}/{model}" in zoo
        }
        if said["baseline"] in here and len(here) > 1:
            return {curves.title(found, model): run for model, run in here.items()}
    return {}
