"""The lesson beside the page: text, prediction, what was measured, exercise, back and next."""

from collections.abc import Callable

import streamlit as st

from app.address import links
from app.address.notices import plain
from app.classroom import seat
from app.lessons import checks, follow, measured, place, shelf
from app.lessons.declared import Address, Choice, Exercise, Lesson, LessonError
from app.lessons.handout import MISTAKEN, PREDICTED, RIGHT, WRONG, handout
from app.lessons.measured import Value
from app.words import _

Values = dict[str, Value]
STYLE = """<style>
.st-key-lesson > .stHorizontalBlock > .stColumn:first-child { border-right: 1px solid
  color-mix(in srgb, currentColor 18%, transparent); padding-right: 1.2rem; }
/* an option is read to its end */
.st-key-lesson_panel .stButtonGroup button { height: auto; min-height: 2rem; text-align: left; }
.st-key-lesson_panel .stButtonGroup p { white-space: normal; overflow: visible; }
@media (min-width: 641px) {
  .stMainBlockContainer:has(.st-key-lesson) { padding-left: 2rem; padding-right: 2rem; }
  .st-key-lesson_panel { position: sticky; top: 4rem; max-height: calc(100vh - 5rem); overflow-y: auto;
    padding: 2px 4px 1rem 2px; }
  .st-key-lesson > .stHorizontalBlock > .stColumn:first-child { align-self: stretch; }
}
/* the evidence first and as wide as it can be, the choices below it */
.st-key-lesson .st-key-choose_look > .stHorizontalBlock,
.st-key-lesson .st-key-choose_look > * > .stHorizontalBlock { flex-direction: column; }
.st-key-lesson .st-key-choose_look > .stHorizontalBlock > .stColumn,
.st-key-lesson .st-key-choose_look > * > .stHorizontalBlock > .stColumn { flex: 1 1 auto; width: 100%; }
.st-key-lesson .st-key-choose_look > .stHorizontalBlock > .stColumn:first-child,
.st-key-lesson .st-key-choose_look > * > .stHorizontalBlock > .stColumn:first-child { order: 2; }
@media (max-width: 640px) {
  .st-key-lesson > .stHorizontalBlock > .stColumn:first-child { border-right: none; padding-right: 0; }
}
</style>"""


def beside(run_page: Callable[[], None]) -> None:
    """Draw the page; where the address names a lesson, to the right of the lesson's text."""
    follow.listen()
    lesson = place.opened()
    if lesson is None:
        run_page()
        return
    seat.stands(lesson.name, place.part(lesson))
    st.html(STYLE)
    left, right = st.container(key="lesson").columns([4, 11], gap="medium")
    with left:
        panel(lesson)  # no fragment: a click interrupts a page that is still being computed
    with right:
        step = place.part(lesson)
        if lesson.covered(step, place.revealed(lesson, step)):
            waits = (step, "p") in place.answers()
            why = (
                _("The page appears when your teacher reveals it.")
                if waits
                else _("Say first what you expect: then the page appears here.")
            )
            st.info(why, icon=":material/visibility_off:")
            links.remember()
        else:
            run_page()


def panel(lesson: Lesson) -> None:
    """One step of a lesson, folded on a wish."""
    step = place.part(lesson)
    if st.session_state.pop("lesson_predicted", False):
        place.open_at(lesson, step)
    with (
        st.container(key="lesson_panel"),
        st.expander(lesson.head.title, expanded=True, icon=":material/school:"),
    ):
        try:
            _step(lesson, step, measured.values(lesson))
        except LessonError as error:
            st.error(plain(str(error)))
        _move(lesson, step)


def _step(lesson: Lesson, number: int, found: Values) -> None:
    step, given = lesson.steps[number - 1], place.answers()
    st.caption(_("Step {part} of {all}").format(part=number, all=len(lesson.steps)))
    if place.frozen():
        st.warning(_("Your teacher has stopped the lesson here."), icon=":material/pause_circle:")
    st.subheader(step.title, anchor=False)
    st.markdown(measured.filled(step.text, lesson, found))
    if step.predict is not None:
        _predict(lesson, number, step.predict, given.get((number, "p")), found)
    if place.revealed(lesson, number):
        if step.reveal:
            st.markdown(measured.filled(step.reveal, lesson, found))
        if step.exercise is not None:
            _exercise(lesson, number, step.exercise, given.get((number, "e")), found)
    if number == len(lesson.steps):
        right = sum(
            checks.accepts(asked, given[key], found)
            for key in lesson.asked
            if key in given and (asked := lesson.steps[key[0] - 1].question(key[1])) is not None
        )
        words = _("Done: {right} of {all} answers right.").format(right=right, all=len(lesson.asked))
        st.info(words, icon=":material/flag:")
        take_home(lesson)


def take_home(lesson: Lesson) -> None:
    """The lesson as one file; made when it is asked for."""
    st.download_button(
        _("Take this lesson home (HTML)"),
        lambda: handout(lesson),
        f"feint-{lesson.name}{'' if lesson.language == 'en' else f'-{lesson.language}'}.html",
        "text/html",
        key=f"home_{lesson.name}",
        on_click="ignore",
        icon=":material/slideshow:",
        help=_("One file with its ladders that plays on a phone with no server."),
    )


def _predict(lesson: Lesson, number: int, asked: Choice, given: str | None, found: Values) -> None:
    st.markdown(f"**{asked.question}**")
    right = checks.right_option(asked, found)
    if given is None or not given.isdigit() or int(given) >= len(asked.options):
        st.pills(
            _("What do you expect?"),
            range(len(asked.options)),
            format_func=asked.options.__getitem__,
            key=f"lesson_pill/{lesson.name}/{number}",
            on_change=_picked,
            args=(lesson, number, "p", f"lesson_pill/{lesson.name}/{number}"),
            disabled=place.frozen(),
        )
        return
    said = asked.options[int(given)]
    if not place.revealed(lesson, number):
        words = _("You expect **{said}**. What was measured appears when your teacher reveals it.")
        st.info(words.format(said=said), icon=":material/hourglass:")
    elif int(given) == right:
        st.success(_(PREDICTED).format(said=said))
    else:
        st.info(_(MISTAKEN).format(said=said, right=asked.options[right]))


def _picked(lesson: Lesson, number: int, kind: str, key: str) -> None:
    chosen = st.session_state.get(key)
    if chosen is not None:
        _say(lesson, number, kind, str(chosen))


def _say(lesson: Lesson, number: int, kind: str, said: str) -> None:
    place.answer(lesson, number, kind, said)
    st.session_state["lesson_predicted"] = kind == "p" and lesson.steps[number - 1].revealed is not None


def _exercise(
    lesson: Lesson, number: int, asked: Exercise, given: str | None, found: dict[str, Value]
) -> None:
    tried = _("Try it")
    st.markdown(f":material/exercise: **{tried}.** {asked.question}")
    key, stopped = f"lesson_exercise/{lesson.name}/{number}", place.frozen()
    if isinstance(asked, Choice):
        st.pills(
            tried,
            range(len(asked.options)),
            format_func=asked.options.__getitem__,
            key=key,
            label_visibility="collapsed",
            on_change=_picked,
            args=(lesson, number, "e", key),
            disabled=stopped,
        )
    elif isinstance(asked, Address):
        st.button(
            _("Check"),
            key=key,
            on_click=_look,
            args=(lesson, number, asked),
            type="primary",
        )
    else:
        st.number_input(
            _("Your number"),
            value=None,
            step=0.001,
            format="%.4g",
            key=key,
            on_change=_picked,
            args=(lesson, number, "e", key),
            disabled=stopped,
        )
    if (complaint := st.session_state.get("lesson_complaint")) and complaint[0] == (lesson.name, number):
        st.warning(plain(complaint[1]))
    elif given is not None and checks.accepts(asked, given, found):
        st.success(_(RIGHT))
    elif given is not None:
        st.warning(_(WRONG).format(hint=asked.hint))


def _look(lesson: Lesson, number: int, asked: Address) -> None:
    """Check what the page shows: its address holds every choice."""
    shown = links.shown()
    other = checks.elsewhere(asked, shown)
    st.session_state["lesson_complaint"] = None
    if other:
        sentence = _("The page shows another {name}: this is about {name} = {said}.").format(
            name=other, said=asked.where[other]
        )
        st.session_state["lesson_complaint"] = ((lesson.name, number), sentence)
    elif asked.address not in shown:
        st.session_state["lesson_complaint"] = (
            (lesson.name, number),
            _("Nothing is chosen on the page yet."),
        )
    else:
        _say(lesson, number, "e", shown[asked.address])


def _move(lesson: Lesson, number: int) -> None:
    """Back and next; and the step's page again, or none of it any more."""
    stopped, last = place.frozen(), number == len(lesson.steps)
    back, on = _("Back"), _("Next")
    with st.container(horizontal=True):
        if st.button(back, icon=":material/arrow_back:", disabled=stopped or number == 1):
            place.open_at(lesson, number - 1)
        if st.button(on, icon=":material/arrow_forward:", disabled=stopped or last, type="primary"):
            place.open_at(lesson, number + 1)
    following = shelf.after(lesson) if last else None
    if following is not None and not stopped:
        onward = _("Next lesson: {title}").format(title=following.head.title)
        if st.button(onward, icon=":material/school:", type="primary"):
            place.open_at(following, 1)
    with st.container(horizontal=True):
        if st.button(_("Show the page of this step"), icon=":material/replay:", type="tertiary"):
            place.open_at(lesson, number)
        if st.button(_("Close the lesson"), icon=":material/close:", type="tertiary"):
            place.leave()
            st.rerun()
