"""A trained model, chosen from the zoo or from a person's own runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import streamlit as st

from app.address import connection, house, links, notices
from app.features import Features
from app.forms import possible
from app.runs import rows
from app.words import _
from engine.asking.answers import OverviewAnswer
from engine.asking.questions import OverviewQuestion
from engine.store.run import Run

TINY = ("digits", "noisy_digits")
"""Data on which everything takes seconds."""
DEFAULT_METHOD, DEFAULT_OF_VIEWS = "adec", "comvc"


@dataclass(frozen=True)
class Victim:
    """A chosen model: its name in lists, its run and what is known of its clean samples."""

    name: str
    run: Run
    overview: OverviewAnswer

    @property
    def names(self) -> list[str]:
        """Names of the groups that it sorts samples into; none where it sorts into nothing."""
        return list(self.overview.group_names)

    @property
    def shape(self) -> list[int]:
        """Shape of one sample."""
        return list(self.overview.shape)

    @property
    def features(self) -> Features | None:
        """Names and ranges of the features where a sample is a row of a table; None for pictures."""
        seen = self.overview
        if len(seen.shape) == 3:
            return None
        return Features.of(seen.size, seen.feature_names, seen.low, seen.span)

    @property
    def grouping(self) -> str:
        """What it sorts samples into: "cluster" or "class"; "" for a model that sorts into nothing."""
        return self.overview.grouping or ""

    @property
    def abilities(self) -> frozenset[str]:
        """What it can do, by the names in the catalogue."""
        return possible.abilities(self.run.spec.name)

    @property
    def labelled(self) -> bool:
        """Whether its data have labels."""
        return bool(self.overview.class_names)

    @property
    def order(self) -> list[int]:
        """Its groups in the order they are shown in: by the class they are matched to, those without one
        last.
        """
        matched = self.overview.matched_class
        return sorted(range(len(matched)), key=lambda group: (matched[group] < 0, matched[group], group))

    @property
    def colours(self) -> list[int]:
        """The place of each group in the palette: that of the class it is matched to; groups without one come
        after all classes.
        """
        rest = count(len(self.overview.class_names))
        return [own if own >= 0 else next(rest) for own in self.overview.matched_class]

    def captions(self, before: Any, after: Any | None = None) -> list[str]:
        """A line for each sample: its group (n,), or from which group to which; nothing where there are no
        groups.
        """
        if before is None or not self.names:
            return []
        then = before if after is None else after
        return [
            f"{self.names[old]} → {self.names[new]}" if old != new else self.names[old]
            for old, new in zip(before, then, strict=True)
        ]


def default_model() -> str:
    """The zoo name of the model that pages begin with."""
    return f"{house.ready()}/{DEFAULT_METHOD}"


def victim_of(run: Run, name: str = "") -> Victim:
    """A model with what is known of its clean samples."""
    overview = connection.ask(OverviewQuestion(model=run.key), _("Looking at the model…"))
    return Victim(name or run.name, run, overview)


def choose_model(ability: str = "") -> Victim:
    """A model from the zoo or from own runs: any that can be attacked, or those of one ability.

    Stops the page with a sentence where none can be read.
    """
    found = {
        name: run
        for name, run in connection.models(ability=ability or None).items()
        if possible.objectives(run.spec.name)
    }
    asked = st.session_state["address"].get("model")
    if asked not in found and asked in connection.models():
        of_other_pages(str(asked))
    if not found:
        st.info(_("No trained model is here yet. Train one on the Train page; digits take a minute."))
        st.stop()
    key = links.key(
        "model",
        _first(found),
        lambda name: name in found,
        _("a zoo name or the key of a finished run (train it with `python3 -m engine train`)"),
    )
    house.model_decides(st.session_state[key], found[st.session_state[key]].spec.data)
    _choose_data(found, key)
    here = {
        name: run for name, run in found.items() if run.spec.data == found[st.session_state[key]].spec.data
    }
    house.tell(found[st.session_state[key]].spec.data, "")
    name = st.selectbox(
        _("Model"),
        sorted(here, key=lambda name: _group(name, here[name])),
        key=key,
        format_func=lambda option: _title(option, here[option]),
        help=_("Trained models of these data: those that come with Feint, then your own finished runs."),
    )
    return victim_of(found[name], name)


def _first(found: Mapping[str, Run]) -> str:
    """The model that a page begins with: of the data that all begin with, where one is here."""
    views = f"{house.OF_VIEWS[house.ready()]}/{DEFAULT_OF_VIEWS}"
    of_these = [name for name, run in found.items() if run.spec.data == house.data()]
    usual = of_these if house.data() != house.ready() else []
    return next(name for name in (*usual, default_model(), views, *found) if name in found)


def of_other_pages(model: str) -> None:
    """Forget a model that this page has no use for: it was chosen on another one, or a link says it, which is
    told.
    """
    if links.brought("model"):
        notices.notice(
            _("The link says model={model}, which this page cannot show: another is shown instead.").format(
                model=model[:40]
            )
        )
    links.forget("model", "sample")


def _choose_data(found: Mapping[str, Run], key: str) -> None:
    """The data of the model that this key holds; other data bring their model of the same method, else their
    first.
    """
    every = dict.fromkeys(run.spec.data for run in found.values())
    first = [name for name in (*house.READY, *house.OF_VIEWS.values()) if name in every]
    st.session_state["model_data"] = found[st.session_state[key]].spec.data

    def turned() -> None:
        if links.left(key, "model_data"):
            return
        method, data = found[st.session_state[key]].spec.name, st.session_state["model_data"]
        here = {name: run for name, run in found.items() if run.spec.data == data}
        alike = [name for name, run in here.items() if run.spec.name == method]
        links.forget(*house.OF_DATA)
        links.put("model", (alike or sorted(here, key=lambda name: _group(name, here[name])))[0])
        house.follow(data)

    st.selectbox(
        _("Data"),
        [*first, *(name for name in every if name not in first)],
        key="model_data",
        on_change=turned,
        format_func=_data_title,
    )


def _group(name: str, run: Run) -> tuple[bool, str, str]:
    """Where a model stands in its list: those of the zoo first, by family and name."""
    entry = connection.catalogue()["model"].get(run.spec.name, {})
    return "/" not in name, str(entry.get("family", {}).get("name", "")), name


def _title(name: str, run: Run) -> str:
    """What the list calls a model: its method, its first score, and whether training saw labels."""
    score = "".join(f" · {score}" for score in rows.of_model(run.result())[:1])
    labels = f" · {_('trained with labels')}" if possible.supervised(run.spec.name) else ""
    return connection.method_title(run.spec) + score + connection.apart(name, run) + labels


def _data_title(name: str) -> str:
    """What the list calls data."""
    title = connection.data_title(name)
    return _("{title} (tiny, fast)").format(title=title) if name in TINY else title
