"""The texts that the interface has: those marked in the code, the pages' titles, what the engine declares."""

import ast
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from app import components
from app.address import links
from app.words import DOMAIN
from engine.atlas import case
from engine.store import catalogue as engine_catalogue

ROOMS = ("app", "pages", "engine/atlas")
MARKS = {"_": 1, "N_": 1, "n_": 2, "Sentence.of": 1}
"""Name -> how many texts it marks."""
KINDS = ("model", "attack", "objective", "data", "metric", "study", "action")
SAID = (
    "title",
    "summary",
    "description",
    "success",
    "effect",
    "unit",
    "says",
    "caption",
    "y_title",
    "sentence",
)
SAID_OF_STUDIES = ("called", "note", "about_published")
NAMES = ("about", "words", "along", "phases", "arms", "axes", "columns", "measured_on")
"""Fields that hold a name for each of several keys."""
DECLARED = (*SAID, *SAID_OF_STUDIES, *NAMES)
"""What is said on pages of all that the engine declares. Sources, licences and the protocols that a run keeps
stay as they are written.
"""


WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
"""The date in a catalogue's head: the same texts give the same file."""


def template() -> Catalog:
    """Every text, untranslated."""
    found = Catalog(domain=DOMAIN, charset="utf-8")
    for room in ROOMS:
        for file in sorted((links.ROOT / room).rglob("*.py")):
            for text in marked(file.read_text(encoding="utf-8")):
                found.add(text, locations=[(str(file.relative_to(links.ROOT)), 0)])
    for file in sorted(components.FOLDER.glob("*.js")):
        for texts in components.marked(file.read_text(encoding="utf-8")):
            said = texts if len(texts) > 1 else texts[0]
            found.add(said, locations=[(str(file.relative_to(links.ROOT)), 0)])
    for page in links.pages().values():
        for text in filter(None, (page.title, page.under)):
            found.add(text, locations=[(f"pages/{page.name}.py", 0)])
    described = engine_catalogue.read()
    for kind in KINDS:
        for text in declared(described[kind]):
            found.add(text, locations=[(f"engine: {kind}", 0)])
    for text in (*(entry["family"]["name"] for entry in described["model"].values()), *of_atlas()):
        found.add(text, locations=[("engine: atlas", 0)])
    return found


def of_atlas() -> Iterator[str]:
    """What the atlas says of its rules and under its pictures, where that is no name of a group."""
    atlas = case.read()
    for rule in atlas.rules.values():
        yield from (rule["title"], rule["about"])
    classes = {name for entry in engine_catalogue.read()["data"].values() for name in entry["classes"]}
    said = {shown.says for each in atlas.cases for shown in each.shown} - classes
    yield from sorted(text for text in said if text.replace(" ", "").isalpha() and text.islower())


def marked(code: str) -> Iterator[str | tuple[str, ...]]:
    """The texts that Python code marks, those inside f-strings too; of things counted one and many. What is
    said of a variable is marked where it is declared.
    """
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and (mark := ast.unparse(node.func)) in MARKS:
            texts = [part.value for part in node.args if isinstance(part, ast.Constant)]
            said = tuple(str(text) for text in texts[: MARKS[mark]])
            if len(said) == MARKS[mark]:
                yield said if len(said) > 1 else said[0]


def declared(entry: Any, name: str = "") -> Iterator[str]:
    """The texts in an entry of the engine's catalogue that pages say, options and presets by their names."""
    if isinstance(entry, dict):
        if name == "presets":
            yield from (preset.replace("_", " ") for preset in entry)
        for key, part in entry.items():
            yield from declared(part, name if name in NAMES else key)
    elif isinstance(entry, list):
        for part in entry if name != "axes" else ():  # the axes of an attack are keys
            yield from declared(part, name)
    elif isinstance(entry, str) and name == "enum":
        yield entry.replace("_", " ")
    elif isinstance(entry, str) and name in DECLARED and any(map(str.isalpha, entry)):
        yield entry


def updated(file: Path) -> Catalog:
    """A language's catalogue with the texts that there are now."""
    with file.open("rb") as opened:
        catalogue = read_po(opened, domain=DOMAIN)
    catalogue.update(template(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    catalogue.project, catalogue.version, catalogue.msgid_bugs_address = "Feint", "1", ""
    catalogue.last_translator = catalogue.language_team = "Feint"
    catalogue.creation_date = catalogue.revision_date = WRITTEN
    return catalogue


def missing(catalogue: Catalog) -> list[str]:
    """The texts that a catalogue does not translate."""
    return [
        message.id if isinstance(message.id, str) else message.id[0]
        for message in catalogue
        if message.id and not all(message.string if isinstance(message.string, tuple) else [message.string])
    ]


def write(catalogue: Catalog, file: Path) -> None:
    """A catalogue as people edit it (`.po`), and as the app reads it (`.mo`) beside it."""
    with file.open("wb") as opened:
        write_po(opened, catalogue, width=110, sort_output=True, include_lineno=False, omit_header=False)
    file.with_suffix(".mo").write_bytes(compiled(catalogue))


def compiled(catalogue: Catalog) -> bytes:
    """The bytes of a catalogue as the app reads it."""
    made = io.BytesIO()
    write_mo(made, catalogue)
    return made.getvalue()
