"""One sample before and after: the pair of pictures, and who is near."""

import numpy as np
import streamlit as st

from app.address import connection, fetching, links
from app.attack import subject
from app.attack.levels import adversarial, at
from app.components.picker import picker
from app.components.wipe import wipe, wipe_payload
from app.forms.choose_model import Victim
from app.words import _, each
from engine.asking.answers import LadderAnswer
from engine.asking.questions import OWN, ImagesQuestion, epsilon_text

SAME = 5e-4
"""By how much a perturbation may measure less than ε and still be written like it."""


def show(victim: Victim, answer: LadderAnswer, level: int) -> None:
    """Clean and adversarial over one another, and who is near before and after."""
    if victim.features is not None:  # a row of a table, drawn as bars on the ladder
        _near(victim, answer, level)
        return
    left, right = st.columns([4, 5], gap="medium")
    with left:
        _pair(answer, level)
    with right:
        _near(victim, answer, level)


def _near(victim: Victim, answer: LadderAnswer, level: int) -> None:
    """Who is near in the embedding, and in the data themselves."""
    with fetching.aside():
        _neighbours(victim, answer, level)
    if answer.read_as is not None:
        read, label = answer.read_as[level], answer.label_name
        said = _("Legibility: by its 5 nearest neighbours among the raw samples it is read as **{read}**.")
        if label and read == label:
            said = _(
                "Legibility: by its 5 nearest neighbours among the raw samples it is read as **{read}**"
                " (as its label {label})."
            )
        elif label:
            said = _(
                "Legibility: by its 5 nearest neighbours among the raw samples it is read as **{read}**"
                " (unlike its label {label})."
            )
        st.caption(said.format(read=read, label=label))


def _pair(answer: LadderAnswer, level: int) -> None:
    before, after = _("clean"), _("adversarial")
    if answer.q is not None and answer.own_group is not None:
        taken = answer.group_names[int(answer.q[level].argmax())]
        before = _("clean: {name}").format(name=answer.group_names[answer.own_group])
        after = _("adversarial: {name}").format(name=taken)
    wipe(
        wipe_payload(
            answer.clean.reshape(answer.shape),
            adversarial(answer, level).reshape(answer.shape),
            before_name=before,
            after_name=after,
            title=_("Clean and adversarial"),
            caption=f"{at(answer, level, answer.norm)} · {each(answer.protocol)}",
        ),
        key="wipe",
    )
    if words := smaller(answer, level):
        st.caption(words)


def smaller(answer: LadderAnswer, level: int) -> str:
    """Why the perturbation measures less than the ball it may fill; nothing where it fills it."""
    if answer.axis == "nu" or answer.norm not in ("linf", "l2"):
        return ""
    ball = answer.levels[level] if answer.axis == "epsilon" else float(answer.epsilon or 0)
    norm, sizes = ("L∞", answer.linf) if answer.norm == "linf" else ("L2", answer.l2)
    own = float(sizes[level])
    if own > ball - SAME:
        return ""
    return _(
        "ε = {ball} is the ball; the perturbation itself measures {norm} {own}: the best point found lies"
        " inside, from a smaller ε or cut by the range of the data."
    ).format(ball=epsilon_text(ball), norm=norm, own=epsilon_text(own))


def _neighbours(victim: Victim, answer: LadderAnswer, level: int) -> None:
    """The clean samples nearest in the embedding, before and after, for a picture of one's own those trained
    on; nothing for a model without one.
    """
    if answer.near is None or answer.near_clean is None:
        return
    ids = np.concatenate([answer.near_clean, answer.near[level]])
    every = ImagesQuestion.around(victim.run.spec, answer.near_clean.tolist(), answer.near)
    images = connection.ask(every).images[np.searchsorted(every.ids, ids)]
    count, groups = len(answer.near_clean), victim.overview.group
    titles = (_("Nearest in the embedding, clean"), _("Nearest in the embedding, adversarial"))
    if answer.sample == OWN:
        titles = (
            _("Nearest training pictures in the embedding, clean"),
            _("Nearest training pictures in the embedding, adversarial"),
        )
    for row, title in enumerate(titles):
        st.caption(title)
        part = slice(row * count, (row + 1) * count)
        near = ids[part]
        clicked = picker(
            images[part],
            victim.shape,
            near.tolist(),
            victim.captions(None if groups is None else groups[near]) or [f"#{number}" for number in near],
            f"near{row}",
            label=title,
            size=44,
        )
        if clicked is not None:
            subject.leave()
            links.go("attack", {"sample": clicked})
