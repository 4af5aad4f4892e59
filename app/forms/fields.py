"""The fields of a settings class as a form sees them, read from the engine's catalogue (JSON Schema)."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.words import _

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
        unit = f" ({_(self.unit)})" if self.unit else ""
        return _(self.title) + (f", {self.symbol}" if self.symbol else "") + unit

    @property
    def tooltip(self) -> str | None:
        """Help, default and source as Markdown."""
        default = _("Default: {value}.").format(value=in_words(self.default)) if self.kind != "group" else ""
        source = _("Source: {source}").format(source=self.source) if self.source else ""
        parts = [_(self.help), default, source]
        return "\n\n".join(part for part in parts if part) or None


def knobs(entry: Mapping[str, Any]) -> tuple[Knob, ...]:
    """The fields of a catalogue entry, in order, nested settings as groups. What no widget can hold is left
    out.
    """
    schema = entry["schema"]
    return tuple(_knobs(schema, schema.get("$defs", {}), "", entry.get("defaults", {})))


def complaint(owner: str, knob: Knob, value: Any) -> str | None:
    """What is wrong with a value, as one sentence; None where nothing is. Limits only: the engine judges the
    rest.
    """
    if value is None and knob.optional:
        return None
    field = f"{owner}.{knob.path}"
    if knob.kind == "numbers":
        right = isinstance(value, list) and all(isinstance(item, int | float) for item in value)
        told = _("{field} must be numbers with commas between them, such as {such}; got {value!r}.")
        return None if right else told.format(field=field, such=in_words(knob.default), value=value)
    if knob.kind not in ("number", "integer"):
        return None
    if value is None:
        told = _("{field} must be a number; it is empty. Its default is {default}.")
        return told.format(field=field, default=in_words(knob.default))
    low, high = (
        (knob.low, knob.low_open, value.__lt__, _at_least),
        (knob.high, knob.high_open, value.__gt__, _at_most),
    )
    for limit, is_open, wrong, say in (low, high):
        if limit is not None and (wrong(type(value)(limit)) or (is_open and value == limit)):
            return f"{say(is_open).format(field=field, limit=limit, value=value)} {_(knob.help)}".strip()
    return None


def _at_least(strictly: bool) -> str:
    if strictly:
        return _("{field} must be greater than {limit:g}; got {value:g}.")
    return _("{field} must be at least {limit:g}; got {value:g}.")


def _at_most(strictly: bool) -> str:
    if strictly:
        return _("{field} must be less than {limit:g}; got {value:g}.")
    return _("{field} must be at most {limit:g}; got {value:g}.")


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


def in_words(value: Any) -> str:
    if isinstance(value, bool):
        return _("on") if value else _("off")
    if isinstance(value, list | tuple):
        return ", ".join(map(in_words, value))
    return _("automatic") if value is None else f"{value:g}" if isinstance(value, float) else str(value)
