"""k-means as deep clustering begins with it: k-means++, twenty starts, the best inertia."""

import warnings

import torch
from jaxtyping import Float, Int
from threadpoolctl import threadpool_limits
from torch import Tensor

from engine.errors import DataError
from engine.nets.layers import finite


def k_means(
    z: Float[Tensor, "n m"], clusters: int, rng: torch.Generator, starts: int = 20
) -> tuple[Float[Tensor, "k m"], Int[Tensor, "n"]]:
    """Centres (k, m) and labels (n,) of the points z (n, m), on z's device; seeded from `rng`.

    One thread, because sums in another order would change the last digits. Raises DataError where there are
    fewer points than clusters, Diverged where a point is not finite.
    """
    if len(z) < clusters:
        raise DataError(
            f"k-means needs at least as many samples as clusters; got {len(z)} samples for {clusters}. Ask"
            " for fewer clusters."
        )
    from sklearn.cluster import KMeans  # half a second of import that attacks do without
    from sklearn.exceptions import ConvergenceWarning

    seed = int(torch.randint(2**31 - 1, (), generator=rng))
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # fewer distinct points than clusters: some clusters stay empty
        fitted = KMeans(clusters, n_init=starts, random_state=seed).fit(finite(z).detach().cpu().numpy())
    centres = torch.from_numpy(fitted.cluster_centers_).to(z)
    return centres, torch.from_numpy(fitted.labels_).long().to(z.device)
