"""Every lesson, walked through: what it reads is there, what it asks is checked, what it shows opens."""

import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from streamlit.testing.v1 import AppTest

from app.address import fetching
from app.lessons import checks, measured, shelf
from app.lessons.declared import Choice, Lesson, LessonError, Link
from app.lessons.handout import handout
from app.lessons.parse import PLACEHOLDER, parse
from tests.app.conftest import Desk, said

FIRST = "\n".join(
    [
        "+++",
        'title = "Small"',
        "minutes = 1",
        'aim = "One."',
        'paper = "None."',
        "[measured]",
        'flips = { run = "digits/adec.pgd", read = "flip_rate" }',
        "+++",
        "# Begin",
        "Flips: {{flips}}.",
        "```page",
        "attack?v=1&model=digits/adec&sample=3",
        "```",
        "```predict",
        'question = "How many?"',
        'options = ["few", "many"]',
        'measured = "flips"',
        "bounds = [0.5]",
        "```",
        "## Reveal",
        "So many: {{flips}}.",
        "```exercise",
        'question = "Set it."',
        'address = "sample"',
        'equals = "4"',
        "```",
    ]
)
BESIDE = """
import streamlit as st
from app.address import links
from app.lessons import panel
files = {name: script.file for name, script in links.pages().items()}
page = st.navigation([st.Page(file, default=name == "PAGE") for name, file in files.items()])
links.open_address()
panel.beside(page.run)
"""
TEXTS = [(name, language) for name in shelf.names() for language in shelf.languages(name)]


def every(texts: list[tuple[str, str]]) -> Iterator[tuple[str, Link]]:
    """Every page that a lesson shows, each once: at one place of its ladder."""
    seen = set()
    for name, language in texts:
        for step in shelf.find(name, language).steps:
            for link in (step.link, step.revealed):
                if link is None:
                    continue
                choices = tuple(said for said in link.parameters if said[0] not in ("eps", "step"))
                if (link.page, choices) not in seen:
                    seen.add((link.page, choices))
                    yield f"{name}: {link.page} {'&'.join('='.join(said) for said in choices)}", link


LINKS = dict(every(TEXTS))


@pytest.mark.parametrize(("name", "language"), TEXTS)
def test_what_a_lesson_asks_is_checked_against_what_was_measured(
    name: str, language: str, desk: Desk
) -> None:
    lesson = shelf.find(name, language)
    found = measured.values(lesson)
    for step in lesson.steps:
        text = measured.filled(f"{step.text}\n{step.reveal}", lesson, found)
        assert not PLACEHOLDER.search(text)
    assert all(isinstance(value, str) or math.isfinite(value) for value in found.values())
    assert len(lesson.asked) >= 3
    for part, kind in lesson.asked:
        question = lesson.steps[part - 1].question(kind)
        assert question is not None
        right = checks.right_answer(question, found)
        assert checks.accepts(question, right, found)
        wrong = (
            [str(other) for other in range(len(question.options))]
            if isinstance(question, Choice)
            else ["99", ""]
        )
        assert not any(checks.accepts(question, given, found) for given in wrong if given != right)


@pytest.mark.parametrize("name", [name for name in shelf.names() if len(shelf.languages(name)) > 1])
def test_a_translation_asks_the_same(name: str) -> None:
    texts = [shelf.find(name, language) for language in shelf.languages(name)]
    same = [
        (each.measured, [(step.link, step.revealed) for step in each.steps], each.asked) for each in texts
    ]
    assert all(one == same[0] for one in same)


@pytest.fixture
def away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that could not fetch MNIST."""
    failed = subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])
    failed.wait()
    monkeypatch.setattr(fetching, "begin", lambda: failed)


@pytest.mark.long
@pytest.mark.usefixtures("away")
@pytest.mark.parametrize("link", LINKS.values(), ids=list(LINKS))
def test_a_page_of_a_lesson_opens_without_data(link: Link, opened: Callable[..., AppTest]) -> None:
    at = opened(link.page, **dict(link.parameters))
    assert "The link says" not in said(at) and not at.error


@pytest.mark.usefixtures("away")
def test_a_student_predicts_sees_and_tries() -> None:
    at = AppTest.from_string(BESIDE.replace("PAGE", "attack"), default_timeout=60)
    at.query_params["lesson"] = "noise"
    at.query_params["umap"] = "0"
    at.run()
    lesson = shelf.find("noise")
    assert "Say first what you expect" in said(at) and lesson.steps[0].title in [
        head.value for head in at.subheader
    ]
    assert "1,280 times" not in said(at)
    at.button_group(key="lesson_pill/noise/1").set_value(0).run()
    assert at.query_params["answers"] == "1p0", "a reload, or a link, knows it"
    assert "You expected **The noise**. It turns out: **The attack**." in said(at) and "1,280 times" in said(
        at
    )
    assert not at.exception


def edited(old: str, new: str) -> str:
    assert old in FIRST
    return FIRST.replace(old, new)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (edited("+++\ntitle", "title"), "small.md, line 1: a lesson begins with +++"),
        (
            edited("minutes = 1", "minutes = 0"),
            "small.md, line 1: the lesson.minutes must be greater than",
        ),
        (edited("minutes = 1", "minutes one"), "small.md, line 3: "),
        (edited("# Begin", "Begin"), "small.md, line 9: text before the first step"),
        (edited("attack?v=1", "atack?v=1"), "small.md, line 12: there is no page 'atack'"),
        (edited("&sample=3", "&sampel=3"), "small.md, line 12: 'sampel' is no parameter"),
        (edited("Flips: {{flips}}", "Flips: {{flop}}"), "small.md, step in line 9: 'flop' is not"),
        (
            edited("bounds = [0.5]", "bounds = [0.5, 0.7]"),
            "small.md, line 14: a question with options must be one with one bound",
        ),
        (edited("bounds = [0.5]", "bounds = [0.5"), "small.md, line 18: "),
        (
            edited('equals = "4"\n```', 'equals = "4"'),
            "small.md, line 22: the ``` that ends this exercise is missing",
        ),
        (
            edited("run =", "runs ="),
            "small.md, measured flips: it must be read from exactly one of run, ladder",
        ),
    ],
)
def test_a_mistake_in_a_lesson_is_one_sentence(text: str, sentence: str) -> None:
    assert parse(FIRST, "small").steps[0].title == "Begin"
    with pytest.raises(LessonError) as error:
        parse(text, "small")
    assert str(error.value).startswith(sentence) and "\n" not in str(error.value), error.value


def test_what_is_not_measured_is_said(desk: Desk) -> None:
    lesson: Lesson = parse(edited("flip_rate", "no_such"), "small")
    with pytest.raises(LessonError, match="Lesson small, measured flips: nothing is called 'no_such' there"):
        measured.values(lesson)


@pytest.mark.usefixtures("away")
def test_a_lesson_leads_to_the_next_one_in_its_language() -> None:
    every = shelf.names()
    for before, after in pairwise(every):
        found = shelf.after(shelf.find(before, "de"))
        assert found is not None and (found.name, found.language) == (after, "de")
    assert shelf.after(shelf.find(every[-1])) is None


def test_a_lesson_goes_home_as_one_file(desk: Desk) -> None:
    file = handout(shelf.find("views", "de"))
    assert file.count("<section") == 5 and file.count("data-ladder=") == 4, "the ladders that ship"
    assert "://" not in file.replace("http://www.w3.org/", "") and "{{" not in file
    assert "Schritt 1 von 5" in file and "ohne Angriff" in file, "its ladders too, though nobody looks"
