"""AR-DMVC, figure 4a: attacked accuracy over λ and γ."""

from itertools import product

from engine.registry import register
from engine.settings import knob
from engine.studies.ar_dmvc import UPPER_BOUND, MultiViewStudy, attacked_case
from engine.studies.protocols import Case


@register
class LambdaGamma(MultiViewStudy):
    """Attacked accuracy over λ and γ."""

    name = "ar_dmvc.lambda_gamma"
    title = "AR-DMVC, figure 4a: λ and γ"
    summary = "AR-DMVC-AM trained at every λ and γ, then attacked by PGD at ε = 0.2: an upper bound."
    protocol = f"{MultiViewStudy.protocol} {UPPER_BOUND}"
    figure = "grid"
    tab = "grid"
    place = 5

    grid: tuple[float, ...] = knob(
        (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0), "Values", "Of λ and of γ.", min_length=1
    )

    def cases(self) -> list[Case]:
        """λ by λ, γ by γ; the figure's heights were not published as numbers."""
        return [
            attacked_case(
                "ar_dmvc_am",
                {"lam": lam, "gamma": gamma, "epsilon": 0.2},
                self.trained("ar_dmvc_am", lam=lam, gamma=gamma),
                "pgd",
                self.pgd(0.2),
            )
            for lam, gamma in product(self.grid, self.grid)
        ]
