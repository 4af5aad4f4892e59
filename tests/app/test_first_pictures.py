"""The first picture of every page comes with Feint: no worker is waited for."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine.asking import questions
from engine.store.store import Store
from tests.app.conftest import Desk

LATER = (
    questions.SampleQuestion,
    questions.ImagesQuestion,
    questions.ControlsQuestion,
    questions.OtherModelsQuestion,
)
"""What stands below a first picture: a sample's details, neighbours, controls, other models."""
PAGES: dict[str, dict[str, str]] = {
    "home": {},
    "attack": {},
    "attack of two views": {"model": "noisy_digits/comvc"},
    "inspect": {"run": "digits/conv_ae.attack"},
    "multiview": {},
    "robust": {},
    "uae": {},
    "contrastive": {"data": "digits"},
    "compare": {},
}


@pytest.mark.parametrize("name", PAGES)
def test_a_first_picture_needs_no_worker(
    name: str,
    trained_home: Store,
    desk: Desk,
    opened: Callable[..., AppTest],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []
    answered = desk.ask

    def noted(question: Any) -> Any:
        asked.append(question)
        return answered(question)

    monkeypatch.setattr(desk, "ask", noted)
    opened(name.split()[0], **PAGES[name])
    assert [question for question in asked if not isinstance(question, LATER)] == []
