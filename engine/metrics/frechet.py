"""How far apart two sets of samples lie in the features of a network: FID and KID. Numpy in, floats out.

    FID = ‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^{1/2}),    KID = unbiased MMD² with the kernel (a·b / D + 1)³

The features are what the head of the attacked classifier reads, the same of another classifier that a run
names, and those of Inception v3 where a person has its weights; a number of one is never to be held beside a
number of another, so each name says which. Both distances depend on how many samples there are, so the same
samples before the attack stand beside them.

Sources: Heusel et al., "GANs trained by a two time-scale update rule", NeurIPS 2017, arXiv:1706.08500;
Bińkowski et al., "Demystifying MMD GANs", ICLR 2018, arXiv:1801.01401.
"""

from collections.abc import Callable, Iterator

import numpy as np

from engine.metrics.protocols import AttackedSamples
from engine.registry import Metric, register_metric

Sets = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Features of the attacked samples, of the same before, and of those trained on."""
Distance = Callable[[np.ndarray, np.ndarray], float | None]
Measure = Callable[[AttackedSamples], float | None]


def fid(one: np.ndarray, two: np.ndarray) -> float | None:
    """The Fréchet distance of two sets of features (n, D), (m, D), as normal laws; None where one has fewer
    than 2 samples, or holds what is no number.
    """
    if not _usable(one, two):
        return None
    gap = np.square(one.mean(0, dtype=np.float64) - two.mean(0, dtype=np.float64)).sum()
    first, second = _half(one), _half(two)
    shared = np.linalg.svd(first @ second.T, compute_uv=False).sum()  # the trace of (Σ₁ Σ₂)^{1/2}
    return float(gap + np.square(first).sum() + np.square(second).sum() - 2 * shared)


def kid(one: np.ndarray, two: np.ndarray) -> float | None:
    """The kernel distance of two sets of features (n, D), (m, D), without bias: about 0, also below it, where
    both are of one law; None where one has fewer than 2 samples, or holds what is no number.
    """
    if not _usable(one, two):
        return None
    first, second = one.astype(np.float64), two.astype(np.float64)
    within = [_kernel(rows, rows) for rows in (first, second)]
    alike = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in within]
    return float(sum(alike) - 2 * _kernel(first, second).mean())


def _kernel(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    found: np.ndarray = (one @ two.T / one.shape[1] + 1) ** 3
    return found


def _half(rows: np.ndarray) -> np.ndarray:
    """H (≤ D, D) or (n, D) with Hᵀ H the covariance of rows (n, D), of which there may be fewer than D."""
    centred = rows.astype(np.float64)
    centred = (centred - centred.mean(0)) / np.sqrt(len(rows) - 1)
    return centred if len(rows) <= rows.shape[1] else np.linalg.qr(centred).R


def _usable(one: np.ndarray, two: np.ndarray) -> bool:
    return min(len(one), len(two)) > 1 and bool(np.isfinite(one).all() and np.isfinite(two).all())


def _of_classifier(seen: AttackedSamples) -> Sets:
    assert seen.reference is not None
    clean, attacked = seen.embeddings()
    return attacked, clean, seen.reference.numpy()


def _of_inception(seen: AttackedSamples) -> Sets:
    assert seen.inception is not None
    attacked, clean, reference = (features.numpy() for features in seen.inception)
    return attacked, clean, reference


def _of_extractor(seen: AttackedSamples) -> Sets:
    assert seen.extractor is not None
    attacked, clean, reference = (features.numpy() for features in seen.extractor)
    return attacked, clean, reference


FEATURES: tuple[tuple[str, str, str, str, Callable[[AttackedSamples], Sets]], ...] = (
    (
        "",
        "reference",
        "classifier's features",
        " Features: what the head of the attacked classifier reads; not Inception's, and not to be held"
        " beside published values.",
        _of_classifier,
    ),
    (
        "extractor_",
        "extractor",
        "another classifier's features",
        " Features: what the head of the classifier in the run's role extractor reads; not Inception's, and"
        " not to be held beside published values.",
        _of_extractor,
    ),
    (
        "inception_",
        "inception",
        "Inception's features",
        " Features: the 2,048 of Inception v3 by the weights given, on pictures brought to 299 x 299;"
        " published values are of other weights of the same network, and of other numbers of samples.",
        _of_inception,
    ),
)
"""Of each: what stands within a metric's name, what it needs, what it is called, what is to be known, and
the sets.
"""
CLEAN = " of these samples before the attack: what the distance is without one."
KINDS = (
    ("fid", "FID", "Fréchet distance", fid, "Heusel et al., NeurIPS 2017, arXiv:1706.08500"),
    ("kid", "KID", "Kernel distance", kid, "Bińkowski et al., ICLR 2018, arXiv:1801.01401"),
)


def _metrics() -> Iterator[Metric]:
    for within, need, called, about, sets in FEATURES:
        for name, title, words, distance, source in KINDS:
            for place, (which, whose) in enumerate(
                (("attacked", " of the attacked samples from the training samples."), ("clean", CLEAN))
            ):
                yield Metric(
                    f"{name}_{within}{which}",
                    f"{title}, {which}, {called}",
                    words + whose + about,
                    source,
                    unit="distance",
                    of="attack",
                    needs=(need,),
                    measure=_measured(distance, sets, place),
                )


def _measured(distance: Distance, sets: Callable[[AttackedSamples], Sets], place: int) -> Measure:
    """The distance from the reference: of the attacked samples (0), or of the clean ones (1)."""

    def measure(seen: AttackedSamples) -> float | None:
        found = sets(seen)
        return distance(found[place], found[2])

    return measure


register_metric(*_metrics())
