"""What a training starts from: the base that ships with Feint, or one of its own, which is trained first."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.address import connection, links
from app.forms.settings_form import Choice
from app.words import _
from engine.store.run import Run
from engine.store.wanted import BASE, Wanted, settings_of, with_defaults

OWN = "own"
"""What the address says of a base that is trained first."""


def takes_one(entry: Mapping[str, Any]) -> bool:
    """Whether a method starts from a run of a certain kind, which may be chosen."""
    fields = entry.get("base_fields") or {}
    return bool(fields) and "model" not in fields


def shipped(entry: Mapping[str, Any], data: str, choice: Choice) -> Run | None:
    """The trained base that ships for these settings; None where there is none."""
    if not takes_one(entry) or choice["sentence"] is not None:
        return None
    catalogue, store = connection.catalogue(), connection.store()
    wanted = Wanted("train", choice["name"], data, preset=choice["preset"], changes=choice["changes"])
    own = settings_of(wanted, catalogue, store)["model_settings"][entry["base_fields"]["model_settings"]]
    return next(
        (
            run
            for run in store.query(action="train", data=data, status="zoo")
            if with_defaults(run.spec.settings, "train", catalogue)["model_settings"] == own
        ),
        None,
    )


def choose(entry: Mapping[str, Any], data: str, choice: Choice) -> dict[str, str]:
    """Role -> the run that a training starts from; empty where it trains its own base first, or has none."""
    there = shipped(entry, data, choice)
    if there is None:
        if takes_one(entry):
            st.caption(_("Its base, an autoencoder, is trained first: none with these settings ships."))
        return {}
    said = st.segmented_control(
        _("Starts from"),
        [there.name, OWN],
        key=links.key("base", there.name, lambda name: name in (there.name, OWN)),
        format_func={
            there.name: _("{model}, which ships").format(model=connection.method_title(there.spec)),
            OWN: _("its own base, trained first"),
        }.__getitem__,
        required=True,
        wrap=True,
        help=_("The base is an autoencoder. From one that ships, the clusters move at once."),
    )
    return {} if said == OWN else {BASE: there.name}
