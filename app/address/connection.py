"""What a page is connected to: the store, the catalogue, the trained models, and the worker processes."""

from collections.abc import Mapping
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from app.address import fetching
from app.address.notices import notice
from app.words import N_, _
from engine.asking import keeping
from engine.asking.questions import A, Question
from engine.data import own_kept
from engine.errors import DataMissing, EngineGone, FeintError
from engine.home import home
from engine.models.declared import title_of
from engine.pool.client import Engine
from engine.pool.lasting import Lasting
from engine.store import catalogue as engine_catalogue
from engine.store import snapshot
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import DONE, Store
from engine.store.wanted import WITH, flag_of

RENEWED = N_(
    "The worker processes ended unexpectedly and new ones were started: what was waiting or running goes on "
    "from its last checkpoint."
)
ENDED = N_("The worker processes ended unexpectedly; new ones are starting, and the page goes on then…")
PATIENCE = 20.0
"""Seconds that a page waits for new worker processes before it is drawn without them."""


def catalogue() -> dict[str, Any]:
    """kind -> name -> entry: models, attacks, objectives, data, metrics, zoo. Made by the engine, read
    without torch; data of one's own as they are now.
    """
    described = _described()
    known = {name: card for name, card in described["data"].items() if not card.get("own")}
    return described | {"data": known | _kept(own_kept.folder(), own_kept.stamp())}


@st.cache_resource(show_spinner="Asking the engine what it can do…")
def _described() -> dict[str, Any]:
    return engine_catalogue.read()


@lru_cache(maxsize=8)
def _kept(folder: Path, stamp: int) -> dict[str, dict[str, Any]]:
    """The cards of what a person keeps, read anew where that has changed."""
    return own_kept.cards()


def store() -> Store:
    """The runs on this machine and the zoo."""
    return Store(home())


@cache  # not Streamlit's, which any visitor may clear: that would start a second engine
def _lasting() -> Lasting:
    return Lasting()


def engine() -> Engine:
    """The worker processes: those of FEINT_ENGINE, or our own, which stop with the page server. Where they
    ended, the next ones, as soon as those are there.
    """
    return _lasting().get()


def warm_up() -> None:
    """Start the worker processes without waiting for them. Where they ended, wait until the runs go on in new
    ones, so that the page draws them as they are then.
    """
    _lasting().start()
    _wait_for_new_ones()
    _say_renewed()


def ask(question: Question[A], waiting: str = "") -> A:
    """The answer to a question: kept, shipped, or computed by a warm worker while `waiting` is shown; where
    the workers end over it, it is asked once more. Raises DataAway where it needs data that are not here.
    """
    waiting = waiting or _("Asking the engine…")
    found = keeping.kept(question)
    if found is not None:
        return found
    fetching.require(_data_of(question))
    try:
        with st.spinner(waiting), suppress(EngineGone):
            return engine().ask(question)
        _wait_for_new_ones()
        with st.spinner(waiting):
            answer = engine().ask(question)
    except DataMissing as missing:  # a file of one's own, or one that nobody may pass on
        raise fetching.DataAway(str(missing), coming=False, data=_data_of(question)) from missing
    _say_renewed()
    return answer


def _wait_for_new_ones() -> None:
    """Where the worker processes ended, say so until their runs go on in new ones, or for as long as a page
    waits.
    """
    if _lasting().lost():
        with st.spinner(_(ENDED), show_time=True):
            _lasting().settle(PATIENCE)


def _say_renewed() -> None:
    """Say once in each session that the worker processes were replaced."""
    renewed = _lasting().renewed
    if st.session_state.setdefault("engine_renewed", renewed) != renewed:
        st.session_state["engine_renewed"] = renewed
        notice(_(RENEWED))


def _data_of(question: Question[Any]) -> str:
    """The data that a question is about."""
    fields = dict(question)
    if "ladder" in fields:
        return _data_of(fields["ladder"])
    several = fields.get("models") or ()
    names = several.values() if isinstance(several, dict) else several
    first = fields.get("data") or fields.get("model") or fields.get("run") or next(iter(names), "")
    return str(first) if fields.get("data") or not first else store().find(first).spec.data


def models(data: str | None = None, ability: str | None = None) -> dict[str, Run]:
    """Name -> run of every trained model: zoo first, then own finished runs, then unfinished ones as they
    were at a step; of one data set, or with one ability, if asked.
    """
    known = catalogue()["model"]
    kept = [run for run in store().snapshots() if data in (None, run.spec.data)]
    return {
        run.name: run
        for run in [*store().query(action="train", data=data, status=DONE), *kept]
        if ability is None or ability in known.get(run.spec.name, {}).get("abilities", ())
    }


def method_title(spec: Spec) -> str:
    """What a person calls the method of a training with its settings, what it stands on where that may be of
    any method, and the attacks whose samples it saw too.
    """
    known, settings = catalogue()["model"], spec.settings.get("model_settings", {})
    entry = known.get(spec.name)
    title = spec.name if entry is None else title_of(in_words(entry), settings)
    base = settings.get((entry or {}).get("base_fields", {}).get("model"))
    if (
        base in known and "imitates" not in known[spec.name]["abilities"]
    ):  # what imitates is an encoder itself
        title = _("{title} of {base}").format(title=title, base=_(known[base]["title"]))
    more = [_attack_title(key) for role, key in sorted(spec.builds_on.items()) if flag_of(role) == WITH]
    augmented = _("{title}, augmented with {attacks}")
    return augmented.format(title=title, attacks=" + ".join(more)) if more else title


def _attack_title(key: str) -> str:
    """What a person calls the attack of a run; of one that is not here the beginning of its key."""
    try:
        spec = _spec_of(key)
        entry = in_words(catalogue()["attack"][spec.name])
    except (FeintError, KeyError):
        return key[:8]
    return title_of(entry, spec.settings.get("attack_settings", {}))


@lru_cache(maxsize=1000)
def _spec_of(key: str) -> Spec:
    """What a run is; a key stands for its spec, wherever it is. Raises FeintError where nobody has it."""
    return store().find(key).spec


def in_words(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A method's entry of the catalogue, its title and its qualifiers in the language of whoever looks."""
    qualifiers = [said | {"words": _(said["words"])} for said in entry.get("qualifiers", ())]
    return {**entry, "title": _(entry["title"]), "qualifiers": qualifiers}


def data_title(name: str) -> str:
    """What a person calls a data set; of a file of one's own its name."""
    return _(str(catalogue()["data"].get(name, {}).get("title") or Path(name).name))


def unit(data: str) -> str:
    """What ε is measured in on a data set: shares of a feature's range where a sample is a row of a table."""
    shape = catalogue()["data"].get(data, {}).get("shape", [])
    if len(shape) == 1:
        return _("of each feature's range")
    return _("pixels in [0, 1]") if len(shape) == 3 else _("numbers in [0, 1]")


def model_title(name: str, run: Run) -> str:
    """What a list calls a model: "ADEC on Digits"."""
    method, data = method_title(run.spec), data_title(run.spec.data)
    return _("{method} on {data}").format(method=method, data=data) + apart(name, run)


def apart(name: str, run: Run) -> str:
    """What sets a model of one's own apart from others of its method and data; nothing for one of the zoo."""
    seed, step = _("seed {seed}").format(seed=run.spec.seed), snapshot.step_of(run.key)
    own = f" · {seed} · {name[:6]}" if "/" not in name else ""
    return own if step is None else f", {_('step {step:,}').format(step=step)}{own}"
