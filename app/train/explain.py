"""What am I seeing, of a training: the method's equation and source, and how to read its figures."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.runs.naming import bold
from app.words import N_, _

ANGLES = (
    N_(
        "**Δ_FR** compares the gradient that the true labels would give with what the encoder really"
        " descends;"
        " **Δ_FD** compares the gradients of clustering and regulariser. Both are cosines over the whole"
        " encoder, on the same samples (Mrabah, Bouguessa, Ksantini, 2019)."
    ),
    N_(
        "A higher Δ_FD is **not better by itself**. Where training comes to rest the two gradients cancel, so"
        " Δ_FD is −1 there, whatever the data: those stretches are grey (‖∇total‖ below 5 % of its parts)."
        " Too"
        " strong a discriminator raises Δ_FD and ruins the clusters. Of a method that trains no regulariser,"
        " such"
        " as DEC*, Δ_FD is hypothetical. A higher Δ_FR means something only beside the control on the same"
        " base,"
        " the grey line."
    ),
)


def explain(entry: Mapping[str, Any], angles: bool, watched: str = "") -> None:
    """The method of a catalogue entry; of its figures, the attack that its run is `watched` under, in words,
    and `angles` between its gradients where they are drawn.
    """
    with st.expander(_("What am I seeing?"), icon=":material/help:"):
        if entry["equation"]:
            st.latex(entry["equation"])
        said = f"{bold(_(entry['title']))}. {_(entry['summary'])} "
        st.markdown(said + _("Source: {source}.").format(source=entry["source"]))
        if watched:
            st.markdown(
                _(
                    "At every evaluation the model is attacked: {watched}. **ACC, attacked** is the"
                    " accuracy of those samples, **KL of assignments** the mean KL of their clean and"
                    " attacked"
                    " assignments (L_AM, which an Attack Mitigator keeps small)."
                ).format(watched=watched)
            )
        for paragraph in ANGLES if angles else ():
            st.markdown(_(paragraph))
