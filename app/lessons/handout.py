"""A lesson with its ladders as one HTML file: thirty laptops, or phones, and no server."""

from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

from app import components
from app.address import connection, links
from app.attack import on_the_map
from app.components.ladder import ladder_payload
from app.components.standalone import data, page, without_private
from app.forms.choose_model import Victim
from app.lessons import checks, formulas, measured
from app.lessons.declared import Choice, Exercise, Lesson, Link, Number, Step
from app.lessons.measured import Value
from app.words import N_, _, speaking
from engine.asking import keeping
from engine.asking.questions import (
    A,
    AttackChoice,
    Axis,
    LadderQuestion,
    ObjectiveChoice,
    OverviewQuestion,
    Question,
)
from engine.errors import FeintError

FOLDER = Path(__file__).parent
CHECK = '<button type="button">{}</button>'
OBJECTIVES = {"attack": "leave_cluster", "multiview": "mv_disrupt"}
"""What pages with a ladder begin with."""
PREDICTED = N_("You expected **{said}**, and so it is.")
MISTAKEN = N_("You expected **{said}**. It turns out: **{right}**.")
RIGHT, WRONG = N_("Right."), N_("Not yet. {hint}")
WORDS = {"predicted": PREDICTED, "mistaken": MISTAKEN, "right": RIGHT, "wrong": WRONG}
"""What the file's script says of an answer; it fills in the values itself."""
STANDS_AT = {"epsilon": "eps", "path": "step", "lambda": "lambda"}
"""Axis of a ladder -> the parameter that says where it stands."""


def handout(lesson: Lesson) -> str:
    """The file's text, in the lesson's language. Raises LessonError where something measured is missing."""
    with speaking(lesson.language):
        return _written(lesson)


def _written(lesson: Lesson) -> str:
    found, ladders = measured.values(lesson), _ladders(lesson)
    steps = "\n".join(_step(lesson, number, found, ladders) for number in range(1, len(lesson.steps) + 1))
    head = lesson.head
    body = (
        f"<header><h1>{escape(head.title)}</h1><p>{escape(head.aim)}</p></header>\n<main>\n{steps}\n</main>\n"
        f"<footer><p>{escape(head.paper)}</p><p>Feint</p></footer>\n"
        f"{data('ladders', ladders)}\n{data('words', {word: _(text) for word, text in WORDS.items()})}"
    )
    script = components.script("ladder", lesson.language) + (FOLDER / "handout.js").read_text(
        encoding="utf-8"
    )
    style = components.style("ladder") + (FOLDER / "handout.css").read_text(encoding="utf-8")
    return page(head.title, body, script, style, lesson.language)


def _step(lesson: Lesson, number: int, found: dict[str, Value], ladders: dict[str, Any]) -> str:
    step, word = lesson.steps[number - 1], _("Check")
    parts = [
        f"<h2>{escape(step.title)}</h2>",
        _text(step.text, lesson, found),
        _shown(step.link, ladders),
    ]
    if step.predict is not None:
        parts.append(_question(step.predict, found, "predict", step, ladders, word))
        revealed = _text(step.reveal, lesson, found) + _shown(step.revealed, ladders)
        parts.append(f'<div class="reveal">{revealed}')
    if step.exercise is not None:
        parts.append(_question(step.exercise, found, "exercise", step, ladders, word))
    parts.append("</div>" if step.predict is not None else "")
    part = escape(_("Step {part} of {all}").format(part=number, all=len(lesson.steps)))
    return f'<section class="step"><p class="part">{part}</p>{"".join(parts)}</section>'


def _text(text: str, lesson: Lesson, found: dict[str, Value]) -> str:
    return formulas.html(measured.filled(text, lesson, found))


def _question(
    asked: Exercise, found: dict[str, Value], kind: str, step: Step, ladders: dict[str, Any], word: str
) -> str:
    """A question with what checks it in the browser, which a button with a `word` does; one about a page
    without a ladder is only put.
    """
    words = f"<legend>{formulas.inline(asked.question)}</legend>"
    right, hint = escape(checks.right_answer(asked, found)), escape(asked.hint, quote=True)
    if isinstance(asked, Choice):
        buttons = "".join(f'<button type="button">{escape(option)}</button>' for option in asked.options)
        inside = f'<div class="options">{buttons}</div>'
    elif isinstance(asked, Number):
        label = escape(asked.question)
        inside = f'<input inputmode="decimal" aria-label="{label}">{CHECK.format(escape(word))}'
    elif asked.address in STANDS_AT.values() and _key(step.link or step.revealed) in ladders:
        inside = CHECK.format(escape(word))
    else:
        return f'<p class="only">{formulas.inline(asked.question)}</p>'
    tolerance = getattr(asked, "tolerance", 0.0)
    return (
        f'<fieldset class="{kind}" data-right="{right}" data-tolerance="{tolerance}" data-hint="{hint}">'
        f'{words}{inside}<p class="verdict" role="status"></p></fieldset>'
    )


def _shown(link: Link | None, ladders: dict[str, Any]) -> str:
    """The place of a ladder, and the level at which it begins; for any other page its name."""
    key = _key(link)
    if link is None:
        return ""
    if key not in ladders:
        title = _(links.pages()[link.page].title)
        words = _("In Feint the page {page} stands beside this step.").format(page=title)
        return f'<p class="only">{escape(words)}</p>'
    said, levels = dict(link.parameters), ladders[key]["levels"]
    at = float(said.get(STANDS_AT[_axis(link)], levels[ladders[key]["start"]]))
    start = min(range(len(levels)), key=lambda level: abs(levels[level] - at))
    return f'<div class="feint" data-ladder="{escape(key)}" data-start="{start}"></div>'


def _ladders(lesson: Lesson) -> dict[str, Any]:
    """What the browser needs of every ladder of the lesson that ships, by what it shows."""
    shown = [link for step in lesson.steps for link in (step.link, step.revealed) if link is not None]
    found = {_key(link): _payload(link) for link in shown if link.page in OBJECTIVES}
    return {key: payload for key, payload in found.items() if payload is not None}


def _key(link: Link | None) -> str:
    """What a ladder shows, without where it stands."""
    if link is None:
        return ""
    said = {name: text for name, text in link.parameters if name not in STANDS_AT.values()}
    at = dict(link.parameters).get("eps", "") if _axis(link) != "epsilon" else ""
    return " ".join([link.page, *said.values(), at]).strip()


def _axis(link: Link) -> str:
    return dict(link.parameters).get("tab", "epsilon")


def _payload(link: Link) -> dict[str, Any] | None:
    """What the browser needs of a link's ladder; None where it neither ships nor can be climbed here."""
    said = dict(link.parameters)
    run = connection.store().find(said["model"])
    question = _question_of(link, run.key)
    overview, answer = _answer(OverviewQuestion(model=run.key)), _answer(question)
    if overview is None or answer is None:
        return None
    drawn = on_the_map.drawing(Victim(run.name, run, overview), question.objective.name, answer)
    return without_private(ladder_payload(drawn))


def _answer(question: Question[A]) -> A | None:
    """What is kept; else what the engine says to it. A file is made in a thread without a session."""
    found = keeping.kept(question)
    if found is None:
        with suppress(FeintError):
            found = connection.engine().ask(question)
    return found


def _question_of(link: Link, model: str) -> LadderQuestion:
    """The ladder that a link's page shows."""
    said = dict(link.parameters)
    epsilon = float(said.get("eps", 0.1))
    axes = {"epsilon": Axis.of_epsilon, "path": lambda: Axis.of_path(epsilon)}
    axes["lambda"] = lambda: Axis.of_lambda(epsilon)
    objective = said.get("objective", OBJECTIVES[link.page])
    return LadderQuestion(
        model=model,
        attack=AttackChoice(name=said.get("attack", said.get("attacker", "pgd"))),
        sample=int(said["sample"]),
        objective=ObjectiveChoice(name=objective),
        axis=axes[_axis(link)](),
        locked=tuple(int(view) for view in said.get("locked", "").split(",") if view),
    )
