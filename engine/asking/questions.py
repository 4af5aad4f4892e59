"""What the warm workers answer: one function a question. Every number is judged here in float32."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import data as engine_data
from engine import registry
from engine.asking import answers, multiview
from engine.asking.answers import Answer
from engine.asking.embedding_ladder import moved_sample
from engine.asking.ladder import checks, fate, ladder
from engine.asking.victims import (
    NEIGHBOURS,
    Victim,
    as_bytes,
    blocks,
    check_ids,
    cluster_names,
    medoids_of,
    nearest,
    rows_of,
    victim,
)
from engine.data.views import picture
from engine.errors import FeintError, SettingsError
from engine.home import home
from engine.metrics import clustering
from engine.objectives import combine
from engine.running import placing
from engine.store.store import Store

FAR = 0.99
"""A moved sample is off the data where its nearest neighbour is farther than this share of the clean ones
have theirs.
"""


def compute(question: dict[str, Any]) -> Answer:
    """The answer to a question. Raises FeintError with a sentence for the page."""
    asked, question = question["ask"], {name: setting for name, setting in question.items() if name != "ask"}
    if asked not in QUESTIONS:
        raise SettingsError(f"Nobody answers the question {asked!r}; known: {', '.join(QUESTIONS)}.")
    function = QUESTIONS[asked]
    try:
        inspect.signature(function).bind(**question)
    except TypeError as error:
        raise SettingsError(f"The question {asked!r} is put wrongly: {error}.") from None
    return function(**question)


def overview(model: str) -> Answer:
    """A model at rest: cluster, margin and place of every sample; medoids and names of the clusters."""
    it = victim(model)
    clusters = it.cluster.cpu().numpy()
    top = it.log_q.topk(2, dim=1).values
    medoids = medoids_of(it)
    names, mapping = cluster_names(it, clusters, medoids)
    shape = picture(it.data.views.shapes)
    report: dict[str, Any] = {
        "n": len(it.data),
        "clusters": it.log_q.shape[1],
        "shape": list(shape),
        "size": it.data.views.size,
        "views": len(it.data.views.shapes),
        "class_names": list(it.data.class_names),
        "cluster_names": names,
        "mapping": mapping,
        "title": it.data.title,
        "data": it.data.name,
        "sizes": np.bincount(clusters, minlength=len(names)).tolist(),
    }
    if it.data.labels is not None:
        report |= {
            "acc": clustering.accuracy(it.data.labels, clusters),
            "nmi": clustering.nmi(it.data.labels, clusters),
            "ari": clustering.ari(it.data.labels, clusters),
        }
    labels = np.full(len(clusters), -1) if it.data.labels is None else it.data.labels
    arrays = {
        "cluster": clusters.astype(np.int16),
        "label": labels.astype(np.int16),
        "margin": (top[:, 0] - top[:, 1]).cpu().numpy(),
        "confidence": top[:, 0].exp().cpu().numpy(),
        "xy": it.place(it.z).cpu().numpy(),
        "medoids": medoids.astype(np.int32),
        "medoid_images": as_bytes(rows_of(it, medoids).flat()),
    }
    return Answer(report, arrays)


def umap(model: str, seed: int = 0) -> Answer:
    """UMAP coordinates (n, 2) of the clean embedding; compiles for half a minute the first time."""
    it = victim(model)
    z = it.z.cpu().numpy()
    return Answer({"method": "umap", "n": len(z)}, {"z": z, "xy": placing.fit_map(z, seed)})


def place(model: str, ladder: dict[str, Any]) -> Answer:
    """A ladder's embeddings and its clean sample on the model's UMAP, with that sample's displacement where
    nothing moved it.
    """
    kept = answers.answer({"ask": "umap", "model": model, "seed": 0})
    steps = answers.answer(ladder)
    z = np.concatenate([steps.arrays["z_clean"][None], steps.arrays["z"]])
    xy, error = placing.place(z, kept.arrays["z"], kept.arrays["xy"])
    return Answer({"method": "umap"}, {"xy_clean": xy[0], "xy": xy[1:], "xy_error": np.asarray(error)})


def images(data: str, ids: list[int]) -> Answer:
    """The pictures (m, d) uint8 of samples, by id."""
    loaded = engine_data.load(data)
    check_ids(ids, len(loaded))
    views = loaded.views.rows(torch.tensor(ids, dtype=torch.long))
    return Answer({"shape": list(picture(views.shapes))}, {"images": as_bytes(views.flat())})


def sample(model: str, sample: int) -> Answer:
    """All about one clean sample: assignment, neighbours in z, reconstruction, and the gradient of leaving
    its cluster.
    """
    it = victim(model)
    check_ids([sample], len(it.data))
    clean = rows_of(it, np.array([sample]))
    objective = combine("leave_cluster", 0.0, {}).bind(it.model, clean)
    flat = clean.flat().requires_grad_()
    gradient = torch.autograd.grad(objective(flat).sum(), flat)[0][0]
    distance, near = nearest(it, it.z[sample : sample + 1], NEIGHBOURS + 1)
    near, distance = near[0, 1:], distance[0, 1:]
    label = None if it.data.labels is None else int(it.data.labels[sample])
    report = {
        "sample": sample,
        "label": label,
        "cluster": int(it.cluster[sample]),
        "shape": list(picture(clean.shapes)),
    }
    arrays = {
        "clean": clean.flat()[0].cpu().numpy(),
        "q": it.log_q[sample].exp().cpu().numpy(),
        "gradient": gradient.cpu().numpy(),
        "near": near.cpu().numpy(),
        "near_distance": distance.cpu().numpy(),
        "near_cluster": it.cluster[near].cpu().numpy(),
        "near_images": as_bytes(rows_of(it, near.cpu().numpy()).flat()),
    }
    if hasattr(it.model, "reconstruct"):
        with torch.no_grad():
            arrays["recon"] = it.model.reconstruct(clean)[0].cpu().numpy()
    return Answer(report, arrays)


def moved(run: str) -> Answer:
    """Where the samples of a finished attack run went: PCA places, assignments, reconstructions and
    neighbours, in its table's order.

    `uncertain` marks those that left the data: farther in z from every clean sample than 99 of 100 clean ones
    are from theirs.
    """
    it, index, x = _attacked(run)
    if registry.find("attack", Store(home()).find(run).spec.name).space == "embedding":
        return _moved_within(it, index, x.to(it.z.device))
    with torch.no_grad():
        parts = [(it.model.encode(views), it.model.log_assign(views)) for views in blocks(it, x)]
    z, log_q = (torch.cat(part) for part in zip(*parts, strict=True))
    report, arrays = _places(it, index, z, log_q)
    if hasattr(it.model, "reconstruct"):
        with torch.no_grad():
            arrays["recon"] = np.concatenate(
                [as_bytes(it.model.reconstruct(views)) for views in blocks(it, x)]
            )
    return Answer(report, arrays)


def _moved_within(it: Victim, index: Tensor, z: Tensor) -> Answer:
    """The same of a run that moved embeddings; what is decoded from the clean ones comes as `recon_clean`."""
    model: Any = it.model
    with torch.no_grad():
        report, arrays = _places(
            it, index, z, torch.cat([model.log_assign_embedding(block) for block in z.split(500)])
        )
        for name, rows in (("recon", z), ("recon_clean", it.z[index])):
            arrays[name] = np.concatenate([as_bytes(model.decode(block)) for block in rows.split(500)])
    return Answer(report, arrays)


def _places(
    it: Victim, index: Tensor, z: Tensor, log_q: Tensor
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Where embeddings z (m, e) of the samples `index` lie, who is near them, and which of them left the
    data.
    """
    distance, near = nearest(it, z, NEIGHBOURS)
    alone = nearest(it, it.z[index], 2)[0][:, 1]
    far = float(torch.quantile(alone, FAR))
    arrays = {
        "xy_clean": it.place(it.z[index]).cpu().numpy(),
        "xy": it.place(z).cpu().numpy(),
        "z": z.cpu().numpy(),
        "uncertain": (distance[:, 0] > far).cpu().numpy(),
        "near_distance": distance[:, 0].cpu().numpy(),
        "near": near.cpu().numpy().astype(np.int32),
        "q_clean": it.log_q[index].exp().cpu().numpy(),
        "q": log_q.exp().cpu().numpy(),
    }
    return {"n": len(z), "far": far, "uncertain": int(arrays["uncertain"].sum())}, arrays


def moved_umap(run: str) -> Answer:
    """The same samples, clean and attacked, on the model's UMAP; `error` is how far a clean one lands from
    itself (its median).
    """
    it, index, _ = _attacked(run)
    mapped = answers.answer({"ask": "umap", "model": it.run.key, "seed": 0})
    gone = answers.answer({"ask": "moved", "run": run})
    xy, error = placing.place(gone.arrays["z"], mapped.arrays["z"], mapped.arrays["xy"])
    return Answer(
        {"method": "umap", "error": error}, {"xy_clean": mapped.arrays["xy"][index.cpu().numpy()], "xy": xy}
    )


def _attacked(key: str) -> tuple[Victim, Tensor, Tensor]:
    """The victim of an attack run, the rows it attacked, and what it left: adversarial samples (m, d), or
    moved embeddings (m, e).
    """
    run = Store(home()).find(key)
    if run.spec.action != "attack":
        raise SettingsError(
            f"The run {key} must be an attack; it is of the kind {run.spec.action!r}. Choose a run of"
            " `attack`."
        )
    stored, it = run.arrays("images"), victim(run.spec.builds_on["model"])
    index = torch.as_tensor(stored["id"].astype(np.int64), device=it.z.device)
    return it, index, torch.from_numpy(stored["z" if "z" in stored else "adversarial"])


def prepare(
    action: str,
    name: str,
    data: str,
    seed: int = 0,
    preset: str | None = None,
    changes: dict[str, Any] | None = None,
    models: dict[str, str] | None = None,
) -> Answer:
    """Check a choice and make the run's spec; what is wrong comes back as a sentence."""
    from engine.running import runner  # the runner is heavy and only this question needs it

    try:
        spec = runner.prepare(
            action, name, data, seed=seed, preset=preset, changes=changes or {}, models=models or {}
        )
    except FeintError as error:
        return Answer({"spec": None, "key": None, "sentence": str(error)})
    return Answer({"spec": spec.model_dump(mode="json"), "key": spec.key, "sentence": None})


QUESTIONS: dict[str, Callable[..., Answer]] = {
    "overview": overview,
    "umap": umap,
    "place": place,
    "images": images,
    "sample": sample,
    "fate": fate,
    "ladder": ladder,
    "checks": checks,
    "prepare": prepare,
    "moved_sample": moved_sample,
    "moved": moved,
    "moved_umap": moved_umap,
    "views": multiview.views,
}
