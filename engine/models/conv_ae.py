"""ConvAE: the base network of robust deep clustering.

    L = λ_r ‖x − G(z̃)‖² + Σ_k y_k KL(N(m, e^ℓ) ‖ N(μ_k, I)) + Σ_k y_k log y_k,    y = C(m)

Source: Yang, Deng, Wei, Yan and Liu, "Adversarial learning for robust deep clustering", NeurIPS 2020.
"""

from typing import ClassVar

from engine.models.variational import SMALL, Variational
from engine.registry import register


@register
class ConvAE(Variational):
    """Settings of ConvAE."""

    name: ClassVar[str] = "conv_ae"
    title: ClassVar[str] = "ConvAE"
    source: ClassVar[str] = "Yang, Deng, Wei, Yan and Liu, NeurIPS 2020"
    equation: ClassVar[str] = (
        r"L = \lambda_r \lVert x - G(\tilde z) \rVert^2 + \sum_k y_k\, \mathrm{KL}(\mathcal N(m, e^{\ell})"
        r" \,\|\, "
        r"\mathcal N(\mu_k, I)) + \sum_k y_k \log y_k"
    )
    summary: ClassVar[str] = (
        "A variational autoencoder whose prior has a mean for each cluster, and a head that says which."
    )
    presets = SMALL
