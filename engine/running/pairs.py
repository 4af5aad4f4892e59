"""The action `pairs`: which cluster can become which? K x K targeted success and the smallest ε that does it.

Every chosen sample is sent to every other cluster by a ladder over ε. Rows are the cluster a sample comes
from, columns the cluster it is sent to. ε* is an upper bound, and a median counts samples never reached as ">
ε max".
"""

from collections.abc import Generator, Iterator
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from pydantic import model_validator
from torch import Tensor

from engine import registry
from engine.attacks.budget import Budget
from engine.attacks.ladder import Attempt, Smallest, binding, over_epsilon, reaching, smallest_reaching
from engine.attacks.protocols import AttackSettings
from engine.errors import SettingsError
from engine.events import Event
from engine.metrics.intervals import wilson
from engine.metrics.robustness import median_epsilon, written
from engine.models.protocols import Clusters, require
from engine.registry import register
from engine.running.action import Action, Work
from engine.running.judging import Judge, check_inside, stream
from engine.running.launching import Clock
from engine.settings import Settings, knob


@register
class Pairs(Action):
    """Targeted attacks from every cluster to every other."""

    name: ClassVar[str] = "pairs"
    title: ClassVar[str] = "Who can become whom"
    source: ClassVar[str] = "Feint"
    lane: ClassVar[str] = "attack"
    about: ClassVar[str] = "attack"

    attack: str = knob("pgd", "Attack", "Its registered name.")
    attack_settings: dict[str, Any] = knob({}, "Attack settings", "The attack's own fields.")
    norm: Literal["linf", "l2"] = knob("linf", "Norm", "The norm of the budget.")
    epsilon: float = knob(0.3, "ε max", "The top of the ladder, in the data's unit.", symbol="ε", gt=0)
    levels: int = knob(
        9,
        "Levels",
        "Levels of the first ladder; what lies between two is refined.",
        ge=2,
        le=257,
        advanced=True,
    )
    n: int = knob(100, "Samples", "At most so many, shared evenly among the clusters.", ge=1)
    chunk: int = knob(100, "Chunk", "Samples attacked at a time.", ge=1, advanced=True)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        Budget(self.norm, self.epsilon)
        if self.chosen_attack().fitted:
            raise SettingsError(
                f"pairs takes attacks that need not be fitted; got {self.attack}. Choose pgd."
            )
        return self

    @classmethod
    def depends_on(cls) -> tuple[type[Settings], ...]:
        """What sends a sample to a cluster."""
        return (registry.find("objective", "go_to_cluster"),)

    def chosen_attack(self) -> AttackSettings:
        """The attack with its settings."""
        return registry.find("attack", self.attack)(**self.attack_settings)

    def needs_of_model(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What the attack needs, and clusters."""
        yield self.chosen_attack().title, self.chosen_attack().needs
        yield self.title, ("clusters",)

    def work(self, work: Work) -> Generator[Event, None, dict[str, Any]]:
        """Send every sample to every other cluster; writes table "samples", a row a pair, and arrays "images"
        in its order.
        """
        judge = Judge(work.model(), work.data, work.how.device)
        require(judge.model, Clusters, self.title)
        if judge.clusters < 2:
            raise SettingsError(
                "pairs needs a model with at least 2 clusters; this one has 1, and there is nowhere to go."
            )
        index = evenly(judge, self.n, work.spec.seed)
        clock, rng = Clock(len(index) * judge.clusters), stream(work.spec.seed, "pairs")
        found: list[tuple[Tensor, int, Smallest]] = []
        for target in range(judge.clusters):
            movable = index[torch.from_numpy(judge.clean_clusters[index.numpy()] != target)]
            for rows in movable.split(self.chunk) if len(movable) else ():
                found.append((rows, target, self._send(judge, rows, target, rng)))
                yield from clock.tick(len(rows))
        columns, adversarial = _columns(judge, found)
        work.write_table("samples", columns)
        work.write_arrays("images", {"adversarial": adversarial})
        return matrices(
            columns["cluster_clean"],
            columns["cluster_target"],
            columns["epsilon_star"],
            judge.clusters,
            self.epsilon,
        )

    def _send(self, judge: Judge, rows: Tensor, target: int, rng: torch.Generator) -> Smallest:
        clean, attack = judge.clean(rows), self.chosen_attack()
        objective = registry.find("objective", "go_to_cluster")(cluster=target)
        bind, arrived = binding(objective, judge.model), reaching(objective, judge.model, clean)
        assert arrived is not None, "a model that clusters can be sent to a cluster"
        levels = np.linspace(0, self.epsilon, self.levels).tolist()
        attempt = Attempt(bind, clean, attack, self.norm)
        smallest = smallest_reaching(attempt, over_epsilon(attempt, levels, rng), arrived, rng)
        check_inside(
            self.attack, smallest.x, clean.flat(), Budget(self.norm, smallest.epsilon.clamp(max=self.epsilon))
        )
        return smallest


def evenly(judge: Judge, n: int, seed: int) -> Tensor:
    """Rows of at most n samples, as evenly as the clusters allow, the same for the same seed."""
    order = judge.choose(len(judge.data), seed)
    clusters = torch.from_numpy(judge.clean_clusters)[order]
    rank = torch.zeros(len(order), dtype=torch.long)
    for cluster in range(judge.clusters):
        members = clusters == cluster
        rank[members] = torch.arange(int(members.sum()))
    return order[rank.argsort(stable=True)[:n]]


def matrices(
    source: np.ndarray, target: np.ndarray, epsilon_star: np.ndarray, k: int, largest: float
) -> dict[str, Any]:
    """K x K lists: n, success with its 95 % interval, median ε* (None where unknown or beyond) and that
    median in words.
    """

    cells = [
        [_cell(epsilon_star[(source == i) & (target == j)], largest) for j in range(k)] for i in range(k)
    ]

    def of(name: str) -> list[list[Any]]:
        return [[cell[name] for cell in row] for row in cells]

    whole = _cell(epsilon_star, largest)
    return {
        "clusters": k,
        "pairs_n": of("n"),
        "success": of("success"),
        "success_low": of("low"),
        "success_high": of("high"),
        "median_epsilon": of("median"),
        "median_epsilon_text": of("text"),
        "epsilon_max": largest,
        "n": whole["n"],
        "success_rate": whole["success"],
        "epsilon_star_median": whole["median"],
        "epsilon_star_median_text": written(median_epsilon(epsilon_star), largest),
    }


def _cell(stars: np.ndarray, largest: float) -> dict[str, Any]:
    """What is said of the ε* (n,) of some pairs; None where there are none, or the median lies beyond."""
    if len(stars) == 0:
        return {"n": 0} | dict.fromkeys(("success", "low", "high", "median", "text"))
    reached, middle = int(np.isfinite(stars).sum()), median_epsilon(stars)
    low, high = wilson(reached, len(stars))
    return {
        "n": len(stars),
        "success": reached / len(stars),
        "low": low,
        "high": high,
        "median": middle if np.isfinite(middle) else None,
        "text": written(middle, largest),
    }


def _columns(
    judge: Judge, found: list[tuple[Tensor, int, Smallest]]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """One row a pair of sample and target: the table's columns, and the samples at ε* (the clean ones where
    never reached).
    """
    if not found:
        raise SettingsError(
            "pairs needs samples outside a target cluster; all chosen ones lie in one cluster. Raise n."
        )
    rows = torch.cat([rows for rows, _, _ in found]).numpy()
    labels = np.full(len(rows), -1) if judge.data.labels is None else judge.data.labels[rows]
    stars = torch.cat([smallest.epsilon.cpu() for _, _, smallest in found]).numpy().astype(np.float64)
    columns = {
        "id": rows,
        "label": labels,
        "cluster_clean": judge.clean_clusters[rows],
        "cluster_target": np.concatenate([np.full(len(rows), target) for rows, target, _ in found]),
        "epsilon_star": stars,
        "reached": np.isfinite(stars),
    }
    return columns, torch.cat([smallest.x.cpu() for _, _, smallest in found]).numpy()
