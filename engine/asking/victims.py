"""A model under attack with its data and all about its clean samples: what every question about it needs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from engine import device
from engine.data.dataset import Dataset
from engine.data.views import Views
from engine.errors import SettingsError
from engine.home import home
from engine.metrics import clustering, embedding, legibility
from engine.models.outputs import Outputs, embedding_and_groups, outputs
from engine.models.protocols import Classifies, Clusters, Compares
from engine.running import training
from engine.running.ingredients import plain_data_of
from engine.running.judging import give_others
from engine.running.models import load_model
from engine.store.run import Run
from engine.store.store import Store

NEIGHBOURS = 5
"""Nearest clean samples shown beside one."""
EXEMPLARS = 8
"""Clean samples shown beside a centroid, the nearest to it."""
BLOCK = 500
"""Attacked rows asked about at once."""


@dataclass(frozen=True)
class Plane:
    """The first two principal axes (m, 2) of an embedding, and its mean (m,)."""

    centre: Tensor
    axes: Tensor

    @classmethod
    def of(cls, z: Tensor) -> "Plane":
        """That of embeddings z (n, m)."""
        return cls(*embedding.principal_axes(z))

    def places(self, z: Tensor) -> Tensor:
        """Embeddings (n, m) on the plane: (n, 2)."""
        return (z - self.centre) @ self.axes


@dataclass(frozen=True)
class Victim:
    """A trained model with its data and what it says of the clean samples; None where it lacks the ability.

    Groups are what the model sorts into: its clusters, else the classes it predicts.
    """

    run: Run
    model: nn.Module
    data: Dataset
    device: str
    z: Tensor | None  # (n, m), as the model compares it: see `compared`
    log_groups: Tensor | None  # (n, k)

    @property
    def grouping(self) -> Literal["cluster", "class"] | None:
        """What the model sorts samples into."""
        if self.log_groups is None:
            return None
        return "cluster" if isinstance(self.model, Clusters) else "class"

    @cached_property
    def group(self) -> Tensor | None:
        """(n,) the group of each clean sample."""
        return None if self.log_groups is None else self.log_groups.argmax(1)

    @cached_property
    def plane(self) -> Plane | None:
        """That of the clean embedding."""
        return None if self.z is None else Plane.of(self.z)

    @cached_property
    def medoids(self) -> np.ndarray | None:
        """(k,) the sample nearest in z to the mean of each group's members; -1 for an empty group."""
        if self.z is None or self.group is None or self.log_groups is None:
            return None
        found = np.full(self.log_groups.shape[1], -1)
        for group in range(len(found)):
            members = torch.nonzero(self.group == group).flatten()
            if len(members):
                mean = self.z[members].mean(0, keepdim=True)
                found[group] = int(members[distances(self.z[members], mean).argmin()])
        return found

    @cached_property
    def matched_class(self) -> tuple[int, ...]:
        """The class that each group is matched to, for display only; -1: none. Empty without groups. Of more
        groups than classes one is matched only to the class of its medoid.
        """
        if self.group is None or self.log_groups is None:
            return ()
        k = self.log_groups.shape[1]
        if self.grouping == "class":
            return tuple(range(k))
        if self.data.labels is None:
            return (-1,) * k
        matched = clustering.matching(self.data.labels, self.group.cpu().numpy())
        found = [int(matched[group]) if group < len(matched) else -1 for group in range(k)]
        if k > len(self.data.class_names) and self.medoids is not None:  # a class may be left with a cluster
            middle = self.data.labels[np.maximum(self.medoids, 0)]  # of another one
            found = [own if own == label else -1 for own, label in zip(found, middle, strict=True)]
        return tuple(found)

    @cached_property
    def group_names(self) -> tuple[str, ...]:
        """A name for each group: its class where it has one, else one after its medoid; where several are of
        one class they are numbered: "3", "3 (2nd)", "3 (3rd)".
        """
        classes, taken = self.data.class_names, set(self.matched_class)
        names, seen = [], {name: int(place in taken) for place, name in enumerate(classes)}
        for group, matched in enumerate(self.matched_class):
            name = self._name(group)
            if matched < 0 and name in seen:
                seen[name] += 1
                if seen[name] > 1:
                    name = f"{name} ({seen[name]}{ {2: 'nd', 3: 'rd'}.get(seen[name], 'th') })"
            names.append(name)
        return tuple(names)

    def _name(self, group: int) -> str:
        matched, names = self.matched_class[group], self.data.class_names
        if 0 <= matched < len(names):
            return names[matched]
        if self.medoids is None:
            return f"{self.grouping} {group}"
        medoid = int(self.medoids[group])
        if medoid < 0:
            return "empty"
        return f"#{medoid}" if self.data.labels is None else names[self.data.labels[medoid]]

    def compared(self, z: Tensor) -> Tensor:
        """Embeddings (n, m) as the model compares them: directions, where it knows centroids by theirs."""
        return compared(self.model, z)

    @cached_property
    def exemplars(self) -> Tensor | None:
        """(k, EXEMPLARS) the clean samples nearest to each centroid; None for a model that compares none."""
        return (
            self.nearest(self.model.centroids(), EXEMPLARS)[1] if isinstance(self.model, Compares) else None
        )

    def outputs_of(self, x: Views, labels: Tensor | None = None) -> Outputs:
        """All that the model says of any samples, float32, without a graph."""
        return outputs(self.model, x, labels)

    def outputs_at_rest(self) -> Outputs:
        """The same of every clean sample; what is kept of them is not asked again."""
        known = {} if self.z is None or isinstance(self.model, Compares) else {"z": self.z}
        if isinstance(self.model, Clusters) and self.log_groups is not None:
            known["log_q"] = self.log_groups
        every = self.data.views.all().to(self.device)
        return outputs(self.model, every, self.labels_of(range(len(self.data))), known)

    def rows(self, ids: Sequence[int] | np.ndarray) -> Views:
        """Samples by id on the model's device; id -1 (an empty group's medoid) gives the first sample."""
        index = torch.as_tensor(np.maximum(np.asarray(ids), 0), dtype=torch.long)
        return self.data.views.rows(index).to(self.device)

    def labels_of(self, ids: Sequence[int] | np.ndarray) -> Tensor | None:
        """The labels of samples (m,) on the model's device; None where the data have none."""
        if self.data.labels is None:
            return None
        return torch.as_tensor(self.data.labels[np.asarray(ids)], dtype=torch.long, device=self.device)

    def blocks(self, flat: Tensor) -> Iterator[Views]:
        """Flat rows (m, d) as views on the model's device, a block at a time."""
        like = self.data.views.rows(torch.zeros(1, dtype=torch.long))
        return (like.like(block.to(self.device)) for block in flat.split(BLOCK))

    def places(self, z: Tensor | None) -> Tensor | None:
        """(n, 2): embeddings on the plane of the clean ones."""
        return None if z is None or self.plane is None else self.plane.places(z)

    @cached_property
    def trained_on(self) -> Tensor:
        """Ids of the samples that the run was trained on: `rows_used` of its card."""
        part = training.rows(self.run.spec.name)
        return torch.as_tensor(np.sort(self.data.rows(part)), device=self.device)

    def nearest(self, z: Tensor, count: int, among: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Distances and ids (m, count) of the nearest clean samples of embeddings z (m, e), of all or `among`
        these ids.
        """
        assert self.z is not None, "who asks has an embedding"
        clean = self.z if among is None else self.z[among]
        count = min(count, len(clean))
        parts = [distances(block, clean).topk(count, largest=False) for block in z.split(BLOCK)]
        near = torch.cat([part.indices for part in parts])
        return torch.cat([part.values for part in parts]), near if among is None else among[near]


@lru_cache(maxsize=6)
def victim_of(key: str) -> Victim:
    """The model of a run with its clean embedding and groups, cached in the worker.

    Raises DataError where the data are others than those it was trained on.
    """
    run = Store(home()).find(key)
    how = device.choose()
    model = load_model(run, how.device)
    data = plain_data_of(run.spec)
    give_others(model, data)
    with torch.no_grad():
        said = [_at_rest(model, x) for x in data.views.to(how.device).chunks()]
    z, log_groups = (_joined(parts) for parts in zip(*said, strict=True))
    return Victim(run, model, data, how.device, z, log_groups)


def _at_rest(model: nn.Module, x: Views) -> tuple[Tensor | None, Tensor | None]:
    """z and the log-probabilities of groups: what is kept of all samples. The rest would fill the memory."""
    z, log_groups = embedding_and_groups(model, x)
    if log_groups is None and isinstance(model, Classifies):
        log_groups = model.logits(x).float().log_softmax(dim=1)
    return (
        None if z is None else compared(model, z.float()),
        None if log_groups is None else log_groups.float(),
    )


def compared(model: nn.Module, z: Tensor) -> Tensor:
    """Embeddings z (n, m) as a model compares them: their directions, or as they are."""
    return torch.nn.functional.normalize(z, dim=1) if isinstance(model, Compares) else z


def _joined(parts: Sequence[Tensor | None]) -> Tensor | None:
    there = [part for part in parts if part is not None]
    return torch.cat(there) if there else None


def sample_facts(victim: Victim, sample: int) -> dict[str, Any]:
    """What every ladder says of its sample and its model."""
    facts = model_facts(victim) | label_facts(victim, label_of(victim, sample))
    return facts | {
        "sample": sample,
        "title": f"{victim.data.title} #{sample}",
        "own_group": None if victim.group is None else int(victim.group[sample]),
    }


def model_facts(victim: Victim) -> dict[str, Any]:
    """What every ladder says of its model."""
    return {
        "data": victim.data.name,
        "model": victim.run.spec.name,
        "views": len(victim.data.views.shapes),
        "group_names": victim.group_names,
        "medoids": None if victim.medoids is None else as_bytes(victim.rows(victim.medoids).flat()),
    }


def label_facts(victim: Victim, label: int | None) -> dict[str, Any]:
    """A label with its name; none is None and ""."""
    return {"label": label, "label_name": "" if label is None else victim.data.class_names[label]}


def place_facts(victim: Victim, sample: int, z: Tensor | None) -> dict[str, Any]:
    """Where embeddings z (levels, m) of a sample lie, and who is near, beside its clean one."""
    if victim.z is None or z is None:
        return {}
    own, z = victim.z[sample : sample + 1], victim.compared(z)
    return near_facts(victim, own, z, victim.nearest(own, NEIGHBOURS + 1)[1][0, 1:])


def near_facts(
    victim: Victim, own: Tensor, z: Tensor, near: Tensor, among: Tensor | None = None
) -> dict[str, Any]:
    """Where embeddings z (levels, m), as the model compares them, and the clean one `own` (1, m) lie, and who
    is `near` (near,) it: of all clean samples, or `among` these ids.
    """
    return {
        "z": numbers(z),
        "z_clean": numbers(own[0]),
        "xy": numbers(victim.places(z)),
        "xy_clean": numbers(victim.places(own))[0],
        "near": whole_numbers(victim.nearest(z, NEIGHBOURS, among)[1]),
        "near_clean": whole_numbers(near),
    }


def label_of(victim: Victim, sample: int) -> int | None:
    """The label of a sample, where the data have labels."""
    return None if victim.data.labels is None else int(victim.data.labels[sample])


def read_as(victim: Victim, sample: int, x: Tensor) -> tuple[str, ...] | None:
    """The class that 5 nearest neighbours on raw clean pixels, the sample itself left out, read in each row
    of x (m, d); None without labels.
    """
    data = victim.data
    if data.labels is None:
        return None
    reference = (views.flat().numpy() for views in data.views.chunks())
    near = legibility.nearest(x.cpu().numpy(), np.full(len(x), sample), reference)
    return tuple(data.class_names[vote] for vote in legibility.vote(near, data.labels))


def distances(a: Tensor, b: Tensor) -> Tensor:
    """Euclidean distances (n, m) of embeddings, without the cancellation of the matrix form."""
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def numbers(values: Tensor | None) -> Any:
    """A tensor as a numpy array; None stays None."""
    return None if values is None else values.detach().cpu().numpy()


def whole_numbers(values: Tensor) -> np.ndarray:
    """Ids as 32-bit integers."""
    return values.cpu().numpy().astype(np.int32)


def as_bytes(x: Tensor) -> np.ndarray:
    """[0, 1] floats as bytes, for display."""
    return (x.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()


def check_ids(ids: Sequence[int], n: int) -> None:
    """Raises SettingsError for an id that is none of n samples."""
    wrong = [number for number in ids if not 0 <= number < n]
    if wrong:
        raise SettingsError(
            f"A sample's id must be from 0 to {n - 1}; got {wrong[0]}. Choose another sample."
        )
