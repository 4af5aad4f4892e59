"""What an attack left behind, judged: metrics, the table of samples, and what is kept of its answers."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from engine.metrics import clustering, embedding, perturbation, robustness
from engine.running.judging import Verdict

if TYPE_CHECKING:
    from engine.running.attacking import Attack


@dataclass(frozen=True)
class Outcome:
    """An attack's answers and the controls, judged. Rows follow `index`; flat rows are (n, d) on the CPU."""

    choice: "Attack"
    index: Tensor
    labels: np.ndarray | None
    original: Tensor
    adversarial: Tensor
    value: np.ndarray
    clean: Verdict
    attacked: Verdict
    noisy: Verdict
    other: Verdict | None
    recognised: tuple[np.ndarray, np.ndarray] | None

    @property
    def flipped(self) -> np.ndarray:
        """Whether each sample's cluster changed: (n,) bool."""
        return self.clean.cluster != self.attacked.cluster

    @cached_property
    def divergence(self) -> np.ndarray:
        """KL of the clean assignment from the attacked one, of each sample: (n,)."""
        return robustness.divergence(self.clean.log_q, self.attacked.log_q)

    def success(self, cluster: np.ndarray) -> np.ndarray:
        """Whether the samples that could reach what was asked are there by `cluster` (n,): any other cluster,
        or the target from outside it.
        """
        own, target = self.clean.cluster, self.choice.target
        return cluster != own if target is None else cluster[own != target] == target

    def sizes(self) -> dict[str, Any]:
        """How large the perturbations are."""
        return perturbation.sizes((self.adversarial - self.original).numpy())

    def lengths(self) -> dict[str, np.ndarray]:
        """The size of each sample's perturbation, for the table."""
        delta = (self.adversarial - self.original).numpy()
        return {"linf": perturbation.linf(delta), "l2": perturbation.l2(delta), "l0": perturbation.l0(delta)}

    def arrays(self) -> dict[str, np.ndarray]:
        """What is left of the attack's answers in the run's folder."""
        return {"id": self.index.numpy(), "adversarial": self.adversarial.numpy()}

    def metrics(self) -> dict[str, Any]:
        """Every measured number with n and 95 % intervals; None where labels or an ability are missing."""
        own, success = self.clean.cluster, self.success(self.attacked.cluster)
        values: dict[str, Any] = robustness.agreement(self.labels, own, self.attacked.cluster)
        values |= robustness.rate("flip_rate", self.flipped) | robustness.rate(
            "noise_flip_rate", own != self.noisy.cluster
        )
        values |= robustness.rate(
            "other_delta_flip_rate", own != self.other.cluster if self.other else np.zeros(0)
        )
        values |= robustness.rate("success_rate", success) | {"n_success": len(success)}
        values |= robustness.rate("noise_success_rate", self.success(self.noisy.cluster))
        values |= robustness.rate(
            "other_delta_success_rate", self.success(self.other.cluster) if self.other else np.zeros(0)
        )
        for name, seen in zip(
            ("knn_acc_clean", "knn_acc_attacked"), self.recognised or (None, None), strict=True
        ):
            values |= robustness.rate(name, np.zeros(0) if seen is None else seen == self.labels)
        values |= {
            "margin_clean_mean": float(self.clean.margin(own).mean()),
            "margin_mean": float(self.attacked.margin(own).mean()),
        }
        values |= self.sizes()
        values["assignment_kl_mean"] = float(self.divergence.mean())
        if self.clean.z is not None and self.attacked.z is not None:
            values |= embedding.moved(self.clean.z, self.attacked.z)
        values |= {name: float(column.mean()) for name, column in self._reconstruction().items()}
        return values | {"objective_mean": float(self.value.mean()), "n": len(self.index)}

    def table(self) -> dict[str, np.ndarray]:
        """One row a sample; label and knn columns are -1 where the data have no labels."""
        own, nobody = self.clean.cluster, np.full(len(self.index), -1)
        seen = self.recognised or (nobody, nobody)
        columns = {
            "id": self.index.numpy(),
            "label": nobody if self.labels is None else self.labels,
            "cluster_clean": own,
            "cluster_attacked": self.attacked.cluster,
            "cluster_noise": self.noisy.cluster,
            "cluster_other_delta": self.other.cluster if self.other else nobody,
            "flipped": self.flipped,
            "right": (
                np.zeros(len(own), bool)
                if self.labels is None
                else robustness.matched_labels(self.labels, own, own) == self.labels
            ),
            "margin_clean": self.clean.margin(own),
            "margin_attacked": self.attacked.margin(own),
            "value": self.value,
            "assignment_kl": self.divergence,
            **self.lengths(),
            "knn_clean": seen[0],
            "knn_attacked": seen[1],
        }
        if self.clean.z is not None and self.attacked.z is not None:
            columns["embedding_move"] = embedding.moves(self.clean.z, self.attacked.z)
        return columns | {
            name.removesuffix("_mean"): column for name, column in self._reconstruction().items()
        }

    def _reconstruction(self) -> dict[str, np.ndarray]:
        """Mean squared differences per sample, where the model reconstructs."""
        before, after = self.clean.reconstruction, self.attacked.reconstruction
        if before is None or after is None:
            return {}
        pairs = {
            "clean": before - self.original.numpy(),
            "attacked": after - self.adversarial.numpy(),
            "change": after - before,
        }
        return {
            f"reconstruction_{name}_mean": np.square(difference).mean(axis=1)
            for name, difference in pairs.items()
        }


def fate(labels: np.ndarray | None, before: Verdict, after: Verdict) -> dict[str, Any]:
    """Attacked accuracy and flip rate of samples that are watched while something is trained or fitted."""
    return {
        "acc_attacked": None if labels is None else clustering.accuracy(labels, after.cluster),
        "flip_rate": float((before.cluster != after.cluster).mean()),
    }
