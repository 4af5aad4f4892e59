"""How often an attack succeeds, and against what it must be held. Numpy in, plain floats out.

Every rate carries n and a 95 % Wilson interval as `NAME_low` and `NAME_high`. A median ε* counts the samples
never reached as beyond every ε: it is infinite, written "> ε max", where half of them or more are.
"""

import numpy as np

from engine.metrics import clustering
from engine.metrics.intervals import wilson
from engine.registry import Metric, register_metric

SMOOTH = 1e-4
"""Added to every probability of an assignment before a ratio of two is taken, as AR-DMVC does."""

register_metric(
    Metric(
        "flip_rate",
        "Flip rate",
        "Share of samples whose cluster under attack is not the clean one.",
        better="down",
        of="attack",
    ),
    Metric(
        "flip_rate_right",
        "Flip rate among the right",
        "The flip rate among samples whose clean cluster matches their class.",
        better="down",
        labels=True,
        of="attack",
    ),
    Metric(
        "noise_flip_rate",
        "Flip rate, noise",
        "The flip rate under random noise of the same norm and size: the control.",
        better="down",
        of="attack",
    ),
    Metric(
        "other_delta_flip_rate",
        "Flip rate, another's δ",
        "The flip rate under the perturbation of another sample: the control.",
        better="down",
        of="attack",
    ),
    Metric(
        "success_rate",
        "Success",
        "Share of samples that reach what the objective asks: the target cluster where there is one (among "
        "samples not in it before), any other cluster else.",
        better="down",
        of="attack",
    ),
    Metric(
        "noise_success_rate",
        "Success, noise",
        "The success under random noise of the same norm and size: the control.",
        better="down",
        of="attack",
    ),
    Metric(
        "other_delta_success_rate",
        "Success, another's δ",
        "The success under the perturbation of another sample: the control.",
        better="down",
        of="attack",
    ),
    Metric(
        "acc_clean",
        "ACC, clean",
        "ACC of the chosen samples before the attack.",
        better="up",
        labels=True,
        of="attack",
    ),
    Metric(
        "acc_attacked",
        "ACC, attacked",
        "ACC under attack, clusters matched anew (which hides a consistent relabelling).",
        better="up",
        labels=True,
        of="attack",
        headline=2,
    ),
    Metric(
        "acc_attacked_fixed_match",
        "ACC, attacked, clean matching",
        "ACC under attack with the matching of the clean clusters.",
        better="up",
        labels=True,
        of="attack",
    ),
    Metric(
        "nmi_clean",
        "NMI, clean",
        "NMI of the chosen samples before the attack.",
        better="up",
        labels=True,
        of="attack",
    ),
    Metric(
        "nmi_attacked",
        "NMI, attacked",
        "NMI of the chosen samples under attack.",
        better="up",
        labels=True,
        of="attack",
    ),
    Metric(
        "ari_clean",
        "ARI, clean",
        "ARI of the chosen samples before the attack.",
        better="up",
        labels=True,
        of="attack",
    ),
    Metric(
        "ari_attacked",
        "ARI, attacked",
        "ARI of the chosen samples under attack.",
        better="up",
        labels=True,
        of="attack",
    ),
    Metric(
        "margin_clean_mean",
        "Margin, clean",
        "Mean margin in log q by which the clean cluster leads before the attack.",
        unit="nats",
        better="up",
        of="attack",
    ),
    Metric(
        "margin_mean",
        "Margin, attacked",
        "Mean margin in log q by which the clean cluster leads under attack; negative: flipped.",
        unit="nats",
        better="up",
        of="attack",
    ),
    Metric(
        "epsilon_star_median",
        "Median ε*",
        "Median over samples of the smallest ε found that flips (an upper bound).",
        unit="data unit",
        better="up",
        of="attack",
    ),
    Metric(
        "assignment_kl_mean",
        "KL of assignments",
        "KL of the clean assignment from the attacked one, 1e-4 added to every probability, mean over "
        "samples: zero where the attack changes nothing; with the defences' training it is L_AM.",
        unit="nats",
        better="down",
        of="attack",
    ),
    Metric(
        "objective_mean",
        "Objective",
        "The objective's value at the attack's answer, mean over samples.",
        unit="the objective's own",
        of="attack",
    ),
    Metric(
        "reconstruction_clean_mean",
        "Reconstruction error, clean",
        "Mean squared difference of clean samples and their reconstruction.",
        unit="squared data unit",
        better="down",
        of="attack",
    ),
    Metric(
        "reconstruction_attacked_mean",
        "Reconstruction error, attacked",
        "Mean squared difference of attacked samples and their reconstruction.",
        unit="squared data unit",
        better="down",
        of="attack",
    ),
    Metric(
        "reconstruction_change_mean",
        "Change of the reconstruction",
        "Mean squared difference of attacked and clean reconstruction.",
        unit="squared data unit",
        better="down",
        of="attack",
    ),
    Metric(
        "agreement_mean",
        "Agreement",
        "Inner product of clean and attacked soft assignment, mean over samples: 0 where they have nothing "
        "in common.",
        better="up",
        of="attack",
    ),
    Metric(
        "agreement_clean_mean",
        "Agreement with itself",
        "Inner product of the clean soft assignment with itself, mean over samples: 1 where it is certain.",
        of="attack",
    ),
    Metric(
        "nu",
        "ν",
        "Weight of the disagreement, in the paper's units: 1,000 times as much on the mean over samples.",
        unit="weight",
        of="attack",
    ),
    Metric("n", "n", "How many samples were used.", unit="samples", better=None, of="attack"),
    Metric(
        "n_right",
        "n right",
        "How many of them were right before the attack.",
        unit="samples",
        better=None,
        labels=True,
        of="attack",
    ),
    Metric(
        "n_success",
        "n that could succeed",
        "How many could reach what was asked: for a target, those not there before.",
        unit="samples",
        of="attack",
    ),
    Metric(
        "masking_fgsm_gain",
        "Gain over FGSM",
        "Mean objective of the attack minus that of FGSM; negative: the gradient may mislead.",
        unit="the objective's own",
        of="attack",
    ),
    Metric(
        "masking_noise_gain",
        "Gain over noise",
        "Mean objective of the attack minus that of noise; not above zero: the gradient may be masked.",
        unit="the objective's own",
        of="attack",
    ),
    Metric(
        "masking_huge_reach",
        "Reach of a huge ε",
        "Share of samples the attack reaches with the largest ε the box allows; far below 1: "
        "the search fails.",
        of="attack",
    ),
    Metric(
        "masking_zero_gradient",
        "Vanished gradients",
        "Share of random points in the ball where the gradient is exactly zero.",
        of="attack",
    ),
)


def rate(name: str, hits: np.ndarray) -> dict[str, float | int | None]:
    """A share of True with its interval: NAME, NAME_low, NAME_high; None without samples."""
    if len(hits) == 0:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    low, high = wilson(int(hits.sum()), len(hits))
    return {name: float(hits.mean()), f"{name}_low": low, f"{name}_high": high}


def agreement(
    labels: np.ndarray | None, clean: np.ndarray, attacked: np.ndarray
) -> dict[str, float | int | None]:
    """Clusters (n,) before and after against the labels (n,); every value None where there are none.

    The clean matching is that of the same samples' clean clusters.
    """
    if labels is None:
        names = (
            "acc_clean",
            "acc_attacked",
            "nmi_clean",
            "nmi_attacked",
            "ari_clean",
            "ari_attacked",
            "n_right",
        )
        return (
            dict.fromkeys(names)
            | rate("acc_attacked_fixed_match", np.zeros(0))
            | rate("flip_rate_right", np.zeros(0))
        )
    right, still = (matched_labels(labels, clean, clusters) == labels for clusters in (clean, attacked))
    return (
        {
            "acc_clean": clustering.accuracy(labels, clean),
            "acc_attacked": clustering.accuracy(labels, attacked),
            "nmi_clean": clustering.nmi(labels, clean),
            "nmi_attacked": clustering.nmi(labels, attacked),
            "ari_clean": clustering.ari(labels, clean),
            "ari_attacked": clustering.ari(labels, attacked),
            "n_right": int(right.sum()),
        }
        | rate("acc_attacked_fixed_match", still)
        | rate("flip_rate_right", (clean != attacked)[right])
    )


def matched_labels(labels: np.ndarray, clean: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """The class of each of `clusters` (m,) by the matching of the clean clusters to the labels; -1 where
    there is none.

    A cluster without a clean sample of its class has none: such a pair is what the Hungarian method had left
    over.
    """
    mapping = clustering.matching(labels, clean)
    unseen = (
        np.take_along_axis(clustering.contingency(labels, clean), np.maximum(mapping, 0)[None], axis=0)[0]
        == 0
    )
    mapping = np.append(
        np.where(unseen, -1, mapping), np.full(max(int(clusters.max()) + 1 - len(mapping), 0), -1)
    )
    return mapping[clusters]


def divergence(clean: np.ndarray, attacked: np.ndarray) -> np.ndarray:
    """KL(p ‖ q) of each row of log-probabilities (n, k), 1e-4 added to every probability: (n,), at
    least 0.
    """
    p, q = (np.exp(log.astype(np.float64)) + SMOOTH for log in (clean, attacked))
    return np.maximum((p * np.log(p / q)).sum(axis=1), 0)


def median_epsilon(epsilon_star: np.ndarray) -> float:
    """The median of ε* (n,) where never reached is infinity; NaN without samples. Of two middle values the
    larger.
    """
    return float(np.sort(epsilon_star)[len(epsilon_star) // 2]) if len(epsilon_star) else float("nan")


def written(median: float, largest: float) -> str:
    """A median ε* in words: the number, "> ε max" where half of them or more were never reached, "" without
    samples.
    """
    if np.isnan(median):
        return ""
    return f"> {largest:g}" if np.isinf(median) else f"{median:.3g}"
