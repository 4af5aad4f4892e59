"""What a page is connected to: the store, the catalogue, the trained models, and the worker processes."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import streamlit as st

from engine.asking import keeping
from engine.asking.questions import A, Question
from engine.home import home
from engine.models.declared import title_of
from engine.pool.client import Engine
from engine.store import catalogue as engine_catalogue
from engine.store import snapshot
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import DONE, Store


@st.cache_resource(show_spinner="Asking the engine what it can do…")
def catalogue() -> dict[str, Any]:
    """kind -> name -> entry: models, attacks, objectives, data, metrics, zoo. Made by the engine, read
    without torch.
    """
    return engine_catalogue.read()


def store() -> Store:
    """The runs on this machine and the zoo."""
    return Store(home())


@st.cache_resource(show_spinner=False)
def _connecting() -> Future[Engine]:
    """The one connection of this page server, made in the background so that the first page need not wait for
    it.
    """
    return ThreadPoolExecutor(1, "engine").submit(_connect)


def _connect() -> Engine:
    """Reach the workers, and hand them the runs that were still waiting when the last ones ended."""
    reached = Engine.connect(os.environ.get("FEINT_ENGINE"))
    held = {item["key"] for item in reached.queue()}
    for run in store().all():
        if run.status() == "queued" and run.key not in held:
            reached.submit(run)
    return reached


def engine() -> Engine:
    """The worker processes: those of FEINT_ENGINE, or our own, which stop with the page server."""
    return _connecting().result()


def warm_up() -> None:
    """Start the worker processes without waiting for them."""
    _connecting()


def ask(question: Question[A], waiting: str = "Asking the engine…", timeout: float = 120.0) -> A:
    """The answer to a question: kept, shipped, or computed by a warm worker while `waiting` is shown."""
    found = keeping.kept(question)
    if found is not None:
        return found
    with st.spinner(waiting):
        return engine().ask(question, timeout=timeout)


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
    """What a person calls the method of a training with its settings."""
    entry = catalogue()["model"].get(spec.name)
    return spec.name if entry is None else title_of(entry, spec.settings.get("model_settings", {}))


def model_title(name: str, run: Run) -> str:
    """What a list calls a model."""
    title, taken = method_title(run.spec), snapshot.words(run.key)
    own = f" · seed {run.spec.seed} · {name[:6]}" if "/" not in name else ""
    return f"{title} · {run.spec.data}{own}" + f" · {taken}" * bool(taken)
