"""What the warm workers answer: one function a question. Every number is judged here in float32."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine import data as engine_data
from engine import device, registry
from engine.attacks import ladder as ladders
from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings
from engine.attacks.protocols import answer as launched
from engine.data.dataset import Dataset
from engine.data.views import Views
from engine.errors import BudgetError, FeintError, SettingsError
from engine.home import home
from engine.metrics import clustering, embedding, legibility
from engine.metrics.intervals import wilson
from engine.models.protocols import require
from engine.objectives import combine
from engine.objectives.protocols import Objective
from engine.runs import answers, placing
from engine.runs.answers import Answer
from engine.runs.models import load_model
from engine.runs.store import Run, Store

NEIGHBOURS = 5
FAR = 0.99
"""A moved sample is off the data where its nearest neighbour is farther than this share of the clean ones have theirs."""
DRAWS = 64
"""Noises drawn for one sample's control; half as many other samples lend their perturbation."""


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


def compute(question: dict[str, Any]) -> Answer:
    """The answer to a question. Raises FeintError with a sentence for the page."""
    asked = question.pop("ask")
    if asked not in QUESTIONS:
        raise SettingsError(f"Nobody answers the question {asked!r}; known: {', '.join(QUESTIONS)}.")
    function = QUESTIONS[asked]
    try:
        inspect.signature(function).bind(**question)
    except TypeError as error:
        raise SettingsError(f"The question {asked!r} is put wrongly: {error}.") from None
    return function(**question)


@lru_cache(maxsize=6)
def victim(key: str) -> Victim:
    """The model of a run with its clean embedding and assignment, cached in the worker."""
    run = Store(home()).find(key)
    how = device.choose()
    model = load_model(run, how.device)
    require(model, "encodes", "This page")
    require(model, "clusters", "This page")
    data = engine_data.load(run.spec.data)
    if data.fingerprint != run.spec.fingerprint:
        raise SettingsError(f"The model {key} was trained on other numbers called {run.spec.data!r}; put the old data back or train it anew.")
    views = data.views.to(how.device)
    with torch.no_grad():
        z = torch.cat([model.encode(x) for x in views.chunks()])
        log_q = torch.cat([model.log_assign(x) for x in views.chunks()])
    centre, axes = embedding.principal_axes(z)
    return Victim(run, model, data, z, log_q, centre, axes)


# --- models -----------------------------------------------------------------------------------------------------------

def overview(model: str) -> Answer:
    """A model at rest: cluster, margin and place of every sample; medoids and names of the clusters."""
    it = victim(model)
    clusters = it.cluster.cpu().numpy()
    top = it.log_q.topk(2, dim=1).values
    medoids = _medoids(it)
    names, mapping = _cluster_names(it, clusters, medoids)
    shape = it.data.views.shapes[0]
    report: dict[str, Any] = {
        "n": len(it.data), "clusters": it.log_q.shape[1], "shape": list(shape), "size": it.data.views.size, "views": len(it.data.views.shapes),
        "class_names": list(it.data.class_names), "cluster_names": names, "mapping": mapping, "title": it.data.title, "data": it.data.name,
        "sizes": np.bincount(clusters, minlength=len(names)).tolist(),
    }
    if it.data.labels is not None:
        report |= {"acc": clustering.accuracy(it.data.labels, clusters), "nmi": clustering.nmi(it.data.labels, clusters),
                   "ari": clustering.ari(it.data.labels, clusters)}
    labels = np.full(len(clusters), -1) if it.data.labels is None else it.data.labels
    arrays = {
        "cluster": clusters.astype(np.int16), "label": labels.astype(np.int16), "margin": (top[:, 0] - top[:, 1]).cpu().numpy(),
        "confidence": top[:, 0].exp().cpu().numpy(), "xy": it.place(it.z).cpu().numpy(), "medoids": medoids.astype(np.int32),
        "medoid_images": _bytes(_rows(it, medoids).flat()),
    }
    return Answer(report, arrays)


def _medoids(it: Victim) -> np.ndarray:
    """(k,) the sample nearest in z to the mean of each cluster's members; -1 for an empty cluster."""
    found = np.full(it.log_q.shape[1], -1)
    for cluster in range(len(found)):
        members = torch.nonzero(it.cluster == cluster).flatten()
        if len(members):
            mean = it.z[members].mean(0, keepdim=True)
            found[cluster] = int(members[torch.cdist(it.z[members], mean).argmin()])
    return found


def _cluster_names(it: Victim, clusters: np.ndarray, medoids: np.ndarray) -> tuple[list[str], list[int]]:
    """A name for each cluster: its matched class where labels exist (for display only), and the matching itself."""
    k = len(medoids)
    if it.data.labels is None:
        return [f"like #{medoid}" if medoid >= 0 else "empty" for medoid in medoids], [-1] * k
    matched = clustering.matching(it.data.labels, clusters)
    mapping = [int(matched[cluster]) if cluster < len(matched) else -1 for cluster in range(k)]
    names = []
    for cluster, medoid in enumerate(medoids):
        if mapping[cluster] >= 0:
            names.append(it.data.class_names[mapping[cluster]])
        else:
            names.append(f"{it.data.class_names[it.data.labels[medoid]]} (2nd)" if medoid >= 0 else "empty")
    return names, mapping


def umap(model: str, seed: int = 0) -> Answer:
    """UMAP coordinates (n, 2) of the clean embedding; compiles for half a minute the first time."""
    it = victim(model)
    z = it.z.cpu().numpy()
    return Answer({"method": "umap", "n": len(z)}, {"z": z, "xy": placing.fit_map(z, seed)})


def place(model: str, ladder: dict[str, Any]) -> Answer:
    """A ladder's embeddings and its clean sample on the model's UMAP, with that sample's displacement where nothing moved it."""
    kept = answers.answer({"ask": "umap", "model": model, "seed": 0})
    steps = answers.answer(ladder)
    z = np.concatenate([steps.arrays["z_clean"][None], steps.arrays["z"]])
    xy, error = placing.place(z, kept.arrays["z"], kept.arrays["xy"])
    return Answer({"method": "umap"}, {"xy_clean": xy[0], "xy": xy[1:], "xy_error": error[steps.json["sample"]]})


# --- samples ----------------------------------------------------------------------------------------------------------

def images(data: str, ids: list[int]) -> Answer:
    """The pictures (m, d) uint8 of samples, by id."""
    loaded = engine_data.load(data)
    _check_ids(ids, len(loaded))
    views = loaded.views.rows(torch.tensor(ids, dtype=torch.long))
    return Answer({"shape": list(views.shapes[0])}, {"images": _bytes(views.flat())})


def sample(model: str, sample: int) -> Answer:
    """All about one clean sample: assignment, neighbours in z, reconstruction, and the gradient of leaving its cluster."""
    it = victim(model)
    _check_ids([sample], len(it.data))
    clean = _rows(it, np.array([sample]))
    objective = combine("leave_cluster", 0.0, {}).bind(it.model, clean)
    flat = clean.flat().requires_grad_()
    gradient = torch.autograd.grad(objective(flat).sum(), flat)[0][0]
    distance, near = torch.cdist(it.z[sample : sample + 1], it.z).topk(NEIGHBOURS + 1, largest=False)
    near, distance = near[0, 1:], distance[0, 1:]
    label = None if it.data.labels is None else int(it.data.labels[sample])
    report = {"sample": sample, "label": label, "cluster": int(it.cluster[sample]), "shape": list(clean.shapes[0])}
    arrays = {"clean": clean.flat()[0].cpu().numpy(), "q": it.log_q[sample].exp().cpu().numpy(), "gradient": gradient.cpu().numpy(),
              "near": near.cpu().numpy(), "near_distance": distance.cpu().numpy(), "near_cluster": it.cluster[near].cpu().numpy(),
              "near_images": _bytes(_rows(it, near.cpu().numpy()).flat())}
    if hasattr(it.model, "reconstruct"):
        with torch.no_grad():
            arrays["recon"] = it.model.reconstruct(clean)[0].cpu().numpy()
    return Answer(report, arrays)


def fate(models: list[str], sample: int, attack: str, settings: dict[str, Any], norm: str, top: float, seed: int = 0) -> Answer:
    """One sample against several models: its cluster in each, and the smallest ε that moves it (an upper bound)."""
    rows = []
    for key in models:
        found = ladder(key, sample, attack, settings, "leave_cluster", {}, 0.0, norm, "epsilon", top, 33, seed)
        rows.append({"model": key, "cluster": found.json["cluster_own"], "name": found.json["cluster_names"][found.json["cluster_own"]],
                     "epsilon_star": found.json["epsilon_star"], "flip": found.json["flip"]})
    return Answer({"rows": rows, "sample": sample, "top": top, "norm": norm})


# --- ladders ----------------------------------------------------------------------------------------------------------

def ladder(model: str, sample: int, attack: str, settings: dict[str, Any], objective: str, objective_settings: dict[str, Any], lam: float,
           norm: str, axis: str, top: float, count: int, seed: int = 0, epsilon: float | None = None) -> Answer:
    """One sample along ε (0 … top), along the path over T at ε = `epsilon`, or along λ (0 … top) at ε = `epsilon`.

    Every level carries the perturbation, the assignment, the embedding's place, the reconstruction, and the controls.
    """
    it = victim(model)
    _check_ids([sample], len(it.data))
    chosen = registry.find("attack", attack)(**settings)
    clean = _rows(it, np.array([sample]))
    rng = torch.Generator().manual_seed(seed)
    climbed = _climb(it, chosen, clean, objective, objective_settings, lam, norm, axis, top, count, epsilon, rng)
    return _ladder_answer(it, sample, clean, climbed, chosen, objective, lam, norm, axis, epsilon, rng)


@dataclass(frozen=True)
class Climbed:
    """What a ladder reached: x (L, d) at each level."""
    levels: list[float]
    x: Tensor
    flip: int | None
    epsilon_star: float | None


def _climb(it: Victim, attack: AttackSettings, clean: Views, objective: str, objective_settings: dict[str, Any], lam: float, norm: str,
           axis: str, top: float, count: int, epsilon: float | None, rng: torch.Generator) -> Climbed:
    """Climb along the axis that was asked for; whether a level has flipped is judged here."""
    if axis not in ("epsilon", "path", "lambda"):
        raise SettingsError(f"A ladder's axis must be epsilon, path or lambda; got {axis!r}.")
    own = int(it.log_q_of(clean).argmax())

    def bind(views: Views) -> Objective:
        return combine(objective, 0.0 if axis == "lambda" else lam, objective_settings).bind(it.model, views)

    def flipped(rows: Tensor, _: Tensor) -> Tensor:
        return it.log_q_of(clean.like(rows)).argmax(1) != own

    star = None
    if axis == "epsilon":
        found = ladders.over_epsilon(bind, clean, torch.linspace(0, top, count), attack, norm, rng)
        smallest = float(ladders.smallest_flip(found, flipped, bind, clean, attack, norm, rng).epsilon)
        star = smallest if np.isfinite(smallest) else None
    elif epsilon is None:
        raise BudgetError(f"A ladder over {axis} needs one ε; got none. Give epsilon.")
    elif axis == "path":
        found = ladders.over_path(bind, clean, epsilon, attack, norm, rng)
    else:
        penalty = registry.find("objective", "reconstruction_change")()
        lams = torch.linspace(0, top, count).tolist()
        found = ladders.over_lambda(bind, lambda views: penalty.bind(it.model, views), clean, lams, epsilon, attack, norm, rng)
    moved = found.flips(flipped)[0].nonzero().flatten().tolist()
    return Climbed(found.levels[0].tolist(), found.x[0], moved[0] if moved else None, star)


def _ladder_answer(it: Victim, sample: int, clean: Views, climbed: Climbed, attack: AttackSettings, objective: str, lam: float, norm: str,
                   axis: str, epsilon: float | None, rng: torch.Generator) -> Answer:
    base = clean.flat()
    delta = climbed.x - base
    sizes = torch.tensor(climbed.levels, device=base.device) if axis == "epsilon" else torch.full((len(climbed.levels),), float(epsilon or 0))
    noise = registry.find("attack", "noise")()
    tiled, still = base.expand(len(climbed.levels), -1), Objective(lambda rows: rows.sum(1))
    shared = len(sizes) if axis == "epsilon" else 1  # at one ε every level has a noise of its own, or all would be the same draw
    noisy = launched(noise.perturb(tiled, still, Budget(norm, sizes.to(base.device), shared=shared), rng)).x
    with torch.no_grad():
        views = clean.like(climbed.x)
        z, log_q = it.model.encode(views), it.model.log_assign(views)
        noise_q = it.model.log_assign(clean.like(noisy)).exp()
        near = torch.cdist(z, it.z).topk(NEIGHBOURS, largest=False).indices
    medoids = _medoids(it)
    names, _ = _cluster_names(it, it.cluster.cpu().numpy(), medoids)
    label = None if it.data.labels is None else int(it.data.labels[sample])
    own = int(it.cluster[sample])
    report: dict[str, Any] = {
        "axis": axis, "levels": [round(level, 6) for level in climbed.levels], "shape": list(clean.shapes[0]), "norm": norm, "epsilon": epsilon,
        "cluster_names": names, "cluster_own": own, "flip": climbed.flip, "epsilon_star": climbed.epsilon_star, "sample": sample,
        "label": label, "label_name": it.data.class_names[label] if label is not None else "", "data": it.data.name,
        "title": f"{it.data.title} #{sample}", "map_name": "PCA of z", "model": it.run.spec.name,
        "protocol": _protocol(attack, objective, lam, norm, axis, epsilon),
        "noise_flips": int((noise_q.argmax(1) != own).sum()),
    }
    _, votes = _legibility(it, sample, climbed.x)
    report["read_as"] = [None if vote is None else it.data.class_names[vote] for vote in votes]
    arrays = {
        "clean": base[0].cpu().numpy(), "delta": delta.half().cpu().numpy(), "q": log_q.exp().cpu().numpy(), "noise_q": noise_q.cpu().numpy(),
        "z": z.cpu().numpy(), "xy": it.place(z).cpu().numpy(), "xy_error": np.asarray(0.0), "near": near.cpu().numpy().astype(np.int32),
        "linf": delta.abs().amax(1).cpu().numpy(), "l2": delta.norm(dim=1).cpu().numpy(),
        "medoids": _bytes(_rows(it, medoids).flat()),
        "q_clean": it.log_q[sample].exp().cpu().numpy(), "z_clean": it.z[sample].cpu().numpy(),
        "xy_clean": it.place(it.z[sample:sample + 1])[0].cpu().numpy(),
    }
    if hasattr(it.model, "reconstruct"):
        with torch.no_grad():
            arrays["recon"] = _bytes(it.model.reconstruct(views))
            arrays["recon_clean"] = _bytes(it.model.reconstruct(clean))[0]
    return Answer(report, arrays)


def _protocol(attack: AttackSettings, objective: str, lam: float, norm: str, axis: str, epsilon: float | None) -> str:
    """The line under a picture that says how its numbers were made."""
    parts = [attack.title, objective.replace("_", " ") + (f" − {lam:g}·reconstruction change" if lam else ""), {"linf": "L∞", "l2": "L2"}[norm]]
    parts += [f"{name.replace('_', ' ')} {value}" for name, value in attack.values().items() if name in ("steps", "restarts")]
    if axis != "epsilon":
        parts.append(f"ε = {epsilon:g}")
    return " · ".join(parts)


# --- controls ---------------------------------------------------------------------------------------------------------

def checks(model: str, sample: int, attack: str, settings: dict[str, Any], objective: str, objective_settings: dict[str, Any], lam: float,
           norm: str, epsilon: float, seed: int = 0) -> Answer:
    """One attacked sample beside its controls at the same ε, each a share with n: what does *not* need an attack?

    Noise of the same size, perturbations made for other samples, FGSM, a third of the steps, and a huge ε.
    """
    it = victim(model)
    _check_ids([sample], len(it.data))
    chosen = registry.find("attack", attack)(**settings)
    clean, rng = _rows(it, np.array([sample])), torch.Generator().manual_seed(seed)
    own = int(it.cluster[sample])

    def flips(x: Tensor) -> np.ndarray:
        return (it.log_q_of(clean.like(x)).argmax(1) != own).cpu().numpy()

    def moved(kind: AttackSettings, samples: Views, size: float) -> Tensor:
        bound = combine(objective, lam, objective_settings).bind(it.model, samples)
        return launched(kind.perturb(samples.flat(), bound, Budget(norm, size), rng)).x

    drawn = torch.randperm(len(it.data), generator=rng)
    others = drawn[drawn != sample][: DRAWS // 2].numpy()
    strangers = _rows(it, others)
    borrowed = moved(chosen, strangers, epsilon) - strangers.flat()
    noise = moved(registry.find("attack", "noise")(), clean.rows(torch.zeros(DRAWS, dtype=torch.long)), epsilon)
    huge = Budget(norm, 0.0).limit(it.data.views.size)
    answered = moved(chosen, clean, epsilon)
    rows = [_check("this attack", flips(answered)), _check("noise of the same size", flips(noise)),
            _check("perturbations of other samples", flips(Budget(norm, epsilon).project(clean.flat() + borrowed, clean.flat()))),
            _check("FGSM", flips(moved(registry.find("attack", "fgsm")(), clean, epsilon))),
            _check("this attack, no limit on ε", flips(moved(chosen, clean, huge)))]
    label, votes = _legibility(it, sample, torch.cat([clean.flat(), answered]))
    return Answer({"rows": rows, "label": label, "read_clean": votes[0], "read_attacked": votes[1], "epsilon": epsilon, "norm": norm,
                   "class_names": list(it.data.class_names)})


def _check(name: str, hits: np.ndarray) -> dict[str, Any]:
    low, high = wilson(int(hits.sum()), len(hits))
    return {"name": name, "flipped": int(hits.sum()), "n": len(hits), "low": low, "high": high}


def _legibility(it: Victim, sample: int, x: Tensor) -> tuple[int | None, list[int | None]]:
    """What 5 nearest neighbours on raw clean pixels, the sample itself left out, read in each row of x; None without labels."""
    if it.data.labels is None:
        return None, [None] * len(x)
    blocks = (views.flat().numpy() for views in it.data.views.chunks())
    near = legibility.nearest(x.cpu().numpy(), np.full(len(x), sample), blocks)
    return int(it.data.labels[sample]), [int(vote) for vote in legibility.vote(near, it.data.labels)]


# --- a run of attacks -------------------------------------------------------------------------------------------------

def moved(run: str) -> Answer:
    """Where the samples of a finished attack run went: PCA places, assignments, reconstructions and neighbours, in its table's order.

    `uncertain` marks those that left the data: farther in z from every clean sample than 99 of 100 clean ones are from theirs.
    """
    it, index, x = _attacked(run)
    with torch.no_grad():
        parts = [(it.model.encode(views), it.model.log_assign(views)) for views in _blocks(it, x)]
    z, log_q = (torch.cat(part) for part in zip(*parts, strict=True))
    distance, near = _nearest(it, z, NEIGHBOURS)
    alone = _nearest(it, it.z[index], 2)[0][:, 1]
    far = float(torch.quantile(alone, FAR))
    arrays = {"xy_clean": it.place(it.z[index]).cpu().numpy(), "xy": it.place(z).cpu().numpy(), "z": z.cpu().numpy(),
              "uncertain": (distance[:, 0] > far).cpu().numpy(), "near_distance": distance[:, 0].cpu().numpy(),
              "near": near.cpu().numpy().astype(np.int32), "q_clean": it.log_q[index].exp().cpu().numpy(), "q": log_q.exp().cpu().numpy()}
    if hasattr(it.model, "reconstruct"):
        with torch.no_grad():
            arrays["recon"] = np.concatenate([_bytes(it.model.reconstruct(views)) for views in _blocks(it, x)])
    return Answer({"n": len(x), "far": far, "uncertain": int(arrays["uncertain"].sum())}, arrays)


def moved_umap(run: str) -> Answer:
    """The same samples, clean and attacked, on the model's UMAP; `error` is how far a clean one lands from itself (its median)."""
    it, index, _ = _attacked(run)
    mapped = answers.answer({"ask": "umap", "model": it.run.key, "seed": 0})
    gone = answers.answer({"ask": "moved", "run": run})
    xy, error = placing.place(gone.arrays["z"], mapped.arrays["z"], mapped.arrays["xy"])
    return Answer({"method": "umap", "error": float(np.median(error))}, {"xy_clean": mapped.arrays["xy"][index.cpu().numpy()], "xy": xy})


def _attacked(key: str) -> tuple[Victim, Tensor, Tensor]:
    """The victim of an attack run, the rows it attacked, and the adversarial samples (m, d) as they were stored."""
    run = Store(home()).find(key)
    if run.spec.action != "attack":
        raise SettingsError(f"The run {key} must be an attack; it is of the kind {run.spec.action!r}. Choose a run of `attack`.")
    stored, it = run.arrays("images"), victim(run.spec.builds_on["model"])
    index = torch.as_tensor(stored["id"].astype(np.int64), device=it.z.device)
    return it, index, torch.from_numpy(stored["adversarial"].astype(np.float32) / stored["divisor"])


def _blocks(it: Victim, x: Tensor) -> Iterator[Views]:
    """Flat rows (m, d) as views on the model's device, 500 at a time."""
    like = it.data.views.rows(torch.zeros(1, dtype=torch.long))
    return (like.like(block.to(it.z.device)) for block in x.split(500))


def _nearest(it: Victim, z: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Distances and ids (m, count) of the nearest clean samples of embeddings z (m, e)."""
    parts = [torch.cdist(block, it.z).topk(min(count, len(it.z)), largest=False) for block in z.split(500)]
    return torch.cat([part.values for part in parts]), torch.cat([part.indices for part in parts])


# --- small pieces -----------------------------------------------------------------------------------------------------

def _rows(it: Victim, ids: np.ndarray) -> Views:
    """Samples by id on the model's device; id -1 (an empty cluster's medoid) gives the first sample."""
    index = torch.as_tensor(np.maximum(ids, 0), dtype=torch.long)
    return it.data.views.rows(index).to(it.z.device)


def _bytes(x: Tensor) -> np.ndarray:
    """[0, 1] floats as bytes, for display."""
    return (x.clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()


def _check_ids(ids: list[int], n: int) -> None:
    wrong = [number for number in ids if not 0 <= number < n]
    if wrong:
        raise SettingsError(f"A sample's id must be from 0 to {n - 1}; got {wrong[0]}. Choose another sample.")


def prepare(action: str, name: str, data: str, seed: int = 0, preset: str | None = None, changes: dict[str, Any] | None = None,
            models: dict[str, str] | None = None) -> Answer:
    """Check a choice and make the run's spec; what is wrong comes back as a sentence."""
    from engine.runs import runner  # the runner is heavy and only this question needs it

    try:
        spec = runner.prepare(action, name, data, seed=seed, preset=preset, changes=changes or {}, models=models or {})
    except FeintError as error:
        return Answer({"spec": None, "key": None, "sentence": str(error)})
    return Answer({"spec": spec.model_dump(mode="json"), "key": spec.key, "sentence": None})


QUESTIONS: dict[str, Callable[..., Answer]] = {
    "overview": overview, "umap": umap, "place": place, "images": images, "sample": sample, "fate": fate, "ladder": ladder, "checks": checks,
    "prepare": prepare,
    "moved": moved, "moved_umap": moved_umap,
}
