"""`chase_neighbour`: strategy (ii), towards a neighbouring centroid alone; δ_nbr of the proof of concept.

    f(x') = cos(z(x'), C_n),    C_n the unit centroid n-th nearest in direction to the clean embedding

Source: the same as `ncp`, sections 3.1 and 4.4.
"""

from typing import ClassVar

from torch import Tensor

from engine.models.outputs import Outputs
from engine.objectives.ncp import Strategy, TowardsNeighbour
from engine.registry import register


@register
class ChaseNeighbour(TowardsNeighbour):
    """Turn the embedding towards a neighbouring centroid."""

    name: ClassVar[str] = "chase_neighbour"
    title: ClassVar[str] = "Chase the neighbouring cluster"
    summary: ClassVar[str] = "The cosine of the embedding and the centroid of a neighbouring cluster."
    equation: ClassVar[str] = r"\cos(z(x'), C_n)"
    strategy: ClassVar[Strategy] = "toward"
    success: ClassVar[str] = "arrives in the neighbouring cluster"
    effect: ClassVar[str] = "turns the embedding to a cosine of {value} with the neighbouring centroid"

    def reached(self, before: Outputs, after: Outputs) -> Tensor | None:
        """Where the nearest centroid is the neighbour that was chased."""
        if before.log_q is None or after.cluster is None:
            return None
        return after.cluster == before.log_q.topk(self.neighbour, dim=1).indices[:, -1]
