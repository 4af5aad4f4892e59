"""The list of lessons: aim, minutes, how far one is, and what a teacher should know."""

import streamlit as st

from app.address import links
from app.address.notices import plain
from app.lessons import panel, place, shelf
from app.lessons.declared import Lesson, LessonError
from app.words import _, language, n_


def begin_link() -> None:
    """A link that names a lesson opens it at its step, beside the page that belongs there."""
    if links.brought("lesson") and (lesson := place.opened()) is not None:
        place.open_at(lesson, place.part(lesson))


def show() -> None:
    """One row a lesson, and below them how to write one."""
    for name in shelf.names():
        try:
            _row(shelf.find(name, language()))
        except LessonError as error:
            st.error(plain(str(error)))
    with st.expander(_("Write one of your own"), icon=":material/edit_note:"):
        st.markdown(
            _(
                "A lesson is a text file. Put yours into `{folder}` as `NAME.md`; a translation is"
                " `NAME.de.md`. This is one that ships:"
            ).format(folder=shelf.folders()[0])
        )
        first = shelf.SHIPPED / "noise.md"
        st.code(first.read_text(encoding="utf-8"), language="markdown", height=360, wrap_lines=True)


def _row(lesson: Lesson) -> None:
    given = place.parsed(place.answered(lesson.name))
    asked = lesson.asked
    done = [key for key in asked if key in given]
    with st.container(border=True, key=f"lesson_row_{lesson.name}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(lesson.head.title, anchor=False, width="stretch")
            minutes = lesson.head.minutes
            st.caption(n_("{n} minute", "{n} minutes", minutes).format(n=minutes), width="content")
        st.markdown(lesson.head.aim)
        step = max((number for number, _ in done), default=0) or 1
        with st.container(horizontal=True, vertical_alignment="center"):
            word = _("Begin") if not done else _("Once more") if len(done) == len(asked) else _("Go on")
            if st.button(
                word,
                key=f"open_{lesson.name}",
                icon=":material/play_arrow:",
                type="secondary" if done else "primary",
                help=lesson.head.title,
            ):
                place.open_at(lesson, step if len(done) < len(asked) else 1)
            panel.take_home(lesson)
            words = _("{n} of {all} questions answered").format(n=len(done), all=len(asked))
            st.caption(words, width="content")
        with st.expander(_("For teachers"), icon=":material/co_present:"):
            if lesson.head.notes:
                st.markdown(lesson.head.notes)
            st.caption(lesson.head.paper)
