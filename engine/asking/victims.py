"""A model under attack with its data and all about its clean samples: what every question about it needs."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from engine import data as engine_data
from engine import device
from engine.data.dataset import Dataset
from engine.data.views import Views
from engine.errors import SettingsError
from engine.home import home
from engine.metrics import clustering, embedding, legibility
from engine.models.protocols import Clusters, Encodes, require
from engine.running.models import load_model
from engine.store.run import Run
from engine.store.store import Store

NEIGHBOURS = 5
"""Nearest clean samples shown beside one."""


@dataclass(frozen=True)
class Victim:
    """A trained model with its data and everything about the clean samples that ladders and maps need."""

    run: Run
    model: nn.Module
    data: Dataset
    z: Tensor
    log_q: Tensor
    centre: Tensor
    axes: Tensor

    @property
    def cluster(self) -> Tensor:
        """(n,) the cluster of each clean sample."""
        return self.log_q.argmax(1)

    def log_q_of(self, x: Views) -> Tensor:
        """log q (m, k) of any samples, float32, without a graph."""
        with torch.no_grad():
            return self.model.log_assign(x)

    def place(self, z: Tensor) -> Tensor:
        """(n, 2): on the first two principal axes of the clean embedding."""
        return (z - self.centre) @ self.axes


@lru_cache(maxsize=6)
def victim(key: str) -> Victim:
    """The model of a run with its clean embedding and assignment, cached in the worker."""
    run = Store(home()).find(key)
    how = device.choose()
    model = load_model(run, how.device)
    require(model, Encodes, "This page")
    require(model, Clusters, "This page")
    data = engine_data.load(run.spec.data)
    if data.fingerprint != run.spec.fingerprint:
        raise SettingsError(
            f"The model {key} was trained on other numbers called {run.spec.data!r}; put the old data back or"
            " train it anew."
        )
    views = data.views.to(how.device)
    with torch.no_grad():
        z = torch.cat([model.encode(x) for x in views.chunks()])
        log_q = torch.cat([model.log_assign(x) for x in views.chunks()])
    centre, axes = embedding.principal_axes(z)
    return Victim(run, model, data, z, log_q, centre, axes)


def medoids_of(it: Victim) -> np.ndarray:
    """(k,) the sample nearest in z to the mean of each cluster's members; -1 for an empty cluster."""
    found = np.full(it.log_q.shape[1], -1)
    for cluster in range(len(found)):
        members = torch.nonzero(it.cluster == cluster).flatten()
        if len(members):
            mean = it.z[members].mean(0, keepdim=True)
            found[cluster] = int(members[distances(it.z[members], mean).argmin()])
    return found


def cluster_names(it: Victim, clusters: np.ndarray, medoids: np.ndarray) -> tuple[list[str], list[int]]:
    """A name for each cluster: its matched class where labels exist (for display only), and the matching
    itself.
    """
    k = len(medoids)
    if it.data.labels is None:
        return [f"#{medoid}" if medoid >= 0 else "empty" for medoid in medoids], [-1] * k
    matched = clustering.matching(it.data.labels, clusters)
    mapping = [int(matched[cluster]) if cluster < len(matched) else -1 for cluster in range(k)]
    names = []
    for cluster, medoid in enumerate(medoids):
        if mapping[cluster] >= 0:
            names.append(it.data.class_names[mapping[cluster]])
        else:
            names.append(f"{it.data.class_names[it.data.labels[medoid]]} (2nd)" if medoid >= 0 else "empty")
    return names, mapping


def read_as(it: Victim, sample: int, x: Tensor) -> tuple[int | None, list[int | None]]:
    """What 5 nearest neighbours on raw clean pixels, the sample itself left out, read in each row of x; None
    without labels.
    """
    if it.data.labels is None:
        return None, [None] * len(x)
    reference = (views.flat().numpy() for views in it.data.views.chunks())
    near = legibility.nearest(x.cpu().numpy(), np.full(len(x), sample), reference)
    return int(it.data.labels[sample]), [int(vote) for vote in legibility.vote(near, it.data.labels)]


def blocks(it: Victim, x: Tensor) -> Iterator[Views]:
    """Flat rows (m, d) as views on the model's device, 500 at a time."""
    like = it.data.views.rows(torch.zeros(1, dtype=torch.long))
    return (like.like(block.to(it.z.device)) for block in x.split(500))


def distances(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances (n, m) of embeddings, without the cancellation of the matrix form."""
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def nearest(it: Victim, z: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Distances and ids (m, count) of the nearest clean samples of embeddings z (m, e)."""
    parts = [distances(block, it.z).topk(min(count, len(it.z)), largest=False) for block in z.split(500)]
    return torch.cat([part.values for part in parts]), torch.cat([part.indices for part in parts])


def rows_of(it: Victim, ids: np.ndarray) -> Views:
    """Samples by id on the model's device; id -1 (an empty cluster's medoid) gives the first sample."""
    index = torch.as_tensor(np.maximum(ids, 0), dtype=torch.long)
    return it.data.views.rows(index).to(it.z.device)


def as_bytes(x: Tensor) -> np.ndarray:
    """[0, 1] floats as bytes, for display."""
    return (x.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()


def check_ids(ids: list[int], n: int) -> None:
    """Raises SettingsError for an id that is none of n samples."""
    wrong = [number for number in ids if not 0 <= number < n]
    if wrong:
        raise SettingsError(
            f"A sample's id must be from 0 to {n - 1}; got {wrong[0]}. Choose another sample."
        )
