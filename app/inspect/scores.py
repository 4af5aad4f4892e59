"""The measured numbers of an attack."""

import streamlit as st

from app.inspect.finished_attack import FinishedAttack

SCORES = (
    (
        "acc_clean",
        "ACC clean",
        (
            "Accuracy of the clean samples: clusters matched to classes one to one (Hungarian). Labels only"
            " measure."
        ),
    ),
    (
        "acc_attacked",
        "ACC attacked",
        "Accuracy under attack, clusters matched *anew*. A consistent relabelling would hide here.",
    ),
    (
        "acc_attacked_fixed_match",
        "ACC, fixed",
        "Accuracy under attack with the matching of the *clean* clusters: what a user of the model meets.",
    ),
    ("nmi_attacked", "NMI attacked", "Normalised mutual information of labels and attacked clusters."),
    ("flip_rate", "Flipped", "Share of samples whose cluster under attack is not the clean one."),
    ("noise_flip_rate", "Noise", "Control: share flipped by random noise of the same norm and size."),
    (
        "other_delta_flip_rate",
        "Another's δ",
        "Control: share flipped by the perturbation made for another sample.",
    ),
    (
        "knn_acc_attacked",
        "Legible",
        (
            "Share that 5 nearest neighbours on raw pixels still take for their label: is it still the same"
            " picture?"
        ),
    ),
)


def show(attacked: FinishedAttack) -> None:
    """The measured numbers with intervals, their protocol, and the doubts that the engine has."""
    result = attacked.result
    with st.container(horizontal=True, gap="small"):
        for name, title, help_ in SCORES:
            value = result.get(name)
            if value is not None:
                low, high = result.get(f"{name}_low"), result.get(f"{name}_high")
                st.metric(
                    title,
                    f"{value:.3f}",
                    None if low is None else f"{low:.2f} – {high:.2f}",
                    delta_color="off",
                    delta_arrow="off",
                    width=112,
                    help=f"{help_} {attacked.protocol()}."
                    + ("" if low is None else " Below: 95 % Wilson interval."),
                )
    st.caption(attacked.protocol())
    for sentence in result.get("doubts", ()):
        st.warning(sentence)
