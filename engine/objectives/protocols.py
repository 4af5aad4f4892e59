"""What an objective is: a function x' (n, d) -> (n,) to be made large, bound to a model and the clean
samples.

Threats to unsupervised models differ in what is to be made large; attack x objective x budget x model
multiply.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from engine.data.views import Views
from engine.models.protocols import require
from engine.settings import Settings

Measure = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Objective:
    """A bound objective: flat rows (n, d), one for each clean sample it was bound to, -> values (n,),
    float32.

    `stationary_at_clean` says that its gradient vanishes at δ = 0, so that an attack must start beside the
    clean point.
    """

    measure: Measure
    stationary_at_clean: bool = False

    def __call__(self, flat: Tensor) -> Tensor:
        return self.measure(flat)


@dataclass(frozen=True, kw_only=True)
class LatentObjective(Objective):
    """A bound objective on the embedding: its rows are embeddings (n, m), one for each clean sample it was
    bound to.

    `z` (n, m) are the clean ones and `spread` (n, m) how widely training draws them; `drawn(rows, eta)` is
    the objective where clean and moved embedding carry the same draw eta (n, m), `measure` that without one.
    """

    z: Tensor
    spread: Tensor
    drawn: Callable[[Tensor, Tensor], Tensor]


class ObjectiveSettings(Settings):
    """The base of every objective: which abilities it needs and how it binds."""

    kind: ClassVar[str] = "objective"
    needs: ClassVar[tuple[str, ...]] = ()
    """Abilities of the model, by their names in `engine.models.protocols`."""
    stationary_at_clean: ClassVar[bool] = False
    targeted: ClassVar[bool] = False
    """Whether it names a cluster to reach."""
    space: ClassVar[str] = "pixels"
    """What its rows are: "pixels" or "embedding", and so which attacks can make it large."""

    def bind(self, model: nn.Module, clean: Views) -> Objective:
        """The objective for these clean samples. Raises AbilityError where the model lacks what it needs."""
        for ability in self.needs:
            require(model, ability, self.name)
        return Objective(self.measure(model, clean), self.stationary_at_clean)

    def measure(self, model: nn.Module, clean: Views) -> Measure:
        """The function x' (n, d) -> (n,), with whatever it needs of the clean samples already computed."""
        raise NotImplementedError

    @classmethod
    def describe_more(cls) -> dict[str, Any]:
        """What an objective adds to its catalogue entry."""
        return {
            "needs": list(cls.needs),
            "stationary_at_clean": cls.stationary_at_clean,
            "targeted": cls.targeted,
            "space": cls.space,
        }
