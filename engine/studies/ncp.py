"""What the studies of robust contrastive learning share: encoders that a second stage makes robust, and what
a linear layer on them is worth, clean and attacked.

Every method begins from the same SimCLR run of its seed, so that only the second stage differs. Source:
"Cluster-driven adversarial perturbations for robust contrastive learning" (NCP-ACL), anonymous submission.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from engine.defences.ncp_acl import STAGE_1
from engine.studies.claims import Claim
from engine.studies.protocols import (
    Attacking,
    Beside,
    Case,
    StudySettings,
    Training,
    Treatment,
    cell,
    published,
)

PAPER = "ncp_acl"
SCORES = ("sa", "ra", "aa")
"""Accuracy on clean samples, under PGD-20 and under AutoAttack, as the tables call them."""
DATA = {"quick": "digits", "mini": "mnist_test", "paper": "cifar10"}
PRESETS = {"quick": "quick", "mini": "mnist_test", "paper": "cifar10"}
STAGES_1: Mapping[str, Mapping[str, Any]] = {"quick": {}, "mini": {"encoder": "layers"}, "paper": STAGE_1}
"""What a size changes in SimCLR: at mini affine layers, so that three seeds of every method take minutes."""
K = {"quick": 20, "mini": 20, "paper": 70}
"""Clusters where a study does not look for their number; at the size paper those of the first seed."""
EPSILON = {"quick": 0.2, "mini": 0.1, "paper": 8 / 255}
ATTACKED: Mapping[str, int | None] = {"quick": 500, "mini": 500, "paper": None}
"""Test rows under PGD."""
AUTOATTACK: Mapping[str, tuple[str, int | None]] = {
    "quick": ("lite", 100),
    "mini": ("lite", 100),
    "paper": ("standard", None),
}
"""Preset of AutoAttack, and test rows under it."""
METHODS = ("deacl", "dynacl", "dynacl_pp", "ncp_acl")
"""Those of table 2 that are trained here, in its order."""
EVALUATIONS = 1
"""Of a second stage while it is trained: its last scores are all that is read."""
EPOCHS: Mapping[str, Mapping[str, Any]] = {"quick": {"epochs": 40}, "mini": {"epochs": 10}, "paper": {}}
"""Of DYNACL: as many as NCP-ACL takes, where its own are fewer."""
BOTH_STAGES = {"quick": 740, "mini": 1160, "paper": 136_000}
"""Steps of both stages together: of SimCLR, then of NCP-ACL."""
ELSEWHERE = {"advcl": "ADVCL", "dynacl_air_pp": "DYNACL-AIR++"}
NOT_BUILT = "Published values alone: this method is described, and not built."
STAND_IN = "cifar10"
"""The published data beside which smaller ones stand."""
NAMES = {"sa": "SA", "ra": "RA, PGD-20", "aa": "AA", "aa_lite": "AA-lite"}
ROBUST = ("ra", "aa", "aa_lite")


class NCPStudy(StudySettings):
    """What the studies of this paper have in common."""

    paper = PAPER
    source: ClassVar[str] = "Cluster-driven adversarial perturbations for robust contrastive learning"
    protocol = (
        "A linear layer on the frozen encoder, trained on the training rows and judged on the others: SA"
        " clean, RA under PGD-20 on the cross-entropy (L∞, steps of ε / 4, random start), AA under"
        " AutoAttack. All methods of a seed begin from one SimCLR run; those with doubled normalisations are"
        " read through the adversarial branch unless the row says otherwise. Beside each attack stands the"
        " success of random signs of size ε. No model is selected: every seed counts."
    )
    reduced: ClassVar[Mapping[str, str]] = {
        "quick": (
            "Against the published settings: the 898 training rows of 8x8 digits (50,000 of CIFAR-10), three"
            " convolutions (ResNet-18), K = 20 unless a row says otherwise, ε = 0.2 (8/255), 500 test rows;"
            " AA-lite, on 100 of them: APGD-CE and APGD-T of 25 steps, 3 targets, Square of 200 queries, no"
            " FAB."
        ),
        "mini": (
            "Against the published settings: half of the 10,000 test images of MNIST (50,000 of CIFAR-10),"
            " affine layers of 256 and 128 (ResNet-18), K = 20 unless a row says otherwise, ε = 0.1 (8/255),"
            " 500 test rows; AA-lite, on 100 of them: APGD-CE and APGD-T of 25 steps, 3 targets, Square of"
            " 200 queries, no FAB."
        ),
        "paper": "ResNet-18 on CIFAR-10, K = 70, as for the first published seed.",
    }
    about_published = (
        "Published: means of five runs on CIFAR-10 unless a row says otherwise. Rows on digits, on MNIST and"
        " on pictures that went through JPEG are stand-ins, and no reproduction: what may be compared is the"
        " order of the methods. ADVCL and DeACL were quoted from their own papers on CIFAR-10 and CIFAR-100,"
        " with other evaluations. (?): a published value that cannot be taken as it stands."
        " ADVCL, which is not built here, contrasts a sample with its high frequencies and an adversarial"
        " view, and takes pseudo-labels from an encoder trained on ImageNet; DYNACL-AIR++, not built either,"
        " adds to DYNACL++ two terms that ask adversarial views to be as similar to others as clean ones."
        " The paper takes the K of the highest silhouette. That of encoders as small as these is highest at 5"
        " to 12 clusters (the study of figure 2), but robustness is published to settle from about 20 on:"
        " quick and mini take 20."
    )
    page = "contrastive"
    figure = "scores"
    measured_on = {
        "quick": "digits, 8x8",
        "mini": "MNIST, 5,000 for training, affine layers",
        "paper": "CIFAR-10, published settings",
    }
    treatments = {"pgd": Treatment("PGD-20"), "published": Treatment("as published")}
    axes: ClassVar[Mapping[str, str]] = dict(StudySettings.axes) | {
        "branch": "normalised by",
        "clusters": "K",
        "neighbour": "neighbour",
        "probe": "probe",
    }
    columns: ClassVar[Mapping[str, str]] = NAMES
    baseline = "simclr"
    defences: ClassVar[tuple[str, ...]] = ("ncp_acl",)

    @property
    def set(self) -> str:
        """The data of this size."""
        return DATA[self.size]

    @property
    def epsilon(self) -> float:
        """The radius of training and of attacks."""
        return EPSILON[self.size]

    @property
    def made_by(self) -> str:
        """The preset of both stages."""
        return PRESETS[self.size]

    @property
    def of_stage1(self) -> Mapping[str, Any]:
        """What this size changes in SimCLR."""
        return STAGES_1[self.size]

    def stage1(self, **changes: Any) -> Training:
        """SimCLR."""
        return Training("simclr", self.set, self.made_by, {**self.of_stage1, **changes})

    def clustered(self, clusters: int | None = None) -> Training:
        """SimCLR with centroids of its embedding."""
        k = clusters or K[self.size]
        return Training("spherical_k_means", self.set, base=self.stage1(), clusters=k)

    def encoder(self, model: str, clusters: int | None = None, **changes: Any) -> Training:
        """An encoder of a method; its first stage is the SimCLR of its own preset, or that of the size."""
        equal = EPOCHS[self.size] if model == "dynacl" else {}
        changes = {"evaluations": EVALUATIONS, **equal} | changes
        k, base = clusters or K[self.size], self.stage1() if self.of_stage1 else None
        base = self.encoder("dynacl") if model == "dynacl_pp" else base
        return Training(model, self.set, self.made_by, changes, base=base, clusters=k)

    def longer(self) -> Training:
        """SimCLR for as many steps as both stages take."""
        return self.stage1(steps=BOTH_STAGES[self.size])

    def same_loop(self) -> Training:
        """NCP-ACL with DeACL's perturbation, and nothing else changed."""
        return replace(self.encoder("deacl"), preset=f"{self.made_by}_same_loop")

    def probe(self, encoder: Training, branch: str = "adversarial", model: str = "linear_probe") -> Training:
        """What reads the classes off a frozen encoder."""
        changes: dict[str, Any] = {} if branch == "adversarial" else {"branch": branch}
        if model == "adversarial_probe":
            changes |= {"epsilon": self.epsilon, "attack_step": self.epsilon / 4}
        if model == "adversarial_probe" and self.size != "paper":
            changes |= {"batch": 64}
        if model == "linear_probe" and self.size == "paper":
            changes |= {"protocol": "published", "rate": 0.1, "decay": 2e-4}
        return Training(model, self.set, None, changes, base=encoder)

    def pgd(self) -> Attacking:
        """PGD-20 on the test rows, in steps of ε / 4 as published."""
        wanted = {"objective": "cross_entropy", "step_size": self.epsilon / 4}
        return Attacking("pgd", None, self._attacked(ATTACKED[self.size]) | wanted)

    def autoattack(self) -> Beside:
        """AutoAttack, or what stands for it at this size."""
        preset, n = AUTOATTACK[self.size]
        wanted = {"objective": "misclassify", "doubts": False}  # PGD's run has them, of the same samples
        name = "aa" if preset == "standard" else "aa_lite"
        return Beside(
            Attacking("autoattack", preset, wanted | self._attacked(n)),
            {name: "accuracy_attacked"},
            {f"{name}_n": "n"},
        )

    def _attacked(self, n: int | None) -> dict[str, Any]:
        return {"half": "test", "n": n, "epsilon": self.epsilon}

    def row(self, model: str, layer: Training, arm: str = "", **about: Any) -> Case:
        """A method's encoder as a linear layer reads it: SA, RA and AA."""
        return Case(
            model,
            {"data": self.set} | about,
            layer,
            self.pgd(),
            arm,
            "pgd",
            {"sa": "accuracy_clean", "ra": "accuracy_attacked"},
            {name: name for name in ("noise_success_rate", "success_rate", "n")},
            beside=(self.autoattack(),),
        )

    def beside(self, case: Case, table: str, **where: Any) -> Case:
        """A row with the published cell of CIFAR-10 beside it, where there is one."""
        values, doubtful = cell(PAPER, table, SCORES, data=STAND_IN, **where)
        if values is None:
            return case
        about = {**case.about, "published_for": STAND_IN}
        return replace(case, about=about, published=values, doubtful=doubtful)

    def alone(self, table: str, taken: Sequence[str]) -> list[Case]:
        """The published cells of a table beside which no row of `taken` stands (model, strategy or n of those
        on CIFAR-10), as rows.
        """
        cases = []
        for said in published(PAPER)[table]:
            model, about = (
                said.get("model", "ncp_acl"),
                {name: said[name] for name in self.axes if name in said},
            )
            named = said.get("strategy") or str(said.get("neighbour", model))
            if said["data"] != STAND_IN or named not in taken:
                cases.append(
                    Case(
                        ELSEWHERE.get(model, model),
                        about,
                        arm=said.get("strategy", ""),
                        treatment="published",
                        published={name: said[name] for name in SCORES},
                        doubtful=tuple(said["doubtful"]),
                        note=NOT_BUILT if model in ELSEWHERE else "",
                    )
                )
        return cases


def more_robust(
    says: str,
    first: Mapping[str, Any],
    second: Sequence[Mapping[str, Any]],
    names: Sequence[str] = ROBUST,
) -> tuple[Claim, ...]:
    """That some rows have more RA, and more AA, than others."""
    return tuple(Claim(f"{says} ({NAMES[name]})", name, first, second) for name in names)


def alike(
    says: str, first: Mapping[str, Any], second: Sequence[Mapping[str, Any]], within: float = 0.02
) -> tuple[Claim, ...]:
    """That rows differ little in SA, RA and AA."""
    return tuple(Claim(f"{says} ({NAMES[name]})", name, first, second, within) for name in NAMES)
