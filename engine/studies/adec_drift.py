"""ADEC, figures 7 and 8: feature randomness and feature drift while it is trained, beside IDEC*; and, which
the paper lacks, beside DEC*, ADEC without its adversary, and all for as many updates of the encoder.

Source: Mrabah, Bouguessa, Ksantini, "Adversarial Deep Embedded Clustering: on a better trade-off between
Feature Randomness and Feature Drift", IEEE TKDE 2020 (arXiv 1909.11832), section 5.3.2. Curves of single runs
on MNIST there, without numbers.
"""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from engine.events import Evaluate
from engine.registry import register
from engine.store.run import Run
from engine.studies.adec_arms import ADEC, Arms
from engine.studies.claims import Claim
from engine.studies.protocols import Case

ANGLES = ("delta_fr", "delta_fd")
NEGATIVE = "delta_fd_negative"
STATIONARY = "near_stationary"
"""1 at a probe whose gradient is what is left of its parts' cancelling: Δ_FD tends to −1 there by itself."""
IDEC = {"model": "idec_star", "arm": ""}


@register
class Drift(Arms):
    """The same trainings, by the angles between their gradients."""

    name = "adec.drift"
    title = "ADEC, figures 7 and 8: feature randomness and drift"
    summary = (
        "Δ_FR and Δ_FD of ADEC and its arms, averaged over all probes of a training, and the share of the"
        " probes at which the regulariser pulls against clustering."
    )
    source: ClassVar[str] = "Mrabah, Bouguessa, Ksantini, IEEE TKDE 2020 (arXiv 1909.11832), figures 7 and 8"
    protocol = (
        "For every seed one ACAI base is trained, with its k-means centres; all arms start from it, and IDEC*"
        " and DEC* are trained for half the iterations too, which is as many updates of the encoder."
        " Gradients are those of the whole encoder over a fixed random subset, right after a refresh of P;"
        " Δ_FR is between the true labels and what the encoder descends, Δ_FD between clustering and the"
        " regulariser, each averaged over all probes of a training. Where no regulariser is trained, Δ_FD is"
        " hypothetical: of DEC* with the reconstruction, of ADEC without its adversary with that. No model is"
        " selected: every seed counts."
    )
    version: ClassVar[int] = 1
    place = 1
    columns: ClassVar[dict[str, str]] = {NEGATIVE: "share of probes with Δ_FD < 0"}
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim(
            "ADEC descends nearer to the gradient of the true labels than IDEC*: less feature randomness",
            "delta_fr",
            ADEC,
            [{"model": "idec_star"}],
        ),
        Claim(
            "Its adversary pulls less against clustering than IDEC*'s reconstruction: less feature drift",
            "delta_fd",
            ADEC,
            [{"model": "idec_star"}],
        ),
        Claim(
            "IDEC*'s reconstruction pulls against clustering at more probes than ADEC's adversary",
            NEGATIVE,
            IDEC,
            [{"model": "adec"}],
        ),
        Claim(
            "Control: its adversary is what lowers the feature randomness",
            "delta_fr",
            ADEC,
            [{"arm": "no_adversary"}, {"model": "dec_star"}],
        ),
        Claim(
            "Control: less feature randomness than in IDEC* after as many updates of the encoder, too",
            "delta_fr",
            ADEC,
            [{"model": "idec_star", "arm": "equal_updates"}],
        ),
        Claim(
            "Control: less feature drift than in IDEC* after as many updates of the encoder, too",
            "delta_fd",
            ADEC,
            [{"model": "idec_star", "arm": "equal_updates"}],
        ),
    )

    def cases(self) -> list[Case]:
        """Arm by arm. What a run itself says is of its last probe: the means take its place."""
        names = {name: name for name in (*ANGLES, NEGATIVE)}
        return [replace(case, measured=names, more=over_probes) for case in super().cases()]


def over_probes(folder: Path) -> dict[str, float | None]:
    """Means over all probes of a training, and the share of them with Δ_FD < 0; None where none was made."""
    probes = [event.metrics for event in Run(folder).events() if isinstance(event, Evaluate)]
    values = {
        name: np.array([probe[name] for probe in probes if probe.get(name) is not None], dtype=float)
        for name in (*ANGLES, STATIONARY)
    }
    found = {name: float(of.mean()) if len(of) else None for name, of in values.items()}
    drift = values["delta_fd"]
    return found | {NEGATIVE: float((drift < 0).mean()) if len(drift) else None}
