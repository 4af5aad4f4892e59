"""AR-DMVC, figure 4b: attacked scores against the length of the training."""

from itertools import product

from engine.registry import register
from engine.settings import knob
from engine.studies.ar_dmvc import BASE, DEFENCES, MultiViewStudy, attacked_case
from engine.studies.protocols import Case


@register
class Epochs(MultiViewStudy):
    """Attacked scores against the length of the training."""

    name = "ar_dmvc.epochs"
    title = "AR-DMVC, figure 4b: epochs of the defence"
    summary = (
        "Base and defences trained for so many epochs, then judged by the strongest attack at ε = 0.2, beside"
        " PGD at the same ε and the strong generator at ε = 0.3."
    )
    place = 4

    grid: tuple[int, ...] = knob((5, 10, 20, 30, 45, 60), "Epochs", "Lengths of the training.", min_length=1)

    def cases(self) -> list[Case]:
        """Model by model, length by length."""
        attacks = dict(self.judging(0.2)) | {
            "pgd": self.pgd(0.2),
            "generator_strong": self.generator("generator_strong", 0.3),
        }
        return [
            attacked_case(
                model,
                {"epochs": epochs, "epsilon": attacking.changes["epsilon"]},
                self.trained(model, epochs=epochs),
                treatment,
                attacking,
            )
            for model, epochs in product((BASE, *DEFENCES), self.grid)
            for treatment, attacking in attacks.items()
        ]
