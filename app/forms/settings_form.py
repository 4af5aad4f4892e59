"""The engine's catalogue (JSON Schema) as widgets, and back as a choice: plain values that a run can be made
of.

A choice is `{"name", "preset", "changes", "values", "sentence"}`: `changes` maps dotted field names to the
values that differ from the preset, `values` is everything, `sentence` says what is wrong (None: nothing). The
engine has the last word on submit.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app.address import connection, links, notices
from app.forms import exact, in_address
from app.forms.fields import Knob, complaint, flat, in_words, knobs, ladder, leaves, merged, nested
from app.words import _

Choice = dict[str, Any]


LISTED = 4
"""Up to so many options lie side by side; more go into a list."""
LEAST = 1e-6
"""How near a number comes to a limit that it may not reach."""


def choose(
    entry: Mapping[str, Any],
    *,
    key: str,
    preset: str | None = None,
    optional: bool = False,
    about: Mapping[str, str] | None = None,
    only: tuple[str, ...] | None = None,
    fold: bool = False,
    parameter: str = "",
) -> Choice:
    """Draw the form of a catalogue entry and return the choice made in it.

    `preset` is selected at first, or none where it is `optional`: then the defaults stand. `about` adds
    measured words to a preset's name ("about 1 min here"); `only` restricts the form to these top-level
    fields. Advanced fields are folded away, and with `fold` all fields are. The changes stand in the address
    under `parameter`, where it is given.
    """
    chosen = _pick_preset(entry, f"{key}/{entry['name']}", preset, optional, about or {}, bool(parameter))
    base = merged(entry["defaults"], entry["presets"].get(chosen, {}))
    shown = [knob for knob in knobs(entry) if only is None or knob.path in only]
    prefix = f"{key}/{entry['name']}/{chosen}"
    if parameter:
        _take_from_link(parameter, entry["name"], shown, base, prefix)
    values = _drawn(shown, base, prefix, _("Settings") if fold else "")
    changes = {path: values[path] for path, at_first in flat(base) if values[path] != at_first}
    if parameter:
        st.session_state[f"written/{parameter}"] = in_address.text_of(changes)
        links.put(parameter, in_address.text_of(changes))
    if changes:
        _reset_button(_("Back to the preset") if chosen else _("Back to the defaults"), prefix, base, changes)
    sentence = next(
        (text for knob in leaves(shown) if (text := complaint(entry["name"], knob, values[knob.path]))), None
    )
    if sentence:
        st.error(notices.plain(sentence))
    return {
        "name": entry["name"],
        "preset": chosen,
        "changes": changes,
        "values": nested(values),
        "sentence": sentence,
    }


def _take_from_link(
    parameter: str, owner: str, shown: Sequence[Knob], base: Mapping[str, Any], prefix: str
) -> None:
    """Fill the form with what a link says of it: what it does not say is as in the preset."""
    text = in_address.brought(parameter, st.session_state.get(f"written/{parameter}"))
    if text:
        said = in_address.changes_of(text, owner, shown)
        paths = {knob.path for knob in leaves(shown)}
        for path, value in flat(base):
            if path in paths:
                st.session_state[f"{prefix}/{path}"] = _shown(said.get(path, value))


def _drawn(shown: Sequence[Knob], base: Mapping[str, Any], prefix: str, folder: str) -> dict[str, Any]:
    """Draw all fields, those of `folder` first, then advanced ones and groups; their values by path."""
    values = dict(flat(base))
    single = [knob for knob in shown if knob.kind != "group"]
    _fields([knob for knob in single if not knob.advanced], values, prefix, folder)
    _fields([knob for knob in single if knob.advanced], values, prefix, _("More settings"))
    for group in (knob for knob in shown if knob.kind == "group"):
        _fields(
            group.children, values, prefix, _("{title} settings").format(title=_(group.title)), _(group.help)
        )
    return values


def _words(option: Any) -> str:
    return _(str(option).replace("_", " "))


def _preset_title(name: str) -> str:
    """What a preset is called: by its data where it is named after some."""
    data = connection.catalogue()["data"].get(name)
    return _words(name) if data is None else _(str(data["title"]))


def _pick_preset(
    entry: Mapping[str, Any],
    key: str,
    first: str | None,
    optional: bool,
    about: Mapping[str, str],
    in_link: bool,
) -> str | None:
    names = list(entry["presets"])
    if not names:
        return None
    name = f"{key}/preset/{first}"
    st.session_state.setdefault(name, first if first in names or optional else names[0])
    asked = in_address.brought("preset", st.session_state.get("written/preset")) if in_link else ""
    if asked in names:
        st.session_state[name] = asked
    chosen = st.segmented_control(
        _("Preset"),
        names,
        key=name,
        required=not optional,
        wrap=True,
        persist_state="session",
        format_func=lambda preset: " · ".join(filter(None, (_preset_title(preset), about.get(preset)))),
        help=_("A named set of values; change what you like below."),
    )
    if in_link:
        st.session_state["written/preset"] = chosen
        links.put("preset", chosen or "")
    return chosen


def _fields(
    fields: Sequence[Knob], values: dict[str, Any], prefix: str, folder: str, help_: str = ""
) -> None:
    """Widgets whose values go into `values`, in a folder of that name, or in the open where it has none."""
    if not fields:
        return
    with (
        st.expander(folder, icon=":material/tune:", key=f"{prefix}/folder/{fields[0].path}")
        if folder
        else st.container()
    ):
        if help_:
            st.caption(help_)
        for knob in fields:
            values[knob.path] = _widget(knob, values[knob.path], prefix)


def _reset_button(words: str, prefix: str, base: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    st.button(
        words,
        icon=":material/undo:",
        key=f"{prefix}/reset",
        on_click=_reset,
        args=(prefix, base),
        help=_("Changed: {names}").format(names=", ".join(changes)),
    )


def _reset(prefix: str, base: Mapping[str, Any]) -> None:
    for path, value in flat(base):
        if f"{prefix}/{path}" in st.session_state:
            st.session_state[f"{prefix}/{path}"] = _shown(value)


def _shown(value: Any) -> Any:
    return in_words(value) if isinstance(value, list | tuple) else value


def _widget(knob: Knob, value: Any, prefix: str) -> Any:
    """The widget of one field; its state starts at the preset's value."""
    key = f"{prefix}/{knob.path}"
    value = float(value) if knob.kind == "number" and value is not None else value
    # set each time, not by default: on another page a widget of this key would begin at its own default
    st.session_state[key] = st.session_state.get(key, _shown(value))
    common: dict[str, Any] = {"key": key, "help": knob.tooltip, "persist_state": "session"}
    match knob.kind:
        case "boolean":
            return st.toggle(knob.label, **common)
        case "choice" if len(knob.options) <= LISTED:
            return st.segmented_control(
                knob.label, knob.options, required=not knob.optional, format_func=_words, **common
            )
        case "choice":
            return st.selectbox(knob.label, knob.options, format_func=_words, **common)
        case "numbers":
            return _numbers(st.text_input(knob.label, **common))
        case "text":
            return st.text_input(knob.label, **common)
    return _number(knob, value, common)


def _number(knob: Knob, value: Any, common: dict[str, Any]) -> Any:
    whole = knob.kind == "integer"
    kind = int if whole else float
    low, high = (None if limit is None else kind(limit) for limit in (knob.low, knob.high))
    if not knob.optional:
        if knob.log:
            return _logarithmic(knob, value, common)
        if low is not None and high is not None and (step := _step(low, high, value, whole)):
            return st.slider(knob.label, low, high, step=step, format="%d" if whole else "%g", **common)
    size = abs(value) if value else 1.0
    step = (
        max(1, 10 ** math.floor(math.log10(size)))
        if whole
        else 10.0 ** math.floor(math.log10(size) - (size == 1.0))
    )
    least = 1 if whole else LEAST
    return st.number_input(
        knob.label,
        low + least if low is not None and knob.low_open else low,
        high - least if high is not None and knob.high_open else high,
        value=None,
        step=kind(step),
        format="%d" if whole else "%g",
        placeholder=_("automatic") if knob.optional else None,
        **common,
    )


def _logarithmic(knob: Knob, value: float, common: dict[str, Any]) -> Any:
    """A slider over decades, and beside it a field for any exact number between."""
    key, whole = common["key"], knob.kind == "integer"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.select_slider(
            knob.label,
            _stops(knob, (knob.default, value, st.session_state[key])),
            format_func=lambda stop: f"{stop:,}" if whole else f"{stop:g}",
            width="stretch",
            **common,
        )
        step = 1 if whole else 10.0 ** math.floor(math.log10(chosen or 1))
        exact.field(knob.label, key, step, lambda wanted: _refused(knob, wanted))
    return chosen


def _refused(knob: Knob, wanted: float) -> str | None:
    """Why a field does not take a number; None where it does."""
    if knob.multiple is not None and wanted % knob.multiple:
        told = _("{field} must be a multiple of {multiple:g}; got {value:g}.")
        return told.format(field=_(knob.title), multiple=knob.multiple, value=wanted)
    sentence = complaint("", knob, wanted)
    return sentence and sentence.replace(f".{knob.path}", _(knob.title), 1)


def _stops(knob: Knob, values: tuple[float, ...]) -> list[float]:
    """The logarithmic stops that the field accepts."""
    stops = ladder(knob.low, knob.high, values, knob.kind == "integer")
    return [stop for stop in stops if _refused(knob, stop) is None]


def _step(low: float, high: float, value: float, whole: bool) -> float | None:
    """A slider's step, where a slider of at most 100 steps can hold the value; else None."""
    if whole:
        return 1 if high - low <= 100 else None
    step = float(f"{10 ** math.floor(math.log10(high - low) - 1.5):.0e}") * 5
    on_grid = math.isclose((value - low) / step, round((value - low) / step), abs_tol=1e-6)
    return step if on_grid else None


def _numbers(text: str | None) -> Any:
    """A list of numbers from text with commas; the text itself where it is none."""
    parts = [part for part in (text or "").replace(";", ",").split(",") if part.strip()]
    try:
        return [float(part) if any(sign in part for sign in ".e") else int(part) for part in parts]
    except ValueError:
        return text
