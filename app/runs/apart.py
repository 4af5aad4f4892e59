"""What sets a run apart from others of its method and data: its preset and what was changed, in words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import streamlit as st

from app.address import connection
from app.forms.fields import in_words, knobs, leaves
from app.runs.naming import title
from app.words import ENGLISH, N_, _, language
from engine.errors import FeintError
from engine.store.reproduce import wanted_of
from engine.store.spec import Spec
from engine.store.wanted import Wanted, flag_of

SAID = 4
"""Parts that are named; of more only how many there are."""
BUILT = {
    "base": N_("from {name}"),
    "with": N_("with samples of {name}"),
    "fitted": N_("fitted in {name}"),
    "extractor": N_("distances in features of {name}"),
}
"""Role of a run that another builds on -> how that is said."""
ELSEWHERE = ("objective", "epsilon")
"""Fields of an attack that a row says already."""


def words(spec: Spec) -> str:
    """Preset, changed settings and what it builds on, as far as they are not the defaults."""
    said = parts(spec)
    more = _("{n} more").format(n=len(said) - SAID)
    return " · ".join([*said[:SAID], *([more] if len(said) > SAID else [])])


def parts(spec: Spec) -> list[str]:
    """The same, all of it, a part each."""
    return _said(spec.key, language(), spec)


def names(specs: Sequence[Spec]) -> list[str]:
    """A name for each of several runs: its title, with what differs among those of the same title."""
    titles = [title(spec) for spec in specs]
    every = [
        [connection.data_title(spec.data), _("seed {seed}").format(seed=spec.seed), *parts(spec)]
        for spec in specs
    ]
    found = []
    for name, own in zip(titles, every, strict=True):
        alike = [other for other, called in zip(every, titles, strict=True) if called == name]
        differs = [part for part in own if any(part not in other for other in alike)]
        found.append(", ".join([name, *differs[:SAID]]))
    return [
        name if found.count(name) == 1 else f"{name}, {spec.key[:6]}"
        for name, spec in zip(found, specs, strict=True)
    ]


@st.cache_data(max_entries=1000, show_spinner=False)
def _said(key: str, language: str, _spec: Spec) -> list[str]:
    """What sets a run apart, a part each; a key stands for its spec, and `language` is that of the words."""
    try:
        wanted = wanted_of(_spec, connection.catalogue(), connection.store())
    except FeintError:  # by an extension that is not here
        return []
    preset = [_(wanted.preset.replace("_", " "))] if wanted.preset else []
    changed = [f"{name} {_(in_words(value))}" for name, value in _changed(wanted)]
    built = [
        _(BUILT[flag_of(role)]).format(name=_called(name))
        for role, name in wanted.models.items()
        if flag_of(role) in BUILT
    ]
    return [*preset, *changed, *built]


def _called(name: str) -> str:
    """What a person calls a run that another builds on; of one that is not here its name."""
    try:
        run = connection.store().find(name)
    except FeintError:
        return name
    return f"{title(run.spec)}{connection.apart(run.name, run)}"


def _changed(wanted: Wanted) -> Iterator[tuple[str, Any]]:
    """Title and value of each field that was changed."""
    catalogue = connection.catalogue()
    action = catalogue["action"][wanted.action]
    subject = catalogue[action["about"]].get(wanted.name, {}) if action["about"] else {}
    titles = _titles(action) | _titles(subject)
    objective = _titles(catalogue["objective"].get(str(wanted.changes.get("objective")), {}))
    for path, value in wanted.changes.items():
        head, _dot, rest = path.partition(".")
        if head == "objective_settings" and rest:
            yield objective.get(rest, rest), value
        elif path not in ELSEWHERE:
            yield titles.get(path, path), value


def _titles(entry: Mapping[str, Any]) -> dict[str, str]:
    """Dotted name -> what a form calls it, in the middle of a sentence."""
    if "schema" not in entry:
        return {}
    return {knob.path: _inside(_(knob.title)) for knob in leaves(knobs(entry))}


def _inside(title: str) -> str:
    """A title in the middle of a sentence, where other languages than English keep a noun's capital."""
    return title[:1].lower() + title[1:] if language() == ENGLISH else title
