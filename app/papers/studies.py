"""Results of studies: those that ship with Feint and one's own, as tables and figures; and the runs behind
their rows.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.address import state
from app.charts import charts
from app.runs import launching, live

SHIPPED = state.ROOT / "assets" / "studies"
SIZES = {
    "ar_dmvc": {"quick": "digits, 8x8", "mini": "4,000 of MNIST", "paper": "published settings"},
    "robust": {
        "quick": "digits, 8x8",
        "mini": "MNIST's test images and texts",
        "paper": "published settings",
    },
}
"""Paper -> size -> what it is measured on."""
ATTACKERS = {
    "PGD-20": "PGD-20",
    "generator, strong": "generator, strong",
    "generator, as released": "generator, as released",
}
CONTROLS = {
    "acc_clean": "ACC clean",
    "acc_chance": "ACC by chance",
    "flip_rate": "flips",
    "noise_flip_rate": "flips, noise",
    "other_delta_flip_rate": "flips, another's δ",
    "acc_attacked_fixed_match": "ACC, clean matching",
    "knn_acc_attacked": "legibility",
    "assignment_kl_mean": "L_AM",
    "agreement_mean": "agreement",
    "reconstruction_change_mean": "change of picture",
    "reconstruction_clean_mean": "error of picture",
    "delta_ratio_mean": "‖δ‖/‖z‖",
    "d_abs": "D absolute",
    "d_rel": "D relative",
    "n": "n",
}
"""Columns that a table shows after what was measured."""
NAMES = {
    "epsilon": "ε",
    "nu": "ν",
    "lam": "λ",
    "gamma": "γ",
    "trained_on": "trained on",
    "data": "data",
    "dimension": "d",
    "published_for": "published for",
}
STRONG, WEAK = ("PGD-20", "generator, strong"), "generator, as released"
HOLDS = 0.1
"""How much attacked ACC a defence must add, beyond the spread of both, to be said to hold."""


@dataclass(frozen=True)
class Result:
    """A study's rows with how they came about."""

    rows: list[dict[str, Any]]
    protocol: str
    seeds: int
    where: str

    def table(self) -> pd.DataFrame:
        """One line a row: model, what sets it apart, published and measured values."""
        titles, lines = state.catalogue()["model"], []
        apart = [
            name
            for name in dict.fromkeys(name for row in self.rows for name in row["about"])
            if name != "data" or len({row["about"].get("data") for row in self.rows if row["measured"]}) > 1
        ]
        for row in self.rows:
            line = {"model": titles.get(row["model"], {}).get("title", row["model"])} | {
                NAMES.get(name, name): _word(row["about"].get(name)) for name in apart
            }
            for name in row["measured"] or row["published"] or {}:
                published = (row["published"] or {}).get(name)
                line[f"{name} published"] = (
                    None if published is None else f"{published:g}{' (?)' if name in row['doubtful'] else ''}"
                )
                here = (row["measured"] or {}).get(name)
                line[f"{name} here"] = None if here is None else with_spread(here)
            for name, title in CONTROLS.items():
                if name in row["controls"]:
                    line[title] = with_spread(row["controls"][name])
            lines.append(line | {"note": row["note"]})
        last = [*CONTROLS.values(), "note"]
        frame = pd.DataFrame(lines)
        frame = frame[
            [column for column in frame if column not in last]
            + [column for column in last if column in frame]
        ]
        empty = [column for column in frame if frame[column].isna().all() or (frame[column] == "").all()]
        return frame.drop(columns=empty).astype(object).where(lambda values: values.notna(), "")

    def mean(self, row: dict[str, Any], name: str = "acc") -> tuple[float, float]:
        """Mean and spread of a row's value."""
        found = row["measured"][name]
        return found["mean"], found["spread"] or 0.0


def _word(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, int | float) else str(value)


def with_spread(found: dict[str, Any]) -> str:
    """Mean ± standard deviation of a measured value, in words."""
    if "mean" not in found:
        return str(found.get("first"))
    if all(value == round(found["mean"]) for value in found["seeds"]) and found["mean"] > 1:
        return f"{found['mean']:.0f}"  # a count that every seed shares
    return f"{found['mean']:.3f}" + (f" ± {found['spread']:.3f}" if found["spread"] is not None else "")


def result(name: str, size: str) -> Result | None:
    """The rows of a study: as shipped, or of one's own finished run with as many seeds and rows; None where
    there are neither.
    """
    file = SHIPPED / f"{name}.{size}.json"
    shipped = _shipped(file) if file.exists() else None
    for run in state.store().all():
        if (
            run.status() == "finished"
            and (run.spec.action, run.spec.name) == ("study", name)
            and run.spec.settings["study_settings"].get("size") == size
        ):
            found = run.result()
            if shipped is None or found["seeds"] >= shipped.seeds and len(found["rows"]) >= len(shipped.rows):
                return Result(
                    found["rows"],
                    found["protocol"],
                    found["seeds"],
                    f"measured on this machine, run {run.key}",
                )
    return shipped


@st.cache_data(show_spinner=False)
def _read(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text(encoding="utf-8")))


def _shipped(file: Path) -> Result:
    found = _read(file)
    how = found["how"]
    return Result(
        found["rows"],
        found["protocol"],
        found["seeds"],
        f"shipped: {how['device']}, {how['precision']}, PyTorch {how['torch']}",
    )


def sizes(name: str) -> list[str]:
    """The sizes at which a study has results here."""
    return [size for size in SIZES[name.split(".")[0]] if result(name, size) is not None]


def about(found: Result) -> None:
    """The line under a figure: seeds, protocol, where it was measured."""
    st.caption(f"Mean ± standard deviation of {found.seeds} seeds; {found.where}. {found.protocol}")


MODELS = {
    "comvc": "CoMVC, no defence",
    "ar_dmvc": "AR-DMVC",
    "ar_dmvc_am": "AR-DMVC-AM",
    "simvc": "SiMVC",
    "aecoddc": "AECoDDC",
}


def against_epsilon(found: Result, attacker: str, clean: Result | None) -> charts.Chart | None:
    """Attacked ACC against ε, a line a model, with the spread over seeds as a band."""
    rows = [row for row in found.rows if row["measured"] and row["about"]["state"] == attacker]
    if not rows:
        return None
    epsilons = sorted({row["about"]["epsilon"] for row in rows})
    frame = pd.DataFrame({"epsilon": [0.0, *epsilons]})
    for model in MODELS:
        values = {
            row["about"]["epsilon"]: found.mean(row)
            for row in rows
            if row["model"] == model and not row["about"].get("epochs")
        }
        if clean is not None:
            values |= _clean(clean, model)
        if values:
            mean, spread = (
                np.array([values.get(epsilon, (np.nan, np.nan))[place] for epsilon in frame["epsilon"]])
                for place in (0, 1)
            )
            frame[model], frame[f"{model}_low"], frame[f"{model}_high"] = mean, mean - spread, mean + spread
    shown = {model: name for model, name in MODELS.items() if model in frame}
    return charts.curves(
        frame,
        "epsilon",
        shown,
        title=f"ACC under {ATTACKERS[attacker]}",
        x_title="ε",
        y_title="ACC",
        share=True,
        bands={model: (f"{model}_low", f"{model}_high") for model in shown},
        caption=(
            "Every ε has a generator of its own."
            if attacker.startswith("generator")
            else "Each sample is attacked by itself."
        ),
    )


def _clean(found: Result, model: str) -> dict[float, tuple[float, float]]:
    """ε = 0 -> the clean ACC of a model as it is trained by default."""
    rows = [
        row
        for row in found.rows
        if row["measured"] and row["model"] == model and row["about"] == {"state": "clean", "epsilon": 0.0}
    ]
    return {0.0: found.mean(rows[0])} if rows else {}


def sentences(found: Result) -> list[str]:
    """Up to which ε each defence holds against each attacker, in words: it adds more ACC than 0.1 and than
    the spread of both.
    """
    said = []
    for model in ("ar_dmvc", "ar_dmvc_am"):
        epsilons = sorted({row["about"]["epsilon"] for row in found.rows if row["measured"]})
        held = {
            attacker: [epsilon for epsilon in epsilons if _holds(found, model, attacker, epsilon)]
            for attacker in ATTACKERS
        }
        parts = [
            f"against {'PGD-20' if attacker == 'PGD-20' else 'the strong generator'}"
            f" {_gains(found, model, attacker, held[attacker])}"
            for attacker in STRONG
        ]
        only_weak = [
            epsilon for epsilon in held[WEAK] if not any(epsilon in held[attacker] for attacker in STRONG)
        ]
        if only_weak:
            parts.append(f"only against the weak generator (as released) at ε = {_listed(only_weak)}")
        said.append(
            f"**{MODELS[model]}** adds more than {HOLDS:g} to the ACC of the model without defence, and more"
            " than the spread of both: " + "; ".join(parts) + "."
        )
    return said


def _both(found: Result, model: str, attacker: str, epsilon: float) -> list[tuple[float, float]]:
    """Mean and spread of the ACC of a defence and of the model without one; empty where either was not
    measured.
    """
    wanted = {"state": attacker, "epsilon": epsilon}
    rows = [
        next(
            (
                row
                for row in found.rows
                if row["measured"] and row["model"] == name and row["about"] == wanted
            ),
            None,
        )
        for name in (model, "comvc")
    ]
    return [] if None in rows else [found.mean(row) for row in rows if row]


def _holds(found: Result, model: str, attacker: str, epsilon: float) -> bool:
    both = _both(found, model, attacker, epsilon)
    return bool(both) and both[0][0] - both[1][0] > max(HOLDS, float(np.hypot(both[0][1], both[1][1])))


def _gains(found: Result, model: str, attacker: str, epsilons: list[float]) -> str:
    if not epsilons:
        return "at no ε shown"
    every = [(epsilon, _both(found, model, attacker, epsilon)) for epsilon in epsilons]
    return " and ".join(
        f"at ε = {epsilon:g} ({mine[0]:.2f}, without {base[0]:.2f})" for epsilon, (mine, base) in every
    )


def _listed(epsilons: list[float]) -> str:
    return " and ".join(f"{epsilon:g}" for epsilon in epsilons)


def grid(found: Result, key: str) -> dict[str, Any] | None:
    """ACC over λ and γ; the row of the cell that was clicked."""
    values = (
        sorted({row["about"]["lam"] for row in found.rows}),
        sorted({row["about"]["gamma"] for row in found.rows}),
    )
    kind = st.segmented_control(
        "Shown",
        ["attacked", "clean"],
        default="attacked",
        required=True,
        key=f"{key}/kind",
        label_visibility="collapsed",
    )
    matrix = np.full((len(values[0]), len(values[1])), np.nan)
    where = {}
    for row in found.rows:
        place = values[0].index(row["about"]["lam"]), values[1].index(row["about"]["gamma"])
        where[place] = row
        matrix[place] = (
            row["measured"]["acc"]["mean"] if kind == "attacked" else row["controls"]["acc_clean"]["mean"]
        )
    names = [[f"{value:g}" for value in axis] for axis in values]
    chosen = st.session_state.get(f"{key}/cell")
    texts = [[f"{value:.2f}" for value in line] for line in matrix]
    title = f"ACC of AR-DMVC-AM, {'PGD-20 at ε = 0.2' if kind == 'attacked' else 'clean'}"
    chart = charts.confusion(
        matrix,
        names[0],
        names[1],
        title=title,
        row_title="λ",
        column_title="γ",
        texts=texts,
        chosen=chosen,
        caption="Mean over seeds. Click a cell to open the run behind it.",
    )
    picked = charts.show(chart, f"{key}/{kind}", on_select="rerun")
    cell = next((tuple(int(part) for part in point) for point in picked if min(point) >= 0), None)
    if cell is not None and cell != chosen:
        st.session_state[f"{key}/cell"] = cell
        st.rerun()
    return where.get(chosen) if chosen is not None else None


def behind(row: dict[str, Any], data: str, size: str) -> None:
    """The runs of a cell, seed by seed: opened where they are here, else trained anew, which gives the same
    run.
    """
    lam, gamma = row["about"]["lam"], row["about"]["gamma"]
    st.markdown(
        f"**λ = {lam:g}, γ = {gamma:g}**: ACC {with_spread(row['measured']['acc'])} under attack,"
        f" {with_spread(row['controls']['acc_clean'])} clean."
    )
    with st.container(horizontal=True):
        for seed, key in enumerate(row["runs"]["model"]):
            if live.readable(key):
                st.page_link(
                    state.ROOT / "pages" / "train.py",
                    label=f"Open seed {seed}",
                    icon=":material/open_in_full:",
                    query_params={"v": state.ADDRESS_VERSION, "data": data, "run": key},
                )
            elif st.button(
                f"Train seed {seed} here",
                icon=":material/play_arrow:",
                key=f"behind/{key}",
                help=f"Its run is {key}; trained anew it is the same run.",
            ):
                made = launching.start(
                    {
                        "name": "ar_dmvc_am",
                        "preset": size,
                        "changes": {"lam": lam, "gamma": gamma},
                        "sentence": None,
                    },
                    data,
                    seed,
                )
                if made is not None:
                    state.go("train", {"data": data, "run": made})


def equal_epochs(clean: Result, against: Result) -> None:
    """The model without defence for as many epochs as the defences have: the extra row beside them."""
    chosen = [row for row in clean.rows if row["about"]["state"] == "clean"] + [
        row for row in against.rows if row["about"].get("state") == "PGD-20"
    ]
    lines: dict[str, dict[str, str]] = {}
    for row in (
        row for row in chosen if row["measured"] and row["model"] in ("comvc", "ar_dmvc", "ar_dmvc_am")
    ):
        name = MODELS[row["model"]] + (
            f", {row['about']['epochs']} epochs" if row["about"].get("epochs") else ""
        )
        column = (
            "ACC, clean" if row["about"]["state"] == "clean" else f"PGD-20, ε = {row['about']['epsilon']:g}"
        )
        lines.setdefault(name, {})[column] = with_spread(row["measured"]["acc"])
    st.markdown(
        "**For equal epochs.** The model without defence has its own length of training, and once more that"
        " of the defences."
    )
    st.dataframe(
        pd.DataFrame([{"model": name} | values for name, values in lines.items()]).fillna(""),
        hide_index=True,
        key="equal_epochs",
    )


def confusions(found: Result) -> None:
    """The matrices of a model, clean and under one attack, of the first seed."""
    rows = {f"{row['model']}, {row['about']['state']}": row for row in found.rows if row["measured"]}
    row = rows[str(st.selectbox("Model and attack", list(rows)))]
    for place, name in zip(st.columns(2, gap="medium"), ("clean", "attacked"), strict=True):
        matrix = np.array(row["controls"][f"matrix_{name}"]["first"])
        with place:
            names = [list(map(str, range(size))) for size in matrix.shape]
            charts.show(
                charts.confusion(
                    matrix,
                    *names,
                    title=name.capitalize(),
                    row_title="class",
                    column_title="matched cluster",
                    caption="Seed 0, the half that was not trained on.",
                ),
                f"confusion/{name}",
            )


def chosen_result(name: str) -> tuple[Result | None, str]:
    """The study's results at the size that was chosen; how to make them where there are none."""
    there = sizes(name)
    if not there:
        st.info(
            f"No result of this study is here yet. Make it with: `python3 -m engine study {name} --size"
            " quick`",
            icon=":material/science:",
        )
        return None, ""
    named = SIZES[name.split(".")[0]]
    size = st.segmented_control(
        "Size",
        there,
        format_func=lambda one: named[one],
        default=there[0],
        required=True,
        key=f"size/{name}",
        label_visibility="collapsed",
    )
    return result(name, str(size)), str(size)


def command(name: str, size: str) -> dict[str, str]:
    """How a study is run again."""
    return {"Command line": f"python3 -m engine study {name} --size {size or 'quick'} --seeds 3"}


def tables(names: Sequence[str], about_published: str) -> dict[str, str]:
    """Any of these studies as its table; how it is run again."""
    known = state.catalogue()["study"]
    name = str(st.selectbox("Study", names, format_func=lambda study: known[study]["title"]))
    st.caption(known[name]["summary"])
    found, size = chosen_result(name)
    if found is None:
        return command(name, size)
    if name == "ar_dmvc.confusion":
        confusions(found)
    table = found.table()
    st.dataframe(table, hide_index=True, key=f"table/{name}/{size}")
    st.download_button(
        "CSV",
        table.to_csv(index=False),
        f"feint-{name}-{size}.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    st.caption(about_published)
    about(found)
    return {"Command line": f"python3 -m engine study {name} --size {size} --seeds {found.seeds}"}
