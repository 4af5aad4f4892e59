"""A student's page follows the teacher's: it looks every few seconds whether anything was changed."""

import streamlit as st

from app.address import links, pasted
from app.address.notices import notice
from app.address.pasted import AddressError
from app.classroom import register, seat
from app.lessons import place, shelf
from app.lessons.declared import LessonError
from app.words import _, language

TICK = 2.0
"""Seconds between looks."""


def listen() -> None:
    """Follow the class of this tab's student, if there is one."""
    seat.remember()
    if st.session_state.get("seat"):
        st.fragment(_tick, run_every=TICK)()


def _tick() -> None:
    student = seat.student()
    state = None if student is None else register.state(student.code)
    if state is None:
        seat.leave()
        notice(_("The class is over."))
        st.rerun()
    before, sent = st.session_state.get("class_version"), st.session_state.get("class_sent", 0)
    st.session_state["class_version"], st.session_state["class_sent"] = state.version, state.sent
    if state.sent != sent:
        try:
            if state.address:
                page, parameters = pasted.read(state.address)
                links.go_afresh(page, parameters | {"lang": language()})
            place.open_at(shelf.find(state.lesson, language()), state.part)
        except (LessonError, AddressError) as error:
            notice(str(error))
    elif before is not None and state.version != before:
        lesson = place.opened()
        if lesson is not None and place.revealed(lesson, place.part(lesson)):
            place.open_at(lesson, place.part(lesson))
        st.rerun()
