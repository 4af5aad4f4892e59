"""AR-DMVC, table 3: attacked accuracy against ε."""

from itertools import product

from engine.registry import register
from engine.studies.ar_dmvc import (
    BASE,
    HERE,
    PUBLISHED_ON,
    PUBLISHED_WITH,
    MultiViewStudy,
    attacked_case,
    not_built_yet,
    published_cell,
)
from engine.studies.protocols import Case

EPSILONS = (0.1, 0.2, 0.3)


@register
class Table3(MultiViewStudy):
    """Attacked accuracy against ε."""

    name = "ar_dmvc.table3"
    title = "AR-DMVC, table 3: attacked ACC against ε"
    summary = "A generator fitted anew at each ε, and PGD at the same ε."
    figure = "against_epsilon"
    tab = "holds"
    place = 2

    def cases(self) -> list[Case]:
        """Model by model, ε by ε; the base for equal epochs under PGD too."""
        rows = [
            self._case(model, epsilon, treatment)
            for model, epsilon in product(HERE, EPSILONS)
            for treatment in dict(self.attacks(epsilon))
            if not self._not_measured(treatment, epsilon)
        ]
        training, said = self.equal_epochs()
        rows += [
            attacked_case(
                BASE, {"epsilon": epsilon} | said, training, "pgd", self.pgd(epsilon), arm="equal_epochs"
            )
            for epsilon in EPSILONS
        ]
        for epsilon in EPSILONS:
            at = {"epsilon": epsilon}
            rows += not_built_yet(
                "table3", PUBLISHED_WITH, {"data": PUBLISHED_ON} | at, data=PUBLISHED_ON, **at
            )
        return rows

    def _case(self, model: str, epsilon: float, treatment: str) -> Case:
        where = {"model": model, "data": PUBLISHED_ON, "epsilon": epsilon}
        return attacked_case(
            model,
            {"epsilon": epsilon},
            self.trained(model),
            treatment,
            dict(self.attacks(epsilon))[treatment],
            **published_cell("table3", ("acc",), treatment, **where),
        )

    def _not_measured(self, treatment: str, epsilon: float) -> bool:
        """A fit takes a minute at the size mini; PGD at the same ε stands for a strong attacker there."""
        return self.size == "mini" and treatment == "generator_strong" and epsilon < max(EPSILONS)
