"""Where a person is in a lesson, and what was answered: all of it in the address."""

import re
from collections.abc import Mapping

import streamlit as st

from app.address import links
from app.address.notices import notice
from app.classroom import seat
from app.lessons import shelf
from app.lessons.declared import Lesson, LessonError
from app.words import language

ONE = re.compile(r"(\d{1,3})([pe])([^;]{1,60})")
"""An answer in the address: step, prediction or exercise, what was said."""
Answers = dict[tuple[int, str], str]


def opened() -> Lesson | None:
    """The lesson that the address names; a notice where there is none such."""
    name = links.value("lesson", "")
    if not name:
        return None
    try:
        return shelf.find(name, language())
    except LessonError as error:
        links.forget_everywhere("lesson", "part", "answers")
        notice(str(error))
        return None


def part(lesson: Lesson) -> int:
    """The step, from 1."""
    last = len(lesson.steps)
    return links.value("part", 1, lambda number: 1 <= number <= last)


def answers() -> Answers:
    """What was answered in the lesson of the address."""
    return parsed(links.value("answers", ""))


def parsed(text: str) -> Answers:
    """Answers as the address holds them; what is none is left out."""
    found = (ONE.fullmatch(each) for each in text.split(";"))
    return {(int(one[1]), one[2]): one[3] for one in found if one}


def text_of(given: Mapping[tuple[int, str], str]) -> str:
    """Answers as the address holds them."""
    return ";".join(f"{step}{kind}{said}" for (step, kind), said in sorted(given.items()))


def answer(lesson: Lesson, step: int, kind: str, said: str) -> None:
    """Keep an answer: in the address, and beside the lesson's name for the list of lessons."""
    given = answers() | {(step, kind): said.replace(";", " ")[:60]}
    links.put("answers", text_of(given))
    kept()[lesson.name] = text_of(given)
    seat.told(lesson.name, step, kind, given[step, kind])
    links.remember()


def revealed(lesson: Lesson, step: int) -> bool:
    """Whether what was measured is shown: a prediction was made, or none is asked for, and no teacher holds
    it back.
    """
    return lesson.steps[step - 1].predict is None or ((step, "p") in answers() and not held())


def held() -> bool:
    """Whether the teacher of this student holds back what was measured."""
    state = seat.state()
    return state is not None and state.held


def frozen() -> bool:
    """Whether the teacher of this student has stopped the lesson."""
    state = seat.state()
    return state is not None and state.frozen


def kept() -> dict[str, str]:
    """Name of a lesson -> what was answered in it, in this session."""
    found: dict[str, str] = st.session_state.setdefault("lessons_answered", {})
    return found


def answered(name: str) -> str:
    """What was answered in a lesson, as the address holds it: the one that is open, or earlier in this
    session.
    """
    return links.value("answers", "") if links.value("lesson", "") == name else kept().get(name, "")


def open_at(lesson: Lesson, step: int) -> None:
    """Go to a step, and to the page that belongs to it."""
    given = answered(lesson.name)
    link = lesson.link(step, predicted=(step, "p") in parsed(given) and not held())
    said: dict[str, str | int | float] = {"lesson": lesson.name, "part": step, "lang": language()}
    links.go_afresh(link.page, dict(link.parameters) | said | ({"answers": given} if given else {}))


def leave() -> None:
    """Close the lesson; the page stays."""
    links.forget_everywhere("lesson", "part", "answers")
