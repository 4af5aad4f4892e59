"""The question about one sample whose embedding is moved: its ladder over ν, the weight that takes the place
of ε there.

Without fitted runs δ is found for this sample alone at every ν, all of them in one batch; with some, each is
a level.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import registry
from engine.asking.answers import Answer
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
from engine.attacks.budget import Budget
from engine.attacks.latent_attack import LatentAttack, settled
from engine.attacks.protocols import answer as launched
from engine.data.views import Views, picture
from engine.errors import SettingsError
from engine.home import home
from engine.metrics import embedding
from engine.models.protocols import Decodes, require
from engine.objectives.flip_and_keep import FlipAndKeep
from engine.running.fitting import restored
from engine.store.run import Run
from engine.store.store import Store

NOWHERE = Budget("linf", 0.0)
"""Attacks are called with a budget; this one's has no meaning in the embedding."""


def latent_ladder(
    model: str,
    sample: int,
    settings: dict[str, Any],
    objective: str,
    objective_settings: dict[str, Any],
    top: float,
    count: int,
    seed: int = 0,
    fitted: Sequence[str] = (),
) -> Answer:
    """One sample along ν (0 … top, in the paper's units), or at the ν of each of the runs `fitted`, after 0.

    As a ladder over ε, but pictures are decoded ones: `clean` from the clean embedding, `delta` what is
    decoded differently.
    """
    it = victim(model)
    check_ids([sample], len(it.data))
    require(it.model, Decodes, "A ladder over ν")
    clean = rows_of(it, np.array([sample]))
    attack: LatentAttack = registry.find("attack", "latent_attack")(**settings)
    weights: FlipAndKeep = registry.find("objective", objective)(
        **{name: value for name, value in objective_settings.items() if name != "nu"}
    )
    if fitted:
        levels, moved, kind = _fitted(it, clean, fitted, weights)
    else:
        levels = torch.linspace(0, top, count)
        rows = clean.rows(torch.zeros(count, dtype=torch.long))
        moved = launched(
            settled(
                weights.over_weight(it.model, rows, levels.to(it.z.device)), attack.own_steps, attack.own_rate
            )
        ).x
        kind = f"δ for this sample alone, {attack.own_steps} steps of Adam"
    return _answer(
        it,
        sample,
        clean,
        levels.tolist(),
        moved,
        f"{attack.title} · {kind} · nothing bounds δ but the objective",
        seed,
    )


def moved_sample(run: str, sample: int) -> Answer:
    """One sample under the attack of a run, whether that run chose it or not: as `moved` tells those that it
    chose, one row each.
    """
    this = Store(home()).find(run)
    it = victim(this.spec.builds_on["model"])
    check_ids([sample], len(it.data))
    model: Any = it.model
    clean, index = rows_of(it, np.array([sample])), torch.tensor([sample])
    moved = _launched(it, this, clean)[1]
    with torch.no_grad():
        log_q, decoded, decoded_clean = (
            model.log_assign_embedding(moved),
            model.decode(moved),
            model.decode(it.z[index]),
        )
    arrays = {
        "xy_clean": it.place(it.z[index]),
        "xy": it.place(moved),
        "q_clean": it.log_q[index].exp(),
        "q": log_q.exp(),
    }
    return Answer(
        {"sample": sample},
        {name: value.cpu().numpy() for name, value in arrays.items()}
        | {"recon": as_bytes(decoded), "recon_clean": as_bytes(decoded_clean)},
    )


def _launched(it: Victim, run: Run, clean: Views) -> tuple[float, Tensor]:
    """ν of a run's attack, and where it moves embeddings of clean samples: (n, m). Raises SettingsError for a
    run that holds no such attack.
    """
    if run.spec.name != "latent_attack" or run.spec.builds_on.get("model") != it.run.key:
        raise SettingsError(
            f"The run {run.name} holds no latent_attack on {it.run.name}; fit one to this model."
        )
    source = Store(home()).find(run.spec.builds_on["fitted"]) if "fitted" in run.spec.builds_on else run
    net = restored(source, it.data.views.shapes).to(it.z.device)
    settings: LatentAttack = registry.find("attack", "latent_attack")(**run.spec.settings["attack_settings"])
    own: FlipAndKeep = registry.find("objective", run.spec.settings["objective"])(
        **run.spec.settings["objective_settings"]
    )
    moved = launched(
        settings.bound(net, clean).perturb(
            clean.flat(), own.bind(it.model, clean), NOWHERE, torch.Generator()
        )
    ).x
    return own.weight_of(it.data.views.size), moved


def _fitted(
    it: Victim, clean: Views, names: Sequence[str], weights: FlipAndKeep
) -> tuple[Tensor, Tensor, str]:
    """ν and moved embedding of each fitted run, rising, after the clean one."""
    found = sorted(
        (_launched(it, Store(home()).find(name), clean) for name in names), key=lambda pair: pair[0]
    )
    z = weights.bind(it.model, clean).z
    return (
        torch.tensor([0.0, *(nu for nu, _ in found)]),
        torch.cat([z, *(x for _, x in found)]),
        "one network for all samples at each ν",
    )


def _answer(
    it: Victim, sample: int, clean: Views, levels: list[float], moved: Tensor, protocol: str, seed: int
) -> Answer:
    model: Any = it.model
    with torch.no_grad():
        z = model.encode(clean)
        delta = moved - z
        directions = embedding.random_directions(delta[-1:].expand_as(delta).cpu().numpy(), seed)[
            :1
        ]  # one direction for all levels, as long as each δ
        length = delta.norm(dim=1, keepdim=True)
        noisy = (
            z + torch.from_numpy(directions / max(float(np.linalg.norm(directions)), 1e-12)).to(z) * length
        )
        log_q, noise_q = model.log_assign_embedding(moved), model.log_assign_embedding(noisy).exp()
        decoded, decoded_clean = model.decode(moved), model.decode(z)
    change, own = decoded - decoded_clean, int(it.cluster[sample])
    flipped = log_q.argmax(1) != own
    first = int(flipped.int().argmax()) if bool(flipped.any()) else None
    medoids = medoids_of(it)
    names, _ = cluster_names(it, it.cluster.cpu().numpy(), medoids)
    label = None if it.data.labels is None else int(it.data.labels[sample])
    _, votes = read_as(it, sample, decoded)
    report: dict[str, Any] = {
        "axis": "nu",
        "levels": [float(f"{level:.6g}") for level in levels],
        "shape": list(picture(clean.shapes)),
        "norm": "embedding",
        "epsilon": None,
        "cluster_names": names,
        "cluster_own": own,
        "target": None,
        "flip": first,
        "epsilon_star": None,
        "sample": sample,
        "label": label,
        "label_name": it.data.class_names[label] if label is not None else "",
        "data": it.data.name,
        "title": f"{it.data.title} #{sample}",
        "map_name": "PCA of z",
        "model": it.run.spec.name,
        "protocol": protocol,
        "noise_flips": int((noise_q.argmax(1) != own).sum()),
        "read_as": [None if vote is None else it.data.class_names[vote] for vote in votes],
        "ratio": (length[:, 0] / z.norm().clamp_min(1e-12)).tolist(),
        "shift_mse": change.square().mean(1).tolist(),
        "error_mse": float((decoded_clean - clean.flat()).square().mean()),
    }
    arrays = {
        "clean": decoded_clean[0].cpu().numpy(),
        "delta": change.cpu().numpy(),
        "q": log_q.exp().cpu().numpy(),
        "noise_q": noise_q.cpu().numpy(),
        "z": moved.cpu().numpy(),
        "xy": it.place(moved).cpu().numpy(),
        "xy_error": np.asarray(0.0),
        "near": nearest(it, moved, NEIGHBOURS)[1].cpu().numpy().astype(np.int32),
        "linf": change.abs().amax(1).cpu().numpy(),
        "l2": change.norm(dim=1).cpu().numpy(),
        "medoids": as_bytes(rows_of(it, medoids).flat()),
        "flipped": flipped.cpu().numpy(),
        "q_clean": it.log_q[sample].exp().cpu().numpy(),
        "z_clean": it.z[sample].cpu().numpy(),
        "xy_clean": it.place(it.z[sample : sample + 1])[0].cpu().numpy(),
        "near_clean": (
            nearest(it, it.z[sample : sample + 1], NEIGHBOURS + 1)[1][0, 1:].cpu().numpy().astype(np.int32)
        ),
        "original": as_bytes(clean.flat())[0],
    }
    return Answer(report, arrays)
