"""The data of a run: what its spec names, and the attacked samples that were appended to them.

Finished attack runs may be ingredients of data (`--data digits --with RUN --with RUN`): the roles "with",
"with.2" and so on in `builds_on`. What is trained so sees their samples after the data's own; whoever judges
the trained model uses the data alone.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch

from engine import data as engine_data
from engine import registry
from engine.data.appended import with_images
from engine.data.dataset import Dataset
from engine.errors import DataError, SettingsError
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import Store
from engine.store.wanted import WITH, flag_of

if TYPE_CHECKING:
    import pandas as pd

Named = TypeVar("Named", str, Run)
SAMPLES = "images"
"""Where an attack run keeps its answers."""
WORDS = {"all": "samples", "first": "first half", "second": "second half", "train": "training rows"}


def plain_data_of(spec: Spec) -> Dataset:
    """The data that a spec names, with nothing appended; data of one's own are found under any name. Raises
    DataError where they are others by now.
    """
    data = engine_data.load(spec.data, fingerprint=spec.fingerprint)
    if data.fingerprint != spec.fingerprint:
        raise DataError(
            f"The data {spec.data} are not the ones this run was made for (fingerprint"
            f" {data.fingerprint}, not {spec.fingerprint}); put the old ones back, or start a new run."
        )
    return data


def data_of(spec: Spec, store: Store) -> Dataset:
    """The data that a run works on. Raises DataError."""
    data = plain_data_of(spec)
    for key in of_ingredients(spec.builds_on):
        run = store.find(key)
        flat, origin = _answers(run, data)
        data = with_images(data, flat, origin, f"With {len(flat):,} attacked samples of run {run.key}.")
    return data


def of_ingredients(builds_on: Mapping[str, Named]) -> list[Named]:
    """The runs whose samples are appended, in their order."""
    roles = [role for role in builds_on if flag_of(role) == WITH]
    return [builds_on[role] for role in sorted(roles, key=lambda role: int(role.partition(".")[2] or 1))]


def check_ingredient(run: Run, data: Dataset, part: str) -> None:
    """Raises SettingsError or DataError where the samples of a finished run cannot be appended to `data`, of
    which `part` is trained on.
    """
    spec = run.spec
    if spec.action != "attack":
        raise SettingsError(
            f"with must name a finished attack run, whose samples are appended; {run.name} is a run of"
            f" {spec.action} {spec.name}. Attack a model first: python -m engine attack."
        )
    if registry.find("attack", spec.name).space == "embedding":
        raise SettingsError(
            f"with must name an attack on samples; {run.name} ({spec.name}) moved embeddings and made no"
            " samples. Choose another attack."
        )
    if spec.fingerprint != data.fingerprint:
        raise DataError(
            f"with must name an attack on the same data; {run.name} attacked {spec.data}, and the data are"
            f" {data.name}. Attack {data.name}, or train on {spec.data}."
        )
    flat, origin = _answers(run, data)
    trained = np.isin(origin, data.rows(part))
    if not trained.any():
        raise DataError(
            f"None of the {len(origin):,} samples that {run.name} attacked are trained on, which is the"
            f" {WORDS[part]}. Attack those: half = {part}."
        )
    those = f"None of the {trained.sum():,} samples of {run.name} that are trained on"
    if registry.find("attack", spec.name).searches and not _successes(run.table("samples"))[trained].any():
        raise DataError(
            f"{those} reached what the attack wanted, so that they add nothing new. Choose a stronger attack,"
            " or a larger ε."
        )
    own = data.views.rows(torch.from_numpy(origin[trained])).flat().numpy()
    if (flat[trained] == own).all():
        raise DataError(
            f"{those} differs from the one that it was made of, so that they add nothing new. Choose another"
            " attack, or a larger ε."
        )


def _successes(table: "pd.DataFrame") -> np.ndarray:
    """Which samples reached what the attack wanted; flips, where the objective has no such notion."""
    said = (name for name in ("reached", "flipped") if name in table and table[name].notna().any())
    column = next(said, None)
    return np.ones(len(table), bool) if column is None else table[column].to_numpy() == 1


def _answers(run: Run, data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The attacked samples of a run, flat (m, d), and the row of the data that each was made of, (m,). Raises
    DataError where they are no samples of these data.
    """
    arrays = run.arrays(SAMPLES)
    flat, origin = arrays["adversarial"], arrays["id"].astype(np.int64)
    shape = (len(origin), data.views.size)
    if flat.shape != shape or not ((origin >= 0) & (origin < len(data))).all():
        raise DataError(
            f"The samples of {run.name} must have the shape {shape}, one for each attacked sample of"
            f" {data.name}; got {flat.shape}. Attack {data.name} anew."
        )
    return flat, origin
