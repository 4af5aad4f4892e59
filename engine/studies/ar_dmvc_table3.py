"""AR-DMVC, table 3: attacked accuracy against ε."""

from collections.abc import Iterator
from itertools import product
from typing import Any, ClassVar

from engine.registry import register
from engine.studies.ar_dmvc import (
    BASE,
    HERE,
    JUDGED,
    PUBLISHED_ON,
    PUBLISHED_WITH,
    MultiViewStudy,
    attacked_case,
    not_built_yet,
    published_cell,
)
from engine.studies.claims import Claim
from engine.studies.protocols import Attacking, Case, Training

HELD = "acc_attacked_fixed_match"
"""ACC under attack with the matching of the clean samples."""
DEFENDED, UNDEFENDED = ("ar_dmvc", "ar_dmvc_am"), [{"model": "comvc"}]

EPSILONS = (0.1, 0.2, 0.3)


@register
class Table3(MultiViewStudy):
    """Attacked accuracy against ε."""

    name = "ar_dmvc.table3"
    title = "AR-DMVC, table 3: attacked ACC against ε"
    summary = "The strongest attack and PGD at each ε, and a generator fitted anew there."
    figure = "against_epsilon"
    tab = "holds"
    place = 2
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim(
            "The defences keep more of the clusters than CoMVC, under PGD",
            HELD,
            {"model": DEFENDED, "treatment": "pgd"},
            UNDEFENDED,
        ),
        Claim(
            "Control: they do so under the strongest attack too",
            HELD,
            {"model": DEFENDED, "treatment": "strongest"},
            UNDEFENDED,
        ),
        Claim(
            "AR-DMVC-AM keeps more than AR-DMVC, under the strongest attack",
            HELD,
            {"model": "ar_dmvc_am", "treatment": "strongest"},
            [{"model": "ar_dmvc"}],
        ),
    )

    def cases(self) -> list[Case]:
        """Model by model, ε by ε; of the base also what it was for its own number of epochs, as it was
        published.
        """
        rows = [
            case
            for model, epsilon in product(HERE, EPSILONS)
            for case in (self._of_base(epsilon) if model == BASE else self._of(model, epsilon))
        ]
        for epsilon in EPSILONS:
            at = {"epsilon": epsilon}
            rows += not_built_yet(
                "table3", PUBLISHED_WITH, {"data": PUBLISHED_ON} | at, data=PUBLISHED_ON, **at
            )
        return rows

    def _of(self, model: str, epsilon: float) -> Iterator[Case]:
        """A model at an ε: every attack."""
        training = self.trained(model)
        judging = self.judging(epsilon) if model in JUDGED else ()
        for treatment, attacking in (*self._usual(epsilon), *judging):
            yield self._case(model, training, epsilon, treatment, attacking)

    def _of_base(self, epsilon: float) -> Iterator[Case]:
        """The base for as many epochs as the defences, under what judges them; then for its own."""
        as_long = self.trained_as_long(BASE)
        about = {"epsilon": epsilon} | self.epochs(as_long)
        for treatment, attacking in (("pgd", self.pgd(epsilon)), *self.judging(epsilon)):
            yield attacked_case(BASE, about, as_long, treatment, attacking)
        for treatment, attacking in self._usual(epsilon):
            yield self._case(BASE, self.trained(BASE), epsilon, treatment, attacking, arm="own_epochs")

    def _usual(self, epsilon: float) -> Iterator[tuple[str, Attacking]]:
        """The attacks at an ε. A fit takes a minute at the size mini; PGD at the same ε stands for a strong
        attacker there.
        """
        for treatment, attacking in self.attacks(epsilon):
            if self.size != "mini" or treatment != "generator_strong" or epsilon == max(EPSILONS):
                yield treatment, attacking

    def _case(
        self,
        model: str,
        training: Training,
        epsilon: float,
        treatment: str,
        attacking: Attacking,
        **more: Any,
    ) -> Case:
        where = {"model": model, "data": PUBLISHED_ON, "epsilon": epsilon}
        published = published_cell("table3", ("acc",), treatment, **where)
        about = {"epsilon": epsilon} | self.epochs(training)
        return attacked_case(model, about, training, treatment, attacking, **published, **more)
