"""The likeness of rows that have a number K of compressed samples each: all levels of a ladder over K in one
batch, every row as it would be alone.

What is drawn for a row is what its K would draw. The pairs of a row lie in pieces of `PIECE`, of which the
last is filled up with pairs that count for nothing: rows as long as the longest would be four fifths empty.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.attacks.likeness import Draw, Likeness, LikenessAttack
from engine.attacks.own_draws import forked
from engine.nets import mine
from engine.objectives.protocols import Objective

PIECE = 32


class LikenessAlongK(Likeness):
    """I(x, x + δ) of rows (n, d), each by as many random pairs as `each` (n,) says, in c pieces or s
    places.
    """

    def __init__(
        self, of: LikenessAttack, x: Tensor, objective: Objective, rng: torch.Generator, each: Sequence[int]
    ) -> None:
        self.each = each
        super().__init__(of, x, objective, rng)

    def _network(self, size: int, side: tuple[int, int] | None) -> mine.Statistics:
        network = super()._network(size, side)
        self.own = [(mine.Projections(k, size), forked(self.rng)) for k in self.each]
        pieces = torch.tensor([-(-k // PIECE) for k in self.each])
        self.row = torch.arange(len(pieces)).repeat_interleave(pieces).to(self.x.device)  # (c,)
        self.begin = ((pieces.cumsum(0) - pieces) * PIECE).tolist()
        filling = torch.Generator().manual_seed(0)  # of pairs that count for nothing, yet must be finite
        self.room = torch.randn(2, len(self.row) * PIECE, size, generator=filling).to(self.x)
        within = torch.zeros(len(self.row) * PIECE, dtype=torch.bool)
        for begin, k in zip(self.begin, self.each, strict=True):
            within[begin : begin + k] = True
        self.within = within.to(self.x.device).unflatten(0, (-1, PIECE))
        self.count = torch.tensor(self.each, device=self.x.device)
        return network

    def _draw(self) -> Draw:
        """What is random, (2, s, p), and the order (s,) of the places of every row."""
        drawn, order = self.room.clone(), torch.arange(self.room.shape[1])
        for begin, (projections, rng) in zip(self.begin, self.own, strict=True):
            places = slice(begin, begin + projections.k)
            drawn[:, places] = projections.drawn(self.x, rng)
            order[places] = begin + mine.shuffled(projections.k, rng)
        return drawn, order

    def _pairs(self, point: Tensor) -> mine.Pairing:
        """Made one by one, which for draws that no two rows share is less work than sums of maps of them."""
        rho, across = (side[self.row, None, None] for side in mine.mixture(self.x, point))

        def made(drawn: Tensor) -> mine.Given:
            one, two = (drawn - drawn.mean(dim=-1, keepdim=True)).unflatten(1, (-1, PIECE))
            return mine.Given(_scaled(one), _scaled(rho * one + across * two))

        return made

    def _bound(self, pairs: mine.Pairing, draw: Draw) -> Tensor:
        drawn, order = draw
        given, out = pairs(drawn), self.network.out.index_select(0, self.row).mT
        assert isinstance(given, mine.Given)
        u, v = self._mapped(given.u, self.network.of_clean), self._mapped(given.v, self.network.of_attacked)
        shuffled = v.flatten(0, 1).index_select(0, order.to(v.device)).view_as(v)
        true, false = (((u + side).relu() @ out)[..., 0] for side in (v, shuffled))  # (c, PIECE)
        false = false.masked_fill(~self.within, -torch.inf)
        top = self._highest(false)
        among = self._total((false - top[self.row, None]).exp())
        return self._total(true.where(self.within, 0.0)) / self.count - (among.log() + top - self.count.log())

    def _mapped(self, of: Tensor, branch: mine.Branch | mine.PatchBranch) -> Tensor:
        """Pairs (c, PIECE, p) through the map of their row: (c, PIECE, q)."""
        weight, bias = branch.affine()
        return torch.baddbmm(bias.index_select(0, self.row).mT, of, weight.index_select(0, self.row).mT)

    def _total(self, of: Tensor) -> Tensor:
        """The sum (n,) over the pairs of each row, of numbers (c, PIECE)."""
        return of.new_zeros(len(self.each)).index_add(0, self.row, of.sum(dim=1))

    def _highest(self, of: Tensor) -> Tensor:
        """The largest (n,) of them, without a gradient."""
        told = of.detach().amax(dim=1)
        return told.new_full((len(self.each),), -torch.inf).scatter_reduce(0, self.row, told, "amax")


def _scaled(centred: Tensor) -> Tensor:
    """Deviation 1 over the numbers of every vector, which have mean 0."""
    return centred * centred.square().mean(dim=-1, keepdim=True).rsqrt()
