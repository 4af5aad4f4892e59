"""Mice Protein Expression: 77 proteins in the brains of 72 mice, 15 measurements of each.

Source: C. Higuera, K. J. Gardiner, K. J. Cios, Self-organizing feature maps identify proteins critical to
learning in a mouse model of Down syndrome, PLoS ONE 10(6), 2015.
"""

from functools import partial

import numpy as np

from engine.data.download import Remote
from engine.data.finding import Part
from engine.data.formats import mice_release, named_classes
from engine.data.published import OpenML, Release
from engine.data.splits import Rows
from engine.data.tabular import Tabular
from engine.registry import register

MEASUREMENTS = 15
"""Rows of one mouse, one after the other."""
FIFTH = 5
"""Every fifth mouse is for testing."""

CLASSES = ("c-CS-m", "c-SC-m", "c-CS-s", "c-SC-s", "t-CS-m", "t-SC-m", "t-CS-s", "t-SC-s")
PROTEINS = (
    "DYRK1A_N ITSN1_N BDNF_N NR1_N NR2A_N pAKT_N pBRAF_N pCAMKII_N pCREB_N pELK_N pERK_N pJNK_N "
    "PKCA_N pMEK_N pNR1_N pNR2A_N pNR2B_N pPKCAB_N pRSK_N AKT_N BRAF_N CAMKII_N CREB_N ELK_N ERK_N "
    "GSK3B_N JNK_N MEK_N TRKA_N RSK_N APP_N Bcatenin_N SOD1_N MTOR_N P38_N pMTOR_N DSCR1_N AMPKA_N "
    "NR2B_N pNUMB_N RAPTOR_N TIAM1_N pP70S6_N NUMB_N P70S6_N pGSK3B_N pPKCG_N CDK5_N S6_N ADARB1_N "
    "AcetylH3K9_N RRP1_N BAX_N ARC_N ERBB4_N nNOS_N Tau_N GFAP_N GluR3_N GluR4_N IL1B_N P3525_N "
    "pCASP9_N PSD95_N SNCA_N Ubiquitin_N pGSK3B_Tyr216_N SHH_N BAD_N BCL2_N pS6_N pCFOS_N SYP_N "
    "H3AcK18_N EGR1_N H3MeK4_N CaNA_N "
)

RELEASE = Release(
    mirrors=(
        "https://raw.githubusercontent.com/IBM/UAE/e493de6142ec519fbabfed2e89f718fdd1415a4b/Unsupversied/data/",
    ),
    files=(Remote("Data_Cortex_Nuclear.csv"),),
    convert=partial(mice_release, classes=CLASSES),
)


@register
class MiceProtein(Tabular):
    """All measurements; no mouse is in both parts."""

    name = "mice_protein"
    title = "Mice Protein"
    summary = "77 proteins in the brains of 72 mice, in eight groups by genotype, learning and drug."
    source = "Higuera, Gardiner, Cios, PLoS ONE 2015"
    licence = "CC BY 4.0"
    shape = (77,)
    class_names = CLASSES
    counts = (150, 150, 135, 135, 135, 135, 105, 135)
    note = (
        "c control, t trisomic; CS context-shock, SC shock-context; m memantine, s saline. 1,396 missing"
        " values are medians of the training rows, and each feature goes from 0 to 1 over these. Every fifth"
        " mouse is for testing."
    )
    fingerprint = "069342063d9fb468"
    download = 1_500_000
    file = "mice_protein.npz"
    parts = (Part("", (77,), counts, 0.67892242, gaps=True),)
    release = RELEASE
    openml = OpenML(40966, partial(named_classes, classes=CLASSES))
    feature_names = tuple(PROTEINS.split())

    def divided(self, n: int) -> tuple[Rows, Rows]:
        """Four of five mice, and the fifth."""
        fifth = np.arange(n) // MEASUREMENTS % FIFTH == FIFTH - 1
        return np.flatnonzero(~fifth), np.flatnonzero(fifth)
