"""What is kept of a class: many write at once, nobody writes over another, nothing is kept too long."""

import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from app.classroom import register
from app.classroom.register import ClassError
from app.lessons import report

CODE, SECRET = "KLASS", "SECRET234567"


@pytest.fixture(autouse=True)
def open_class() -> None:
    register.begin(CODE, SECRET)


def test_the_teacher_is_known_by_the_secret_alone(home: Path) -> None:
    assert register.is_teacher(CODE, " secret 234567 ") and not register.is_teacher(CODE, CODE)
    assert not register.is_teacher("OTHER", SECRET)
    register.begin(CODE, "ANOTHER")
    assert not register.is_teacher(CODE, "ANOTHER"), "a class keeps its teacher"
    assert SECRET.encode() not in (home / "classroom.sqlite").read_bytes()


@pytest.mark.parametrize(
    ("typed", "alias"),
    [
        ("  Ada \n Lovelace ", "Ada Lovelace"),
        ("x" * 60, "x" * 24),
        ("Zoë\u200b\x00", "Zoë"),
        ("<b>Bob</b>", "<b>Bob</b>"),
    ],
)
def test_an_alias_is_one_short_line(typed: str, alias: str) -> None:
    assert register.join("kla-ss", typed).alias == alias


def test_two_of_one_alias_are_told_apart_and_none_is_refused() -> None:
    assert [register.join(CODE, "x" * 24).alias for _ in range(3)] == [
        "x" * 24,
        "x" * 20 + " 2",
        "x" * 20 + " 3",
    ]
    with pytest.raises(ClassError, match="at least one letter"):
        register.join(CODE, " \n ")
    with pytest.raises(ClassError, match="no class with this code"):
        register.join("OTHER", "Ada")


def test_many_answer_at_once_and_no_answer_is_lost() -> None:
    def works(number: int) -> None:
        token = register.join(CODE, f"student {number}").token
        for part in range(1, 9):
            register.stands(token, "noise", part)
            register.answer(token, "noise", part, "p", str(number % 4))

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(works, range(24)))
    assert len(register.students(CODE)) == 24 and len(register.answers(CODE, "noise")) == 24 * 8
    assert all(one.part == 8 for one in register.students(CODE))


def test_the_first_prediction_and_the_last_try_count() -> None:
    token = register.join(CODE, "Ada").token
    for kind in "pe":
        for said in ("1", "2"):
            register.answer(token, "noise", 1, kind, said)
    assert [(one.kind, one.said) for one in register.answers(CODE)] == [("p", "1"), ("e", "2")]
    register.answer("no such token", "noise", 1, "p", "0")
    assert len(register.answers(CODE)) == 2


def test_every_change_of_the_teacher_is_told() -> None:
    register.send(CODE, "fgsm", 2)
    register.freeze(CODE, True)
    register.hold(CODE, True)
    wanted = register.State(CODE, "fgsm", 2, sent=1, frozen=True, held=True, version=3)
    assert register.state(CODE) == wanted
    register.send_to(CODE, "curves?data=digits")
    to_a_page = replace(wanted, sent=2, version=4, address="curves?data=digits")
    assert register.state(CODE) == to_a_page
    register.send(CODE, "fgsm", 2)
    assert register.state(CODE) == replace(wanted, sent=3, version=5), "a step, and no page any more"


def aged(home: Path, days: int) -> None:
    """Let every class have begun so many days ago."""
    with sqlite3.connect(home / "classroom.sqlite") as base:
        base.execute("update classes set made = ?", (time.time() - days * 86400,))
    base.close()


def test_a_class_is_kept_as_long_as_it_was_begun_for(home: Path) -> None:
    register.begin("SHORT", SECRET, 7)
    register.begin("LONG", SECRET, 90)
    assert [register.days(code) for code in (CODE, "SHORT", "LONG")] == [register.DAYS, 7, 90]
    for days, kept in ((6, {CODE, "SHORT", "LONG"}), (8, {CODE, "LONG"}), (31, {"LONG"}), (91, set())):
        aged(home, days)
        assert {code for code in (CODE, "SHORT", "LONG") if register.state(code)} == kept


def test_a_class_of_before_is_kept_thirty_days_and_can_be_sent_to_a_page(home: Path) -> None:
    with sqlite3.connect(home / "classroom.sqlite") as base:
        base.execute("drop table settings")
    base.close()
    register.send_to(CODE, "atlas?")
    state = register.state(CODE)
    assert state is not None and state.address == "atlas?" and register.days(CODE) == register.DAYS


@pytest.mark.parametrize("look", [register.forget_old, partial(register.begin, "FRESH", SECRET)])
def test_what_is_too_old_is_deleted_with_all_its_work(look: Callable[[], None], home: Path) -> None:
    register.answer(register.join(CODE, "Ada").token, "noise", 1, "p", "1")
    with sqlite3.connect(home / "classroom.sqlite") as base:
        base.execute("update classes set made = made - ?", ((register.DAYS + 1) * 86400,))
    base.close()
    look()
    with sqlite3.connect(home / "classroom.sqlite") as base:
        assert base.execute(
            "select (select count(*) from students) + (select count(*) from answers)"
        ).fetchone() == (0,)
    base.close()
    assert register.state(CODE) is None


@pytest.mark.usefixtures("desk")
def test_the_work_of_a_class_goes_home_as_text() -> None:
    for alias, said in (("<script>alert(1)</script>", "1"), ("Ada", "0")):
        register.answer(register.join(CODE, alias).token, "noise", 1, "p", said)
    file = report.of(CODE, "en")
    assert "&lt;script&gt;alert(1)" in file and "<script>alert" not in file
    assert "<td>The attack</td><td>yes</td>" in file and "<td>The noise</td><td>no</td>" in file
    assert "Ada" in report.of(CODE, "en", alias="Ada") and "script&gt;" not in report.of(
        CODE, "en", alias="Ada"
    )
