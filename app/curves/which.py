"""Which sweep is shown: that of the link, the newest of a model, or one reopened from the list."""

from collections import Counter
from collections.abc import Mapping

import streamlit as st

from app.address import connection, links
from app.curves.axes import AXES, SweepAxis, of_sweep
from app.forms import possible
from app.forms.choose_model import Victim
from app.forms.threat import NORMS
from app.runs import naming, reading
from app.words import _
from engine.errors import FeintError
from engine.models.declared import title_of
from engine.store.run import Run


def open_link() -> None:
    """A link that names a sweep but no axis opens on that sweep's own."""
    name = st.query_params.get("run", "")
    if name and "tab" not in st.query_params and reading.readable(name):
        run = connection.store().find(name)
        if run.spec.action == "sweep":
            links.put("tab", of_sweep(run.spec)[0])


def sweeps() -> list[Run]:
    """Every readable sweep, newest first."""
    return connection.store().query(action="sweep")


def choose(axis: SweepAxis, victim: Victim) -> Run | None:
    """The sweep of the address, else the newest of this model on this axis; any other can be reopened from
    the list.
    """
    found = {run.key: run for run in sweeps() if axis.name in of_sweep(run.spec)}
    asked = links.value("run", "")
    if (
        asked not in found
        and asked == st.query_params.get("run", "")
        and asked
        and not reading.readable(asked)
    ):
        reading.find(asked)  # says that it is not here
    here = [key for key, run in found.items() if run.spec.builds_on.get("model") == victim.run.key]
    here.sort(key=lambda key: bool(found[key].zoo))  # one's own, newest first, before what ships
    current = asked if asked in found else next(iter(here), "")
    links.put("run", current)
    if not found:
        return None
    words = _listed(found)
    key = st.selectbox(
        _("Sweep"),
        [""] * (not current) + list(found),
        key=links.key("run", current),
        label_visibility="collapsed",
        on_change=close,
        format_func=lambda key: words[key] if key else _("Reopen a sweep…"),
    )
    return found.get(key)


def opened(run: Run, axis: SweepAxis) -> float | None:
    """The value whose images are open, as the address has it; None where it names none of this sweep."""
    text = links.value("at", "")
    return next((value for value in axis.values(run.spec) if f"{value:.6g}" == text), None)


def other_value(run: Run, axis: SweepAxis) -> float:
    """Where the sweep has several values on the other axis too, the one that is looked at."""
    values = axis.other.values(run.spec)
    if len(values) == 1:
        return values[0]
    return float(
        st.segmented_control(
            _("At {symbol}").format(symbol=axis.other.symbol),
            values,
            required=True,
            format_func="{:g}".format,
            key=links.key("other", values[0], lambda value: value in values),
        )
        or 0.0
    )


def model_of(run: Run) -> tuple[str, str, str]:
    """Title, data and name of the model that a sweep attacks; its name is its zoo name where it has one."""
    key = run.spec.builds_on.get("model", "")
    try:
        model = connection.store().find(key)
    except FeintError:
        return _("a deleted model ({key})").format(key=key[:6]), connection.data_title(run.spec.data), key
    return naming.title(model.spec), connection.data_title(model.spec.data), model.name


def close() -> None:
    """No point of another sweep is open."""
    links.put("at", "")


def _listed(found: Mapping[str, Run]) -> dict[str, str]:
    """The sweeps of the list in words; of those that the words do not tell apart, the key too."""
    words = {key: _in_words(run) for key, run in found.items()}
    times = Counter(words.values())
    return {key: said if times[said] == 1 else f"{said} · {key[:6]}" for key, said in words.items()}


def _in_words(run: Run) -> str:
    """Model, attack, objective and range of a sweep."""
    settings = run.spec.settings
    title, data = model_of(run)[:2]
    ranges = []
    for axis in AXES.values():
        values = axis.values(run.spec)
        if len(values) > 1:
            ranges.append(f"{axis.symbol} {values[0]:g}–{values[-1]:g}")
        elif values != [0.0]:
            ranges.append(f"{axis.symbol} {values[0]:g}")
    parts = [
        title,
        data,
        title_of(
            connection.in_words(possible.entry("attack", run.spec.name)), settings.get("attack_settings", {})
        ),
        _(possible.title("objective", settings["objective"])),
        NORMS[settings["norm"]],
        *ranges,
        _("all samples") if settings["n"] is None else f"n ≤ {settings['n']}",
        _("{n} seeds").format(n=len(settings["attack_seeds"])),
    ]
    return " · ".join(parts)
