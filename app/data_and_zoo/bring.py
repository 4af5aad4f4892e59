"""Data or a model of one's own: brought, told about in plain words, and only then used."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app import gallery
from app.address import connection, links, notices
from app.data_and_zoo import asked
from app.data_and_zoo.rows import shape
from app.runs import headline
from app.words import N_, _
from engine.errors import FeintError
from engine.store import portable

KINDS = ["npz", "zip", "csv"]
ALONE = ("127.0.0.1", "localhost", "::1")
"""Addresses of the page server at which nobody else reaches it."""
HELP = N_(
    "- **Pictures**: a .zip with one folder for each class, and its pictures in it (without folders there are"
    " no classes). They are brought to one size, 64 pixels at most.\n"
    "- **Numbers**: a .csv with a row for each sample and, if there are classes, a column `label`. An empty"
    " cell takes the median of its column.\n"
    "- **Arrays**: an .npz with `x` and, if there are classes, `y`; several views of the same samples are"
    " `x1`, `x2` …\n"
    "- **A model**: the .zip that Feint made of it."
)


def show() -> None:
    """The form, the report on what was brought, and the button that keeps it."""
    st.markdown(_("Nothing is used before you have read what is in it, and nothing leaves this machine."))
    with st.expander(_("What can be brought"), icon=":material/help:"):
        st.markdown(_(HELP))
    brought = _brought()
    if brought is None:
        return
    try:
        if _is_model(brought):
            _take_in(brought)
        else:
            with st.spinner(_("Reading it…")):
                report = asked.checked(str(brought), brought.stat().st_mtime_ns)
            _report(report)
            _keep(brought, report)
    except (FeintError, OSError) as error:
        st.error(notices.plain(str(error)), icon=":material/block:")


def _brought() -> Path | None:
    """The file or folder that a person uploads or names; None before that."""
    found = st.file_uploader(_("A file"), type=KINDS, key="brought_file", help=_("At most 50 MB."))
    if found is not None:
        return asked.put_down(found.name, found.getvalue())
    if st.get_option("server.address") not in ALONE:
        return None  # who comes from elsewhere names no file of this machine
    named = st.text_input(
        _("Or a file or folder on this machine"),
        key="brought_path",
        placeholder=_("~/pictures"),
        help=_("For what is larger than 50 MB, and for folders of pictures."),
    ).strip()
    if not named:
        return None
    path = Path(named).expanduser()
    if not path.exists():
        words = _("There is no file or folder {named}. Check the path.")
        st.error(notices.plain(words.format(named=named[:200])))
        return None
    return path


def _report(report: dict[str, Any]) -> None:
    """What is in it, what will be done to it, and twelve samples as the machine sees them."""
    st.subheader(_("What is in it"), anchor=False)
    views = [{"shape": sides, "views": 1} for sides in report["shapes"]]
    with st.container(horizontal=True):
        st.metric(_("Samples"), f"{report['samples']:,}")
        st.metric(_("Each"), _(" and ").join(map(shape, views)))
        st.metric(_("Classes"), len(report["classes"]) or _("none"))
        st.metric(_("Missing values"), report["missing"])
    st.markdown("\n".join(f"- {notices.plain(sentence)}" for sentence in report["facts"]))
    st.subheader(_("What will be done to it"), anchor=False)
    st.markdown("\n".join(f"- {notices.plain(sentence)}" for sentence in report["done"]))
    st.subheader(_("As the machine sees it"), anchor=False)
    _samples(report)
    words = _(
        "Licence: {licence}; make sure that you may use it. Fingerprint {fingerprint}: it stands on the card"
        " of every run that is made with it."
    )
    licence = notices.plain(report["licence"]).lower()
    st.caption(words.format(licence=licence, fingerprint=report["fingerprint"]))


def _samples(report: dict[str, Any]) -> None:
    """The samples as pictures, or as rows of a table."""
    captions = report["labels"] or [_("sample {n}").format(n=number) for number in report["rows"]]
    if len(report["shapes"][0]) == 3:
        pictures = [_picture(sample) for sample in report["seen"]]
        gallery.grid(pictures, captions, columns=len(pictures), size=72)
        return
    table = pd.DataFrame([sample[0] for sample in report["seen"]])
    st.dataframe(table.assign(**{"": captions}).set_index(""))


def _picture(sample: list[Any]) -> np.ndarray:
    """All views of a sample beside one another, (H, W) or (3, H, W)."""
    arrays = [np.array(view) for view in sample]
    high = max(len(view) for view in arrays)
    padded = [np.pad(view, [(0, high - len(view)), *[(0, 0)] * (view.ndim - 1)]) for view in arrays]
    whole = np.concatenate(padded, axis=1)
    return whole.transpose(2, 0, 1) if whole.ndim == 3 else whole


def _keep(brought: Path, report: dict[str, Any]) -> None:
    """The name, and the button that puts it into every list of data."""
    with st.form("keep_data", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        title = st.text_input(_("Call it"), brought.stem.replace("_", " ")[:60], max_chars=60)
        pressed = st.form_submit_button(_("Use it"), type="primary", icon=":material/check:")
    if not pressed:
        return
    with st.spinner(_("Keeping it…")):
        card = asked.engine("data", "keep", str(brought), "--name", title)["card"]
    words = _("{data} is kept, and stands in every list of data from now on.")
    notices.notice(words.format(data=card["title"]))
    links.go("data", {"tab": "data", "which": card["name"], "data": card["name"]})


def _is_model(path: Path) -> bool:
    """Whether a file or folder is a model that left another Feint."""
    if path.is_dir():
        return (path / portable.MANIFEST).is_file()
    if path.suffix.lower() != ".zip":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(Path(name).name == portable.MANIFEST for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _take_in(path: Path) -> None:
    """A model that comes back: checked and kept at a press."""
    st.markdown(_("This is a model that left another Feint. Its hashes are checked before it is kept."))
    if st.button(_("Take it in"), type="primary", icon=":material/check:"):
        with st.spinner(_("Checking it…")):
            said = asked.engine("import", str(path))
        title = connection.model_title(said["run"], connection.store().find(said["run"]))
        st.success(_("{model} is here.").format(model=title))
        headline.link("attack", _("Attack it"), "bolt", {"model": said["run"]})
