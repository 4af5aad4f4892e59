"""`leave_own_cluster`: strategy (i), away from the own centroid alone.

    f(x') = −cos(z(x'), C_x),    C_x the unit centroid nearest in direction to the clean embedding

Source: the same as `ncp`, section 4.4.
"""

from typing import ClassVar

from engine.objectives.ncp import AmongCentroids, Strategy
from engine.registry import register


@register
class LeaveOwnCluster(AmongCentroids):
    """Turn the embedding away from its centroid."""

    name: ClassVar[str] = "leave_own_cluster"
    title: ClassVar[str] = "Turn away from the own cluster"
    summary: ClassVar[str] = "The negative cosine of the embedding and the centroid of its cluster."
    equation: ClassVar[str] = r"-\cos(z(x'), C_x)"
    strategy: ClassVar[Strategy] = "away"
    success: ClassVar[str] = "leaves {own}"
    effect: ClassVar[str] = "turns the embedding to a negative cosine of {value} with its centroid"
