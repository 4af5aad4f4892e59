"""The studies of AR-DMVC: its tables and figures, measured here with a weak and a strong generator and with
PGD beside them.

Source: Huang, Zhou, Zheng, Qiu, Wang and Zhao, "Adversarially Robust Deep Multi-View Clustering", ICML 2024.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from engine.registry import register
from engine.settings import knob
from engine.studies.protocols import Attacking, Case, StudySettings, Training, cell

PAPER = "ar_dmvc"
HERE = ("simvc", "comvc", "aecoddc", "ar_dmvc", "ar_dmvc_am")
"""Models measured here, as table 1 orders them; the others have published values alone."""
LATER = ("eamc", "mvae", "infoddc", "sem")
DEFENCES = ("ar_dmvc", "ar_dmvc_am")
DATA = {"quick": "noisy_digits", "mini": "noisy_mnist_mini", "paper": "noisy_mnist"}
PUBLISHED_ON = "noisy_mnist"
"""Whose published values stand beside the rows: digits and the mini size are stand-ins for it, which the page
says.
"""
STRENGTH = {"as released": "as_released", "strong": None}
"""Name of a generator -> preset of `mv_gan`: kernels begin at N(0, 1), or at N(0, 0.02²)."""
UNPUBLISHED: tuple[dict[str, float] | None, tuple[str, ...]] = (None, ())
MEASURED = {"acc": "acc_attacked", "nmi": "nmi_attacked", "ari": "ari_attacked"}
CLEAN = {"acc": "acc_clean", "nmi": "nmi_clean", "ari": "ari_clean"}
CONTROLS = {
    name: name
    for name in (
        "acc_clean",
        "acc_attacked_fixed_match",
        "flip_rate",
        "noise_flip_rate",
        "other_delta_flip_rate",
        "assignment_kl_mean",
        "knn_acc_attacked",
        "linf_max",
        "l2_mean",
        "n",
    )
}
SAMPLES = {"objective": "mv_disrupt", "half": "second", "n": None}


class MultiViewStudy(StudySettings):
    """What the studies of this paper have in common."""

    paper = PAPER
    source: ClassVar[str] = "Huang, Zhou, Zheng, Qiu, Wang and Zhao, ICML 2024"
    protocol = (
        "Models are trained on the first half of the samples; generators are fitted on the second half and"
        " scored on that same half, as released (transductive); PGD-20 attacks every sample of it. Every"
        " score is taken in eval mode, and the model's statistics are never touched; the released generator"
        " is fitted against batch statistics, as it was published. Clusters are matched to classes anew after"
        " the attack. No model is selected: every seed counts."
    )

    @property
    def on(self) -> str:
        """The data of this size."""
        return DATA[self.size]

    def trained(self, model: str, data: str | None = None, **changes: Any) -> Training:
        """A model with the preset of this size."""
        return Training(model, data or self.on, None if self.size == "paper" else self.size, changes)

    def generator(self, strength: str, epsilon: float, data: str | None = None) -> Attacking:
        """The GAN attack, fitted at this ε."""
        epochs = {"epochs": 20} if self.size == "mini" else {}
        return Attacking("mv_gan", STRENGTH[strength], SAMPLES | {"epsilon": epsilon} | epochs, data)

    def pgd(self, epsilon: float, data: str | None = None) -> Attacking:
        """PGD for what the generators are trained for, each sample by itself."""
        return Attacking("pgd", None, SAMPLES | {"epsilon": epsilon}, data)

    def attacks(self, epsilon: float, data: str | None = None) -> Iterator[tuple[str, Attacking]]:
        """Both generators and PGD at this ε."""
        yield from (
            (f"generator, {strength}", self.generator(strength, epsilon, data)) for strength in STRENGTH
        )
        yield "PGD-20", self.pgd(epsilon, data)


def later(table: str, **where: Any) -> Iterator[Case]:
    """The rows of models that are not built yet: their published values alone."""
    for model in LATER:
        values, doubtful = cell(PAPER, table, ("acc", "nmi", "ari"), model=model, **where)
        yield Case(
            model,
            where,
            published=values,
            doubtful=doubtful,
            note="Published values alone: this model is not built yet.",
        )


def equal_epochs(study: MultiViewStudy) -> tuple[str, dict[str, Any], Training]:
    """The base trained for as many epochs as the defences, so that they differ in nothing but the defence."""
    epochs = {"quick": 30, "mini": 10, "paper": 30}[study.size]
    return "comvc", {"epochs": epochs}, study.trained("comvc", epochs=epochs)


@register
class Table1(MultiViewStudy):
    """Clean and attacked clusterings of every model."""

    name = "ar_dmvc.table1"
    title = "AR-DMVC, table 1: clean and attacked"
    summary = (
        "Clean and attacked ACC, NMI and ARI at ε = 0.3, with the released generator, a stronger one, and"
        " PGD."
    )

    def cases(self) -> list[Case]:
        """Clean, then each attack, model by model; the base for equal epochs too."""
        rows = []
        models: list[tuple[str, dict[str, Any], Training]] = [(name, {}, self.trained(name)) for name in HERE]
        models.insert(HERE.index("comvc") + 1, equal_epochs(self))
        for name, apart, training in models:
            for state, attacking in [("clean", self.pgd(0.3)), *self.attacks(0.3)]:
                values, doubtful = UNPUBLISHED
                if state in ("clean", "generator, as released") and not apart:
                    values, doubtful = cell(
                        PAPER,
                        "table1",
                        ("acc", "nmi", "ari"),
                        model=name,
                        data=PUBLISHED_ON,
                        state="clean" if state == "clean" else "attacked",
                    )
                controls = {"n": "n"} if state == "clean" else CONTROLS
                rows.append(
                    Case(
                        name,
                        {"state": state, "epsilon": 0.0 if state == "clean" else 0.3} | apart,
                        training,
                        attacking,
                        CLEAN if state == "clean" else MEASURED,
                        controls,
                        published=values,
                        doubtful=doubtful,
                    )
                )
        for state in ("clean", "attacked"):
            rows += later("table1", data=PUBLISHED_ON, state=state)
        return rows


@register
class Table3(MultiViewStudy):
    """Attacked accuracy against ε."""

    name = "ar_dmvc.table3"
    title = "AR-DMVC, table 3: attacked ACC against ε"
    summary = "A generator fitted anew at each ε, and PGD at the same ε."

    def cases(self) -> list[Case]:
        """Model by model, ε by ε."""
        rows = []
        for name, epsilon in product(HERE, (0.1, 0.2, 0.3)):
            for state, attacking in self.attacks(epsilon):
                if self.size == "mini" and state == "generator, strong" and epsilon < 0.3:
                    continue  # a fit takes a minute there; PGD at the same ε stands for a strong attacker
                values, doubtful = UNPUBLISHED
                if state == "generator, as released":
                    values, doubtful = cell(
                        PAPER, "table3", ("acc",), model=name, data=PUBLISHED_ON, epsilon=epsilon
                    )
                rows.append(
                    Case(
                        name,
                        {"state": state, "epsilon": epsilon},
                        self.trained(name),
                        attacking,
                        MEASURED,
                        CONTROLS,
                        published=values,
                        doubtful=doubtful,
                    )
                )
        name, apart, training = equal_epochs(self)
        rows += [
            Case(
                name,
                {"state": "PGD-20", "epsilon": epsilon} | apart,
                training,
                self.pgd(epsilon),
                MEASURED,
                CONTROLS,
            )
            for epsilon in (0.1, 0.2, 0.3)
        ]
        for epsilon in (0.1, 0.2, 0.3):
            rows += later("table3", data=PUBLISHED_ON, epsilon=epsilon)
        return rows


@register
class LambdaGamma(MultiViewStudy):
    """Attacked accuracy over λ and γ."""

    name = "ar_dmvc.lambda_gamma"
    title = "AR-DMVC, figure 4a: λ and γ"
    summary = "AR-DMVC-AM trained at every λ and γ, then attacked by PGD at ε = 0.2."

    grid: tuple[float, ...] = knob(
        (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0), "Values", "Of λ and of γ.", min_length=1
    )

    def cases(self) -> list[Case]:
        """λ by λ, γ by γ; the figure's heights were not published as numbers."""
        return [
            Case(
                "ar_dmvc_am",
                {"lam": lam, "gamma": gamma, "state": "PGD-20", "epsilon": 0.2},
                self.trained("ar_dmvc_am", lam=lam, gamma=gamma),
                self.pgd(0.2),
                MEASURED,
                CONTROLS,
            )
            for lam, gamma in product(self.grid, self.grid)
        ]


@register
class Epochs(MultiViewStudy):
    """Attacked scores against the length of the training."""

    name = "ar_dmvc.epochs"
    title = "AR-DMVC, figure 4b: epochs of the defence"
    summary = (
        "Base and defences trained for so many epochs, then attacked by PGD at ε = 0.2 and by the strong"
        " generator at ε = 0.3."
    )

    grid: tuple[int, ...] = knob((5, 10, 20, 30, 45, 60), "Epochs", "Lengths of the training.", min_length=1)

    def cases(self) -> list[Case]:
        """Model by model, length by length."""
        rows = []
        for name, epochs in product(("comvc", *DEFENCES), self.grid):
            for state, attacking in (
                ("PGD-20", self.pgd(0.2)),
                ("generator, strong", self.generator("strong", 0.3)),
            ):
                rows.append(
                    Case(
                        name,
                        {"epochs": epochs, "state": state, "epsilon": attacking.changes["epsilon"]},
                        self.trained(name, epochs=epochs),
                        attacking,
                        MEASURED,
                        CONTROLS,
                    )
                )
        return rows


@register
class Confusion(MultiViewStudy):
    """Which classes become which."""

    name = "ar_dmvc.confusion"
    title = "AR-DMVC, figures 3 and 5: confusion matrices"
    summary = "True classes against matched clusters, clean and under each attack at ε = 0.3."

    def cases(self) -> list[Case]:
        """Model by model, attack by attack; the matrix of the first seed is part of the row."""
        return [
            Case(
                name,
                {"state": state, "epsilon": 0.3},
                self.trained(name),
                attacking,
                MEASURED,
                CONTROLS,
                more=confusion,
            )
            for name in HERE
            for state, attacking in self.attacks(0.3)
        ]


@register
class Transfer(MultiViewStudy):
    """Robustness on classes that were not trained on."""

    name = "ar_dmvc.transfer"
    title = "AR-DMVC, table 2: transfer of robustness"
    summary = (
        "Trained on five classes, attacked on the other five: the accuracy there, beside the clean one and"
        " chance."
    )

    def cases(self) -> list[Case]:
        """Pairs of class halves of one set, or of two; then each half on itself."""
        families = {
            "quick": ("noisy_digits",),
            "mini": ("noisy_mnist",),
            "paper": ("noisy_fashion", "noisy_mnist"),
        }[self.size]
        low, high = [f"{family}_0_4" for family in families], [f"{family}_5_9" for family in families]
        pairs = [(one, other) for one, other in zip(low, high, strict=True)] + [
            (other, one) for one, other in zip(low, high, strict=True)
        ]
        if len(families) == 2:
            pairs += [(low[0], low[1]), (high[0], high[1]), (low[1], high[0]), (high[1], low[0])]
        rows = []
        for (source, target), name in product(
            [*pairs, *((half, half) for half in (*low, *high))], ("comvc", *DEFENCES)
        ):
            for state, attacking in self.attacks(0.3, target):
                values, doubtful = UNPUBLISHED
                if state == "generator, as released":
                    values, doubtful = cell(
                        PAPER,
                        "table2",
                        ("acc", "nmi"),
                        model=name,
                        trained_on=source.replace("digits", "mnist"),
                        data=target.replace("digits", "mnist"),
                    )
                rows.append(
                    Case(
                        name,
                        {"trained_on": source, "data": target, "state": state, "epsilon": 0.3},
                        self.trained(name, source),
                        attacking,
                        MEASURED,
                        CONTROLS,
                        more=chance,
                        published=values,
                        doubtful=doubtful,
                    )
                )
        return rows


def confusion(folder: Path) -> dict[str, Any]:
    """Counts before and after, `matrix_clean` and `matrix_attacked`: classes by the clusters matched to them,
    empty where there is none; leftovers last.
    """
    label, clean, attacked = _columns(folder, "label", "cluster_clean", "cluster_attacked")
    return {"matrix_clean": _matched(label, clean), "matrix_attacked": _matched(label, attacked)}


def _matched(label: np.ndarray, cluster: np.ndarray) -> list[list[int]]:
    from engine.metrics import clustering

    classes = int(label.max()) + 1
    table, mapping = clustering.contingency(label, cluster), clustering.matching(label, cluster)
    own = {
        int(mapping[number]): number
        for number in range(min(len(mapping), table.shape[1]))
        if 0 <= mapping[number] < classes
    }
    left = [number for number in range(table.shape[1]) if number not in own.values()]
    matched = [
        table[:, own[number]] if number in own else np.zeros(len(table), dtype=int)
        for number in range(classes)
    ]
    return [
        [int(count) for count in row]
        for row in np.stack([*matched, *(table[:, number] for number in left)], axis=1)
    ]


def chance(folder: Path, draws: int = 20) -> dict[str, Any]:
    """The accuracy that the attacked clusters would have if they were dealt out at random: `acc_chance`, the
    mean of 20 deals.
    """
    from engine.metrics import clustering

    label, attacked = _columns(folder, "label", "cluster_attacked")
    rng = np.random.default_rng(0)
    return {
        "acc_chance": float(
            np.mean([clustering.accuracy(label, rng.permutation(attacked)) for _ in range(draws)])
        )
    }


def _columns(folder: Path, *names: str) -> list[np.ndarray]:
    import pandas as pd

    table = pd.read_parquet(folder / "samples.parquet", columns=list(names))
    return [table[name].to_numpy() for name in names]
