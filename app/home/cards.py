"""One card for each page: the question that it answers, pictures that ship with Feint, and the way in."""

import ast
from functools import cache

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import gallery
from app.address import connection, links
from app.address.links import PageScript
from app.home import pictures
from app.words import _

BESIDE = 2
"""Cards side by side."""
COLUMNS = ((9, 3, 100), (pictures.MOST, 6, 72))
"""At most so many pictures stand so many side by side, each at least so many pixels wide, on a phone too."""


def cards(data: str) -> None:
    """The pages that have pictures for the data that pages begin with; then families of models that nobody
    has trained yet.
    """
    shown = {name: list(pictures.OF_PAGE[name](data)) for name in links.pages() if name in pictures.OF_PAGE}
    full = [name for name, images in shown.items() if images]
    columns: list[DeltaGenerator] = []
    for name in full:
        columns = columns or st.columns(BESIDE, gap="medium")
        with columns.pop(0):
            _card(links.pages()[name], shown[name], pictures.leads(name, data))
    with columns.pop(0) if columns else st.container():
        untrained(list(pictures.classes(data)))


def untrained(images: list[pictures.Picture]) -> None:
    """Families without a trained model: what they are, what they would be shown, and the way to train
    one.
    """
    models = connection.catalogue()["model"]
    there = {run.spec.name for run in connection.models().values()}
    families = {entry["family"]["name"]: entry["family"] for entry in models.values()}
    trained = {models[name]["family"]["name"] for name in there if name in models}
    for name, family in families.items():
        if name not in trained:
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{_(name)}**  \n{_(family['about'])}")
                _fill(images)
                if st.button(_("Train one"), key=f"family/{name}", icon=":material/play_arrow:"):
                    links.go("train", {})


@cache
def question_of(script: PageScript) -> str:
    """The question in the title of a page, read from its script; the page's name where it asks none."""
    for node in ast.walk(ast.parse(script.file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "layout.page_head" and node.args:
            texts = (part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant))
            return str(next(texts))
    return script.title


def _card(script: PageScript, images: list[pictures.Picture], leads: dict[str, str]) -> None:
    with st.container(border=True, height="stretch"):
        title = _(script.title)
        st.markdown(f"**{title}**  \n{_(question_of(script))}")
        _fill(images)
        opened = _("Open {page}").format(page=title)
        if st.button(opened, key=f"card/{script.name}", icon=f":material/{script.icon}:"):
            links.go(script.name, leads)


def _fill(images: list[pictures.Picture]) -> None:
    """Pictures as large as a card has room for: many small ones, or a few larger ones."""
    columns, size = next(row[1:] for row in COLUMNS if len(images) <= row[0])
    gallery.grid([image for image, said in images], [said for image, said in images], columns, size)
