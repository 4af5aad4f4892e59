"""Whether a defence works, is weak, or broken at an ε: one rule over the rows of a study, and its words.

ACCs keep the matching of the clean samples, under the attack that leaves the model least.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from app.papers.studies import curves, results
from app.papers.studies.results import Result
from app.words import N_, _
from engine.events import Row
from engine.metrics.intervals import misses, paired_difference

SCORE, CLEAN = "acc_attacked_fixed_match", "acc_clean"
WORKS, BROKEN = 0.75, 0.25
"""Shares of its clean ACC: a defence works that keeps so much, and is broken where it keeps less."""
RULE = N_(
    "**Works**: keeps at least three quarters of its clean ACC, and more than the model without defence,"
    " beyond the 95 % interval over seeds. **Broken**: keeps less than a quarter, or no more than without"
    " defence. **Weak**: between. ACC with the matching of the clean samples, under the attack that leaves a"
    " model least."
)
COLOURS = {N_("works"): "green", N_("weak"): "orange", N_("broken"): "red"}
AT = {
    "works": N_("**works** at ε = {levels}"),
    "weak": N_("is **weak** at ε = {levels}"),
    "broken": N_("is **broken** at ε = {levels}"),
}
"""The same, said of a defence."""


@dataclass(frozen=True)
class Verdict:
    """A defence at an ε: ACC by seed (n,), clean, attacked, and attacked without the defence; the attack that
    leaves it least; and on how many samples a seed it and the model without defence were attacked.
    """

    defence: str
    epsilon: float
    clean: np.ndarray
    attacked: np.ndarray
    without: np.ndarray
    attack: str
    samples: tuple[int, int]
    missed: tuple[str, ...] = ()
    """The models of which a longer search still reaches more than `misses` lets pass."""

    @property
    def counted(self) -> str:
        """On how many samples a seed both were attacked, once where it is the same number."""
        return _(" and ").join(f"{n:,}" for n in dict.fromkeys(self.samples))

    @property
    def kept(self) -> float:
        """The share of its clean ACC that is left."""
        return float(self.attacked.mean() / self.clean.mean())

    @property
    def gain(self) -> tuple[float, float, float]:
        """What it adds to the attacked ACC: mean and 95 % interval over seeds; infinite for one seed."""
        return paired_difference(self.attacked, self.without)

    @property
    def digits(self) -> int:
        """So many decimals, two at least, that the numbers as they are printed lie where the exact ones do:
        on the same side of what the rule asks for.
        """
        exact = (self.kept - WORKS, self.kept - BROKEN, *self.gain[:2])
        for digits in (2, 3):
            kept = round(float(self.attacked.mean()), digits) / round(float(self.clean.mean()), digits)
            shares = (round(kept - mark, 9) for mark in (WORKS, BROKEN))  # .60 of .80 is three quarters
            printed = (*shares, *(round(value, digits) for value in self.gain[:2]))
            if all(np.sign(one) == np.sign(other) for one, other in zip(exact, printed, strict=True)):
                return digits
        return 4

    @property
    def word(self) -> str:
        """works, weak or broken."""
        mean, low, __ = self.gain
        if self.kept < BROKEN or mean <= 0:
            return "broken"
        return "works" if self.kept >= WORKS and (low > 0 or len(self.attacked) == 1) else "weak"


def verdicts(found: Result) -> list[Verdict]:
    """Defence by defence, ε by ε, rising."""
    rows = [row for row in found.measured if row.treatment != "clean" and not row.arm]
    judged = []
    for defence in reversed(found.declared["defences"]):
        for epsilon in sorted({row.about["epsilon"] for row in rows}):
            here = [row for row in rows if row.about["epsilon"] == epsilon]
            mine, base = (_worst(here, model) for model in (defence, found.declared["baseline"]))
            if mine is not None and base is not None:
                judged.append(
                    Verdict(
                        defence,
                        epsilon,
                        _seeds(mine, CLEAN),
                        _seeds(mine, SCORE),
                        _seeds(base, SCORE),
                        mine.treatment,
                        (results.samples(mine), results.samples(base)),
                        tuple(row.model for row in (mine, base) if _misses(row)),
                    )
                )
    return judged


def _worst(rows: Sequence[Row], model: str) -> Row | None:
    """The row of the attack that leaves a model least."""
    return min(
        (row for row in rows if row.model == model),
        key=lambda row: results.value(row, SCORE)[0],
        default=None,
    )


def _seeds(row: Row, name: str) -> np.ndarray:
    return np.array(row.controls[name]["seeds"])


def _misses(row: Row) -> bool:
    """Whether the attack of a row misses what the strongest one still reaches, over all seeds."""
    missed, n = (row.controls.get(name, {}).get("seeds", []) for name in ("strongest_missed", "strongest_n"))
    more = sum(round(share * count) for share, count in zip(missed, n, strict=True))
    return misses(more, round(sum(n)))


def sentences(found: Result, judged: Sequence[Verdict]) -> list[str]:
    """What each defence amounts to: at which ε it works, is weak, is broken; then the numbers of the largest
    ε at which it works, or of the smallest ε.
    """
    said = []
    for defence in dict.fromkeys(verdict.defence for verdict in judged):
        own = [verdict for verdict in judged if verdict.defence == defence]
        parts = [
            _(words).format(levels=_listed(at))
            for word, words in AT.items()
            if (at := [verdict.epsilon for verdict in own if verdict.word == word])
        ]
        said.append(f"{curves.title(found, defence)} {', '.join(parts)}. {_numbers(found, telling(own))}")
    return said


def telling(judged: Sequence[Verdict]) -> Verdict:
    """The verdict at the largest ε at which a defence works; at the smallest where it works at none."""
    working = [verdict for verdict in judged if verdict.word == "works"]
    return working[-1] if working else judged[0]


def _numbers(found: Result, verdict: Verdict) -> str:
    mean, low, high = (_signed(value, verdict.digits) for value in verdict.gain)
    count = len(verdict.attacked)
    over_seeds = _("95 % interval {low} to {high}, {n} seeds").format(low=low, high=high, n=count)
    attacked, clean, without = _scores(verdict)
    said = _(
        "At ε = {epsilon:g} {attack} leaves it {attacked} of its {clean} ACC ({samples} samples a seed);"
        " trained as long without defence {without} is left: {gain} ({interval})."
    ).format(
        epsilon=verdict.epsilon,
        attack=_(found.declared["treatments"][verdict.attack]["called"]),
        attacked=attacked,
        clean=clean,
        samples=verdict.counted,
        without=without,
        gain=mean,
        interval=over_seeds if count > 1 else _("one seed"),
    )
    less = _(
        "Of {model}, more starts and targets still reach samples that stand here: less is left than these"
        " numbers say."
    )
    return " ".join([said, *(less.format(model=curves.title(found, model)) for model in verdict.missed)])


def _scores(verdict: Verdict) -> list[str]:
    """ACC under attack, clean, and under attack without the defence."""
    scores = (verdict.attacked, verdict.clean, verdict.without)
    return [f"{score.mean():.{verdict.digits}f}" for score in scores]


def _signed(value: float, digits: int) -> str:
    """A difference with its sign; none for one that rounds to 0."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def _listed(levels: Sequence[float]) -> str:
    *first, last = [f"{level:g}" for level in levels]
    return _("{first} and {last}").format(first=", ".join(first), last=last) if first else last


def table(found: Result, judged: Sequence[Verdict]) -> pd.DataFrame:
    """One line a defence and ε: the word, and the numbers that it comes from."""
    lines = []
    for verdict in judged:
        mean, low, high = (_signed(value, verdict.digits) for value in verdict.gain)
        attacked, clean, without = _scores(verdict)
        lines.append(
            {
                _("defence"): curves.title(found, verdict.defence),
                "ε": f"{verdict.epsilon:g}",
                _("verdict"): _(verdict.word),
                _("ACC, clean"): clean,
                _("ACC, attacked"): attacked,
                _("without defence"): without,
                _("difference"): mean,
                _("95 % interval"): _("{low} to {high}").format(low=low, high=high)
                if len(verdict.attacked) > 1
                else _("one seed"),
                _("samples"): verdict.counted,
                _("attack"): _(found.declared["treatments"][verdict.attack]["title"]),
            }
        )
    return pd.DataFrame(lines)


def show(found: Result, judged: Sequence[Verdict]) -> None:
    """The verdicts in words, each ε with its colour."""
    for defence, sentence in zip(
        dict.fromkeys(verdict.defence for verdict in judged), sentences(found, judged), strict=True
    ):
        badges = " ".join(
            f":{COLOURS[verdict.word]}-badge[ε = {verdict.epsilon:g}: {_(verdict.word)}]"
            for verdict in judged
            if verdict.defence == defence
        )
        st.markdown(f"{badges}  \n{sentence}")
