"""What the studies of unsupervised adversarial examples share: models trained on their training rows, alone
and with what an attack made of each of those rows.

An augmented training sees twice the samples, and as published takes three times the steps: beside every
augmented model stands one that was trained on the originals for as many steps.

Source: Hsu, Chen, Lu, Liu and Yu, "Adversarial examples can be effective data augmentation for unsupervised
machine learning", AAAI 2022, arXiv:2103.01895; values of its supplement.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from engine.studies.claims import Claim
from engine.studies.protocols import (
    CLEAN,
    Appended,
    Attacking,
    Case,
    StudySettings,
    Training,
    Treatment,
    cell,
    published,
)

PAPER = "uae"
MODELS = ("sparse_ae", "dense_ae", "plain_conv_ae", "adversarial_ae")
"""The autoencoders, as the tables order them."""
MEASURED = {"quick": MODELS, "mini": MODELS[:2], "paper": MODELS}
CONVOLUTIONAL = {"quick": "plain_conv_ae", "mini": "dense_ae", "paper": "plain_conv_ae"}
"""Size -> what stands where a convolutional autoencoder was published: at mini an affine one, so that three
seeds take minutes.
"""
IN_PLACE = " The dense autoencoder stands in place of the convolutional one."
DATA = {"quick": "digits", "mini": "mnist_mini", "paper": "mnist"}
PRESETS = {"quick": "quick", "mini": "mnist_test", "paper": None}
STEPS = {
    "quick": {
        "sparse_ae": 1800,
        "dense_ae": 1800,
        "plain_conv_ae": 540,
        "adversarial_ae": 600,
        "concrete_ae": 2320,
        "simclr": 180,
        "classifier": 1450,
        "adversarial_classifier": 1160,
    },
    "mini": {
        "sparse_ae": 600,
        "dense_ae": 600,
        "plain_conv_ae": 300,
        "adversarial_ae": 300,
        "concrete_ae": 960,
        "simclr": 200,
        "classifier": 400,
        "adversarial_classifier": 300,
    },
    "paper": {
        "sparse_ae": 30_000,
        "dense_ae": 12_000,
        "plain_conv_ae": 12_000,
        "adversarial_ae": 30_000,
        "concrete_ae": 205_600,
        "simclr": 117_000,
        "classifier": 23_450,
        "adversarial_classifier": 23_450,
    },
}
"""Of a training on the originals; at the size paper those of table 7's epochs."""
LONGER = {"sparse_ae": 3.2, "dense_ae": 3.0, "plain_conv_ae": 3.0, "adversarial_ae": 3.2} | {
    "concrete_ae": 2.0,
    "simclr": 3.0,
}
"""How many times as many an augmented training takes: 1.6 or 1.5 times the epochs, or as many, on twice the
samples.
"""
BATCHES = {"paper": {"concrete_ae": 234}}
"""Size -> model -> its batch, where that would grow with the samples that are appended: a 256th of the
originals.
"""
WIDTH = 0.086
"""Of the noise that an attack starts from: the code's for 28x28, whatever the size of the samples here."""
MINE: dict[str, Mapping[str, Any]] = {
    "quick": {"size": 16, "start_width": WIDTH},
    "mini": {"compressed": 64, "size": 32, "start_width": WIDTH},
    "paper": {
        "compressed": 500,
        "inner_steps": 20,
        "compress_by": "projections",
        "network": "published",
        "rate": 1.5e-5,
    },
}
"""Of the attack: how MINE is computed, and where it starts."""
EVERY: dict[str, Any] = {"objective": "keep_reconstruction", "half": "train", "n": None, "epsilon": 1.0}
"""One attacked sample for each training row."""
FAR: Mapping[str, Any] = {"step": "sign", "accept_by": "closed_form", "positive": False}
"""Steps that move, and the least similar of what succeeds in place of the smallest estimate."""
TITLES = {
    "original": "original",
    "equal_steps": "original, for equal steps",
    "noise_2": "and noise, σ = 0.01",
    "noise_3": "and noise, σ = 0.001",
    "l2": "and L2-UAE",
    "uae": "and UAE",
    "uae_clean": "and UAE, to be copied to their originals",
    "uae_far": "and UAE of larger steps",
}
ERRORS = {name: name for name in ("reconstruction_mse_test", "reconstruction_mse_train")}
ATTACKED = {name: name for name in ("success_rate", "l2_mean", "l2_answers_mean", "n")}
"""What stands beside a model of the attack whose samples it saw too."""


TRAINED = (
    "Trained on the training rows, and measured there and on rows never trained on: mean squared error"
    " of each number. An attacked sample is made of every training row, by MinMax within ε = 1 and"
    " the box; where it fails, the row itself is appended. Every augmented model, and the control on the"
    " originals for equal steps, is trained from scratch, from the same draw, for as many steps; {}. No model"
    " is selected: every seed counts."
)
"""A protocol, but for the steps of the originals."""


class UAEStudy(StudySettings):
    """What the studies of this paper have in common."""

    paper = PAPER
    source: ClassVar[str] = "Hsu, Chen, Lu, Liu and Yu, AAAI 2022, arXiv:2103.01895, supplement"
    protocol = TRAINED.format("the original for a third of them, or 1/3.2, as published")
    reduced: ClassVar[Mapping[str, str]] = {
        "quick": (
            "Against the published settings: the 898 training rows of 8x8 digits (60,000 of MNIST), 32 hidden"
            " units (128), K = 96 (500), 16 numbers each (128), the collapsed network of MINE by Adam 0.001"
            " in 5 steps (20 steps of 1.5e-5); noise of 0.086 to start from, as for 28x28."
        ),
        "mini": (
            "Against the published settings: 1,000 training and 2,000 test images, all of MNIST's test part"
            " (60,000 and 10,000), fewer models, 200 to 960 steps of the original (12,000 to 205,600), K ="
            " 64 (500), 32 numbers each (128), the collapsed network of MINE by Adam 0.001 in 5 steps (20 of"
            " 1.5e-5)."
        ),
        "paper": "MINE as in the code: K = 500 projections, the wide network, 20 steps.",
    }
    about_published = (
        "Published: single runs, of noise with their deviation; errors of the training rows unless said"
        " otherwise, and no control for equal steps. Rows on digits and on a part of MNIST are stand-ins, and"
        " no reproduction. (?): a published value that cannot be taken as it stands."
    )
    page = "uae"
    measured_on = {
        "quick": "digits, 8x8",
        "mini": "MNIST, 1,000 for training",
        "paper": "published settings",
    }
    arms: ClassVar[Mapping[str, str]] = TITLES
    treatments = {CLEAN: Treatment("clean")}
    axes: ClassVar[Mapping[str, str]] = dict(StudySettings.axes) | {"alpha": "α", "beta": "β"}
    lines = "arm"

    @property
    def set(self) -> str:
        """The data of this size."""
        return DATA[self.size]

    @property
    def models(self) -> tuple[str, ...]:
        """The autoencoders that are measured at this size."""
        return MEASURED[self.size]

    def original(self, which: str, **changes: Any) -> Training:
        """The model `which` trained on the originals."""
        return self.training(which, STEPS[self.size][which], **changes)

    def longer(self, which: str, *appended: Appended, **changes: Any) -> Training:
        """The same for the steps of the augmented trainings, with what is appended."""
        steps = round(STEPS[self.size][which] * LONGER[which])
        return self.training(which, steps, *appended, **changes)

    def training(self, which: str, steps: int, *appended: Appended, **changes: Any) -> Training:
        """The model `which` trained for so many steps."""
        batch = BATCHES.get(self.size, {}).get(which)
        fixed: dict[str, Any] = {"steps": steps} | ({} if batch is None else {"batch": batch})
        return Training(which, self.set, PRESETS[self.size], fixed | changes, appended)

    def classifier(self, times: float, *appended: Appended, model: str = "classifier") -> Training:
        """A classifier trained for so many times the steps of the original, with what is appended."""
        return self.training(model, round(STEPS[self.size][model] * times), *appended)

    def uae(self, **changes: Any) -> Attacking:
        """One unsupervised adversarial example for each training row."""
        return Attacking("minmax", None, {**EVERY, **MINE[self.size], **changes})

    def noise(self, sigma: float) -> Attacking:
        """Noise for each training row."""
        return Attacking("gaussian_noise", None, {**EVERY, "sigma": sigma})

    def of_arm(self, arm: str, which: str) -> Training:
        """The model `which` of one of the arms in TITLES."""
        if arm == "original":
            return self.original(which)
        if arm == "equal_steps":
            return self.longer(which)
        clean = {"uae_target": "clean"} if arm == "uae_clean" else {}
        return self.longer(which, Appended(self.original(which), self.made(arm)), **clean)

    def made(self, arm: str) -> Attacking:
        """The attack whose samples an arm sees too."""
        noises = {"noise_2": 1e-2, "noise_3": 1e-3}
        if arm in noises:
            return self.noise(noises[arm])
        changes: dict[str, Mapping[str, Any]] = {"l2": {"similarity": "l2"}, "uae_far": FAR}
        return self.uae(**changes.get(arm, {}))

    def row(self, model: str, arm: str, training: Training, **about: Any) -> Case:
        """A model of an arm: its errors, and what the attack was that made its samples."""
        return Case(
            model,
            {"data": self.set} | about,
            training,
            arm=arm,
            treatment=CLEAN,
            measured=ERRORS,
            of_appended=ATTACKED if training.appended else {},
        )

    def beside(self, table: str, *names: str, **where: Any) -> dict[str, Any]:
        """What `replace` takes to put the values of one published cell beside a row."""
        values, doubtful = cell(PAPER, table, names, **where)
        return {"published": values, "doubtful": doubtful}

    def alone(self, table: str, taken: Sequence[Mapping[str, Any]], *names: str, **as_row: Any) -> list[Case]:
        """The published cells of a table that are none of `taken`, as rows."""
        cases = []
        for row in published(PAPER)[table]:
            if not any(all(row.get(name) == value for name, value in one.items()) for one in taken):
                about = {name: row[name] for name in self.axes if name in row}
                cases.append(
                    Case(
                        row.get("model", as_row.get("model", "")),
                        about,
                        arm=row.get("arm", ""),
                        treatment=as_row.get("treatment", CLEAN),
                        published={name: row[name] for name in names if name in row},
                        doubtful=tuple(row["doubtful"]),
                        note="Published values alone: nothing of this size stands beside them.",
                    )
                )
        return cases


def less_error(says: str, control: str, arm: str = "uae") -> Claim:
    """That an arm's test error is below that of another one."""
    return Claim(says, "reconstruction_mse_test", {"arm": control}, [{"arm": arm}], relative=True)
