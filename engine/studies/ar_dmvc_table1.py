"""AR-DMVC, table 1: clean and attacked clusterings of every model."""

from collections.abc import Iterator
from typing import Any, ClassVar

from engine.registry import register
from engine.studies.ar_dmvc import (
    BASE,
    CLEAN_SCORES,
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
from engine.studies.protocols import CLEAN, Case, Training

UNDEFENDED = ("simvc", "comvc", "aecoddc")

PUBLISHED_STATES = {CLEAN: "clean", PUBLISHED_WITH: "attacked"}


@register
class Table1(MultiViewStudy):
    """Clean and attacked clusterings of every model."""

    name = "ar_dmvc.table1"
    title = "AR-DMVC, table 1: clean and attacked"
    summary = (
        "Clean and attacked ACC, NMI and ARI at ε = 0.3, with the released generator, a stronger one, PGD,"
        " and the strongest attack."
    )
    figure = "clean"
    place = 1
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim(
            "The attack lowers the ACC of every model without a defence",
            "acc",
            {"model": UNDEFENDED, "arm": "", "treatment": "clean"},
            [{"treatment": "generator_released", "epsilon": 0.3}],
        ),
        Claim(
            "Control: PGD without a trained generator lowers it further",
            "acc",
            {"model": UNDEFENDED, "arm": "", "treatment": "generator_released"},
            [{"treatment": "pgd"}],
        ),
    )

    def cases(self) -> list[Case]:
        """Clean, then each attack, model by model; the base also for its own number of epochs, as it was
        published.
        """
        rows: list[Case] = []
        for model in HERE:
            own = model != BASE
            rows += self._of(model, self.trained_as_long(model), published=own)
            if not own:
                rows += self._of(model, self.trained(model), "own_epochs", published=True)
        for treatment, state in PUBLISHED_STATES.items():
            on = {"data": PUBLISHED_ON}
            rows += not_built_yet("table1", treatment, on, state=state, **on)
        return rows

    def _of(self, model: str, training: Training, arm: str = "", *, published: bool) -> Iterator[Case]:
        """The rows of one model."""
        trained = self.epochs(training)
        yield Case(
            model,
            {"epsilon": 0.0} | trained,
            training,
            self.pgd(0.3),
            arm,
            CLEAN,
            CLEAN_SCORES,
            {"n": "n"},
            **(self._published(model, CLEAN) if published else {}),
        )
        judging = self.judging(0.3) if model in JUDGED and not arm else ()
        for treatment, attacking in (*self.attacks(0.3), *judging):
            more = {"arm": arm} | (self._published(model, treatment) if published else {})
            yield attacked_case(model, {"epsilon": 0.3} | trained, training, treatment, attacking, **more)

    def _published(self, model: str, treatment: str) -> dict[str, Any]:
        where = {"model": model, "data": PUBLISHED_ON, "state": PUBLISHED_STATES.get(treatment)}
        return published_cell("table1", ("acc", "nmi", "ari"), treatment, **where)
