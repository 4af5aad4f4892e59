"""The figures of a training run: what its events say, as charts. Pure functions.

    scores · Δ_FR and Δ_FD · parts of the loss · gradient norms · adversary against clustering · discriminator
        · cluster sizes

Δ is drawn with what it takes to read it: a moving average over its probes, the stretches in which the
gradient nearly vanishes, the blocks in which only the decoder moves, DEC* on the same base, and either axis.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from app.charts import charts, palette
from app.charts.charts import Chart
from app.runs import record
from app.runs.record import Record

ALARM = 2.0
"""‖∇adv‖/‖∇KL‖ above which the adversary rules."""
ZOOM = 300
"""Iterations of the close-up, in which single blocks can be seen."""
BLOCKS = 40
"""Blocks that are shaded, at most: more would be a grey wall."""
AXES = {"step": "iterations", "encoder_updates": "encoder updates"}
ANGLES = {"delta_fr": "Δ_FR", "delta_fd": "Δ_FD"}
SCORES = {"acc": "ACC", "nmi": "NMI", "ari": "ARI"}
WATCHED = {"acc_attacked": "ACC, attacked"}
FATES = {
    "flip_rate": "flip rate",
    "noise_flip_rate": "flip rate, noise",
    "assignment_kl_mean": "L_AM: KL of assignments",
}
VIEWS = {
    "compact": "L1, clusters apart",
    "orthogonal": "L2, assignments unlike",
    "corners": "L3, near corners",
    "contrast": "contrast of views",
    "attacked": "loss at attacked views",
    "mitigator": "Attack Mitigator",
    "reconstruction": "reconstruction",
}
"""Parts of the loss of multi-view models, weighted as they are summed."""
ACTS = {
    "reconstruction": "reconstruction",
    "prior": "KL to the prior",
    "categorical": "Σ y log y",
    "information": "mutual information (MIE)",
    "graph": "graph",
    "perturbed_code": "I(moved code, clean outputs)",
    "clean_code": "I(code, moved outputs)",
    "assignments": "KL(y ‖ y')",
    "pictures": "change of pictures",
    "cross_entropy": "cross-entropy of the head",
}
"""The same of the networks of robust clustering and of their defence."""
PARTS = {
    "kl": "clustering, KL(P‖Q)",
    "reconstruction": "reconstruction",
    "discriminator": "discriminator",
    "interpolation": "interpolation",
    "critic": "critic",
}
NORMS = {"norm_total": "‖∇total‖", "norm_pseudo": "‖∇KL‖", "norm_self": "‖∇regulariser‖"}
JUDGED = {"d_real": "D(real)", "d_fake": "D(reconstruction)"}
CONTROL = "DEC*"

Stretches = list[tuple[float, float]]


def followed(
    told: Record,
    settings: Mapping[str, Any],
    control: pd.DataFrame | None,
    x: str = "step",
    zoom: bool = False,
) -> dict[str, Chart]:
    """Name -> chart of one run along `x`.

    `control` holds the evaluations of DEC* on the same base; `zoom` keeps the last 300 iterations.
    """
    evaluations, losses, sizes = (
        _cut(table, zoom) for table in (told.evaluations(), told.losses(), told.sizes())
    )
    past = {} if control is None or x not in control else {CONTROL: _cut(control, zoom)}
    blocks = _blocks(evaluations, settings, x)
    found = {
        "scores": _scores(evaluations, past, x, settings),
        "fates": _fates(evaluations, x),
        "angles": _angles(evaluations, past, x, blocks),
        "losses": _losses(losses, x, blocks),
        "health": _health(evaluations, x),
        "norms": _norms(evaluations, x),
        "ratio": _ratio(evaluations, x),
        "judged": _judged(losses, x, blocks),
        "sizes": _sizes(sizes, evaluations, x),
    }
    return {name: chart for name, chart in found.items() if chart is not None}


def compared(records: Mapping[str, Record], x: str = "step", zoom: bool = False) -> dict[str, Chart]:
    """Scores and angles of several runs in the same figures."""
    frames = {name: _cut(told.evaluations(), zoom) for name, told in records.items()}
    probes = {name: record.probes(table) for name, table in frames.items()}
    note = (
        "On all samples; labels are used for scoring only. One seed: a point of difference is within its"
        " noise."
    )
    watched = any("acc_attacked" in frame for frame in frames.values())
    found = {
        column: charts.arms(frames, x, {column: name}, title=name, x_title=AXES[x], caption=note)
        for column, name in (SCORES | (WATCHED if watched else {})).items()
    }
    if any(len(frame) for frame in probes.values()):
        note = f"Moving average over {record.AVERAGED} probes. Higher is not better by itself."
        unreal = " For DEC* and without adversary it is hypothetical."
        for column, name in ANGLES.items():
            found[column] = charts.arms(
                probes,
                x,
                {column: name},
                title=name,
                x_title=AXES[x],
                smooth=record.AVERAGED,
                caption=note + (unreal if column == "delta_fd" else ""),
            )
    return found


def final(records: Mapping[str, Record]) -> pd.DataFrame:
    """One row a run: its newest scores, its mean angles over all probes, and the iterations and encoder
    updates they took.
    """
    columns = SCORES | {"reconstruction_mse": "reconstruction error", "encoder_updates": "encoder updates"}
    rows = []
    for arm, told in records.items():
        now, probes = told.now(), record.probes(told.evaluations())
        angles = {
            f"mean {name}": probes[column].mean() if column in probes else None
            for column, name in ANGLES.items()
        }
        scores = {label: now.get(column) for column, label in columns.items()}
        rows.append({"arm": arm} | scores | angles | {"iterations": told.pace().step})
    return pd.DataFrame(rows).round(3)


def _scores(
    table: pd.DataFrame, past: dict[str, pd.DataFrame], x: str, settings: Mapping[str, Any]
) -> Chart | None:
    present = _present(table, SCORES | WATCHED, x)
    if not present:
        return None
    control = {name: frame[[x, "acc"]] for name, frame in past.items() if "acc" in frame}
    return charts.training_curves(
        table,
        present,
        title="Scores",
        x=x,
        x_title=AXES[x],
        controls=control,
        caption="On all samples; labels are used for scoring only. The axis need not begin at 0."
        + (f" Attacked: {_attacker(settings)}." if "acc_attacked" in present else ""),
    )


def _attacker(settings: Mapping[str, Any]) -> str:
    """Under what a model is watched while it trains."""
    return (
        "the shift of the embedding that it is defended against, as it is"
        if "module" in settings
        else "PGD-5 on 100 samples that are not trained on, at ε = 0.2"
    )


def _fates(table: pd.DataFrame, x: str) -> Chart | None:
    present = _present(table, FATES, x)
    if not present:
        return None
    return charts.training_curves(
        table,
        present,
        title="Under attack",
        x=x,
        x_title=AXES[x],
        caption="The same attacked samples. L_AM is 0 where the attack changes no assignment; in nats.",
    )


def _angles(table: pd.DataFrame, past: dict[str, pd.DataFrame], x: str, blocks: Stretches) -> Chart | None:
    probes = record.probes(table)
    if probes.empty:
        return None
    hypothetical = "hypothetical" in probes and probes["hypothetical"].eq(1).any()
    names = ANGLES | ({"delta_fd": "Δ_FD (hypothetical)"} if hypothetical else {})
    window = record.window(len(probes))
    return charts.training_curves(
        probes,
        names,
        title="Angles between gradients",
        x=x,
        x_title=AXES[x],
        y_title="cosine",
        smooth=window,
        zero=True,
        stationary=record.stretches(probes, "near_stationary", x),
        blocks=blocks,
        controls={name: record.probes(frame) for name, frame in past.items()},
        caption=(
            f"Bold: moving average over {window} probes; faint: single probes. Higher is not better by"
            " itself."
        ),
    )


def _losses(table: pd.DataFrame, x: str, blocks: Stretches) -> Chart | None:
    several = next((names for mark, names in (("compact", VIEWS), ("prior", ACTS)) if mark in table), None)
    present = _present(table, several or PARTS, x)
    if not present:
        return None
    only = next(iter(present.values())) if len(present) == 1 else ""  # a single line has no legend
    return charts.training_curves(
        table,
        present,
        title="Parts of the loss",
        x=x,
        x_title=AXES[x],
        y_title=only,
        blocks=blocks,
        caption=f"Mean over a batch, {'weighted as they are summed' if several else 'unweighted'}.",
    )


def _health(table: pd.DataFrame, x: str) -> Chart | None:
    """Signs that flips mean something: of the head, and of the critic of the defence."""
    present = _present(
        table,
        {
            "smallest_share": "share of the smallest cluster",
            "head_gap": "head gap, nats",
            "critic_accuracy": "accuracy of the critic",
        },
        x,
    )
    if "head_gap" not in present:
        return None
    return charts.training_curves(
        table,
        present,
        title="Is it healthy?",
        x=x,
        x_title=AXES[x],
        caption=(
            "Head gap: KL of C(m) from what the prior means imply. A critic at 0.5 gives the defence no"
            " signal."
        ),
    )


def _norms(table: pd.DataFrame, x: str) -> Chart | None:
    present = _present(table, NORMS, x)
    if not present:
        return None
    probes = record.probes(table)
    return charts.training_curves(
        probes,
        present,
        title="Sizes of the gradients",
        x=x,
        x_title=AXES[x],
        stationary=record.stretches(probes, "near_stationary", x),
        caption=(
            "Of the whole encoder. Grey: ‖∇total‖ below 5 % of its parts; there Δ_FD tends to −1 by itself."
        ),
    )


def _ratio(table: pd.DataFrame, x: str) -> Chart | None:
    present = _present(table, {"ratio_adv_kl": "‖∇adv‖ / ‖∇KL‖"}, x)
    if not present or not table["ratio_adv_kl"].gt(0).any():  # without adversary there is nothing to compare
        return None
    chart = charts.training_curves(
        table,
        present,
        title="Adversary against clustering",
        x=x,
        x_title=AXES[x],
        y_title="ratio",
        caption=(
            f"On a batch. Above {ALARM:g} (dashed) the adversary rules; clusterings were seen to collapse."
        ),
    )
    chart.figure.add_hline(y=ALARM, line={"color": palette.LINES[1], "dash": "dash", "width": 1.5})
    return chart


def _judged(table: pd.DataFrame, x: str, blocks: Stretches) -> Chart | None:
    present = _present(table, JUDGED, x)
    if not present:
        return None
    return charts.training_curves(
        table,
        present,
        title="What the discriminator believes",
        x=x,
        x_title=AXES[x],
        y_title="mean D",
        share=True,
        blocks=blocks,
        caption="1: real. Both at 0.5: it cannot tell samples from reconstructions.",
    )


def _sizes(sizes: pd.DataFrame, evaluations: pd.DataFrame, x: str) -> Chart | None:
    clusters = [column for column in sizes if column != "step"]
    if not clusters:
        return None
    counts = sizes[clusters]
    table = pd.DataFrame(
        {
            "step": sizes["step"],
            "largest": counts.max(axis=1),
            "median": counts.median(axis=1),
            "smallest": counts.min(axis=1),
        }
    )
    if x != "step":
        table = table.merge(evaluations[["step", x]].drop_duplicates("step"), on="step")
    names = {name: f"{name} cluster" for name in ("largest", "median", "smallest")}
    return charts.training_curves(
        table,
        names,
        title="Cluster sizes",
        x=x,
        x_title=AXES[x],
        y_title="samples",
        caption=f"Of {len(clusters)} clusters. A cluster of 0 has died out.",
    )


def _present(table: pd.DataFrame, names: Mapping[str, str], x: str) -> dict[str, str]:
    return {
        column: name
        for column, name in names.items()
        if x in table and column in table and table[column].notna().any()
    }


def _cut(table: pd.DataFrame, zoom: bool) -> pd.DataFrame:
    return (
        table[table["step"] >= table["step"].max() - ZOOM].reset_index(drop=True)
        if zoom and len(table)
        else table
    )


def _blocks(table: pd.DataFrame, settings: Mapping[str, Any], x: str) -> Stretches:
    """Decoder-only blocks, where they can be told apart; against encoder updates they have no width."""
    if x != "step" or table.empty:
        return []
    found = record.decoder_blocks(settings, float(table["step"].min()), float(table["step"].max()))
    return found if len(found) <= BLOCKS else []
