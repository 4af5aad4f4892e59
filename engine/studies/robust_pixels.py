"""Robust clustering: does a defence of the embedding help against an attack on the pixels?"""

from itertools import product
from typing import ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.protocols import Attacking, Case
from engine.studies.robust import NETWORKS, RobustStudy

CONTROLS = {
    name: name
    for name in (
        "acc_clean",
        "acc_attacked_fixed_match",
        "flip_rate",
        "noise_flip_rate",
        "other_delta_flip_rate",
        "knn_acc_attacked",
        "n",
    )
}


SAMPLES = {"objective": "leave_cluster", "n": 1000}
STRONGEST = {"starts": 1, "steps": 50, "targets": 3}


@register
class Pixels(RobustStudy):
    """Does a defence of the embedding help against an attack on the pixels?"""

    name = "robust.pixels"
    title = "Robust clustering: PGD on the pixels"
    summary = (
        "Base, defended and control networks under PGD and the strongest attack on the pixels. No paper says"
        " what to expect."
    )
    version = 2
    protocol = (
        "Networks as in table 2; L∞ on the pixels, leaving the cluster, on 1,000 of the samples that they"
        " were trained on: PGD-20 from a random start, and the strongest attack, which tries what stands"
        " from one random start of 50 steps each: out of its cluster, and towards the 3 nearest others. The"
        " noise control is random signs of size ε. Clusters are matched to classes anew after the attack; the"
        " ACC with the clean matching stands beside it. No model is selected: every seed counts."
    )
    figure = "against_epsilon"
    tab = "pixels"
    place = 6
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim(
            "Control: the defence of the embedding also protects against the strongest attack on pixels",
            "flip_rate",
            {"arm": "control", "treatment": "strongest"},
            [{"arm": "defended"}],
        ),
    )

    def cases(self) -> list[Case]:
        """Network by network, ε by ε, arm by arm, by PGD and by the strongest attack."""
        column = self.one_column()
        return [
            Case(
                network,
                {"data": column.data, "dimension": column.dimension, "epsilon": epsilon},
                self.of_arm(arm, network, column.data, column.dimension),
                Attacking(attack, None, SAMPLES | {"epsilon": epsilon} | more),
                arm,
                attack,
                {"acc": "acc_attacked", "flip_rate": "flip_rate"},
                CONTROLS,
            )
            for network, epsilon, arm in product(NETWORKS, (0.05, 0.1, 0.2), ("base", "defended", "control"))
            for attack, more in {"pgd": {}, "strongest": STRONGEST}.items()
        ]
