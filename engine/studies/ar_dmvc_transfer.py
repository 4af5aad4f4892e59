"""AR-DMVC, table 2: robustness on classes that were not trained on."""

from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from engine.metrics import clustering
from engine.registry import register
from engine.studies.ar_dmvc import (
    BASE,
    DEFENCES,
    MultiViewStudy,
    attacked_case,
    columns_of,
    published_cell,
)
from engine.studies.ar_dmvc_table3 import DEFENDED, HELD, UNDEFENDED
from engine.studies.claims import Claim
from engine.studies.protocols import Case

FAMILIES = {
    "quick": ("noisy_digits",),
    "mini": ("noisy_mnist",),
    "paper": ("noisy_fashion", "noisy_mnist"),
}


@register
class Transfer(MultiViewStudy):
    """Robustness on classes that were not trained on."""

    name = "ar_dmvc.transfer"
    title = "AR-DMVC, table 2: transfer of robustness"
    summary = (
        "Trained on five classes, attacked on the other five: the accuracy there, beside the clean one and"
        " chance."
    )
    place = 3
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim(
            "On data that they were not trained on the defences keep more of the clusters than CoMVC",
            HELD,
            {"model": DEFENDED, "treatment": "pgd"},
            UNDEFENDED,
        ),
        Claim(
            "Control: they do so under the strongest attack too",
            HELD,
            {"model": DEFENDED, "treatment": "strongest"},
            UNDEFENDED,
        ),
    )
    columns = {"acc_chance": "ACC by chance"}

    def cases(self) -> list[Case]:
        """Pairs of class halves of one set, or of two; then each half on itself."""
        return [
            attacked_case(
                model,
                {"trained_on": source, "data": target, "epsilon": 0.3} | self.epochs(training),
                training,
                treatment,
                attacking,
                more=chance,
                **self._published(model, source, target, treatment),
            )
            for (source, target), model in product(self._pairs(), (BASE, *DEFENCES))
            for training in [self.trained_as_long(model, source)]
            for treatment, attacking in (*self.attacks(0.3, target), *self.judging(0.3, target))
        ]

    def _pairs(self) -> list[tuple[str, str]]:
        """Data to train on, data to attack."""
        families = FAMILIES[self.size]
        low, high = [f"{family}_0_4" for family in families], [f"{family}_5_9" for family in families]
        pairs = [*zip(low, high, strict=True), *zip(high, low, strict=True)]
        if len(families) == 2:
            pairs += [(low[0], low[1]), (high[0], high[1]), (low[1], high[0]), (high[1], low[0])]
        return [*pairs, *((half, half) for half in (*low, *high))]

    @staticmethod
    def _published(model: str, source: str, target: str, treatment: str) -> dict[str, Any]:
        """Digits are a stand-in for MNIST."""
        where = {"trained_on": source.replace("digits", "mnist"), "data": target.replace("digits", "mnist")}
        return published_cell("table2", ("acc", "nmi"), treatment, model=model, **where)


def chance(folder: Path, draws: int = 20) -> dict[str, Any]:
    """The accuracy that the attacked clusters would have if they were dealt out at random: `acc_chance`, the
    mean of 20 deals.
    """
    label, attacked = columns_of(folder, "label", "cluster_attacked")
    rng = np.random.default_rng(0)
    dealt = [clustering.accuracy(label, rng.permutation(attacked)) for _ in range(draws)]
    return {"acc_chance": float(np.mean(dealt))}
