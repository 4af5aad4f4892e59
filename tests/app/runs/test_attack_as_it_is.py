"""A training that is not finished can be attacked as it stands, from Train and from Runs."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.address import links
from engine.events import Evaluate
from engine.running.runner import prepare, run
from engine.store.run import Run
from engine.store.store import Store
from tests.app.conftest import method, said

Opened = Callable[..., AppTest]
TINY = {"hidden": (12,), "embedding": 3, "batch": 16, "iterations": 24, "evaluate_every": 4, "starts": 1}


def ended(store: Store, wish: str) -> Run:
    """A training that was stopped or paused at its first evaluation."""
    made = store.create(prepare("train", "acai", "digits", changes=TINY))
    for event in run(made):
        if isinstance(event, Evaluate):
            made.want(wish)
    return made


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
