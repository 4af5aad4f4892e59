"""The likeness of rows that have a number K of compressed samples each: all levels of a ladder over K in one
batch, every row as it would be alone.

What is drawn for a row is what its K would draw. Rows of fewer pairs than the largest K are filled up with
pairs that count for nothing.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.attacks.likeness import Draw, Likeness, LikenessAttack
from engine.attacks.own_draws import forked
from engine.nets import mine
from engine.objectives.protocols import Objective


class LikenessAlongK(Likeness):
    """I(x, x + δ) of rows (n, d), each by as many random pairs as `each` (n,) says."""

    def __init__(
        self, of: LikenessAttack, x: Tensor, objective: Objective, rng: torch.Generator, each: Sequence[int]
    ) -> None:
        self.each = each
        super().__init__(of, x, objective, rng)

    def _network(self, size: int, side: tuple[int, int] | None) -> mine.Statistics:
        network = super()._network(size, side)
        self.own = [(mine.Projections(k, size), forked(self.rng)) for k in self.each]
        self.count = torch.tensor(self.each, device=self.x.device)
        filling = torch.Generator().manual_seed(0)  # of pairs that count for nothing, yet must be finite
        self.room = torch.randn(2, len(self.each), max(self.each), size, generator=filling).to(self.x)
        self.within = torch.arange(max(self.each), device=self.x.device) < self.count[:, None]
        return network

    def _draw(self) -> Draw:
        """What is random, (2, n, K, p), and orders (n, 1, K), K the largest."""
        most = max(self.each)
        drawn = self.room.clone() if self.of.draws > 1 else self.room
        orders = torch.arange(most).repeat(len(self.each), 1, 1)
        for row, (projections, rng) in enumerate(self.own):
            drawn[:, row, : projections.k] = projections.drawn(self.x, rng)
            orders[row, 0, : projections.k] = mine.shuffled(projections.k, rng)
        return drawn, orders

    def _bound(self, pairs: mine.Pairing, draw: Draw) -> Tensor:
        drawn, order = draw
        true, false = self.network(pairs(drawn), order.to(self.x.device))
        among = false.masked_fill(~self.within, -torch.inf).logsumexp(dim=1)
        return true.where(self.within, 0.0).sum(dim=1) / self.count - (among - self.count.log())
