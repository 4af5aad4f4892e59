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
        raise LessonError(f"{file} has no step: begin each with a heading, as # Look first.")
    lesson = Lesson(name, language, head, measured, steps)
    _check_names(lesson, file)
    return lesson


def _head(lines: list[str], file: str) -> Head:
    """What stands between the two lines of +++."""
    return _declared(lambda said: Head(**said), lines, file, 1)


def _end_of_head(lines: list[str], file: str) -> int:
    if not lines or lines[0].strip() != "+++":
        raise LessonError(f"{file}, line 1: a lesson begins with +++, its title, minutes, aim and paper.")
    ends = [number for number, line in enumerate(lines) if number and line.strip() == "+++"]
    if not ends:
        raise LessonError(f"{file}, line 1: the +++ that ends what the lesson says of itself is missing.")
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
            raise LessonError(
                f"{file}, line {number + 1}: text before the first step; begin it with # Title."
            )
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
        raise LessonError(f"{file}, line {start + 1}: the ``` that ends this {kind} is missing.")
    if kind == "page" and draft.reveal is not None:
        kind = "revealed"
    if kind in draft.blocks:
        raise LessonError(f"{file}, line {start + 1}: the step {draft.title!r} has a {kind} already.")
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
        raise LessonError(f"{file}, line {line}: {WHERE.sub('', said)}.") from None
    except LessonError as error:
        raise LessonError(f"{file}, line {before}: {error}") from None


def _exercise(said: dict[str, Any]) -> Exercise:
    kind: type[Exercise] = Choice if "options" in said else Address if "address" in said else Number
    return kind(**said)


def _query(name: str, said: dict[str, Any], file: str) -> Query:
    found = [kind for known, kind in QUERIES.items() if known in said]
    if len(found) != 1:
        raise LessonError(
            f"{file}, measured {name}: it must be read from exactly one of {', '.join(QUERIES)};"
            f" got {', '.join(said) or 'nothing'}."
        )
    try:
        return found[0](**said)
    except LessonError as error:
        raise LessonError(f"{file}, measured {name}: {error}") from None


def _link(text: str, file: str, line: int) -> Link:
    page, _, query = text.partition("?")
    if page not in links.pages():
        known = ", ".join(links.pages())
        raise LessonError(f"{file}, line {line}: there is no page {page!r}; there are {known}.")
    parameters = tuple((name, said) for name, said in parse_qsl(query, keep_blank_values=True) if name != "v")
    unknown = [name for name, _ in parameters if name not in links.PARAMETERS or name in OWN]
    if unknown:
        raise LessonError(f"{file}, line {line}: {unknown[0]!r} is no parameter of a page's address.")
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
        where = f"{file}, step in line {step.line}"
        asked = [name for one in (step.predict, step.exercise) if one is not None for name in one.names]
        for name in [*PLACEHOLDER.findall(f"{step.text}\n{step.reveal}"), *asked]:
            if name not in lesson.measured:
                known = ", ".join(lesson.measured) or "none"
                raise LessonError(f"{where}: {name!r} is not declared under [measured]; there: {known}.")
        if (step.reveal or step.revealed) and step.predict is None:
            raise LessonError(f"{where}: it reveals something and asks nothing before.")
    if lesson.steps[0].link is None and lesson.steps[0].revealed is None:
        raise LessonError(f"{file}, line {lesson.steps[0].line}: the first step needs a ```page block.")
