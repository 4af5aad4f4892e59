"""The engine's catalogue (JSON Schema) as widgets, and back as a choice: plain values that a run can be made
of.

A choice is `{"name", "preset", "changes", "values", "sentence"}`: `changes` maps dotted field names to the
values that differ from the preset, `values` is everything, `sentence` says what is wrong (None: nothing). The
engine has the last word on submit.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

Choice = dict[str, Any]
LISTED = 4
"""Up to so many options lie side by side; more go into a list."""

KINDS = {"number": "number", "integer": "integer", "boolean": "boolean", "string": "text"}


@dataclass(frozen=True)
class Knob:
    """One field of a settings class as a form sees it. `low` and `high` are limits, not reached where `_open`
    says so.
    """

    path: str
    kind: str
    title: str
    help: str = ""
    default: Any = None
    options: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    multiple: float | None = None
    optional: bool = False
    log: bool = False
    advanced: bool = False
    symbol: str = ""
    unit: str = ""
    source: str = ""
    children: tuple["Knob", ...] = field(default=())

    @property
    def label(self) -> str:
        """Title, the paper's symbol and the unit, as the widget's label."""
        return (
            self.title
            + (f", {self.symbol}" if self.symbol else "")
            + (f" ({self.unit})" if self.unit else "")
        )

    @property
    def tooltip(self) -> str | None:
        """Help, default and source as Markdown."""
        default = "" if self.kind == "group" else f"Default: {_said(self.default)}."
        parts = [self.help, default, f"Source: {self.source}" if self.source else ""]
        return "\n\n".join(part for part in parts if part) or None


def knobs(entry: Mapping[str, Any]) -> tuple[Knob, ...]:
    """The fields of a catalogue entry, in order, nested settings as groups. What no widget can hold is left
    out.
    """
    schema = entry["schema"]
    return tuple(_knobs(schema, schema.get("$defs", {}), "", entry.get("defaults", {})))


def choose(
    entry: Mapping[str, Any],
    *,
    key: str,
    preset: str | None = None,
    about: Mapping[str, str] | None = None,
    only: tuple[str, ...] | None = None,
    fold: bool = False,
) -> Choice:
    """Draw the form of a catalogue entry and return the choice made in it.

    `preset` is selected at first; `about` adds measured words to a preset's name ("about 1 min here"); `only`
    restricts the form to these top-level fields. Advanced fields are folded away, and with `fold` all fields
    are.
    """
    chosen = _pick_preset(entry, f"{key}/{entry['name']}", preset, about or {})
    base = merged(entry["defaults"], entry["presets"].get(chosen, {}))
    shown = [knob for knob in knobs(entry) if only is None or knob.path in only]
    prefix = f"{key}/{entry['name']}/{chosen}"
    values = dict(flat(base))
    single = [knob for knob in shown if knob.kind != "group"]
    _fields([knob for knob in single if not knob.advanced], values, prefix, "Settings" if fold else "")
    _fields([knob for knob in single if knob.advanced], values, prefix, "More settings")
    for group in (knob for knob in shown if knob.kind == "group"):
        _fields(group.children, values, prefix, f"{group.title} settings", group.help)
    changes = {path: values[path] for path, at_first in flat(base) if values[path] != at_first}
    if changes:
        st.button(
            "Back to the preset" if chosen else "Back to the defaults",
            icon=":material/undo:",
            key=f"{prefix}/reset",
            on_click=_reset,
            args=(prefix, base),
            help="Changed: " + ", ".join(changes),
        )
    sentence = next(
        (text for knob in leaves(shown) if (text := complaint(entry["name"], knob, values[knob.path]))), None
    )
    if sentence:
        st.error(sentence)
    return {
        "name": entry["name"],
        "preset": chosen,
        "changes": changes,
        "values": nested(values),
        "sentence": sentence,
    }


def complaint(owner: str, knob: Knob, value: Any) -> str | None:
    """What is wrong with a value, as one sentence; None where nothing is. Limits only: the engine judges the
    rest.
    """
    if value is None and knob.optional:
        return None
    if knob.kind == "numbers":
        right = isinstance(value, list) and all(isinstance(item, int | float) for item in value)
        such = f"such as {_said(knob.default)}"
        return (
            None
            if right
            else f"{owner}.{knob.path} must be numbers with commas between them, {such}; got {value!r}."
        )
    if knob.kind not in ("number", "integer"):
        return None
    if value is None:
        return f"{owner}.{knob.path} must be a number; it is empty. Its default is {_said(knob.default)}."
    low, high = (
        (knob.low, knob.low_open, value.__lt__, "at least"),
        (knob.high, knob.high_open, value.__gt__, "at most"),
    )
    for limit, is_open, wrong, words in (low, high):
        if limit is not None and (wrong(type(value)(limit)) or (is_open and value == limit)):
            strict = {"at least": "greater than", "at most": "less than"}[words]
            return (
                f"{owner}.{knob.path} must be {strict if is_open else words} {limit:g}; got {value:g}."
                f" {knob.help}".strip()
            )
    return None


def leaves(fields: Sequence[Knob]) -> Iterator[Knob]:
    """The fields that hold a value, groups opened."""
    for knob in fields:
        yield from leaves(knob.children) if knob.kind == "group" else (knob,)


def merged(values: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with `over` on top, nested settings too."""
    together = dict(values)
    for name, value in over.items():
        both = isinstance(value, Mapping) and isinstance(together.get(name), Mapping)
        together[name] = merged(together[name], value) if both else value
    return together


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and values of nested settings."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, list(value) if isinstance(value, tuple) else value


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `flat`."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        *above, name = path.split(".")
        branch = tree
        for part in above:
            branch = branch.setdefault(part, {})
        branch[name] = value
    return tree


def ladder(low: float | None, high: float | None, values: tuple[float, ...], whole: bool) -> list[float]:
    """The stops of a logarithmic slider: 1, 2, 5 in each decade between the limits, and `values` themselves.

    A missing limit lies a factor 1,000 beyond the values; a limit of zero is a stop of its own.
    """
    positive = [abs(value) for value in values if value] or [1.0]
    bottom = low if low and low > 0 else min(positive) / 1000
    top = high if high is not None else max(positive) * 1000
    decades = range(math.floor(math.log10(bottom)), math.ceil(math.log10(top)) + 1)
    stops = {digit * 10.0**decade for decade in decades for digit in (1, 2, 5)}
    inside = {float(f"{stop:.6g}") for stop in stops if bottom <= stop <= top} | {
        float(value) for value in values
    }
    inside |= {float(limit) for limit in (low, high) if limit is not None}
    return sorted({int(stop) for stop in inside if stop == int(stop)}) if whole else sorted(inside)


def _knobs(
    schema: Mapping[str, Any], defs: Mapping[str, Any], prefix: str, defaults: Mapping[str, Any]
) -> Iterator[Knob]:
    for name, raw in schema.get("properties", {}).items():
        knob = _knob(prefix + name, raw, defs, defaults.get(name, raw.get("default")))
        if knob is not None:
            yield knob


def _knob(path: str, raw: Mapping[str, Any], defs: Mapping[str, Any], default: Any) -> Knob | None:
    kinds = [_resolved(option, defs) for option in raw.get("anyOf", [raw]) if option.get("type") != "null"]
    schema, optional = kinds[0], any(option.get("type") == "null" for option in raw.get("anyOf", []))
    about = {name: raw[name] for name in ("symbol", "unit", "source", "log", "advanced") if name in raw}
    title, help_ = raw.get("title") or schema.get("title") or path, raw.get("description", "")
    if "properties" in schema:
        children = tuple(_knobs(schema, defs, path + ".", default or {}))
        return Knob(path, "group", title, help_, default, children=children, **about)
    options = tuple(schema.get("enum", [schema["const"]] if "const" in schema else []))
    kind = "choice" if options else KINDS.get(str(schema.get("type")))
    if schema.get("type") == "array" and _numeric(schema):
        kind = "numbers"
    if kind is None or len(kinds) > 1:
        return None
    low, high = (
        schema.get("minimum", schema.get("exclusiveMinimum")),
        schema.get("maximum", schema.get("exclusiveMaximum")),
    )
    return Knob(
        path,
        kind,
        title,
        help_,
        default,
        options,
        low,
        high,
        "exclusiveMinimum" in schema,
        "exclusiveMaximum" in schema,
        schema.get("multipleOf"),
        optional,
        **about,
    )


def _resolved(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref") or next(
        (part["$ref"] for part in schema.get("allOf", []) if "$ref" in part), None
    )
    return defs[reference.rsplit("/", 1)[1]] if reference else schema


def _numeric(schema: Mapping[str, Any]) -> bool:
    items = [schema["items"]] if isinstance(schema.get("items"), Mapping) else schema.get("prefixItems", [])
    return bool(items) and all(item.get("type") in ("integer", "number") for item in items)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value))
    return "automatic" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _words(option: Any) -> str:
    return str(option).replace("_", " ")


def _pick_preset(
    entry: Mapping[str, Any], key: str, first: str | None, about: Mapping[str, str]
) -> str | None:
    names = list(entry["presets"])
    if not names:
        return None
    name = f"{key}/preset/{first}"
    st.session_state.setdefault(name, first if first in names else names[0])
    return st.segmented_control(
        "Preset",
        names,
        key=name,
        required=True,
        wrap=True,
        persist_state="session",
        format_func=lambda preset: " · ".join(filter(None, (_words(preset), about.get(preset)))),
        help="A named set of values; change what you like below.",
    )


def _fields(
    fields: Sequence[Knob], values: dict[str, Any], prefix: str, folder: str, help_: str = ""
) -> None:
    """Widgets whose values go into `values`, in a folder of that name, or in the open where it has none."""
    if not fields:
        return
    with st.expander(folder, icon=":material/tune:", key=f"{prefix}/{folder}") if folder else st.container():
        if help_:
            st.caption(help_)
        for knob in fields:
            values[knob.path] = _widget(knob, values[knob.path], prefix)


def _reset(prefix: str, base: Mapping[str, Any]) -> None:
    for path, value in flat(base):
        if f"{prefix}/{path}" in st.session_state:
            st.session_state[f"{prefix}/{path}"] = _shown(value)


def _shown(value: Any) -> Any:
    return _said(value) if isinstance(value, list | tuple) else value


def _widget(knob: Knob, value: Any, prefix: str) -> Any:
    """The widget of one field; its state starts at the preset's value."""
    key = f"{prefix}/{knob.path}"
    value = float(value) if knob.kind == "number" and value is not None else value
    st.session_state.setdefault(key, _shown(value))
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
    if knob.log and not knob.optional:
        return st.select_slider(
            knob.label,
            _stops(knob, (knob.default, value, st.session_state[common["key"]])),
            format_func=lambda stop: f"{stop:,}" if whole else f"{stop:g}",
            **common,
        )
    kind = int if whole else float
    low, high = (None if limit is None else kind(limit) for limit in (knob.low, knob.high))
    if (
        low is not None
        and high is not None
        and not knob.optional
        and (step := _step(low, high, value, whole))
    ):
        return st.slider(knob.label, low, high, step=step, format="%d" if whole else "%g", **common)
    size = abs(value) if value else 1.0
    step = (
        max(1, 10 ** math.floor(math.log10(size)))
        if whole
        else 10.0 ** math.floor(math.log10(size) - (size == 1.0))
    )
    return st.number_input(
        knob.label,
        low,
        high,
        value=None,
        step=kind(step),
        format="%d" if whole else "%g",
        placeholder="automatic" if knob.optional else None,
        **common,
    )


def _stops(knob: Knob, values: tuple[float, ...]) -> list[float]:
    """The logarithmic stops that the field accepts."""
    stops = ladder(knob.low, knob.high, values, knob.kind == "integer")
    return [
        stop
        for stop in stops
        if complaint("", knob, stop) is None and (knob.multiple is None or stop % knob.multiple == 0)
    ]


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
