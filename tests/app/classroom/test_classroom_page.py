"""A teacher and two students: they join, predict, wait, see, and follow."""

import pytest
from streamlit.testing.v1 import AppTest

from app.classroom import register, seat
from tests.app.conftest import said
from tests.app.lessons.test_lessons import BESIDE

pytestmark = pytest.mark.usefixtures("desk")


def opened_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(seat.CODE, "KLASS")
    monkeypatch.setenv(seat.SECRET, "SECRET234567")


def tab() -> AppTest:
    """A browser tab at the page Classroom."""
    at = AppTest.from_string(BESIDE.replace("PAGE", "classroom"), default_timeout=60)
    at.query_params["code"] = "KLASS"
    return at.run()


def click(at: AppTest, label: str) -> None:
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception, at.exception


def joined(alias: str) -> AppTest:
    at = tab()
    next(field for field in at.text_input if field.label == "Alias").set_value(alias)
    click(at, "Join")
    return at


def test_without_a_class_the_page_says_how_to_open_one() -> None:
    assert "python3 -m app --lan" in said(tab())


def test_a_class_predicts_waits_and_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    opened_class(monkeypatch)
    one, teacher = joined("Ada *x*"), tab()
    assert "Ada \\*x\\*" in said(one)
    secret = next(field for field in teacher.text_input if field.label == "Secret")
    secret.set_value("KLASS")
    click(teacher, "Open the desk")
    assert "not the secret" in said(teacher)
    next(field for field in teacher.text_input if field.label == "Secret").set_value("secret-234567")
    click(teacher, "Open the desk")
    click(teacher, "Hold back what was measured")
    click(teacher, "Send everybody here")
    one.run()
    assert one.query_params["lesson"] == "noise" and "Say first what you expect" in said(one)
    one.button_group(key="lesson_pill/noise/1").set_value(2).run()
    assert "You expect **Both**" in said(one) and "1,280 times" not in said(one)
    teacher.run()
    assert "1 of 1 answered." in said(teacher), "and nobody who looks at the board reads the answer"
    click(teacher, "Freeze")
    one.run()
    assert "stopped the lesson" in said(one) and all(b.disabled for b in one.button if b.label == "Next")
    assert [(student.alias, student.part) for student in register.students("KLASS")] == [("Ada *x*", 1)]
    register.end("KLASS")
    one.run()
    assert "The class is over" in said(one.run()) or "seat" not in one.session_state
