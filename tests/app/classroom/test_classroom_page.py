"""A teacher and two students: they join, predict, wait, see, and follow."""

import pytest
from streamlit.testing.v1 import AppTest

from app.address import pasted
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


@pytest.mark.long
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


def send_there(at: AppTest, address: str) -> None:
    next(field for field in at.text_input if field.label == "Or to any page of this app").set_value(address)
    click(at, "Send everybody there")


def test_everybody_is_sent_to_any_page_by_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    opened_class(monkeypatch)
    monkeypatch.setenv(seat.DAYS, "7")
    one, teacher = joined("Ada"), tab()
    next(field for field in teacher.text_input if field.label == "Secret").set_value("SECRET234567")
    click(teacher, "Open the desk")
    assert "deletes them 7 days after it began" in said(teacher) and "stay in `" in said(teacher)
    send_there(teacher, "https://evil.example/attack?data=digits")
    assert "is no page of this Feint" in said(teacher) and register.state("KLASS").sent == 0
    send_there(teacher, "/atlas?v=1&data=digits&lang=de&lesson=noise&answers=1p2")
    assert "Everybody was sent to atlas?data=digits" in said(teacher)
    one.run()
    went = {name: one.query_params[name] for name in ("data", "lesson", "lang")}
    assert went == {"data": "digits", "lesson": "noise", "lang": "en"}, "each in a language of their own"
    assert "1p2" not in str(one.query_params.get("answers", "")), "and nobody has the teacher's answers"


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("http://10.0.0.7:8501/attack?v=1&model=digits%2Fadec&eps=0.1", "attack"),
        ("http://localhost:8501/curves", "curves"),
        ("http://10.0.0.7:8501/", "home"),
        ("/train?data=digits", "train"),
        ("atlas", "atlas"),
    ],
)
def test_an_address_of_this_app_is_read(address: str, page: str) -> None:
    found = pasted.read(address, "http://10.0.0.7:8501/classroom")
    assert found[0] == page and pasted.read(pasted.text_of(*found)) == found and "v" not in found[1]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "?data=digits",
        "//evil.example/attack",
        "http://evil.example:8501/attack",
        "http://10.0.0.7:8501@evil.example/attack",
        "http://10.0.0.7:9999/attack",
        "http://[/attack",
        "http://10.0.0.7:port/attack",
        "javascript:alert(1)",
        "file:///attack",
        "/nowhere",
        "/../attack",
        "/attack?password=x",
        "/attack?" + "&".join(f"data={number}" for number in range(99)),
        "/attack?data=" + "x" * pasted.LONGEST,
    ],
)
def test_any_other_address_is_refused_with_a_sentence(address: str) -> None:
    with pytest.raises(pasted.AddressError, match="Copy link"):
        pasted.read(address, "http://10.0.0.7:8501/classroom")
