"""The questions about one attacked sample: its ladder, its controls, its fate in other models. Every number
is judged in float32.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import registry
from engine.asking import answers, multiview
from engine.asking.answers import Answer
from engine.asking.embedding_ladder import latent_ladder
from engine.asking.victims import (
    NEIGHBOURS,
    Victim,
    as_bytes,
    check_ids,
    cluster_names,
    medoids_of,
    nearest,
    read_as,
    rows_of,
    victim,
)
from engine.attacks import ladder as ladders
from engine.attacks.budget import Budget
from engine.attacks.protocols import AttackSettings
from engine.attacks.protocols import answer as launched
from engine.data.views import Views, picture
from engine.errors import BudgetError, SettingsError
from engine.home import home
from engine.metrics.intervals import wilson
from engine.objectives import combine
from engine.objectives.protocols import Objective
from engine.running.fitting import restored
from engine.running.threat import unlocked
from engine.store.store import Store

DRAWS = 64
"""Noises drawn for one sample's control; half as many other samples lend their perturbation."""


def ladder(
    model: str,
    sample: int,
    attack: str,
    settings: dict[str, Any],
    objective: str,
    objective_settings: dict[str, Any],
    lam: float,
    norm: str,
    axis: str,
    top: float,
    count: int,
    seed: int = 0,
    epsilon: float | None = None,
    locked: Sequence[int] = (),
    fitted: str = "",
) -> Answer:
    """One sample along ε (0 … top), along the path over T at ε = `epsilon`, along λ (0 … top) at ε =
    `epsilon`, or, moving the embedding, along ν.

    Every level carries the perturbation, the assignment, the embedding's place, the reconstruction, and the
    controls. `locked` views stay as they are; `fitted` is the run in which an attack that needs it was fitted
    to this model, used at every ε.
    """
    if axis == "nu":
        return latent_ladder(
            model,
            sample,
            settings,
            objective,
            objective_settings,
            top,
            count,
            seed,
            [key for key in fitted.split(",") if key],
        )
    it = victim(model)
    check_ids([sample], len(it.data))
    clean = rows_of(it, np.array([sample]))
    chosen, mask = _armed(it, attack, settings, fitted), unlocked(locked, clean.shapes)
    rng = torch.Generator().manual_seed(seed)
    goal = _goal(it, sample, objective, objective_settings)
    climbed = _climb(
        it,
        chosen,
        clean,
        objective,
        objective_settings,
        lam,
        norm,
        axis,
        top,
        count,
        epsilon,
        goal,
        rng,
        mask,
    )
    return _ladder_answer(
        it, sample, clean, climbed, chosen, objective, lam, norm, axis, epsilon, goal, rng, mask
    )


def _armed(it: Victim, attack: str, settings: dict[str, Any], fitted: str) -> AttackSettings:
    """The attack ready to launch: one that must be fitted, with the weights of the run `fitted`."""
    chosen: AttackSettings = registry.find("attack", attack)(**settings)
    if not chosen.fitted:
        return chosen
    if not fitted:
        raise SettingsError(
            f"{attack} must be fitted to the model first; got no run. Fit it with `python3 -m engine attack"
            f" {attack} --model {it.run.name}`, or choose pgd."
        )
    run = Store(home()).find(fitted)
    if run.spec.name != attack or run.spec.builds_on.get("model") != it.run.key:
        raise SettingsError(
            f"The run {run.name} holds no {attack} fitted to {it.run.name}; fit one to this model."
        )
    made: AttackSettings = type(chosen)(**run.spec.settings["attack_settings"])
    return made.bound(
        restored(run, it.data.views.shapes).to(it.z.device), rows_of(it, np.zeros(1, dtype=int))
    )


@dataclass(frozen=True)
class Goal:
    """What counts as a flip of one sample: being in `target`, or, where that is None, out of its `own`
    cluster.
    """

    own: int
    target: int | None

    def reached(self, cluster: Tensor) -> Tensor:
        """Whether clusters (m,) are what was asked for: (m,) bool."""
        return cluster != self.own if self.target is None else cluster == self.target


def _goal(it: Victim, sample: int, objective: str, objective_settings: dict[str, Any]) -> Goal:
    targeted = getattr(registry.find("objective", objective), "targeted", False)
    return Goal(
        int(it.cluster[sample]),
        int(objective_settings["cluster"]) if targeted and "cluster" in objective_settings else None,
    )


@dataclass(frozen=True)
class Climbed:
    """What a ladder reached: x (L, d) at each level, and whether it reached the goal there."""

    levels: list[float]
    x: Tensor
    flipped: Tensor
    epsilon_star: float | None

    @property
    def flip(self) -> int | None:
        """The first level that reached the goal."""
        return int(self.flipped.int().argmax()) if bool(self.flipped.any()) else None


def _climb(
    it: Victim,
    attack: AttackSettings,
    clean: Views,
    objective: str,
    objective_settings: dict[str, Any],
    lam: float,
    norm: str,
    axis: str,
    top: float,
    count: int,
    epsilon: float | None,
    goal: Goal,
    rng: torch.Generator,
    mask: Tensor | None,
) -> Climbed:
    """Climb along the axis that was asked for; whether a level has flipped is judged here."""
    if axis not in ("epsilon", "path", "lambda"):
        raise SettingsError(f"A ladder's axis must be epsilon, path, lambda or nu; got {axis!r}.")

    def bind(views: Views, _: Tensor) -> Objective:
        return combine(objective, 0.0 if axis == "lambda" else lam, objective_settings).bind(it.model, views)

    def flipped(rows: Tensor, _: Tensor) -> Tensor:
        return goal.reached(it.log_q_of(clean.like(rows)).argmax(1))

    star = None
    if axis == "epsilon":
        found = ladders.over_epsilon(bind, clean, torch.linspace(0, top, count), attack, norm, rng, mask)
        smallest = float(
            ladders.smallest_reaching(found, flipped, bind, clean, attack, norm, rng, mask=mask).epsilon
        )
        star = smallest if np.isfinite(smallest) else None
    elif epsilon is None:
        raise BudgetError(f"A ladder over {axis} needs one ε; got none. Give epsilon.")
    elif axis == "path":
        found = ladders.over_path(bind, clean, epsilon, attack, norm, rng, mask)
    else:
        penalty = registry.find("objective", "reconstruction_change")()
        lams = torch.linspace(0, top, count).tolist()
        found = ladders.over_lambda(
            bind,
            lambda views, _: penalty.bind(it.model, views),
            clean,
            lams,
            epsilon,
            attack,
            norm,
            rng,
            mask,
        )
    return Climbed(found.levels[0].tolist(), found.x[0], found.reached(flipped)[0], star)


def _ladder_answer(
    it: Victim,
    sample: int,
    clean: Views,
    climbed: Climbed,
    attack: AttackSettings,
    objective: str,
    lam: float,
    norm: str,
    axis: str,
    epsilon: float | None,
    goal: Goal,
    rng: torch.Generator,
    mask: Tensor | None,
) -> Answer:
    base = clean.flat()
    delta = climbed.x - base
    sizes = (
        torch.tensor(climbed.levels, device=base.device)
        if axis == "epsilon"
        else torch.full((len(climbed.levels),), float(epsilon or 0))
    )
    noise = registry.find("attack", "noise")()
    tiled, still = base.expand(len(climbed.levels), -1), Objective(lambda rows: rows.sum(1))
    shared = (
        len(sizes) if axis == "epsilon" else 1
    )  # at one ε every level has a noise of its own, or all would be the same draw
    noisy = launched(
        noise.perturb(tiled, still, Budget(norm, sizes.to(base.device), mask=mask, shared=shared), rng)
    ).x
    with torch.no_grad():
        views = clean.like(climbed.x)
        z, log_q = it.model.encode(views), it.model.log_assign(views)
        noise_q = it.model.log_assign(clean.like(noisy)).exp()
    near = nearest(it, z, NEIGHBOURS)[1]
    medoids = medoids_of(it)
    names, _ = cluster_names(it, it.cluster.cpu().numpy(), medoids)
    label = None if it.data.labels is None else int(it.data.labels[sample])
    report: dict[str, Any] = {
        "axis": axis,
        "levels": [float(f"{level:.9g}") for level in climbed.levels],
        "shape": list(picture(clean.shapes)),
        "norm": norm,
        "epsilon": epsilon,
        "cluster_names": names,
        "cluster_own": goal.own,
        "target": goal.target,
        "flip": climbed.flip,
        "epsilon_star": climbed.epsilon_star,
        "sample": sample,
        "label": label,
        "label_name": it.data.class_names[label] if label is not None else "",
        "data": it.data.name,
        "title": f"{it.data.title} #{sample}",
        "map_name": "PCA of z",
        "model": it.run.spec.name,
        "protocol": _protocol(
            attack,
            objective if goal.target is None else f"{objective} {names[goal.target]}",
            lam,
            norm,
            axis,
            epsilon,
        ),
        "noise_flips": int(goal.reached(noise_q.argmax(1)).sum()),
    }
    _, votes = read_as(it, sample, climbed.x)
    report["read_as"] = [None if vote is None else it.data.class_names[vote] for vote in votes]
    arrays = {
        "clean": base[0].cpu().numpy(),
        "delta": delta.cpu().numpy(),
        "q": log_q.exp().cpu().numpy(),
        "noise_q": noise_q.cpu().numpy(),
        "z": z.cpu().numpy(),
        "xy": it.place(z).cpu().numpy(),
        "xy_error": np.asarray(0.0),
        "near": near.cpu().numpy().astype(np.int32),
        "linf": delta.abs().amax(1).cpu().numpy(),
        "l2": delta.norm(dim=1).cpu().numpy(),
        "medoids": as_bytes(rows_of(it, medoids).flat()),
        "flipped": climbed.flipped.cpu().numpy(),
        "q_clean": it.log_q[sample].exp().cpu().numpy(),
        "z_clean": it.z[sample].cpu().numpy(),
        "near_clean": (
            nearest(it, it.z[sample : sample + 1], NEIGHBOURS + 1)[1][0, 1:].cpu().numpy().astype(np.int32)
        ),
        "xy_clean": it.place(it.z[sample : sample + 1])[0].cpu().numpy(),
    }
    if len(clean.shapes) > 1:
        report["views"] = len(clean.shapes)
        arrays |= multiview.moved(it, views, clean)
    if hasattr(it.model, "reconstruct"):
        with torch.no_grad():
            arrays["recon"] = as_bytes(it.model.reconstruct(views))
            arrays["recon_clean"] = as_bytes(it.model.reconstruct(clean))[0]
    return Answer(report, arrays)


def _protocol(
    attack: AttackSettings, objective: str, lam: float, norm: str, axis: str, epsilon: float | None
) -> str:
    """The line under a picture that says how its numbers were made."""
    parts = [
        attack.title,
        objective.replace("_", " ") + (f" − {lam:g}·reconstruction change" if lam else ""),
        {"linf": "L∞", "l2": "L2"}[norm],
    ]
    parts += [
        f"{name.replace('_', ' ')} {value}"
        for name, value in attack.values().items()
        if name in ("steps", "restarts")
    ]
    if axis != "epsilon":
        parts.append(f"ε = {epsilon:g}")
    return " · ".join(parts)


def fate(
    models: list[str],
    sample: int,
    attack: str,
    settings: dict[str, Any],
    norm: str,
    top: float,
    seed: int = 0,
) -> Answer:
    """One sample against several models: its cluster in each, and the smallest ε that moves it (an upper
    bound).
    """
    rows = []
    for key in models:
        found = ladder(
            key, sample, attack, settings, "leave_cluster", {}, 0.0, norm, "epsilon", top, 33, seed
        )
        rows.append(
            {
                "model": key,
                "cluster": found.json["cluster_own"],
                "name": found.json["cluster_names"][found.json["cluster_own"]],
                "epsilon_star": found.json["epsilon_star"],
                "flip": found.json["flip"],
            }
        )
    return Answer({"rows": rows, "sample": sample, "top": top, "norm": norm})


def checks(ladder: dict[str, Any], level: int) -> Answer:
    """One level of a ladder beside its controls at the same ε, each a share with n: what does *not* need an
    attack?

    Noise of the same size, perturbations made for other samples, FGSM, and an ε without limit. Raises
    SettingsError for a level it lacks.
    """
    climbed = answers.answer(ladder)
    if not 0 <= level < len(climbed.json["levels"]):
        raise SettingsError(
            f"The ladder has levels 0 to {len(climbed.json['levels']) - 1}; got {level}. Choose one of them."
        )
    it, sample, axis, here = (
        victim(ladder["model"]),
        ladder["sample"],
        ladder["axis"],
        climbed.json["levels"][level],
    )
    epsilon, lam = (
        (here if axis == "epsilon" else ladder["epsilon"]),
        (here if axis == "lambda" else ladder["lam"]),
    )
    chosen = _armed(it, ladder["attack"], ladder["settings"], ladder.get("fitted", ""))
    clean, rng = rows_of(it, np.array([sample])), torch.Generator().manual_seed(ladder["seed"])
    mask = unlocked(ladder.get("locked", ()), clean.shapes)
    goal = _goal(it, sample, ladder["objective"], ladder["objective_settings"])

    def flips(x: Tensor) -> np.ndarray:
        return goal.reached(it.log_q_of(clean.like(x)).argmax(1)).cpu().numpy()

    def moved(kind: AttackSettings, samples: Views, size: float) -> Tensor:
        bound = combine(ladder["objective"], lam, ladder["objective_settings"]).bind(it.model, samples)
        return launched(kind.perturb(samples.flat(), bound, Budget(ladder["norm"], size, mask=mask), rng)).x

    drawn = torch.randperm(len(it.data), generator=rng)
    others = drawn[drawn != sample][: DRAWS // 2].numpy()
    strangers, budget = rows_of(it, others), Budget(ladder["norm"], epsilon, mask=mask)
    borrowed = budget.project(
        clean.flat() + moved(chosen, strangers, epsilon) - strangers.flat(), clean.flat()
    )
    noise = moved(
        registry.find("attack", "noise")(), clean.rows(torch.zeros(DRAWS, dtype=torch.long)), epsilon
    )
    rows = [
        _check("this attack", climbed.arrays["flipped"][[level]]),
        _check("noise of the same size", flips(noise)),
        _check("perturbations of other samples", flips(borrowed)),
        _check("FGSM", flips(moved(registry.find("attack", "fgsm")(), clean, epsilon))),
        _check("this attack, no limit on ε", flips(moved(chosen, clean, budget.limit(it.data.views.size)))),
    ]
    return Answer({"rows": rows, "epsilon": epsilon})


def _check(name: str, hits: np.ndarray) -> dict[str, Any]:
    low, high = wilson(int(hits.sum()), len(hits))
    return {"name": name, "flipped": int(hits.sum()), "n": len(hits), "low": low, "high": high}
