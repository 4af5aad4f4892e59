"""The selected samples to take away."""

import io
import json
import zipfile

import numpy as np
import pandas as pd
import streamlit as st

from app import gallery
from app.inspect.finished_attack import FinishedAttack
from app.inspect.grid import clean_images
from app.words import _


def show(attacked: FinishedAttack, mask: np.ndarray) -> None:
    """The selected samples as a table, and as pictures with that table."""
    stem = f"feint-{attacked.run.key}-{int(mask.sum())}"
    table = named(attacked)[mask]
    with st.container(horizontal=True):
        st.download_button(
            _("CSV of the selected"),
            table.to_csv(index=False),
            f"{stem}.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/table:",
        )
        if len(attacked.victim.shape) == 3:
            clean = clean_images(attacked)  # here: the zip is made in a thread without a session
            st.download_button(
                _("Pictures (zip)"),
                lambda: zipped(attacked, clean, table, mask),
                f"{stem}.zip",
                "application/zip",
                on_click="ignore",
                icon=":material/folder_zip:",
                help=_("Clean and adversarial PNG of each selected sample, with the table and the protocol."),
            )


def named(attacked: FinishedAttack) -> pd.DataFrame:
    """The table with the names that the page shows."""
    table = attacked.table
    if attacked.before is not None and attacked.after is not None:
        names = np.array(attacked.victim.names)
        table = table.assign(name_clean=names[attacked.before], name_attacked=names[attacked.after])
    if attacked.labelled:
        table = table.assign(label_name=[attacked.classes[label] for label in table["label"]])
    return table


def zipped(attacked: FinishedAttack, clean: np.ndarray, table: pd.DataFrame, mask: np.ndarray) -> bytes:
    """A zip of the samples under `mask` (n,): two PNG each (of 8 bits: the run's images.npz is exact), the
    table, the protocol.
    """
    buffer, shape = io.BytesIO(), attacked.victim.shape
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("samples.csv", table.to_csv(index=False))
        archive.writestr(
            "protocol.json",
            json.dumps(
                {"protocol": attacked.protocol(), "spec": attacked.run.spec.model_dump(mode="json")}, indent=1
            ),
        )
        for place in np.flatnonzero(mask):
            for kind, image in (("clean", clean[place]), ("adversarial", attacked.images[place])):
                archive.writestr(
                    f"{attacked.ids[place]:05d}-{kind}.png", gallery.to_png(image.reshape(shape))
                )
    return buffer.getvalue()
