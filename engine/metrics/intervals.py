"""95 % intervals: Wilson's for a share, Student's for a mean and for paired differences. Numbers in, floats
out.
"""

import math

import numpy as np

Z = 1.959963984540054
"""The 97.5 % point of the normal law."""
MISSED = 0.03
"""Share of samples that only the strongest attack reaches that is worth a doubt."""
ENOUGH = 100
"""So many samples are taken by their share alone."""


def wilson(successes: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share: (low, high); (0, 1) where n is 0.

        (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.
    """
    if n == 0:
        return 0.0, 1.0
    share, square = successes / n, Z * Z / n
    middle = share + square / 2
    half = Z * math.sqrt(share * (1 - share) / n + square / (4 * n))
    low = 0.0 if successes == 0 else (middle - half) / (1 + square)
    high = 1.0 if successes == n else (middle + half) / (1 + square)
    return low, high


def above(successes: int, n: int, mark: float) -> bool:
    """Whether a share lies above a mark beyond chance, also of few samples: so many or more successes have a
    probability below 2.5 % where the true share is the mark.

    That is: the exact 95 % interval excludes the mark. Source: Clopper and Pearson, Biometrika 1934.
    """
    more = (math.comb(n, k) * mark**k * (1 - mark) ** (n - k) for k in range(successes, n + 1))
    return math.fsum(more) < 0.025


def misses(missed: int, n: int) -> bool:
    """Whether an attack misses more than MISSED of n samples that the strongest one reaches: 4 of 100 do; of
    fewer than ENOUGH, where one sample is much, only beyond chance: 6 of 60 do, or 2 of 5.
    """
    return missed > MISSED * n if n >= ENOUGH else above(missed, n, MISSED)


def rate(name: str, hits: np.ndarray) -> dict[str, float | None]:
    """A share of True with its interval: NAME, NAME_low, NAME_high; None without samples."""
    if len(hits) == 0:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    low, high = wilson(int(hits.sum()), len(hits))
    return {name: float(hits.mean()), f"{name}_low": low, f"{name}_high": high}


def mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean and 95 % Student interval of independent values, such as one a seed: (mean, low, high); infinite
    for one value.
    """
    values = np.asarray(values, dtype=np.float64)
    mean, n = float(values.mean()), len(values)
    if n < 2:
        return mean, -math.inf, math.inf
    from scipy.special import stdtrit  # a fifth of a second of import, for means over seeds only

    half = float(stdtrit(n - 1, 0.975) * values.std(ddof=1) / math.sqrt(n))
    return mean, mean - half, mean + half


def paired_shares(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """The share of True in first minus that in second, of the same samples, with its 95 % interval:
    (difference, low, high).

        p₁₂ − p₂₁ ± z √((p₁₂ + p₂₁ − (p₁₂ − p₂₁)²)/(n + 2)),    p₁₂ = (f₁₂ + 1)/(n + 2),  p₂₁ likewise

    f₁₂ samples are True in first alone, f₂₁ in second alone. Source: Bonett and Price, "Adjusted Wald
    confidence interval for a difference of binomial proportions based on paired data", Journal of Educational
    and Behavioral Statistics 37(4), 2012.
    """
    n, alone = len(first), [int((first & ~second).sum()), int((second & ~first).sum())]
    one, other = ((count + 1) / (n + 2) for count in alone)
    half = Z * math.sqrt((one + other - (one - other) ** 2) / (n + 2))
    middle = one - other
    return (alone[0] - alone[1]) / n, max(-1.0, middle - half), min(1.0, middle + half)


def paired_difference(first: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """Mean and 95 % interval of first − second, paired value by value: (mean, low, high)."""
    return mean_interval(np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64))
