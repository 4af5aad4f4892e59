"""Joining a class: with its code and an alias, or with the teacher's secret."""

import streamlit as st

from app.address import links
from app.address.notices import plain
from app.classroom import register, seat
from app.classroom.register import ClassError, Student
from app.lessons import report
from app.words import _, language


def closed() -> None:
    """What to do where no class is open."""
    st.info(_("No class is open on this server."), icon=":material/groups:")
    st.markdown(
        _(
            "**Teachers** start Feint with `python3 -m app --lan`, typed in a terminal in Feint's folder. It"
            " prints an address with a QR code, a class code for everybody, and a secret for you. Students"
            " open the address and need no account; you see here how many have answered and what, freeze and"
            " reveal, and send everybody to one view. Thirty laptops without a server: take a lesson home as"
            " one file, on the page Lessons."
        )
    )


def show(code: str) -> None:
    """The seat of this tab; else the two ways to one."""
    found = seat.student()
    if found is not None and found.code == register.tidy_code(code):
        _seated(found)
        return
    student, teacher = st.columns(2, gap="large")
    with student, st.form("join", enter_to_submit=True):
        st.subheader(_("I am a student"), anchor=False)
        typed = st.text_input(_("Class code"), key=links.key("code", ""), max_chars=register.LONGEST_CODE)
        alias = st.text_input(
            _("Alias"),
            max_chars=register.LONGEST_ALIAS,
            help=_("Your class sees it. It need not be your name."),
        )
        if st.form_submit_button(_("Join"), type="primary", icon=":material/login:"):
            try:
                seat.take(typed, alias)
            except ClassError as error:
                st.error(plain(str(error)))
            else:
                st.rerun()
        st.caption(
            _(
                "What you answer is kept on the teacher's computer under your alias, and deleted after"
                " {days} days. Pictures that you draw or bring stay on it."
            ).format(days=register.days(code))
        )
    with teacher, st.form("teach"):
        st.subheader(_("I am the teacher"), anchor=False)
        secret = st.text_input(
            _("Secret"),
            type="password",
            help=_("It was printed where Feint was started; only you know it."),
        )
        if st.form_submit_button(_("Open the desk"), icon=":material/key:"):
            if register.is_teacher(code, secret):
                st.session_state["teaches"] = code
                st.rerun()
            st.error(_("This is not the secret of the class: it was printed where Feint was started."))


def _seated(found: Student) -> None:
    words = _("You are **{alias}**. Your page follows when the teacher sends the class on.")
    st.success(words.format(alias=plain(found.alias)))
    st.markdown(_("Until then: any lesson that you like."))
    spoken = language()  # the file is written in a thread where nobody looks
    with st.container(horizontal=True):
        if st.button(_("Lessons"), icon=":material/school:", type="primary"):
            links.go("lessons", {})
        st.download_button(
            _("My answers (HTML)"),
            lambda: report.of(found.code, spoken, alias=found.alias),
            "feint-my-answers.html",
            "text/html",
            on_click="ignore",
            icon=":material/download:",
        )
        if st.button(_("Leave the class"), icon=":material/logout:", type="tertiary"):
            seat.leave()
            st.rerun()
    st.caption(_("Your answers are deleted after {days} days.").format(days=register.days(found.code)))
