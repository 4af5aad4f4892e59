"""The teacher's desk: who is where, what they expect beside what was measured; stop, reveal, send on."""

from collections import Counter

import segno
import streamlit as st

from app.address import pasted
from app.address.notices import plain
from app.address.pasted import AddressError
from app.classroom import register
from app.classroom.register import State
from app.lessons import checks, measured, place, report, shelf
from app.lessons.declared import Choice, Lesson, LessonError
from app.words import _, language
from engine.home import home

TICK = 2.0
"""Seconds between looks at the class."""


def show(code: str) -> None:
    """The whole desk."""
    state = register.state(code)
    if state is None:
        st.info(_("The class was ended, and its work deleted. Start Feint again for another."))
        return
    left, right = st.columns([1, 2], gap="large")
    with left:
        _door(code)
    with right:
        lesson, step = _choose(state)
        _buttons(state, lesson, step)
        _to_a_page(state)
        st.fragment(_class, run_every=TICK)(code, lesson.name, lesson.language, step)
    _end(code)


def _door(code: str) -> None:
    """How students come in."""
    st.metric(_("Class code"), code)
    address = f"{(st.context.url or '').split('?')[0]}?code={code}"
    drawn = segno.make(address, micro=False).svg_data_uri(scale=6, light="#fff", dark="#000")
    st.image(drawn, width=220, alt=_("QR code of {address}").format(address=address))
    st.code(address, language=None, wrap_lines=True)
    if "//localhost" in address or "//127." in address:
        st.caption(
            _("Open this page by the address that was printed, and the QR code leads students here too.")
        )


def _choose(state: State) -> tuple[Lesson, int]:
    """The lesson and step that are looked at: at first where everybody was sent."""
    names, said = shelf.names(), language()
    titles = {name: shelf.find(name, said).head.title for name in names}
    if "desk_lesson" not in st.session_state:
        st.session_state["desk_lesson"] = state.lesson if state.lesson in names else names[0]
        st.session_state["desk_step"] = state.part
    name = st.selectbox(_("Lesson"), names, key="desk_lesson", format_func=titles.__getitem__)
    lesson = shelf.find(name, said)
    steps = range(1, len(lesson.steps) + 1)
    if st.session_state.get("desk_step") not in steps:
        st.session_state["desk_step"] = 1
    step = st.selectbox(
        _("Step"),
        steps,
        key="desk_step",
        format_func=lambda number: f"{number}. {lesson.steps[number - 1].title}",
    )
    return lesson, int(step)


def _buttons(state: State, lesson: Lesson, step: int) -> None:
    """Send, stop, reveal; each button says what it will do."""
    with st.container(horizontal=True):
        if st.button(_("Send everybody here"), icon=":material/send:", type="primary"):
            register.send(state.code, lesson.name, step)
            st.rerun()
        frozen, held = state.frozen, state.held
        if st.button(
            _("Go on") if frozen else _("Freeze"), icon=f":material/{'play_arrow' if frozen else 'pause'}:"
        ):
            register.freeze(state.code, not frozen)
            st.rerun()
        word, icon = (
            (_("Reveal"), "visibility") if held else (_("Hold back what was measured"), "visibility_off")
        )
        if st.button(word, icon=f":material/{icon}:"):
            register.hold(state.code, not held)
            st.rerun()
        if st.button(_("See the step"), icon=":material/open_in_new:", type="tertiary"):
            place.open_at(lesson, step)
    said = [
        _("Nobody can answer or go on.") if state.frozen else "",
        _("Predictions come in; what was measured waits for you.") if state.held else "",
    ]
    if any(said):
        st.caption(" ".join(said).strip())


def _to_a_page(state: State) -> None:
    """Send everybody to any page of this app, by its address."""
    with st.form("desk_address", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input(
            _("Or to any page of this app"),
            placeholder=_("its address, as Copy link gives it"),
            max_chars=pasted.LONGEST,
        )
        pressed = st.form_submit_button(_("Send everybody there"), icon=":material/send:")
    if pressed:
        try:
            address = pasted.text_of(*pasted.read(typed, st.context.url or ""))
        except AddressError as error:
            st.error(plain(str(error)))
        else:
            register.send_to(state.code, address)
            st.rerun()
    if state.address:
        st.caption(plain(_("Everybody was sent to {address}.").format(address=state.address[:100])))


def _class(code: str, name: str, language: str, step: int) -> None:
    """Who is where, and what they said at this step; drawn anew every few seconds."""
    lesson, every, state = shelf.find(name, language), register.students(code), register.state(code)
    held = state is not None and state.held
    here = sum((one.lesson, one.part) == (name, step) for one in every)
    st.markdown(_("**{n}** in the class, **{here}** at this step.").format(n=len(every), here=here))
    said = [one for one in register.answers(code, name) if one.part == step]
    try:
        found = measured.values(lesson)
        for kind in "pe":
            question = lesson.steps[step - 1].question(kind)
            if question is not None:
                given = [one.said for one in said if one.kind == kind]
                st.markdown(f"**{question.question}**")
                right = sum(checks.accepts(question, each, found) for each in given)
                words = (
                    _("{n} of {all} answered.") if held else _("{n} of {all} answered, {right} as measured.")
                )
                st.caption(words.format(n=len(given), all=len(every), right=right))
                if isinstance(question, Choice) and given:
                    _histogram(question, given, None if held else checks.right_option(question, found))
    except LessonError as error:
        st.error(plain(str(error)))
    if every:
        _who(code, lesson, every)


def _histogram(question: Choice, given: list[str], right: int | None) -> None:
    """How many chose each option; the right one is marked, unless the class shall not see it yet."""
    counted = Counter(given)
    for option, text in enumerate(question.options):
        share = counted[str(option)] / len(given)
        chose = _("{n} of {all}").format(n=counted[str(option)], all=len(given))
        mark = " ✓" if option == right else ""
        st.progress(share, text=f"{plain(text)}{mark} · {chose}")


def _who(code: str, lesson: Lesson, every: list[register.Student]) -> None:
    """Each student: where, and how many questions of this lesson were answered."""
    answered = Counter(one.alias for one in register.answers(code, lesson.name))
    rows = [
        {
            _("alias"): one.alias,
            _("at"): f"{one.lesson} {one.part}" if one.lesson else "–",
            _("answered"): _("{n} of {all}").format(n=answered[one.alias], all=len(lesson.asked)),
        }
        for one in every
    ]
    with st.expander(_("Who is where"), icon=":material/person_search:"):
        alt = _("Alias, step and answers of every student")
        st.dataframe(rows, hide_index=True, key="desk_who", alt=alt)


def _end(code: str) -> None:
    spoken = language()  # the file is written in a thread where nobody looks
    with st.container(horizontal=True):
        st.download_button(
            _("The class's work (HTML)"),
            lambda: report.of(code, spoken),
            f"feint-class-{code}.html",
            "text/html",
            on_click="ignore",
            icon=":material/download:",
        )
        with st.popover(_("End the class"), icon=":material/delete:"):
            st.markdown(_("All aliases and answers of this class are deleted now."))
            if st.button(_("Delete them"), type="primary"):
                register.end(code)
                st.rerun()
    words = _(
        "Aliases and answers of this class lie on this computer; Feint deletes them {days} days after it"
        " began, as soon as it runs then. Pictures that were drawn or brought, and files that were uploaded,"
        " stay in `{home}`."
    )
    st.caption(words.format(days=register.days(code), home=home()))
