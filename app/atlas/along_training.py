"""What trainings that ship drew while they learned: generated images, class by class, along a timeline."""

import streamlit as st

from app.address import connection, house, links
from app.runs import headline, reading
from app.train import pictures
from app.words import _
from engine.store.run import Run


def show() -> None:
    """The pictures of one of them, of the data that all pages are about where there is one."""
    runs = _drew()
    if not runs:
        return
    st.subheader(_("Generated images, class by class, along training"))
    names = sorted(runs, key=lambda name: runs[name].spec.data != house.data())
    name = st.pills(
        _("Training"),
        names,
        key=links.key("drew", names[0], lambda name: name in names),
        format_func=lambda name: connection.model_title(name, runs[name]),
        required=True,
    )
    record = reading.read(runs[str(name)])
    if record is not None:
        pictures.show(runs[str(name)], record)
        headline.link("train", _("Look at it"), "open_in_full", {"run": str(name)})


def _drew() -> dict[str, Run]:
    """Trainings that ship with what they drew, by their name."""
    there = connection.store().zoo().items()
    return {name: run for name, run in there if (run.folder / "pictures").is_dir()}
