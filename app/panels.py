"""The figures of a training run: what its events say, as charts. Pure functions.

    scores · Δ_FR and Δ_FD · parts of the loss · gradient norms · adversary against clustering · discriminator · cluster sizes

Δ is drawn with what it takes to read it: a moving average over its probes, the stretches in which the gradient nearly vanishes,
the blocks in which only the decoder moves, DEC* on the same base, and either axis.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from app import charts, record
from app.charts import Chart
from app.record import Record

ALARM = 2.0
"""‖∇adv‖/‖∇KL‖ above which the adversary rules."""
ZOOM = 300
"""Iterations of the close-up, in which single blocks can be seen."""
BLOCKS = 40
"""Blocks that are shaded, at most: more would be a grey wall."""
AXES = {"step": "iterations", "encoder_updates": "encoder updates"}
SCORES = {"acc": "ACC", "nmi": "NMI", "ari": "ARI"}
PARTS = {"kl": "clustering, KL(P‖Q)", "reconstruction": "reconstruction", "discriminator": "discriminator", "interpolation": "interpolation", "critic": "critic"}
JUDGED = {"d_real": "D(real)", "d_fake": "D(reconstruction)"}
CONTROL = "DEC*"


def followed(told: Record, settings: Mapping[str, Any], control: pd.DataFrame | None, x: str = "step", zoom: bool = False) -> dict[str, Chart]:
    """Name -> chart of one run, along `x`; `control` holds the evaluations of DEC* on the same base; `zoom` keeps the last 300 iterations."""
    evaluations, losses = (_cut(table, zoom) for table in (told.evaluations(), told.losses()))
    past = {} if control is None or x not in control else {CONTROL: _cut(control, zoom)}
    blocks = _blocks(evaluations, settings, x)
    found = {"scores": _scores(evaluations, past, x), "angles": _angles(evaluations, past, x, blocks), "losses": _losses(losses, x, blocks),
             "norms": _norms(evaluations, x), "ratio": _ratio(evaluations, x), "judged": _judged(losses, x, blocks), "sizes": _sizes(_cut(told.sizes(), zoom), evaluations, x)}
    return {name: chart for name, chart in found.items() if chart is not None}


def compared(records: Mapping[str, Record], x: str = "step", zoom: bool = False) -> dict[str, Chart]:
    """Scores and angles of several runs in the same figures."""
    frames = {name: _cut(told.evaluations(), zoom) for name, told in records.items()}
    probes = {name: record.probes(frame) for name, frame in frames.items()}
    found = {"scores": charts.arms(frames, x, SCORES, title="Scores of the arms", x_title=AXES[x], caption="On all samples, labels used for scoring only. One seed: "
                                   "differences of a point are within seed noise.")}
    if any(len(frame) for frame in probes.values()):
        angles = {"delta_fr": "Δ_FR", "delta_fd": "Δ_FD"}
        found["angles"] = charts.arms(probes, x, angles, title="Angles between gradients", x_title=AXES[x], smooth=record.AVERAGED,
                                      caption=f"Moving average over {record.AVERAGED} probes. For DEC* and without adversary Δ_FD is hypothetical.")
    return found


def _scores(table: pd.DataFrame, past: dict[str, pd.DataFrame], x: str) -> Chart | None:
    present = {column: name for column, name in SCORES.items() if column in table}
    if not present:
        return None
    control = {name: frame[[x, "acc"]] for name, frame in past.items() if "acc" in frame}
    return charts.training_curves(table, present, title="Scores", x=x, x_title=AXES[x], controls=control,
                                  caption="On all samples; labels are used for scoring only. The axis need not begin at 0.")


def _angles(table: pd.DataFrame, past: dict[str, pd.DataFrame], x: str, blocks: list[tuple[float, float]]) -> Chart | None:
    probes = record.probes(table)
    if probes.empty:
        return None
    drift = "Δ_FD (hypothetical)" if probes.get("hypothetical", pd.Series(dtype=float)).eq(1).any() else "Δ_FD"
    window = record.window(len(probes))
    return charts.training_curves(probes, {"delta_fr": "Δ_FR", "delta_fd": drift}, title="Angles between gradients", x=x, x_title=AXES[x], y_title="cosine",
                                  smooth=window, stationary=record.stretches(probes, "near_stationary", x), blocks=blocks, zero=True,
                                  controls={name: record.probes(frame) for name, frame in past.items()},
                                  caption=f"Bold: moving average over {window} probes; faint: single probes. Higher is not better by itself.")


def _losses(table: pd.DataFrame, x: str, blocks: list[tuple[float, float]]) -> Chart | None:
    present = _present(table, PARTS, x)
    return charts.training_curves(table, present, title="Parts of the loss", x=x, x_title=AXES[x], blocks=blocks, caption="Mean over a batch, unweighted.") if present else None


def _norms(table: pd.DataFrame, x: str) -> Chart | None:
    present = _present(table, {"norm_total": "‖∇total‖", "norm_pseudo": "‖∇KL‖", "norm_self": "‖∇regulariser‖"}, x)
    if not present:
        return None
    probes = record.probes(table)
    return charts.training_curves(probes, present, title="Sizes of the gradients", x=x, x_title=AXES[x], stationary=record.stretches(probes, "near_stationary", x),
                                  caption="Of the whole encoder. Grey: ‖∇total‖ below 5 % of its parts; there Δ_FD tends to −1 by itself.")


def _ratio(table: pd.DataFrame, x: str) -> Chart | None:
    if not _present(table, {"ratio_adv_kl": ""}, x) or not table["ratio_adv_kl"].gt(0).any():
        return None
    chart = charts.training_curves(table, {"ratio_adv_kl": "‖∇adv‖ / ‖∇KL‖"}, title="Adversary against clustering", x=x, x_title=AXES[x], y_title="ratio",
                                   caption=f"On a batch. Above {ALARM:g} (dashed) the adversary rules; clusterings were seen to collapse.")
    chart.figure.add_hline(y=ALARM, line={"color": "#D55E00", "dash": "dash", "width": 1.5})
    return chart


def _judged(table: pd.DataFrame, x: str, blocks: list[tuple[float, float]]) -> Chart | None:
    present = _present(table, JUDGED, x)
    return charts.training_curves(table, present, title="What the discriminator believes", x=x, x_title=AXES[x], y_title="mean D", share=True, blocks=blocks,
                                  caption="1: real. Both at 0.5: it cannot tell samples from reconstructions.") if present else None


def _sizes(sizes: pd.DataFrame, evaluations: pd.DataFrame, x: str) -> Chart | None:
    clusters = [column for column in sizes if column != "step"]
    if not clusters:
        return None
    table = pd.DataFrame({"step": sizes["step"], "largest": sizes[clusters].max(axis=1), "median": sizes[clusters].median(axis=1), "smallest": sizes[clusters].min(axis=1)})
    if x != "step":
        table = table.merge(evaluations[["step", x]].drop_duplicates("step"), on="step")
    return charts.training_curves(table, {name: f"{name} cluster" for name in ("largest", "median", "smallest")}, title="Cluster sizes", x=x, x_title=AXES[x],
                                  y_title="samples", caption=f"Of {len(clusters)} clusters. A cluster of 0 has died out.")


def _present(table: pd.DataFrame, names: Mapping[str, str], x: str) -> dict[str, str]:
    return {column: name for column, name in names.items() if x in table and column in table and table[column].notna().any()}


def _cut(table: pd.DataFrame, zoom: bool) -> pd.DataFrame:
    return table[table["step"] >= table["step"].max() - ZOOM].reset_index(drop=True) if zoom and len(table) else table


def _blocks(table: pd.DataFrame, settings: Mapping[str, Any], x: str) -> list[tuple[float, float]]:
    """Decoder-only blocks, where they can be told apart; against encoder updates they have no width."""
    if x != "step" or table.empty:
        return []
    found = record.decoder_blocks(settings, float(table["step"].min()), float(table["step"].max()))
    return found if len(found) <= BLOCKS else []
