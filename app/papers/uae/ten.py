"""Ten samples of a finished attack: as they are, as they became, and how the model copies or takes both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from app import features
from app.address import connection, links
from app.components.picker import picker
from app.forms.choose_model import Victim
from app.papers.uae.choose import PAGE
from app.words import _
from engine.asking.answers import AttackedSamplesAnswer
from engine.asking.questions import AttackedSamplesQuestion, ImagesQuestion
from engine.asking.striking import striking
from engine.store.run import Run

SIZE, FEW = 62, 4
"""Pixels of a picture's side; bars of a row of a table."""


@dataclass(frozen=True)
class Ten:
    """The chosen rows of an attack's table, its answers and the originals (m, d) uint8, and what the model
    makes of both.
    """

    run: Run
    table: pd.DataFrame
    attacked: np.ndarray
    clean: np.ndarray
    seen: AttackedSamplesAnswer
    places: np.ndarray
    """Where they stand in the whole table."""

    @property
    def ids(self) -> list[int]:
        """Their numbers in the data."""
        return [int(number) for number in self.table["id"]]


def of(run: Run, victim: Victim, farthest: bool) -> Ten | None:
    """The ten that moved most among those that succeeded, or least; None where none did."""
    whole = run.table()
    places = striking(whole, farthest)
    if not len(places):
        return None
    table = whole.iloc[places]
    images = connection.ask(ImagesQuestion.of(victim.run.spec, table["id"].tolist()))
    seen = connection.ask(AttackedSamplesQuestion(run=run.key), _("Looking at the attacked samples…"))
    return Ten(run, table, answers(run, places), images.images, seen, places)


def answers(run: Run, places: np.ndarray) -> np.ndarray:
    """The attack's answers (m, d) uint8 at these places of its table."""
    rows = run.arrays("images")["adversarial"][places]
    return np.rint(np.clip(rows, 0, 1) * 255).astype(np.uint8)


def show(ten: Ten, victim: Victim, chosen: int) -> None:
    """Rows of pictures, or of a table's features; a click on any chooses its sample for the ladder below."""
    before, after = (taken(ten, victim, which) for which in ("clean", "attacked"))
    if victim.features is not None:
        _bars(ten, victim.features, chosen, list(zip(before, after, strict=True)))
        return
    rows = [(_("Original"), ten.clean, before), (_("What was found"), ten.attacked, after)]
    if ten.seen.recon is not None and ten.seen.recon_clean is not None:
        rows += [
            (_("The original, copied by the model"), ten.seen.recon_clean[ten.places], errors(ten, "clean")),
            (_("What was found, copied by the model"), ten.seen.recon[ten.places], errors(ten, "attacked")),
        ]
    for place, (title, images, captions) in enumerate(rows):
        st.caption(title)
        clicked = picker(
            images, victim.shape, ten.ids, captions, f"ten{place}", chosen=chosen, label=title, size=SIZE
        )
        if clicked is not None and clicked != chosen:
            links.go(PAGE, {"sample": clicked})  # its widget stands below, and is drawn already


def _bars(ten: Ten, table: features.Features, chosen: int, taken: Sequence[tuple[str, str]]) -> None:
    """What was added to each row of a table, the features that moved most first."""
    st.caption(
        _("What was added to each: the {few} features that moved most, of {n:,}").format(
            few=FEW, n=len(table.names)
        )
    )
    moved = [" → ".join(dict.fromkeys(filter(None, words))) for words in taken]
    if ten.seen.recon is not None:
        of_both = zip(errors(ten, "clean"), errors(ten, "attacked"), strict=True)
        moved = [
            ", ".join(filter(None, (words, _("error {before} → {after}").format(before=one, after=two))))
            for words, (one, two) in zip(moved, of_both, strict=True)
        ]
    columns = st.columns(2, gap="medium")
    for place, number in enumerate(ten.ids):
        with columns[place % 2]:
            st.caption(_("**Sample {sample}**: {moved}").format(sample=number, moved=moved[place]))
            features.bars(table, ten.clean[place] / 255, ten.attacked[place] / 255, FEW)
    clicked = st.pills(
        _("Follow"), ten.ids, default=chosen if chosen in ten.ids else None, key=f"ten/{ten.run.key}/{chosen}"
    )
    if clicked is not None and clicked != chosen:
        links.go(PAGE, {"sample": int(clicked)})


def sentence(ten: Ten, victim: Victim, of_all: pd.DataFrame) -> str:
    """What the ten show, beside how often it succeeds among all that were attacked."""
    share = of_all["reached"].to_numpy()[of_all["counted"].to_numpy() == 1] == 1
    told = {"n": share.sum(), "total": len(share), "length": _range(ten)}
    if ten.seen.recon is None:
        said = _("**{n} of {total}** samples succeed; shown are those that moved least (‖δ‖ {length}).")
        return said.format(**told)
    before, after = (np.mean([float(text) for text in errors(ten, name)]) for name in ("clean", "attacked"))
    said = _(
        "**{n} of {total}** samples succeed: the model copies them back to the original better than the"
        " original itself. Shown are those that moved most (‖δ‖ {length}); their mean squared error to the"
        " original falls from **{before:.4f}** to **{after:.4f}**."
    )
    return said.format(**told, before=before, after=after) + _read_otherwise(ten)


def _read_otherwise(ten: Ten) -> str:
    """How many of them pixel neighbours read as something else; nothing without labels."""
    seen = ten.table
    if (seen["knn_clean"] < 0).any():
        return ""
    other = int((seen["knn_clean"] != seen["knn_attacked"]).sum())
    said = _("Five nearest neighbours on the raw numbers read none of the {total} as something else.")
    if other:
        said = _("Five nearest neighbours on the raw numbers read {n} of the {total} as something else.")
    return " " + said.format(n=other, total=len(seen))


def errors(ten: Ten, which: str) -> list[str]:
    """The mean squared error of each copy to the original sample."""
    return [f"{value:.4f}" for value in ten.table[f"reconstruction_error_{which}"]]


def taken(ten: Ten, victim: Victim, which: str) -> list[str]:
    """What the model takes each for; where it sorts into nothing, what pixel neighbours read."""
    if victim.names and f"class_{which}" in ten.table:
        return [victim.names[int(number)] for number in ten.table[f"class_{which}"]]
    names = victim.overview.class_names
    read = ten.table[f"knn_{which}"].tolist()
    return [_("read as {name}").format(name=names[int(number)]) if number >= 0 else "" for number in read]


def _range(ten: Ten) -> str:
    length = ten.table["l2"].to_numpy()
    return _("{low} to {high}").format(low=f"{length.min():.2f}", high=f"{length.max():.2f}")
