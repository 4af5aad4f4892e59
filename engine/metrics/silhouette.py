"""How well the directions of embeddings fit their clusters, without labels."""

from engine.metrics.protocols import CleanSamples
from engine.nets.silhouette import silhouette
from engine.registry import Metric, register_metric


def mean_silhouette(seen: CleanSamples) -> float:
    """The mean silhouette; 0 where all samples are in one cluster."""
    z, cluster = seen.said.z, seen.said.cluster
    assert z is not None and cluster is not None
    if int(cluster.min()) == int(cluster.max()):
        return 0.0
    return float(silhouette(z, cluster).mean())


register_metric(
    Metric(
        "silhouette",
        "Silhouette, cosine",
        "How much nearer in direction samples are to their own cluster than to the nearest other one, mean"
        " over samples: 1 where clusters are far apart, 0 where they touch, or where there is a single one.",
        "Rousseeuw, 1987",
        unit="index",
        better="up",
        of="model",
        needs=("encodes", "clusters"),
        measure=mean_silhouette,
    )
)
