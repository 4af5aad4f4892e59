"""AutoAttack of a shipped probe, against the same four attacks of torchattacks alone, in the same run.

Printed: medians of interleaved rounds, the speed as a ratio to torchattacks round by round, and the accuracy
that each leaves on the same samples.
"""

import statistics
import time
from collections.abc import Callable

import pytest
import torch
import torchattacks
from torch import Tensor, nn

from engine import data
from engine.attacks.autoattack import AutoAttack
from engine.attacks.budget import Budget
from engine.attacks.protocols import answer
from engine.data.views import Views
from engine.models.protocols import Classifies, require
from engine.objectives.misclassify import Misclassify
from engine.running.models import load_model
from engine.store.store import Store

ROUNDS, EPSILON, N = 5, 0.05, 60
SETTINGS = AutoAttack(steps=25, queries=500)


class Logits(nn.Module):
    """A model as torchattacks wants it: one tensor in, logits out."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return require(self.model, Classifies, "a benchmark").logits(Views([x]))


def arms(name: str) -> tuple[dict[str, Callable[[], Tensor]], Callable[[Tensor], float]]:
    """What is timed on a shipped probe, by what it is called; and the accuracy under its answer."""
    run = Store().find(name)
    model, every = load_model(run, "cpu"), data.load(run.spec.data)
    rows = torch.from_numpy(every.rows("test"))[:N]
    clean, labels = every.views.rows(rows), torch.from_numpy(every.labels[rows.numpy()])
    objective, peer = Misclassify().bind(model, clean, labels), Logits(model).eval()

    def theirs() -> Tensor:
        same = {"norm": "Linf", "eps": EPSILON, "seed": 0}
        several = {"steps": SETTINGS.steps, "n_classes": SETTINGS.targets + 1}
        attacks = [
            torchattacks.APGD(peer, steps=SETTINGS.steps, **same),
            torchattacks.APGDT(peer, **several, **same),
            torchattacks.FAB(peer, multi_targeted=True, **several, **same),
            torchattacks.Square(peer, n_queries=SETTINGS.queries, **same),
        ]
        return torchattacks.MultiAttack(attacks)(clean[0], labels).detach()

    def ours() -> Tensor:
        rng = torch.Generator().manual_seed(0)
        return answer(SETTINGS.perturb(clean.flat(), objective, Budget("linf", EPSILON), rng)).x

    @torch.no_grad()
    def accuracy(moved: Tensor) -> float:
        return float((peer(moved.reshape(clean[0].shape)).argmax(1) == labels).float().mean())

    return {"torchattacks": theirs, "autoattack": ours}, accuracy


@pytest.mark.benchmark
def test_autoattack_against_torchattacks(name: str = "digits/linear_probe") -> None:
    timed, accuracy = arms(name)
    seconds: dict[str, list[float]] = {arm: [] for arm in timed}
    for turn in range(ROUNDS + 1):
        for arm, attack in timed.items():
            began = time.process_time()
            attack()
            seconds[arm] += [time.process_time() - began] * (turn > 0)
    print(f"\n{name}, {SETTINGS.in_words()} on {N} samples, median of {ROUNDS} interleaved rounds")
    for arm, attack in timed.items():
        speed = statistics.median(
            peer / own for peer, own in zip(seconds["torchattacks"], seconds[arm], strict=True)
        )
        print(
            f"  {arm:14} {statistics.median(seconds[arm]):6.2f} s of the processor, speed {speed:5.2f},"
            f" accuracy {accuracy(attack()):.3f}"
        )
