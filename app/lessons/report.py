"""What a class, or one of it, has answered, as one HTML file."""

from html import escape
from itertools import groupby

from app.classroom import register
from app.classroom.register import Said
from app.components.standalone import page
from app.lessons import checks, measured, shelf
from app.lessons.declared import Choice, Lesson, LessonError
from app.words import _, speaking

STYLE = """table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1.5rem; }
th, td { border: 1px solid var(--st-border-color); padding: 0.3rem 0.6rem; text-align: left; }
h2 { margin-top: 2rem; }"""


def of(code: str, language: str, alias: str = "") -> str:
    """The file's text: everybody's answers, or those under one alias. Aliases are text there, no markup."""
    with speaking(language):
        return _written(code, language, alias)


def _written(code: str, language: str, alias: str) -> str:
    said = [one for one in register.answers(code) if alias in ("", one.alias)]
    parts = []
    for name, own in groupby(said, key=lambda one: one.alias):
        parts.append(f"<h2>{escape(name)}</h2>")
        for lesson, answers in groupby(own, key=lambda one: one.lesson):
            parts.append(_table(lesson, list(answers), language))
    title = (_("Class {code}: {alias}") if alias else _("Class {code}")).format(code=code, alias=alias)
    nothing = "" if parts else f"<p>{escape(_('Nothing was answered yet.'))}</p>"
    body = f"<main><h1>{escape(title)}</h1>{nothing}{''.join(parts)}</main><footer>Feint</footer>"
    return page(title, body, "", STYLE, language)


def _table(name: str, answers: list[Said], language: str) -> str:
    try:
        lesson = shelf.find(name, language)
        found = measured.values(lesson)
    except LessonError as error:
        return f"<p>{escape(str(error))}</p>"
    rows = "".join(_row(lesson, one, found) for one in answers if one.part <= len(lesson.steps))
    head = "".join(f"<th>{escape(word)}</th>" for word in (_("Question"), _("Answer"), _("As measured")))
    return f"<h3>{escape(lesson.head.title)}</h3><table><tr>{head}</tr>{rows}</table>"


def _row(lesson: Lesson, one: Said, found: dict[str, measured.Value]) -> str:
    question = lesson.steps[one.part - 1].question(one.kind)
    if question is None:
        return ""
    said, right = one.said, checks.accepts(question, one.said, found)
    if isinstance(question, Choice):
        said = question.options[int(said)] if said.isdigit() and int(said) < len(question.options) else ""
    cells = (f"{one.part}. {question.question}", said, _("yes") if right else _("no"))
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
