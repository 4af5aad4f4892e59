"""ADEC beside what it is made of: clustering alone, with reconstruction, with an adversary, and with a
decoder that only follows; all from one base a seed. ADEC moves its encoder in every second block of
iterations, so IDEC* and DEC* are trained for half as many too: else more training looks like a better method.

Source: Mrabah, Bouguessa, Ksantini, "Adversarial Deep Embedded Clustering: on a better trade-off between
Feature Randomness and Feature Drift", IEEE TKDE 2020 (arXiv 1909.11832), table 2 (single runs there).
"""

from typing import Any, ClassVar

from engine import registry
from engine.registry import register
from engine.settings import knob
from engine.studies.claims import Claim
from engine.studies.protocols import CLEAN, Case, StudySettings, Training, Treatment

ADEC = {"model": "adec", "arm": ""}

DATA = {"quick": "digits", "mini": "mnist_test", "paper": "mnist"}
PRESETS = {"quick": "quick", "mini": "mnist_test", "paper": None}
ARMS = (
    ("adec", ""),
    ("adec", "no_adversary"),
    ("idec_star", ""),
    ("idec_star", "equal_updates"),
    ("dec_star", "equal_updates"),
    ("dec_star", ""),
)
"""Models and arms."""


@register
class Arms(StudySettings):
    """The four arms of one base, seed by seed, so that they differ in pairs."""

    name = "adec.arms"
    title = "ADEC: what each part adds"
    summary = (
        "Clean ACC and NMI of ADEC, of ADEC without its adversary, of IDEC* and of DEC*, trained from the"
        " same base for every seed, for equal iterations and for equal updates of the encoder."
    )
    source: ClassVar[str] = "Mrabah, Bouguessa, Ksantini, IEEE TKDE 2020 (arXiv 1909.11832), table 2"
    protocol = (
        "For every seed one ACAI base is trained, with its k-means centres; all arms start from it. They take"
        " as many iterations, in half of which ADEC moves its encoder; IDEC* and DEC* move theirs in all, and"
        " are trained for half the iterations too, which is as many updates of the encoder. ACC and NMI of"
        " all samples, in eval mode. No model is selected: every seed counts."
    )
    reduced: ClassVar[dict[str, str]] = {
        "quick": (
            "Against the published settings: digits of 8x8, widths 128-128-256, 4,000 iterations of the base"
            " and 3,000 of each arm, γ = 0.1 of IDEC*."
        ),
        "mini": (
            "Against the published settings: the 10,000 test images of MNIST, 1,200 iterations of each arm."
        ),
    }
    version: ClassVar[int] = 2  # IDEC* and DEC* for equal updates of the encoder, too
    page = "train"
    tab = ""
    measured_on = {"quick": "digits, 8x8", "mini": "MNIST test", "paper": "published settings"}
    claims: ClassVar[tuple[Claim, ...]] = (
        Claim(
            "ADEC clusters better than DEC* and IDEC*",
            "acc",
            ADEC,
            [{"model": "dec_star"}, {"model": "idec_star"}],
        ),
        Claim("Its adversary is what helps", "acc", ADEC, [{"arm": "no_adversary"}]),
        Claim(
            "Control: it clusters better than they do after as many updates of the encoder",
            "acc",
            ADEC,
            [{"model": name, "arm": "equal_updates"} for name in ("dec_star", "idec_star")],
        ),
    )
    arms = {"": "", "no_adversary": "without adversary", "equal_updates": "with as many encoder updates"}
    treatments = {CLEAN: Treatment("clean")}

    seeds: int = knob(10, "Seeds", "Every arm is trained for seeds 0 … n − 1.", ge=1, le=100)

    def cases(self) -> list[Case]:
        """Arm by arm."""
        data, preset = DATA[self.size], PRESETS[self.size]
        scores = {"acc": "acc", "nmi": "nmi"}
        return [
            Case(
                model,
                {},
                Training(model, data, preset, self._changes(model, arm)),
                arm=arm,
                treatment=CLEAN,
                measured=scores,
            )
            for model, arm in ARMS
        ]

    def _changes(self, model: str, arm: str) -> dict[str, Any]:
        """What an arm has otherwise than its preset."""
        if arm == "equal_updates":
            preset = PRESETS[self.size]
            method = registry.find("model", model)
            whole = method.presets[preset] if preset else {}
            return {"iterations": whole.get("iterations", method.model_fields["iterations"].default) // 2}
        return {"adv_weight": 0.0} if arm == "no_adversary" else {}
