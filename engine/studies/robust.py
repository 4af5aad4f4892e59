"""The studies of robust deep clustering: attack, defence and re-attack on the embedding, with the arms that
the paper lacks beside them.

Source: Yang, Deng, Wei, Yan and Liu, "Adversarial learning for robust deep clustering", NeurIPS 2020.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, ClassVar

from engine.defences.latent_defence import LatentDefence
from engine.errors import SettingsError
from engine.registry import register
from engine.settings import knob
from engine.studies.protocols import Attacking, Case, StudySettings, Training, cell, published

PAPER = "robust"
MODULES = LatentDefence.begins_from
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
"""Steps of a stage in the public code, at most."""
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
    "control, equal steps": {"variant": "control"},
    "consistency": {"variant": "consistency"},
    "alternating": {"attack_steps": 50},
}
SAMPLES = {"objective": "flip_and_keep", "n": None}
CLEAN = {"acc": "acc_clean", "nmi": "nmi_clean"}
ATTACKED = {"acc": "acc_attacked", "nmi": "nmi_attacked", "d_tab": "d_tab"}
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
PIXELS = {
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


class RobustStudy(StudySettings):
    """What the studies of this paper have in common."""

    paper = PAPER
    source: ClassVar[str] = "Yang, Deng, Wei, Yan and Liu, NeurIPS 2020"
    protocol = (
        "Trained, attacked and scored on the same samples, as published (transductive), without sampling the"
        " code: labels are argmax C(m) and argmax C(m + δ). The noise control is a random direction of the"
        " embedding as long as each δ. Clusters are matched to classes anew after the attack; the ACC with"
        " the clean matching stands beside it. No model is selected: every seed counts. A re-attack begins"
        " with a fresh network, from the same draw as the first. The paper's D has no formula; d_tab is 50"
        " times the relative D, which switched-off coordinates dominate."
    )

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
        """The same, defended by one of the arms against the attack at its default ν."""
        changes = {"module": module, "base.embedding": dimension} | dict(ARMS[arm])
        if self.size == "paper":
            changes |= {f"base.{name}": value for name, value in self._base(data, dimension).items()} | {
                "attack.steps": LONG,
                "steps": LONG,
            }
            return Training("latent_defence", data, None, changes)
        return Training("latent_defence", data, PRESETS.get(data), changes)

    def attack(self, data: str, nu: float | None = None, **changes: Any) -> Attacking:
        """The attack on the embedding, fitted anew."""
        weight = {} if nu is None else {"objective_settings": {"nu": nu}}
        return Attacking("latent_attack", self._attack_preset(data), SAMPLES | weight | changes)

    def _attack_preset(self, data: str) -> str | None:
        return "paper" if self.size == "paper" else ATTACK_PRESETS.get(data)

    def same(self, data: str) -> Attacking:
        """The attack that the defence was trained against, as it is."""
        return Attacking("latent_attack", self._attack_preset(data), SAMPLES, fitted="attack")

    def columns(self) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
        """Data, module, dimension, and the published cell that stands beside them."""
        for data, module, (place, dimension) in product(
            self.chosen_sets, MODULES, enumerate(DIMENSIONS[self.size])
        ):
            yield (
                data,
                module,
                dimension,
                {"model": module, "data": STANDS_FOR[data], "dimension": PUBLISHED_DIMENSIONS[place]},
            )


def _about(data: str, dimension: int, state: str, beside: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "data": data,
        "dimension": dimension,
        "state": state,
        "published_for": f"{beside['data']}, d = {beside['dimension']}",
    }


def _case(
    table: str, about: dict[str, Any], beside: Mapping[str, Any], training: Training, attacking: Attacking
) -> Case:
    """A row of a table beside its published cell: the clean scores of the attacked samples, or those under
    attack.
    """
    clean = about["state"].endswith("clean")
    names = ("acc", "nmi") if clean else ("acc", "nmi", "d_tab")
    values, doubtful = (
        cell(PAPER, table, names, state="clean" if clean else "attacked", **beside) if table else (None, ())
    )
    return Case(
        beside["model"],
        about,
        training,
        attacking,
        CLEAN if clean else ATTACKED,
        {"n": "n"} if clean else CONTROLS,
        published=values,
        doubtful=doubtful,
    )


def _alone(study: RobustStudy, table: str) -> Iterator[Case]:
    """The published cells beside which no row stands."""
    taken = {tuple(sorted(beside.items())) for *_, beside in study.columns()}
    for row in published(PAPER)[table]:
        if tuple(sorted((name, row[name]) for name in ("model", "data", "dimension"))) not in taken:
            values = {name: row[name] for name in ("acc", "nmi", "d_tab") if name in row}
            about = {"data": row["data"], "dimension": row["dimension"], "state": row["state"]}
            yield Case(
                row["model"],
                about,
                published=values,
                doubtful=tuple(row["doubtful"]),
                note="Published values alone: nothing of this size stands beside them.",
            )


@register
class Table1(RobustStudy):
    """Clean and attacked clusterings of the base networks."""

    name = "robust.table1"
    title = "Robust clustering, table 1: the attack"
    summary = (
        "Clean and attacked ACC and NMI of the base networks, and the size of the perturbation, for several"
        " latent dimensions."
    )

    def cases(self) -> list[Case]:
        """Module by module, dimension by dimension: clean, then attacked."""
        rows = [
            _case(
                "table1",
                _about(data, dimension, state, beside),
                beside,
                self.trained(module, data, dimension),
                self.attack(data),
            )
            for data, module, dimension, beside in self.columns()
            for state in ("clean", "attacked")
        ]
        return rows + list(_alone(self, "table1"))


@register
class Table2(RobustStudy):
    """The defended networks under the attack that they were defended against."""

    name = "robust.table2"
    title = "Robust clustering, table 2: the defence"
    summary = (
        "Defended networks, clean and under the very attack they were defended against; beside them as many"
        " steps without it, and two other defences."
    )

    def cases(self) -> list[Case]:
        """Module by module, dimension by dimension: the defence and its control; then the other arms at one
        dimension.
        """
        rows = []
        for data, module, dimension, beside in self.columns():
            for arm, attacked in product(("defended", "control, equal steps"), (False, True)):
                state = f"{arm}, same attack" if attacked else f"{arm}, clean"
                rows.append(
                    _case(
                        "table2" if arm == "defended" else "",
                        _about(data, dimension, state, beside),
                        beside,
                        self.defended(module, data, dimension, arm),
                        self.same(data),
                    )
                )
        for data, arm, attacked in product(
            self.chosen_sets[:1], ("consistency", "alternating"), (False, True)
        ):
            dimension, beside = (
                ONE_DIMENSION[self.size],
                {"model": "conv_ae", "data": STANDS_FOR[data], "dimension": 64},
            )
            state = f"{arm}, same attack" if attacked else f"{arm}, clean"
            rows.append(
                _case(
                    "",
                    {"data": data, "dimension": dimension, "state": state},
                    beside,
                    self.defended("conv_ae", data, dimension, arm),
                    self.same(data),
                )
            )
        return rows + list(_alone(self, "table2"))


@register
class Table3(RobustStudy):
    """The defended networks under a fresh attack."""

    name = "robust.table3"
    title = "Robust clustering, table 3: the re-attack"
    summary = (
        "Defended networks under a fresh attack of the same weight; beside them as many steps without the"
        " defence, and two other defences."
    )

    def cases(self) -> list[Case]:
        """Module by module, dimension by dimension: the defence and its control; then the other arms at one
        dimension.
        """
        rows = [
            _case(
                "table3" if arm == "defended" else "",
                _about(data, dimension, f"{arm}, re-attacked", beside),
                beside,
                self.defended(module, data, dimension, arm),
                self.attack(data),
            )
            for data, module, dimension, beside in self.columns()
            for arm in ("defended", "control, equal steps")
        ]
        for data, arm in product(self.chosen_sets[:1], ("consistency", "alternating")):
            dimension, beside = (
                ONE_DIMENSION[self.size],
                {"model": "conv_ae", "data": STANDS_FOR[data], "dimension": 64},
            )
            rows.append(
                _case(
                    "",
                    {"data": data, "dimension": dimension, "state": f"{arm}, re-attacked"},
                    beside,
                    self.defended("conv_ae", data, dimension, arm),
                    self.attack(data),
                )
            )
        return rows + list(_alone(self, "table3"))


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
        """The weights, rising."""
        nus = self.grid or (
            (0.001, 0.003, 0.005, 0.01, 0.04)
            if self.size == "quick"
            else (0.01, 0.02, 0.03, 0.04, 0.05, 0.08)
        )
        if list(nus) != sorted(nus):
            raise SettingsError(f"{self.name}.grid must rise; got {nus}. Sort it.")
        return nus


@register
class Figure1(OverNu):
    """Pictures that stay and labels that go, against ν."""

    name = "robust.figure1"
    title = "Robust clustering, figure 1: ν"
    summary = (
        "Flips and change of the decoded picture against ν: the affine attack as released, one with ReLU, and"
        " one for each sample by itself."
    )

    def cases(self) -> list[Case]:
        """Attack by attack, ν by ν; the figure's pictures are those of the runs behind the rows."""
        data, dimension = self.chosen_sets[0], ONE_DIMENSION[self.size]
        kinds: dict[str, dict[str, Any]] = {
            "affine": {},
            "ReLU": {"activation": "relu"},
            "per sample": {"variant": "per_sample"},
        }
        return [
            Case(
                "conv_ae",
                {"data": data, "dimension": dimension, "state": kind, "nu": nu},
                self.trained("conv_ae", data, dimension),
                self.attack(data, nu, **changes),
                {"flip_rate": "flip_rate", "acc": "acc_attacked", "objective": "objective_mean"},
                CONTROLS,
            )
            for (kind, changes), nu in product(kinds.items(), self.nus)
        ]


@register
class DropAgainstNu(OverNu):
    """What a fresh attack of any weight does to base and defended networks."""

    name = "robust.drop_against_nu"
    title = "Robust clustering: the drop against ν"
    summary = (
        "Base, defended and control networks under fresh attacks of every ν: a defence against one attack is"
        " no defence against all."
    )

    def cases(self) -> list[Case]:
        """Module by module, state by state, ν by ν."""
        data, dimension = self.chosen_sets[0], ONE_DIMENSION[self.size]
        rows = []
        for module, state, nu in product(MODULES, ("base", "defended", "control, equal steps"), self.nus):
            training = (
                self.trained(module, data, dimension)
                if state == "base"
                else self.defended(module, data, dimension, state)
            )
            rows.append(
                Case(
                    module,
                    {"data": data, "dimension": dimension, "state": state, "nu": nu},
                    training,
                    self.attack(data, nu),
                    ATTACKED | {"flip_rate": "flip_rate"},
                    CONTROLS,
                )
            )
        return rows


@register
class Pixels(RobustStudy):
    """Does a defence of the embedding help against an attack on the pixels?"""

    name = "robust.pixels"
    title = "Robust clustering: PGD on the pixels"
    summary = "Base, defended and control networks under PGD on the pixels. No paper says what to expect."
    protocol = (
        "Networks as in table 2; PGD-20 in L∞ on the pixels, leaving the cluster, from a random start, on"
        " 1,000 of the samples that they were trained on. The noise control is random signs of size ε."
        " Clusters are matched to classes anew after the attack; the ACC with the clean matching stands"
        " beside it. No model is selected: every seed counts."
    )

    def cases(self) -> list[Case]:
        """Module by module, ε by ε, state by state."""
        data, dimension = self.chosen_sets[0], ONE_DIMENSION[self.size]
        rows = []
        for module, epsilon, state in product(
            MODULES, (0.05, 0.1, 0.2), ("base", "defended", "control, equal steps")
        ):
            training = (
                self.trained(module, data, dimension)
                if state == "base"
                else self.defended(module, data, dimension, state)
            )
            rows.append(
                Case(
                    module,
                    {"data": data, "dimension": dimension, "state": state, "epsilon": epsilon},
                    training,
                    Attacking("pgd", None, {"objective": "leave_cluster", "epsilon": epsilon, "n": 1000}),
                    {"acc": "acc_attacked", "flip_rate": "flip_rate"},
                    PIXELS,
                )
            )
        return rows
