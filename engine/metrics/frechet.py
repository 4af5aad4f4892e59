"""How far apart two sets of samples lie in the features of a network: FID and KID. Numpy in, floats out.

    FID = ‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^{1/2}),    KID = unbiased MMD² with the kernel (a·b / D + 1)³

The features are those of the house: what the head of the attacked classifier reads. Published numbers are of
another network (Inception) and are never to be held beside these. Its features are left out: its weights may
not be shipped, and a network written for them could not be checked here without them. Both distances depend
on how many samples there are, so the same samples before the attack stand beside them.

Sources: Heusel et al., "GANs trained by a two time-scale update rule", NeurIPS 2017, arXiv:1706.08500;
Bińkowski et al., "Demystifying MMD GANs", ICLR 2018, arXiv:1801.01401.
"""

import numpy as np

from engine.metrics.protocols import AttackedSamples
from engine.registry import Metric, register_metric


def fid(one: np.ndarray, two: np.ndarray) -> float | None:
    """The Fréchet distance of two sets of features (n, D), (m, D), as normal laws; None where one has fewer
    than 2 samples, or holds what is no number.
    """
    if not _usable(one, two):
        return None
    first, second = one.astype(np.float64), two.astype(np.float64)
    gap = np.square(first.mean(0) - second.mean(0)).sum()
    own, other = (np.atleast_2d(np.cov(rows, rowvar=False)) for rows in (first, second))
    root = _root(own)
    shared = np.linalg.eigvalsh(root @ other @ root)  # those of Σ₁ Σ₂, which is not symmetric itself
    return float(gap + np.trace(own) + np.trace(other) - 2 * np.sqrt(shared.clip(0)).sum())


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


def _root(covariance: np.ndarray) -> np.ndarray:
    """The symmetric square root of a covariance (D, D)."""
    values, vectors = np.linalg.eigh(covariance)
    found: np.ndarray = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    return found


def _usable(one: np.ndarray, two: np.ndarray) -> bool:
    return min(len(one), len(two)) > 1 and bool(np.isfinite(one).all() and np.isfinite(two).all())


def _features(seen: AttackedSamples) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the attacked samples, of the same before, and of the reference."""
    assert seen.reference is not None
    clean, attacked = seen.embeddings()
    return attacked, clean, seen.reference.numpy()


ABOUT = (
    " Features: what the head of the attacked classifier reads; not Inception's, whose weights Feint does not"
    " have, and not to be held beside published values."
)

register_metric(
    Metric(
        "fid_attacked",
        "FID, attacked",
        "Fréchet distance of the attacked samples from the training samples." + ABOUT,
        "Heusel et al., NeurIPS 2017, arXiv:1706.08500",
        unit="distance",
        of="attack",
        needs=("reference",),
        measure=lambda seen: fid(_features(seen)[0], _features(seen)[2]),
    ),
    Metric(
        "fid_clean",
        "FID, clean",
        "The same of these samples before the attack: what the distance is without one." + ABOUT,
        "Heusel et al., NeurIPS 2017, arXiv:1706.08500",
        unit="distance",
        of="attack",
        needs=("reference",),
        measure=lambda seen: fid(_features(seen)[1], _features(seen)[2]),
    ),
    Metric(
        "kid_attacked",
        "KID, attacked",
        "Kernel distance of the attacked samples from the training samples." + ABOUT,
        "Bińkowski et al., ICLR 2018, arXiv:1801.01401",
        unit="distance",
        of="attack",
        needs=("reference",),
        measure=lambda seen: kid(_features(seen)[0], _features(seen)[2]),
    ),
    Metric(
        "kid_clean",
        "KID, clean",
        "The same of these samples before the attack: about 0 where they are like the training samples."
        + ABOUT,
        "Bińkowski et al., ICLR 2018, arXiv:1801.01401",
        unit="distance",
        of="attack",
        needs=("reference",),
        measure=lambda seen: kid(_features(seen)[1], _features(seen)[2]),
    ),
)
