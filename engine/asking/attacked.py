"""The question about a finished attack: where its samples went."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine import registry
from engine.asking.answers import AttackedSamplesAnswer
from engine.asking.embedding_ladder import said_at
from engine.asking.questions import AttackedSamplesQuestion
from engine.asking.victims import BLOCK, Victim, as_bytes, numbers, victim_of, whole_numbers
from engine.errors import SettingsError
from engine.home import home
from engine.models.outputs import Outputs
from engine.models.protocols import Decodes, require
from engine.store.store import Store

NEIGHBOURS = 5
"""Nearest clean samples of an attacked one."""
FAR = 0.99
"""An attacked sample has left the data where its nearest neighbour is farther than this share of the clean
ones have theirs.
"""


@dataclass(frozen=True)
class AttackedRows:
    """The victim of an attack run, the ids (n,) that it attacked, and what it left: adversarial samples
    (n, d), or moved embeddings (n, m).
    """

    victim: Victim
    index: Tensor
    x: Tensor
    in_embedding: bool

    def outputs(self) -> Iterator[Outputs]:
        """What the model says of them, a block at a time."""
        if self.in_embedding:
            heads = require(self.victim.model, Decodes, "An attack on the embedding")
            return (said_at(heads, z.to(self.victim.device)) for z in self.x.split(BLOCK))
        return (self.victim.outputs_of(views) for views in self.victim.blocks(self.x))

    def clean_pictures(self) -> dict[str, Any]:
        """What is decoded from the clean embeddings, or from those of the clean samples; nothing where the
        model does not decode.
        """
        if not self.in_embedding:
            clean = [
                self.victim.outputs_of(self.victim.rows(ids.cpu().numpy())) for ids in self.index.split(BLOCK)
            ]
            shown = [said.reconstruction for said in clean if said.reconstruction is not None]
            return {"recon_clean": np.concatenate([as_bytes(rows) for rows in shown])} if shown else {}
        heads = require(self.victim.model, Decodes, "An attack on the embedding")
        assert self.victim.z is not None, "what was moved is an embedding"
        blocks = self.victim.z[self.index].split(BLOCK)
        return {"recon_clean": np.concatenate([as_bytes(said_at(heads, z).x) for z in blocks])}


def attacked_rows(key: str) -> AttackedRows:
    """What a run left. Raises SettingsError where it is no attack."""
    run = Store(home()).find(key)
    if run.spec.action != "attack":
        raise SettingsError(
            f"The run {key} must be an attack; it is of the kind {run.spec.action!r}. Choose a run of"
            " `attack`."
        )
    stored, victim = run.arrays("images"), victim_of(run.spec.builds_on["model"])
    index = torch.as_tensor(stored["id"].astype(np.int64), device=victim.device)
    in_embedding = registry.find("attack", run.spec.name).space == "embedding"
    x = torch.from_numpy(stored["z" if in_embedding else "adversarial"])
    return AttackedRows(victim, index, x, in_embedding)


def attacked_samples(question: AttackedSamplesQuestion) -> AttackedSamplesAnswer:
    """Places, groups, reconstructions and neighbours of a run's samples, in its table's order."""
    rows = attacked_rows(question.run)
    z: list[Tensor] = []
    log_groups: list[Tensor] = []
    pictures: list[np.ndarray] = []
    for said in rows.outputs():
        z += [] if said.z is None else [said.z]
        log_groups += [] if said.groups is None else [said.groups]
        pictures += [] if said.reconstruction is None else [as_bytes(said.reconstruction)]
    found: dict[str, Any] = {"recon": np.concatenate(pictures)} if pictures else {}
    found |= _groups(rows, torch.cat(log_groups)) if log_groups else {}
    found |= _places(rows, torch.cat(z)) if z else {}
    return AttackedSamplesAnswer(n=len(rows.index), **found, **rows.clean_pictures())


def _groups(rows: AttackedRows, log_groups: Tensor) -> dict[str, Any]:
    before = rows.victim.log_groups
    assert before is not None, "what has groups has them at rest"
    return {"q_clean": numbers(before[rows.index].exp()), "q": numbers(log_groups.exp())}


def _places(rows: AttackedRows, z: Tensor) -> dict[str, Any]:
    """Where embeddings z (n, m) lie, who is near them, and which of them left the data."""
    victim = rows.victim
    assert victim.z is not None, "what has an embedding has it at rest"
    clean, z = victim.z[rows.index], victim.compared(z)
    distance, near = victim.nearest(z, NEIGHBOURS)
    far = float(torch.quantile(victim.nearest(clean, 2)[0][:, 1], FAR))
    return {
        "z": numbers(z),
        "xy": numbers(victim.places(z)),
        "xy_clean": numbers(victim.places(clean)),
        "near": whole_numbers(near),
        "near_distance": numbers(distance[:, 0]),
        "far": far,
        "uncertain": numbers(distance[:, 0] > far),
    }
