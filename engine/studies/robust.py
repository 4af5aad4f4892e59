"""What the studies of robust deep clustering share: attack, defence and re-attack on the embedding, with the
arms that the paper lacks beside them.

Source: Yang, Deng, Wei, Yan and Liu, "Adversarial learning for robust deep clustering", NeurIPS 2020.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, ClassVar

from engine.defences.latent_defence import LatentDefence
from engine.errors import SettingsError
from engine.settings import knob
from engine.studies.protocols import (
    CLEAN,
    Attacking,
    Case,
    StudySettings,
    Training,
    Treatment,
    cell,
    published,
)

PAPER = "robust"
NETWORKS = LatentDefence.begins_from
"""The base networks, as the tables order them."""
DATA = {
    "quick": ("digits",),
    "mini": ("mnist_test", "newsgroups4", "reuters_r8"),
    "paper": ("stl10_resnet50", "newsgroups4"),
}
PRESETS = {"digits": "quick", "mnist_test": "mini", "newsgroups4": "text", "reuters_r8": "text"}
"""Preset of models and defence on each data set, below the size paper; there their own defaults, with the
steps of the public code.
"""
ATTACK_PRESETS = {"digits": "quick", "mnist_test": "mini", "newsgroups4": "mini", "reuters_r8": "mini"}
WORDS = {"output": "softplus", "normalise": "mean_square"}
"""What documents need beside the defaults."""
LONG = 50_000
"""Steps of a part of the training in the public code, at most."""
DIMENSIONS = {"quick": (5, 10, 20, 40), "mini": (64,), "paper": (64, 128, 256, 512)}
PUBLISHED_DIMENSIONS = (64, 128, 256, 512)
STANDS_FOR = {
    "digits": "stl10",
    "mnist_test": "stl10",
    "stl10_resnet50": "stl10",
    "newsgroups4": "reuters",
    "reuters_r8": "reuters",
}
"""Whose published values stand beside the rows: all but STL-10's own features are stand-ins, which every row
says.
"""
ONE_DIMENSION = {"quick": 10, "mini": 64, "paper": 64}
"""Of the studies that have no columns of dimensions."""
ARMS: dict[str, Mapping[str, Any]] = {
    "defended": {},
    "control": {"variant": "control"},
    "consistency": {"variant": "consistency"},
    "alternating": {"attack_steps": 50},
}
"""Arm -> changed fields of the defence."""
SAMPLES = {"objective": "flip_and_keep", "n": None}
CLEAN_SCORES = {"acc": "acc_clean", "nmi": "nmi_clean"}
ATTACKED_SCORES = {"acc": "acc_attacked", "nmi": "nmi_attacked", "d_tab": "d_tab"}
CONTROLS = {
    name: name
    for name in (
        "acc_clean",
        "nmi_clean",
        "flip_rate",
        "noise_flip_rate",
        "other_delta_flip_rate",
        "acc_attacked_fixed_match",
        "agreement_mean",
        "reconstruction_change_mean",
        "reconstruction_clean_mean",
        "delta_ratio_mean",
        "d_abs",
        "d_rel",
        "active_coordinates",
        "nu",
        "n",
    )
}


@dataclass(frozen=True)
class Column:
    """A column of the paper's tables, as it is measured here."""

    network: str
    data: str
    dimension: int
    published_dimension: int
    """The dimension of the published cell that stands beside it."""

    @property
    def cell(self) -> dict[str, Any]:
        """What finds the published cell."""
        return {
            "model": self.network,
            "data": STANDS_FOR[self.data],
            "dimension": self.published_dimension,
        }

    @property
    def about(self) -> dict[str, Any]:
        """What is said of its rows."""
        beside = f"{STANDS_FOR[self.data]}, d = {self.published_dimension}"
        return {"data": self.data, "dimension": self.dimension, "published_for": beside}


class RobustStudy(StudySettings):
    """What the studies of this paper have in common."""

    paper = PAPER
    source: ClassVar[str] = "Yang, Deng, Wei, Yan and Liu, NeurIPS 2020"
    protocol = (
        "Trained, attacked and scored on the same samples, as published (transductive), without sampling"
        " the embedding: labels are argmax C(m) and argmax C(m + δ). The noise control is a random"
        " direction of the embedding as long as each δ. Clusters are matched to classes anew after the"
        " attack; the ACC with the clean matching stands beside it. No model is selected: every seed"
        " counts. A re-attack begins with a fresh network, from the same draw as the first. The paper's D"
        " has no formula; D as its tables seem to have it is 50 times the relative D, which switched-off"
        " coordinates dominate."
    )
    reduced: ClassVar[dict[str, str]] = {
        "quick": (
            "Against the published settings: 8x8 digits, d = 5 to 40 (64 to 512), dense networks 128 wide;"
            " a base of 1,500 + 300 + 1,500 steps of 256 samples (the public code: up to 50,000 of 1,000), an"
            " attack of 600 steps of 1,000, a defence of 600 of 256; ν = 0.01 (0.04)."
        ),
        "mini": (
            "Against the published settings: MNIST's 10,000 test images with half the filters, texts with"
            " dense networks, d = 64; a base of 400 + 100 + 400 steps, attack and defence of 200 each, all of"
            " 256 samples (the public code: up to 50,000 of 1,000)."
        ),
        "paper": "Every part takes the 50,000 steps that the public code allows.",
    }
    about_published = (
        "Published: single runs on ResNet-50 features of STL-10 and on REUTERS, at latent dimensions 64 to"
        " 512; these rows are stand-ins and not a reproduction. Its D has no formula. (?): a published value"
        " that cannot be taken as it stands."
    )
    page = "robust"
    measured_on = {
        "quick": "digits, 8x8",
        "mini": "MNIST's test images and texts",
        "paper": "published settings",
    }
    arms = {
        "base": "base",
        "defended": "defended, as published",
        "control": "control: equal steps, no defence",
        "consistency": "consistency of the outputs",
        "alternating": "alternating: the attack learns on",
    }
    treatments = {
        CLEAN: Treatment("clean"),
        "same_attack": Treatment("the attack it has seen"),
        "fresh_attack": Treatment("a fresh attack"),
        "affine": Treatment("affine attack, as released"),
        "relu": Treatment("attack with ReLU"),
        "per_sample": Treatment("each sample by itself"),
        "pgd": Treatment("PGD-20 on the pixels"),
        "strongest": Treatment("strongest attack on the pixels", "the strongest attack"),
    }
    lines = "arm"
    baseline = "control"
    defences = ("defended",)

    sets: tuple[str, ...] | None = knob(
        None, "Data", "Which data sets of this size; None: all of them.", min_length=1
    )

    @property
    def chosen_sets(self) -> tuple[str, ...]:
        """The data sets that are measured. Raises SettingsError for one that is not of this size."""
        wrong = [name for name in self.sets or () if name not in DATA[self.size]]
        if wrong:
            raise SettingsError(
                f"{self.name}.sets must name data of the size {self.size}: {', '.join(DATA[self.size])}; got"
                f" {wrong[0]}."
            )
        return self.sets or DATA[self.size]

    def trained(self, module: str, data: str, dimension: int) -> Training:
        """A base network."""
        if self.size == "paper":
            return Training(module, data, None, self._base(data, dimension))
        return Training(module, data, PRESETS.get(data), {"embedding": dimension})

    def _base(self, data: str, dimension: int) -> dict[str, Any]:
        """A base network at the size paper."""
        return {"embedding": dimension, "joint_steps": LONG} | (WORDS if data in PRESETS else {})

    def defended(self, module: str, data: str, dimension: int, arm: str = "defended") -> Training:
        """The same, defended by one of ARMS against the attack at its default ν."""
        changes = {"module": module, "base.embedding": dimension} | dict(ARMS[arm])
        if self.size == "paper":
            changes |= {f"base.{name}": value for name, value in self._base(data, dimension).items()}
            changes |= {"attack.steps": LONG, "steps": LONG}
            return Training("latent_defence", data, None, changes)
        return Training("latent_defence", data, PRESETS.get(data), changes)

    def of_arm(self, arm: str, module: str, data: str, dimension: int) -> Training:
        """A network of an arm: the base, or one that was trained on."""
        if arm == "base":
            return self.trained(module, data, dimension)
        return self.defended(module, data, dimension, arm)

    def attack(self, data: str, nu: float | None = None, **changes: Any) -> Attacking:
        """The attack on the embedding, fitted anew."""
        weight = {} if nu is None else {"objective_settings": {"nu": nu}}
        return Attacking("latent_attack", self._attack_preset(data), SAMPLES | weight | changes)

    def _attack_preset(self, data: str) -> str | None:
        return "paper" if self.size == "paper" else ATTACK_PRESETS.get(data)

    def same(self, data: str) -> Attacking:
        """The attack that the defence was trained against, as it is."""
        return Attacking("latent_attack", self._attack_preset(data), SAMPLES, fitted="attack")

    def columns_measured(self) -> Iterator[Column]:
        """Data set by data set, network by network, dimension by dimension."""
        sizes = list(zip(DIMENSIONS[self.size], PUBLISHED_DIMENSIONS, strict=False))
        for data, network, (dimension, published_dimension) in product(self.chosen_sets, NETWORKS, sizes):
            yield Column(network, data, dimension, published_dimension)

    def one_column(self) -> Column:
        """The network, data and dimension on which the other ways to defend are measured."""
        return Column("conv_ae", self.chosen_sets[0], ONE_DIMENSION[self.size], PUBLISHED_DIMENSIONS[0])

    def row(self, column: Column, arm: str, treatment: str, table: str = "") -> Case:
        """A row of a table: the clean scores of the attacked samples, or those under attack; beside its
        published cell where a `table` is named.
        """
        clean = treatment == CLEAN
        names = ("acc", "nmi") if clean else ("acc", "nmi", "d_tab")
        state = "clean" if clean else "attacked"
        values, doubtful = cell(PAPER, table, names, state=state, **column.cell) if table else (None, ())
        fresh = treatment == "fresh_attack" or arm == "base"
        return Case(
            column.network,
            column.about,
            self.of_arm(arm, column.network, column.data, column.dimension),
            self.attack(column.data) if fresh else self.same(column.data),
            arm,
            treatment,
            CLEAN_SCORES if clean else ATTACKED_SCORES,
            {"n": "n"} if clean else CONTROLS,
            published=values,
            doubtful=doubtful,
        )

    def other_arms(self, treatments: tuple[str, ...]) -> Iterator[Case]:
        """The rows of the other ways to defend, of one column; nothing was published about them."""
        column = self.one_column()
        for arm, treatment in product(("consistency", "alternating"), treatments):
            about = {"data": column.data, "dimension": column.dimension}
            yield replace(self.row(column, arm, treatment), about=about)

    def published_alone(self, table: str, arm: str, attacked: str) -> Iterator[Case]:
        """The published cells beside which no row stands, as rows of an arm, clean or under the treatment
        `attacked`.
        """
        taken = [column.cell for column in self.columns_measured()]
        for row in published(PAPER)[table]:
            if {name: row[name] for name in ("model", "data", "dimension")} not in taken:
                yield Case(
                    row["model"],
                    {"data": row["data"], "dimension": row["dimension"]},
                    arm=arm,
                    treatment=CLEAN if row["state"] == "clean" else attacked,
                    published={name: row[name] for name in ("acc", "nmi", "d_tab") if name in row},
                    doubtful=tuple(row["doubtful"]),
                    note="Published values alone: nothing of this size stands beside them.",
                )


class OverNu(RobustStudy):
    """A study of one data set and one dimension over ν."""

    grid: tuple[float, ...] | None = knob(
        None,
        "ν",
        "Weights in the paper's units. None: 0.001 to 0.04 for 8x8 digits, 0.01 to 0.08 else.",
        min_length=1,
    )

    @property
    def nus(self) -> tuple[float, ...]:
        """The weights, rising. Raises SettingsError where they do not rise."""
        digits, others = (0.001, 0.003, 0.005, 0.01, 0.04), (0.01, 0.02, 0.03, 0.04, 0.05, 0.08)
        nus = self.grid or (digits if self.size == "quick" else others)
        if list(nus) != sorted(nus):
            raise SettingsError(f"{self.name}.grid must rise; got {nus}. Sort it.")
        return nus
