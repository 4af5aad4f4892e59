"""Rows of a table, whose numbers are features with names and ranges: what an attack added to them, as signed
bars.
"""

from dataclasses import dataclass
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.charts import palette
from app.words import _, n_

MOST = 12
"""Bars that are drawn: those of the features that moved most."""

_STYLE = """<style>
.feint-bars { display: grid; gap: 0.2rem; max-width: 46rem; font-variant-numeric: tabular-nums; }
.feint-bars div { display: grid; grid-template-columns: minmax(3rem, 7rem) minmax(4rem, 1fr) 8rem;
  gap: 0.6rem; align-items: center; font-size: 0.85rem; }
.feint-bars span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.feint-bars i { position: relative; height: 0.9rem; border-radius: 0.15rem;
  background: linear-gradient(currentColor, currentColor) 50% 0 / 1px 100% no-repeat,
  rgb(128 128 128 / 0.15); }
.feint-bars b { position: absolute; top: 0; bottom: 0; }
.feint-bars em { font-style: normal; text-align: right; }
</style>"""


@dataclass(frozen=True)
class Features:
    """The features of a table: names (d,), and low and span (d,), so that a number x in [0, 1] stands for low
    + span · x of the data.
    """

    names: tuple[str, ...]
    low: NDArray[np.floating]
    span: NDArray[np.floating]

    @classmethod
    def of(
        cls,
        size: int,
        names: tuple[str, ...] = (),
        low: NDArray[np.floating] | None = None,
        span: NDArray[np.floating] | None = None,
    ) -> "Features":
        """Those of `size` numbers, numbered from 1 where they have no names."""
        return cls(
            names or tuple(_("feature {number}").format(number=number) for number in range(1, size + 1)),
            np.zeros(size) if low is None else np.asarray(low, dtype=np.float64),
            np.ones(size) if span is None else np.asarray(span, dtype=np.float64),
        )

    def told(self, j: int, x: float) -> str:
        """The number x in [0, 1] of feature j, as the data have it."""
        return f"{self.low[j] + self.span[j] * x:.3g}".replace("-", "−")


def bars(
    features: Features, clean: NDArray[np.floating], attacked: NDArray[np.floating], most: int = MOST
) -> None:
    """Draw what was added to a sample, clean and attacked (d,) in [0, 1]: the features that moved most, the
    largest first.
    """
    st.html(bars_html(features, clean, attacked, most))


def bars_html(
    features: Features, clean: NDArray[np.floating], attacked: NDArray[np.floating], most: int = MOST
) -> str:
    """The same as HTML: name, signed bar and both values, a line a feature."""
    moved = np.asarray(attacked, dtype=np.float64) - np.asarray(clean, dtype=np.float64)
    order = np.argsort(-np.abs(moved), kind="stable")[:most]
    reach = max(float(np.abs(moved).max()), 1e-12)
    lines = []
    for j in order:
        share = 50 * abs(moved[j]) / reach
        side, colour = ("right", palette.NEGATIVE) if moved[j] < 0 else ("left", palette.POSITIVE)
        bar = f"<b style='{side}:50%;width:{share:.2f}%;background:rgb{tuple(colour)}'></b>"
        values = f"{features.told(j, float(clean[j]))} → {features.told(j, float(attacked[j]))}"
        lines.append(
            f"<div><span title='{escape(features.names[j], quote=True)}'>{escape(features.names[j])}</span>"
            f"<i>{bar}</i><em>{escape(values)}</em></div>"
        )
    return f"{_STYLE}<div class='feint-bars'>{''.join(lines)}</div>"


def rule(features: Features, moved: NDArray[np.floating], most: int = MOST) -> str:
    """What stands under such bars."""
    rest = len(features.names) - most
    bar = _("A full bar is {most:.3g} of the feature's range.").format(most=np.abs(moved).max())
    if rest <= 0:
        return bar
    further = n_("{n:,} further feature is not shown.", "{n:,} further features are not shown.", rest).format(
        n=rest
    )
    return f"{bar} {further}"
