"""The interface in other languages: every text keeps its values and marks, and pages are said in them."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from streamlit.testing.v1 import AppTest

from app.words import DOMAIN, LOCALE, collect
from engine.atlas import case
from tests.app.conftest import said

FILES = sorted(LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))
NOT_YET = 25
"""Texts that a catalogue may leave in English: whoever adds a model or a page need not speak German."""
FIELD = re.compile(r"\{\w*(?:![rsa])?(?::[^{}]*)?\}")
KEPT = (FIELD, re.compile(r":material/\w+:"), re.compile(r"\]\([^)]*\)"))
COUNTED = "`$"


@pytest.fixture(scope="module", params=FILES, ids=[file.parents[1].name for file in FILES])
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    return collect.updated(request.param)


def forms(text: object) -> list[str]:
    """A text, or its singular and plural."""
    return [str(form) for form in (text if isinstance(text, tuple | list) else [text or ""])]


def changed(message: Message) -> bool:
    """Whether a translation lost or added a value, an icon, a link, code or a formula."""
    ids, own = forms(message.id), forms(message.string)
    return any(
        any(set(kind.findall(one)) != set(kind.findall(other)) for kind in KEPT)
        or any(one.count(mark) != other.count(mark) for mark in COUNTED)
        for one, other in zip(ids, own, strict=True)
    )


def test_every_text_is_translated_with_its_values(catalogue: Catalog) -> None:
    translated = [message for message in catalogue if message.id and all(forms(message.string))]
    assert len(translated) > 100
    assert not [message.id for message in translated if changed(message)]
    assert len(missing := collect.missing(catalogue)) <= NOT_YET, missing


@pytest.mark.parametrize("file", FILES, ids=[file.parents[1].name for file in FILES])
def test_what_is_read_is_what_people_edit(file: Path) -> None:
    with file.open("rb") as opened:
        edited = read_po(opened, domain=DOMAIN)
    assert file.with_suffix(".mo").read_bytes() == collect.compiled(edited)


def test_the_class_of_a_sample_of_the_atlas_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    atlas = case.read()
    first = atlas.cases[0].model_copy(
        update={"shown": (case.Shown(says="frog"), case.Shown(says="its copy"))}
    )
    monkeypatch.setattr(case, "read", lambda: case.Atlas(atlas.rules, (first,), atlas.pictures[:1]))
    texts = list(collect.of_atlas())
    assert "its copy" in texts and "frog" not in texts


def test_a_translation_that_loses_a_value_is_seen() -> None:
    assert changed(Message("{n:.0%} of `x`", "{n} von `x`")) and changed(Message("$x$ at {n}", "x bei {n}"))
    assert changed(Message(("{n} row", "{n} rows"), ("eine Zeile", "{n} Zeilen")))
    assert not changed(Message("{n:.0%} of {all}", "von {all} {n:.0%}"))


@pytest.mark.parametrize(
    ("page", "german", "english"),
    [
        ("lessons", "Was möchtest du verstehen?", "What would you like to understand?"),
        ("classroom", "Was erwartet die Klasse?", "What does the class expect?"),
    ],
)
def test_a_page_is_said_in_the_language_of_its_link(
    page: str, german: str, english: str, opened: Callable[..., AppTest]
) -> None:
    assert [title.value for title in opened(page, lang="de").title] == [german]
    unknown = opened(page, lang="tlh")
    assert [title.value for title in unknown.title] == [english] and "must be one of" in said(unknown)
