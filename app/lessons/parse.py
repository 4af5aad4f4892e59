"""A lesson's file as a value. The format:

    +++                                   what the lesson says of itself, in TOML
    title = "Noise against attack"
    minutes = 8
    aim = "…"
    paper = "…"
    notes = "for the teacher: expected wrong answers"
    [measured]
    star = { ladder = "mnist_test/adec", sample = 3, read = "epsilon_star" }
    +++

    # A step                              a heading begins a step
    Text in Markdown with $formulas$ and a measured {{star}}.

    ```page                               the page that is shown beside it
    attack?v=1&model=mnist_test/adec&sample=3
    ```
    ```predict                            TOML: a question with options (`declared.Choice`)
    ```
    ## Reveal                             what follows is shown after the prediction, a page too
    ```exercise                           TOML: `declared.Choice`, `Number` or `Address`
    ```

Every mistake is one sentence that names file and line.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from app.address import links
from app.lessons.declared import (
    QUERIES,
    Address,
    Choice,
    Exercise,
    Head,
    Lesson,
    LessonError,
    Link,
    Number,
    Query,
    Step,
)
from app.words import _

PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
FENCE = re.compile(r"^```(page|predict|exercise)\s*$")
WHERE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
REVEAL = re.compile(r"^## +(reveal|auflösung)\s*$", re.IGNORECASE)
OWN = ("lesson", "part", "lang", "answers")
"""Parameters that a lesson's links need not say."""


@dataclass
class _Draft:
    """A step while it is read."""

    title: str
    line: int
    text: list[str] = field(default_factory=list)
    reveal: list[str] | None = None
    blocks: dict[str, Any] = field(default_factory=dict)


def parse(text: str, name: str, language: str = "en", file: str = "") -> Lesson:
    """The lesson that a file's text is. Raises LessonError."""
    file = file or f"{name}.md"
    lines = text.splitlines()
    end = _end_of_head(lines, file)
    head = _head(lines[1:end], file)
    measured = {key: _query(key, said, file) for key, said in head.measured.items()}
    steps = tuple(_step(draft) for draft in _drafts(lines, end + 1, file))
    if not steps:
        words = _("{file} has no step: begin each with a heading, as # Look first.")
        raise LessonError(words.format(file=file))
    lesson = Lesson(name, language, head, measured, steps)
    _check_names(lesson, file)
    return lesson


def _head(lines: list[str], file: str) -> Head:
    """What stands between the two lines of +++."""
    return _declared(lambda said: Head(**said), lines, file, 1)


def _end_of_head(lines: list[str], file: str) -> int:
    if not lines or lines[0].strip() != "+++":
        words = _("{file}, line 1: a lesson begins with +++, its title, minutes, aim and paper.")
        raise LessonError(words.format(file=file))
    ends = [number for number, line in enumerate(lines) if number and line.strip() == "+++"]
    if not ends:
        words = _("{file}, line 1: the +++ that ends what the lesson says of itself is missing.")
        raise LessonError(words.format(file=file))
    return ends[0]


def _drafts(lines: list[str], start: int, file: str) -> Iterator[_Draft]:
    draft, number = None, start
    while number < len(lines):
        line = lines[number]
        fence = FENCE.match(line)
        if line.startswith("# "):
            if draft is not None:
                yield draft
            draft = _Draft(line[2:].strip(), number + 1)
        elif draft is None and line.strip():
            words = _("{file}, line {line}: text before the first step; begin it with # Title.")
            raise LessonError(words.format(file=file, line=number + 1))
        elif draft is not None and fence:
            number = _block(draft, fence[1], lines, number, file)
        elif draft is not None and REVEAL.match(line):
            draft.reveal = []
        elif draft is not None:
            (draft.text if draft.reveal is None else draft.reveal).append(line)
        number += 1
    if draft is not None:
        yield draft


def _block(draft: _Draft, kind: str, lines: list[str], start: int, file: str) -> int:
    """Read a block into its step; the number of its last line."""
    ends = [number for number in range(start + 1, len(lines)) if lines[number].strip() == "```"]
    if not ends:
        words = _("{file}, line {line}: the ``` that ends this {kind} is missing.")
        raise LessonError(words.format(file=file, line=start + 1, kind=kind))
    if kind == "page" and draft.reveal is not None:
        kind = "revealed"
    if kind in draft.blocks:
        words = _("{file}, line {line}: the step {title!r} has a {kind} already.")
        raise LessonError(words.format(file=file, line=start + 1, title=draft.title, kind=kind))
    inside = lines[start + 1 : ends[0]]
    if kind in ("page", "revealed"):
        draft.blocks[kind] = _link("".join(inside).strip(), file, start + 2)
    else:
        make = _exercise if kind == "exercise" else lambda said: Choice(**said)
        draft.blocks[kind] = _declared(make, inside, file, start + 1)
    return ends[0]


def _declared(make: Any, lines: list[str], file: str, before: int) -> Any:
    """What TOML declares; `before` lines of the file stand above it."""
    try:
        return make(tomllib.loads("\n".join(lines)))
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        where = WHERE.search(said)
        line = before + (int(where[1]) if where and where[1] else max(1, len(lines)))
        words = _("{file}, line {line}: {why}.").format(file=file, line=line, why=WHERE.sub("", said))
        raise LessonError(words) from None
    except LessonError as error:
        words = _("{file}, line {line}: {why}").format(file=file, line=before, why=error)
        raise LessonError(words) from None


def _exercise(said: dict[str, Any]) -> Exercise:
    kind: type[Exercise] = Choice if "options" in said else Address if "address" in said else Number
    return kind(**said)


def _query(name: str, said: dict[str, Any], file: str) -> Query:
    found = [kind for known, kind in QUERIES.items() if known in said]
    if len(found) != 1:
        words = _("{file}, measured {name}: it must be read from exactly one of {known}; got {got}.")
        if not said:
            words = _("{file}, measured {name}: it must be read from exactly one of {known}; got nothing.")
        raise LessonError(words.format(file=file, name=name, known=", ".join(QUERIES), got=", ".join(said)))
    try:
        return found[0](**said)
    except LessonError as error:
        words = _("{file}, measured {name}: {why}").format(file=file, name=name, why=error)
        raise LessonError(words) from None


def _link(text: str, file: str, line: int) -> Link:
    page, _sign, query = text.partition("?")
    if page not in links.pages():
        words = _("{file}, line {line}: there is no page {page!r}; there are {known}.")
        raise LessonError(words.format(file=file, line=line, page=page, known=", ".join(links.pages())))
    parameters = tuple((name, said) for name, said in parse_qsl(query, keep_blank_values=True) if name != "v")
    unknown = [name for name, _said in parameters if name not in links.PARAMETERS or name in OWN]
    if unknown:
        words = _("{file}, line {line}: {name!r} is no parameter of a page's address.")
        raise LessonError(words.format(file=file, line=line, name=unknown[0]))
    return Link(page, parameters)


def _step(draft: _Draft) -> Step:
    return Step(
        draft.title,
        draft.line,
        "\n".join(draft.text).strip(),
        draft.blocks.get("page"),
        draft.blocks.get("revealed"),
        draft.blocks.get("predict"),
        "\n".join(draft.reveal or ()).strip(),
        draft.blocks.get("exercise"),
    )


def _check_names(lesson: Lesson, file: str) -> None:
    """Every measured value that is named is declared, and there is a page from the first step on."""
    for step in lesson.steps:
        asked = [name for one in (step.predict, step.exercise) if one is not None for name in one.names]
        for name in [*PLACEHOLDER.findall(f"{step.text}\n{step.reveal}"), *asked]:
            if name not in lesson.measured:
                words = _(
                    "{file}, step in line {line}: {name!r} is not declared under [measured]; there: {known}."
                )
                known = ", ".join(lesson.measured) or _("none")
                raise LessonError(words.format(file=file, line=step.line, name=name, known=known))
        if (step.reveal or step.revealed) and step.predict is None:
            words = _("{file}, step in line {line}: it reveals something and asks nothing before.")
            raise LessonError(words.format(file=file, line=step.line))
    if lesson.steps[0].link is None and lesson.steps[0].revealed is None:
        words = _("{file}, line {line}: the first step needs a ```page block.")
        raise LessonError(words.format(file=file, line=lesson.steps[0].line))
