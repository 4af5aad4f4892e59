"""What Compare begins with: an undefended and a defended model of one kind, and a sample that both sort
rightly.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.address import connection, fetching
from app.forms import possible
from app.forms.choose_model import Victim
from app.forms.choose_sample import first_sample
from app.forms.threat import Threat
from engine.asking import keeping
from engine.asking.answers import OverviewAnswer
from engine.asking.questions import LOOKED_AT, LadderQuestion, OverviewQuestion
from engine.store.run import Run

MOST = 0.5
"""A model that sorts no more than this share of its samples rightly shows little of a defence."""


def objectives(run: Run) -> list[str]:
    """What can be wanted of a model and knows success, without a target, which is another one in each."""
    labelled = bool(connection.catalogue()["data"].get(run.spec.data, {}).get("classes"))
    return [
        name
        for name in possible.objectives(run.spec.name, labelled)
        if possible.has_success(name) and not possible.entry("objective", name).get("targeted")
    ]


def usual(among: Sequence[str]) -> str:
    """The objective of several that is wanted at first."""
    marked = (name for name in among if possible.entry("objective", name).get("has_mark"))
    return next(name for name in (Threat().objective, *marked, among[0]) if name in among)


def pair(runs: Mapping[str, Run]) -> tuple[str, ...]:
    """Names of an undefended and a defended model of one kind: of those whose ladders ship for a sample that
    both sort rightly the two that differ most there; else the first two; () where there are none.
    """
    return _pair(tuple(runs), tuple(run.key for run in runs.values()))


@lru_cache(maxsize=16)
def _pair(names: tuple[str, ...], keys: tuple[str, ...]) -> tuple[str, ...]:
    runs = {name: connection.store().find(key) for name, key in zip(names, keys, strict=True)}
    pairs = list(_pairs(runs))
    each = {name: runs[name] for name in dict.fromkeys(name for both in pairs for name in both)}
    for sample in _samples(next(iter(runs.values())).spec.data):
        held = {name: epsilon for name, run in each.items() if (epsilon := _held(run, sample))}
        further = {both: held[both[1]] / held[both[0]] for both in pairs if set(both) <= set(held)}
        if further and max(further.values()) > 1:
            return max(further, key=lambda both: further[both])
    return pairs[0] if pairs else ()


def sample(victims: Sequence[Victim], ladders: Sequence[Threat]) -> int:
    """The first sample that every model sorts rightly, of those whose ladders ship where there is one."""
    data = victims[0].run.spec.data
    right = np.logical_and.reduce([_rightly(victim.overview) for victim in victims])
    shown = [number for number in _samples(data) if right[number]]
    for number in shown:
        asked = (threat.ladder(one.run.key, number) for one, threat in zip(victims, ladders, strict=True))
        if all(keeping.kept(question) is not None for question in asked):
            return number
    if fetching.about(data) is not None:
        return first_sample(data)
    return next(iter([*shown, *np.flatnonzero(right).tolist()]), first_sample(data))


def _samples(data: str) -> tuple[int, ...]:
    return tuple(dict.fromkeys((first_sample(data), *LOOKED_AT.get(data, ()))))


def _pairs(runs: Mapping[str, Run]) -> Iterator[tuple[str, str]]:
    """Every undefended model with every defended one of its kind."""
    known = {name: (_stands_on(run), usual(objectives(run))) for name, run in runs.items()}
    for name, (methods, wanted) in known.items():
        for other, (others, of_other) in known.items():
            alike = (_kind(methods), wanted) == (_kind(others), of_other)
            if alike and defended(runs[other]) and not defended(runs[name]):
                yield name, other


def _stands_on(run: Run) -> list[str]:
    """The method of a model, and those that it was begun from, one after the other."""
    methods, settings = [run.spec.name], run.spec.settings["model_settings"]
    while True:
        fields = possible.entry("model", methods[-1]).get("base_fields", {})
        if fields.get("model") not in settings:
            return methods
        methods.append(settings[fields["model"]])
        settings = settings.get(fields.get("model_settings"), {})


def _kind(methods: Sequence[str]) -> tuple[str, str]:
    """The family of a method, and what it stands on at last, where it stands on anything."""
    family = str(possible.entry("model", methods[0]).get("family", {}).get("name", ""))
    return family, methods[-1] if len(methods) > 1 else ""


def defended(run: Run) -> bool:
    """Whether a model is a defence, or stands on one."""
    return any(possible.entry("model", name).get("defends") for name in _stands_on(run))


def _held(run: Run, sample: int) -> float | None:
    """The smallest ε that misleads a model on a sample, by the ladder that ships; None where none does, or
    the model does not sort that sample and most others rightly.
    """
    overview = keeping.kept(OverviewQuestion(model=run.key))
    if overview is None:
        return None
    right = _rightly(overview)
    if not right[sample] or right.mean() <= MOST:
        return None
    question: LadderQuestion = Threat(objective=usual(objectives(run))).ladder(run.key, sample)
    answer = keeping.kept(question)
    return None if answer is None else answer.epsilon_star or float(answer.levels[-1])


def _rightly(overview: OverviewAnswer) -> NDArray[np.bool_]:
    """Which samples (n,) are sorted into their own class; all of them where nobody can say."""
    if overview.label is None or overview.group is None:
        return np.ones(overview.n, dtype=bool)
    found: NDArray[np.bool_] = np.asarray(overview.matched_class)[overview.group] == overview.label
    return found
