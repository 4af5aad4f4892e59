"""Questions about a model at rest: all of its clean samples, one of them, and pictures of some."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import data as engine_data
from engine.asking.answers import ImagesAnswer, OverviewAnswer, SampleAnswer
from engine.asking.questions import ImagesQuestion, ObjectiveChoice, OverviewQuestion, SampleQuestion
from engine.asking.victims import (
    NEIGHBOURS,
    Victim,
    as_bytes,
    check_ids,
    label_of,
    numbers,
    victim_of,
    whole_numbers,
)
from engine.data.dataset import Dataset
from engine.data.views import Views, picture
from engine.errors import AbilityError, DataError, SettingsError
from engine.metrics.protocols import CleanSamples, measure
from engine.models.protocols import Compares
from engine.objectives import combine
from engine.running.training import rows
from engine.running.watching import features_of, unseen


def overview(question: OverviewQuestion) -> OverviewAnswer:
    """A model at rest: group, margin and place of every sample; medoids and names of the groups."""
    victim = victim_of(question.model)
    data = victim.data
    return OverviewAnswer(
        n=len(data),
        size=data.views.size,
        views=len(data.views.shapes),
        shape=picture(data.views.shapes),
        data=data.name,
        title=data.title,
        class_names=data.class_names,
        grouping=victim.grouping,
        group_names=victim.group_names,
        matched_class=victim.matched_class,
        label=None if data.labels is None else data.labels.astype(np.int16),
        xy=numbers(victim.places(victim.z)),
        scores=_scores(victim),
        **_groups(victim),
        **_medoids(victim),
        **_centroids(victim),
        **_features(victim.data),
    )


def _groups(victim: Victim) -> dict[str, Any]:
    """The group of every sample and how sure the model is of it."""
    if victim.group is None or victim.log_groups is None:
        return {}
    groups = victim.group.cpu().numpy()
    top = victim.log_groups.topk(2, dim=1).values  # (n, 2)
    return {
        "sizes": tuple(np.bincount(groups, minlength=len(victim.group_names)).tolist()),
        "group": groups.astype(np.int16),
        "margin": numbers(top[:, 0] - top[:, 1]),
        "confidence": numbers(top[:, 0].exp()),
    }


def _features(data: Dataset) -> dict[str, Any]:
    """Names and ranges of the features of a table; nothing of pictures."""
    if len(picture(data.views.shapes)) == 3:
        return {}
    ranges: dict[str, Any] = {}
    if data.affine is not None and data.affine[0].ndim == 1:
        ranges = {
            name: value.astype(np.float32) for name, value in zip(("low", "span"), data.affine, strict=True)
        }
    return {"feature_names": data.feature_names} | ranges


def _medoids(victim: Victim) -> dict[str, Any]:
    if victim.medoids is None:
        return {}
    return {
        "medoids": victim.medoids.astype(np.int32),
        "medoid_images": as_bytes(victim.rows(victim.medoids).flat()),
    }


def _centroids(victim: Victim) -> dict[str, Any]:
    """Where the centroids lie on the plane, and who is nearest to each; nothing of models without them."""
    if not isinstance(victim.model, Compares) or victim.exemplars is None:
        return {}
    places = victim.places(victim.model.centroids())
    return {"centroid_xy": numbers(places), "exemplars": whole_numbers(victim.exemplars)}


def _scores(victim: Victim) -> dict[str, float | None]:
    """Every metric of models that fits this one, on its clean samples."""
    said = victim.outputs_at_rest().to("cpu")
    part = rows(victim.run.spec.name)
    clean = CleanSamples(said, victim.data.rows(part), unseen(victim.data, part), features_of(victim.model))
    return measure("model", clean).values


def images(question: ImagesQuestion) -> ImagesAnswer:
    """Pictures of samples, by id. Raises SettingsError where the data are others by now."""
    loaded = engine_data.load(question.data, fingerprint=question.fingerprint)
    if loaded.fingerprint != question.fingerprint:
        raise SettingsError(
            f"The data {question.data!r} are other numbers than those that were asked for; put the old data"
            " back."
        )
    check_ids(question.ids, len(loaded))
    views = loaded.views.rows(torch.tensor(question.ids, dtype=torch.long))
    return ImagesAnswer(shape=picture(views.shapes), images=as_bytes(views.flat()))


def sample(question: SampleQuestion) -> SampleAnswer:
    """All about one clean sample: groups, neighbours in z, reconstruction, and the objective's gradient."""
    victim, number = victim_of(question.model), question.sample
    check_ids([number], len(victim.data))
    clean = victim.rows([number])
    said = victim.outputs_of(clean, victim.labels_of([number]))
    return SampleAnswer(
        sample=number,
        label=label_of(victim, number),
        group=None if victim.group is None else int(victim.group[number]),
        shape=picture(clean.shapes),
        clean=numbers(clean.flat()[0]),
        recon=None if said.reconstruction is None else numbers(said.reconstruction[0]),
        q=None if said.groups is None else numbers(said.groups[0].exp()),
        gradient=numbers(_gradient(victim, clean, said.labels, question.objective)),
        **_near(victim, number),
    )


def _gradient(victim: Victim, clean: Views, labels: Tensor | None, wanted: ObjectiveChoice) -> Tensor | None:
    """The gradient (d,) of the objective at a clean sample; None where it has none there."""
    try:
        objective = combine(wanted.name, wanted.lam, wanted.settings).bind(victim.model, clean, labels)
    except (AbilityError, DataError):
        return None
    if objective.stationary_at_clean:
        return None
    flat = clean.flat().requires_grad_()
    return torch.autograd.grad(objective(flat).sum(), flat)[0][0]


def _near(victim: Victim, number: int) -> dict[str, Any]:
    """The clean samples nearest to one of them, itself left out."""
    if victim.z is None:
        return {}
    distances, ids = victim.nearest(victim.z[number : number + 1], NEIGHBOURS + 1)
    near, distance = ids[0, 1:], distances[0, 1:]
    found = {"near": whole_numbers(near), "near_distance": numbers(distance)}
    found["near_images"] = as_bytes(victim.rows(found["near"]).flat())
    return found if victim.group is None else found | {"near_group": whole_numbers(victim.group[near])}
