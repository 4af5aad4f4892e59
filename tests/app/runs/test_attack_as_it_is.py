"""A training that is not finished can be attacked as it stands, from Train and from Runs."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.address import links
from app.runs import progress
from engine.events import Evaluate, Event, Started
from engine.running.runner import prepare, run
from engine.store.run import Run
from engine.store.store import Store
from tests.app.conftest import method, said

Opened = Callable[..., AppTest]
TINY = {"hidden": (12,), "embedding": 3, "batch": 16, "iterations": 24, "evaluate_every": 4, "starts": 1}


def ended(store: Store, wish: str, at: type[Event] = Evaluate, seed: int = 0) -> Run:
    """A training that was stopped or paused at its first evaluation, or at the first of other events."""
    made = store.create(prepare("train", "acai", "digits", seed=seed, changes=TINY))
    for event in run(made):
        if isinstance(event, at):
            made.want(wish)
    return made


@pytest.mark.long
@pytest.mark.parametrize(("page", "wish"), [("train", "stop"), ("train", "pause"), ("runs", "stop")])
def test_what_is_not_finished_is_attacked_as_it_is_now(
    page: str, wish: str, trained_home: Store, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, went = ended(trained_home, wish), {}

    def go(to: str, parameters: Mapping[str, Any]) -> None:
        went[to] = dict(parameters)

    monkeypatch.setattr(links, "go", go)
    at = opened(page, **({"run": made.key} if page == "train" else {}))
    next(item for item in at.button if item.label == "Attack as it is now").click().run()
    model = went["attack"]["model"]
    assert model.startswith(f"{made.key}@") and not at.exception
    shown = opened("attack", model=model)
    assert not shown.warning and shown.selectbox(key="p_model").value == model, said(shown)
    assert any(f"--model {model}" in code.value for code in shown.code)


def test_what_is_finished_or_has_no_checkpoint_has_no_such_button(
    trained_home: Store, opened: Opened
) -> None:
    queued = trained_home.create(method(trained_home, "adec").spec.model_copy(update={"seed": 7}))
    queued.want("run")
    for key in (queued.key, method(trained_home, "adec").key):
        assert "Attack as it is now" not in [item.label for item in opened("train", run=key).button]


def test_a_training_without_a_checkpoint_says_that_nothing_is_kept_and_why_no_attack_is_offered(
    trained_home: Store, opened: Opened
) -> None:
    made = ended(trained_home, "stop", Started, seed=8)
    for page, asked in (("train", {"run": made.key}), ("runs", {"find": made.key})):
        at = opened(page, **asked)
        words = said(at)
        assert "no model to attack yet; Resume begins it anew" in words, page
        assert "What was done is kept" not in words
        assert "Attack as it is now" not in [item.label for item in at.button]
    attack = trained_home.create(prepare("attack", "fgsm", models={"model": "digits/adec"}, seed=8))
    attack.want("stop")
    assert progress.kept(attack) == "Nothing of it is kept: Resume begins it anew."
    sweep = trained_home.create(prepare("sweep", "fgsm", models={"model": "digits/adec"}, seed=8))
    assert "anew" in progress.kept(sweep)
    (sweep.folder / "cells").mkdir()
    (sweep.folder / "cells" / "00000.json").write_text("{}")
    assert "What was done is kept" in progress.kept(sweep)
