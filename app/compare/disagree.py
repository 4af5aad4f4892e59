"""Where one slot holds and another flips: how many samples, and which."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import streamlit as st

from app.address import connection, links
from app.attack import subject
from app.compare.choose import Slot
from app.components.picker import picker
from app.words import _
from engine.asking.answers import SeveralAnswer
from engine.asking.questions import ImagesQuestion
from engine.metrics.intervals import wilson

SHOWN = 24
"""Pictures, at most."""


def show(chosen: Sequence[Slot], many: Sequence[SeveralAnswer], sample: int | None) -> None:
    """A sentence with the number, and the samples: a click opens one in all slots. `sample` is the chosen
    one, None while that is a picture of one's own.
    """
    letters = [slot.letter for slot in chosen]
    rates = [found.reached[found.counted].mean() if found.counted.any() else 0.0 for found in many]
    usual = letters[int(np.argmin(rates))] + letters[int(np.argmax(rates))]
    pairs = ["".join(pair) for pair in permutations(letters, 2)]
    key = links.key("pair", usual if usual in pairs else pairs[0], lambda text: text in pairs)
    pair = str(st.selectbox(_("Where do they differ?"), pairs, key=key, format_func=_in_words))
    holds, flips = (many[letters.index(letter)] for letter in pair)
    both = holds.counted & flips.counted
    where = both & ~holds.reached & flips.reached
    back = int((both & holds.reached & ~flips.reached).sum())
    low, high = wilson(int(where.sum()), int(both.sum()))
    words = _(
        "**{a} holds, {b} flips** on {n} of {all} samples (95 % interval {low:.0f} to {high:.0f} %); the"
        " other way round on {back}."
    )
    st.markdown(
        words.format(
            a=pair[0], b=pair[1], n=where.sum(), all=both.sum(), low=100 * low, high=100 * high, back=back
        )
    )
    if where.any():
        _pictures(chosen, flips, np.flatnonzero(where), letters.index(pair[1]), sample)


def _in_words(pair: str) -> str:
    return _("{a} holds, {b} flips").format(a=pair[0], b=pair[1])


def _pictures(
    chosen: Sequence[Slot], flips: SeveralAnswer, places: np.ndarray, flipping: int, sample: int | None
) -> None:
    """The samples, each with where it goes in the slot that flips."""
    victim, shown = chosen[flipping].victim, places[:SHOWN]
    ids = flips.ids[shown].tolist()
    images = connection.ask(ImagesQuestion.of(victim.run.spec, ids)).images
    captions = [f"#{number}" for number in ids]
    if flips.group is not None and flips.group_clean is not None:
        captions = victim.captions(flips.group_clean[shown], flips.group[shown])
    clicked = picker(
        images,
        victim.shape,
        ids,
        captions,
        "compare_differ",
        chosen=sample,
        label=_("Samples on which they differ"),
        size=48,
    )
    said = _("With where they go in {letter}. A click opens one in every slot.").format(
        letter=chosen[flipping].letter
    )
    more = _("The first {n} of {all} are shown.").format(n=SHOWN, all=len(places))
    st.caption(f"{said} {more}" if len(places) > SHOWN else said)
    if clicked is not None:
        subject.leave()
        links.go("compare", {"sample": clicked})


def elsewhere(chosen: Sequence[Slot], sample: int, epsilon: float) -> None:
    """The sample of this page on the pages that know more of it."""
    with st.container(horizontal=True):
        for slot in chosen:
            for page, icon in (("attack", "bolt"), ("inspect", "search")):
                title = _(links.pages()[page].title)
                label = _("{letter} in {page}").format(letter=slot.letter, page=title)
                threat = slot.threat
                if threat.fitted and page == "attack":  # which trains nothing
                    continue
                if st.button(label, icon=f":material/{icon}:", key=f"open_{page}_{slot.letter}"):
                    if threat.fitted:
                        links.go(page, {"model": slot.victim.name, "run": threat.fitted})
                    there: dict[str, str | int | float] = {
                        "model": slot.victim.name,
                        "attack": threat.attack,
                        "objective": threat.objective,
                        "norm": threat.norm,
                        "eps": epsilon,
                        "seed": threat.seed,
                        "sample": sample,
                        "steps": int(threat.settings.get("steps", 20)),
                    }
                    links.go(page, there)
