"""NCP-ACL, table 1: does a push towards the neighbouring cluster deceive a classifier on the same encoder?"""

from collections.abc import Mapping
from typing import Any, ClassVar

from engine.registry import register
from engine.studies.claims import Claim
from engine.studies.ncp import ATTACKED, PAPER, NCPStudy
from engine.studies.protocols import Attacking, Case, Training, Treatment, cell, published

MEASURED = {name: name for name in ("probability_lost", "mistaken_rate")}
CONTROLS = {name: name for name in ("accuracy_clean", "success_rate", "noise_success_rate", "n")}
EPSILONS = {"quick": (8 / 255, 0.1), "mini": (8 / 255, 0.1), "paper": (8 / 255,)}
NOISE = {"uniform": "ball", "signs": "rim"}
PUSHES = {
    "delta_nbr": "chase_neighbour",
    "away": "leave_own_cluster",
    "both": "ncp",
    "labels": "cross_entropy",
}
"""Treatment -> objective of PGD-5."""
TOWARDS, RANDOM = {"treatment": "delta_nbr"}, [{"treatment": kind} for kind in NOISE]


@register
class Table1(NCPStudy):
    """The proof of concept, beside two kinds of noise and the other strategies."""

    name = "ncp.table1"
    title = "NCP-ACL, table 1: towards the neighbouring cluster"
    summary = (
        "What a push towards the neighbouring cluster does to a linear classifier on the same undefended"
        " encoder; beside it two kinds of noise, the other strategies, and an attack that knows the labels."
    )
    protocol = (
        "SimCLR, spherical k-means of its embedding and a linear layer on it, all frozen. PGD of 5 steps of"
        " ε / 4 from a random start (L∞) on test rows; how far the probability of the label falls, in points,"
        " and the share that is mistaken, both of the samples that were classified correctly. Noise: uniform"
        " in the ball, and ±ε for every number, which is as large as a push may be. Every seed counts."
    )
    reduced: ClassVar[Mapping[str, str]] = {
        "quick": (
            "Against the published settings: the 898 training rows of 8x8 digits (50,000 of CIFAR-10), three"
            " convolutions (ResNet-18), K = 20, 500 test rows, and ε = 0.1 beside the published 8/255."
        ),
        "mini": (
            "Against the published settings: half of the 10,000 test images of MNIST (50,000 of CIFAR-10),"
            " affine layers of 256 and 128 (ResNet-18), K = 20, 500 test rows, and ε = 0.1 beside the"
            " published 8/255."
        ),
        "paper": NCPStudy.reduced["paper"],
    }
    about_published = (
        "Published: means of five runs, ε = 8/255. Which noise was drawn is not said. (?): a published value"
        " that cannot be taken as it stands."
    )
    treatments = {
        "uniform": Treatment("uniform noise"),
        "signs": Treatment("random signs of size ε"),
        "delta_nbr": Treatment("δ_nbr, towards the neighbour (ii)"),
        "away": Treatment("away from the own cluster (i)"),
        "both": Treatment("both (iii)"),
        "labels": Treatment("cross-entropy, knows the labels"),
    }
    columns: ClassVar[Mapping[str, str]] = {}
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim("δ_nbr deceives more often than random noise", "mistaken_rate", TOWARDS, RANDOM),
        Claim(
            "δ_nbr takes more probability from the label than random noise",
            "probability_lost",
            TOWARDS,
            RANDOM,
        ),
        Claim(
            "Control: both strategies together deceive more often than either",
            "mistaken_rate",
            {"treatment": "both"},
            [{"treatment": "away"}, {"treatment": "delta_nbr"}],
        ),
    )
    place = 1

    def cases(self) -> list[Case]:
        """ε by ε, noise first; then the published cells of other data."""
        clusters = self.clustered()
        probe = Training("probe_with_centroids", self.set, base=clusters)
        rows = []
        for epsilon in EPSILONS[self.size]:
            for kind in (*NOISE, *PUSHES):
                found, doubtful = cell(PAPER, "table1", tuple(MEASURED), treatment=kind, data="cifar10")
                about: dict[str, Any] = {"data": self.set, "epsilon": round(epsilon, 4)}
                if found and epsilon == 8 / 255:
                    about |= {"published_for": "cifar10"}
                rows.append(
                    Case(
                        "simclr",
                        about,
                        probe,
                        self._attack(kind, epsilon),
                        treatment=kind,
                        measured=MEASURED,
                        controls=CONTROLS,
                        published=found if "published_for" in about else None,
                        doubtful=doubtful if "published_for" in about else (),
                    )
                )
        return rows + [
            Case(
                "simclr",
                {"data": said["data"], "epsilon": round(8 / 255, 4)},
                treatment=said["treatment"],
                published={name: said[name] for name in MEASURED},
                doubtful=tuple(said["doubtful"]),
            )
            for said in published(PAPER)["table1"]
            if said["data"] != "cifar10"
        ]

    def _attack(self, kind: str, epsilon: float) -> Attacking:
        rows = {"half": "test", "n": ATTACKED[self.size], "epsilon": epsilon}
        if kind in NOISE:
            return Attacking("noise", None, rows | {"objective": "cross_entropy", "drawn": NOISE[kind]})
        steps = {"steps": 5, "step_size": epsilon / 4}
        return Attacking("pgd", None, rows | steps | {"objective": PUSHES[kind]})
