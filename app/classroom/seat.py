"""Who sits at this browser tab: a student of a class, its teacher, or nobody of the kind."""

import os
import sqlite3
from contextlib import suppress

import streamlit as st

from app.classroom import register
from app.classroom.register import State, Student
from engine.errors import FeintError

CODE, SECRET, DAYS = "FEINT_CLASS", "FEINT_CLASS_SECRET", "FEINT_CLASS_DAYS"
"""What `python3 -m app --lan` tells the page server: the class code, the teacher's secret, and how many days
the class is kept.
"""

_SCRIPT = """
export default function ({ data, setStateValue }) {
  const name = "feint-seat";
  if (data.forget) sessionStorage.removeItem(name);
  else if (data.token) sessionStorage.setItem(name, data.token);
  else if (sessionStorage.getItem(name)) setStateValue("token", sessionStorage.getItem(name));
}
"""
_mount = st.components.v2.component("feint_seat", html="<i></i>", css="i { display: none; }", js=_SCRIPT)


@st.cache_resource(show_spinner=False)
def forget_old() -> None:
    """Once a server: delete the classes that are too old."""
    with suppress(FeintError, sqlite3.Error):  # a page that only looks goes on
        register.forget_old()


def open_class() -> str:
    """The code of the class that this server was started for; "" where there is none."""
    code = os.environ.get(CODE, "")
    if code and not st.session_state.get("class_begun"):
        days = int(os.environ.get(DAYS, register.DAYS))
        register.begin(code, os.environ.get(SECRET, ""), days)
        st.session_state["class_begun"] = True
    return code


def remember() -> None:
    """Let the tab remember its student, so that a reload forgets nobody."""
    if not os.environ.get(CODE):
        return
    sitting, left = st.session_state.get("seat"), st.session_state.pop("seat_left", False)
    result = _mount(
        data={"token": sitting or "", "forget": left}, key="seat_memory", on_token_change=lambda: None
    )
    token = result.get("token")
    if not sitting and not left and isinstance(token, str) and register.student(token) is not None:
        st.session_state["seat"] = token
        st.rerun()


def student() -> Student | None:
    """The student of this tab."""
    token = st.session_state.get("seat")
    return register.student(token) if token else None


def take(code: str, alias: str) -> Student:
    """Join a class. Raises ClassError."""
    found = register.join(code, alias)
    st.session_state["seat"] = found.token
    return found


def leave() -> None:
    """Leave it; what was answered stays with the class."""
    for name in ("seat", "class_version", "class_sent"):
        st.session_state.pop(name, None)
    st.session_state["seat_left"] = True


def state() -> State | None:
    """What the teacher has set for the student of this tab."""
    found = student()
    return None if found is None else register.state(found.code)


def told(lesson: str, part: int, kind: str, said: str) -> None:
    """Keep what the student of this tab answered, if there is one."""
    found = student()
    if found is not None:
        register.answer(found.token, lesson, part, kind, said)


def stands(lesson: str, part: int) -> None:
    """Keep where the student of this tab is."""
    found = student()
    if found is not None and (found.lesson, found.part) != (lesson, part):
        register.stands(found.token, lesson, part)


def is_teacher(code: str) -> bool:
    """Whether this session has shown the teacher's secret."""
    return bool(code) and st.session_state.get("teaches") == code
