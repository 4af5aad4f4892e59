"""The data of a run: what its spec names, and the attacked images that were appended to them.

A finished attack run may be an ingredient of data (`--data digits --with RUN`): the role "with" in
`builds_on`. What is trained so sees its adversarial images after the data's own samples; whoever judges the
trained model uses the data alone.
"""

from typing import TYPE_CHECKING

import numpy as np

from engine import data as engine_data
from engine import registry
from engine.data.appended import with_images
from engine.data.dataset import Dataset
from engine.errors import DataError, SettingsError
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import Store

if TYPE_CHECKING:
    import pandas as pd

ROLE = "with"
"""The role, in `Spec.builds_on`, of an attack run whose images are appended."""
IMAGES = "images.npz"


def plain_data_of(spec: Spec) -> Dataset:
    """The data that a spec names, with nothing appended. Raises DataError where they are others by now."""
    data = engine_data.load(spec.data)
    if data.fingerprint != spec.fingerprint:
        raise DataError(
            f"The data {spec.data} are not the ones this run was made for (fingerprint"
            f" {data.fingerprint}, not {spec.fingerprint}); put the old ones back, or start a new run."
        )
    return data


def data_of(spec: Spec, store: Store) -> Dataset:
    """The data that a run works on. Raises DataError."""
    data = plain_data_of(spec)
    if ROLE not in spec.builds_on:
        return data
    run = store.find(spec.builds_on[ROLE])
    arrays = run.arrays(IMAGES)
    flat, origin = arrays["adversarial"], arrays["id"].astype(np.int64)
    _check_images(run, data, flat, origin)
    return with_images(data, flat, origin, f"With {len(flat):,} attacked images of run {run.key}.")


def check_ingredient(run: Run, data: Dataset) -> None:
    """Raises SettingsError or DataError where the images of a finished run cannot be appended to `data`."""
    spec = run.spec
    if spec.action != "attack":
        raise SettingsError(
            f"with must name a finished attack run, whose images are appended; {run.name} is a run of"
            f" {spec.action} {spec.name}. Attack a model first: python -m engine attack."
        )
    if registry.find("attack", spec.name).space == "embedding":
        raise SettingsError(
            f"with must name an attack on pixels; {run.name} ({spec.name}) moved embeddings and made no"
            " images. Choose another attack."
        )
    if spec.fingerprint != data.fingerprint:
        raise DataError(
            f"with must name an attack on the same data; {run.name} attacked {spec.data}, and the data are"
            f" {data.name}. Attack {data.name}, or train on {spec.data}."
        )
    table = run.table("samples")
    if not _successes(table).any():
        raise DataError(
            f"None of the {len(table):,} samples of {run.name} reached what the attack wanted, so that its"
            " images add nothing new. Choose a stronger attack, or a larger ε."
        )


def _successes(table: "pd.DataFrame") -> np.ndarray:
    """Which samples reached what the attack wanted; flips, where the objective has no such notion."""
    said = (name for name in ("reached", "flipped") if name in table and table[name].notna().any())
    column = next(said, None)
    return np.ones(len(table), bool) if column is None else table[column].to_numpy() == 1


def _check_images(run: Run, data: Dataset, flat: np.ndarray, origin: np.ndarray) -> None:
    shape = (len(origin), data.views.size)
    if flat.shape != shape or not ((origin >= 0) & (origin < len(data))).all():
        raise DataError(
            f"The images of {run.name} must have the shape {shape}, one for each attacked sample of"
            f" {data.name}; got {flat.shape}. Attack {data.name} anew."
        )
