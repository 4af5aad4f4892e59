"""The interface's words. English stands in the code; other languages are gettext catalogues, one folder each
in `assets/locale`, and `python3 -m app.words` keeps them up to date.

`_("Begin")` says a text in the language of whoever looks. Where values go into it, they have names, so that
a translation may order them otherwise: `_("{n} of {total} flipped").format(n=n, total=total)`. A text that is
only declared here and said elsewhere is marked by `N_`. What the engine declares (titles, summaries, claims)
is collected from its catalogue and needs no mark.
"""

import gettext
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

LOCALE = Path(__file__).resolve().parents[2] / "assets" / "locale"
DOMAIN = "feint"
ENGLISH = "en"
_SPEAKING = ContextVar("speaking", default="")


@cache
def languages() -> dict[str, str]:
    """Code -> own name of every language there is: a catalogue translates "English" by its own name."""
    found = sorted(file.parents[1].name for file in LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.mo"))
    return {code: said(code).gettext(N_("English")) for code in (ENGLISH, *found)}


@cache
def said(language: str) -> gettext.NullTranslations:
    """The texts of a language; English where there is no catalogue of it."""
    return gettext.translation(DOMAIN, LOCALE, [language], fallback=True)


def browsers() -> str:
    """The language that the browser asks for, where it is there."""
    code = (st.context.locale or ENGLISH).split("-")[0].lower()
    return code if code in languages() else ENGLISH


def language() -> str:
    """The language that was chosen, by hand or by a link, else the browser's; English where nobody looks."""
    if spoken := _SPEAKING.get():
        return spoken
    if get_script_run_ctx(suppress_warning=True) is None:
        return ENGLISH
    state = st.session_state
    code = state.get("p_lang") or state.get("address", {}).get("lang") or st.query_params.get("lang")
    return code if code in languages() else browsers()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Within it `_` speaks this language: for a file, which is written in a thread where nobody looks."""
    before = _SPEAKING.set(language)
    try:
        yield
    finally:
        _SPEAKING.reset(before)


def _(text: str) -> str:
    """A text in the language of whoever looks; "" stays "" (gettext would say its catalogue's head)."""
    return said(language()).gettext(text) if text else text


def within(title: str) -> str:
    """A title within a sentence: English writes it in small letters there, others as it stands."""
    return title.lower() if language() == ENGLISH else _(title)


def n_(one: str, many: str, n: int) -> str:
    """A text about n things: `n_("{n} sample", "{n} samples", n).format(n=n)`."""
    return said(language()).ngettext(one, many, n)


def each(line: str) -> str:
    """A line of titles and values with dots between them, each said by itself: an attack's protocol."""
    return " · ".join(_(part) for part in line.split(" · "))


def N_(text: str) -> str:
    """Marks a text that is declared here and said by `_` elsewhere; English as it stands."""
    return text
