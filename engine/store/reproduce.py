"""What makes a run again: the nearest preset and the fields that differ from it, as a command and in Python.

Torch-free; every kind of run, from its spec or from choices that nobody has run yet. What is printed gives
the same key when it is typed: tests type it.
"""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.errors import FeintError, UnknownName
from engine.store.spec import Spec
from engine.store.store import Store
from engine.store.wanted import (
    BASE,
    Entries,
    Entry,
    Wanted,
    base_changes,
    chosen,
    chosen_base,
    flag_of,
    nested_schema,
    plain,
    put,
    settings_of,
)

SHORT = {"sweep": {"epsilons": "epsilon", "lams": "lam", "attack_seeds": "attack-seed"}}
"""Action -> field -> the shorter flag for it: `sweep` takes lists where `attack` takes values."""
UNSAID = ("cluster", "parts")
"""Fields of an objective that have no flag of their own: `cluster` is the action's, `parts` are JSON."""
DERIVED = ("base", "attack")
"""Roles that a method's own settings bring; they are not asked for."""


def lines(what: Spec | Wanted, entries: Entries, store: Store) -> dict[str, str]:
    """ "Command line" and "Python" -> the text that makes this run."""
    wanted = wanted_of(what, entries, store) if isinstance(what, Spec) else least(what, entries, store)
    return {"Command line": command(wanted, entries), "Python": python(wanted)}


def wanted_of(spec: Spec, entries: Entries, store: Store) -> Wanted:
    """The fewest choices that make the run of a spec."""
    action = entries["action"][spec.action]
    given = [role for role in spec.builds_on if role not in _derived(spec, action, store)]
    models = {role: _name(spec.builds_on[role], store) for role in given}
    name = spec.name if action["about"] else spec.action
    wanted = Wanted(spec.action, name, spec.data, spec.seed, models=models)
    preset, changes = _choices(wanted, spec.settings, entries, store)
    return _with_data(replace(wanted, preset=preset, changes=changes), store)


def least(wanted: Wanted, entries: Entries, store: Store) -> Wanted:
    """The fewest choices that say the same; the choices as they are where a run they build on is nowhere."""
    try:
        preset, changes = _choices(wanted, settings_of(wanted, entries, store), entries, store)
    except (FeintError, KeyError):
        return wanted
    models = {role: _name(key, store) for role, key in wanted.models.items()}
    return _with_data(replace(wanted, preset=preset, changes=changes, models=models), store)


def command(wanted: Wanted, entries: Entries) -> str:
    """The choices as they are typed: `python3 -m engine train adec --data digits --seed 0 …`."""
    words = ["python3 -m engine", wanted.action]
    action = entries["action"][wanted.action]
    words += [shlex.quote(wanted.name)] * bool(action["about"])
    words += [f"--{flag_of(role)} {shlex.quote(name)}" for role, name in wanted.models.items()]
    if wanted.data is not None and wanted.action != "study":  # a study knows its data
        words.append(f"--data {shlex.quote(wanted.data)}")
    words += [f"--preset {wanted.preset}"] * bool(wanted.preset)
    words.append(f"--seed {wanted.seed}")
    return " ".join(words + [_flag(*flag) for flag in _flags(wanted, entries)])


def python(wanted: Wanted) -> str:
    """The choices in Python."""
    said = [repr(wanted.action), repr(wanted.name)] + [repr(wanted.data)] * (wanted.data is not None)
    said += [f"seed={wanted.seed}"]
    said += [f"preset={wanted.preset!r}"] * bool(wanted.preset)
    said += [f"models={dict(wanted.models)!r}"] * bool(wanted.models)
    said += [f"changes={plain(wanted.changes)!r}"] * bool(wanted.changes)
    return (
        "from engine.running.runner import prepare, run\n\n"
        f"for event in run(prepare({', '.join(said)})):\n    print(event)"
    )


def nearest_preset(entry: Entry, values: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The preset of a catalogue entry from which the fewest fields have to be changed to have `values`, and
    those changes by their dotted names.
    """
    ways = {preset: _changes(entry, preset, values) for preset in (None, *entry["presets"])}
    preset = min(ways, key=lambda name: len(ways[name]))
    return preset, ways[preset]


def _choices(
    wanted: Wanted, settings: Mapping[str, Any], entries: Entries, store: Store
) -> tuple[str | None, dict[str, Any]]:
    """Preset and changes that give the settings of a run."""
    action = entries["action"][wanted.action]
    about = str(action["about"])
    if "fitted" in wanted.models:
        taken = dict(action["defaults"]) | store.find(wanted.models["fitted"]).spec.settings
        there = dict(action["defaults"]) | dict(settings)
        return None, {name: plain(value) for name, value in there.items() if value != taken.get(name)}
    if not about:
        return nearest_preset(action, settings)
    if wanted.name not in entries[about]:
        cure = "If it is an extension, name its folder in FEINT_PLUGINS."
        raise UnknownName(about, wanted.name, list(entries[about]), cure)
    entry = entries[about][wanted.name]
    preset, changes = nearest_preset(entry, settings[f"{about}_settings"])
    if BASE in wanted.models:  # it says these by itself
        brought = base_changes(entry["base_fields"], store.find(wanted.models[BASE]).spec)
        changes = {path: value for path, value in changes.items() if brought.get(path) != value}
    objective = settings.get("objective_settings") or {}
    own = {
        name: plain(value)
        for name, value in settings.items()
        if name not in (about, f"{about}_settings", "objective_settings")
        and value != action["defaults"].get(name)
    }
    return preset, changes | own | {
        f"objective_settings.{name}": plain(value) for name, value in objective.items()
    }


def _changes(entry: Entry, preset: str | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names of the leaves of `values` that a preset does not give, with their values."""
    schema = entry["schema"]
    shared = schema.get("$defs", {})
    wanted = dict(_leaves(values, schema, shared))
    changes: dict[str, Any] = {}
    while True:  # a change in nested settings may bring their own class's defaults, which differ in turn
        have = dict(_leaves(chosen(entry, preset, changes), schema, shared))
        more = {
            path: plain(value)
            for path, value in wanted.items()
            if path not in changes and (path not in have or have[path] != plain(value))
        }
        if not more:
            return changes
        changes |= more


def _leaves(
    values: Mapping[str, Any], schema: Entry, shared: Mapping[str, Entry], prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Dotted names and values; a field that is free JSON is one leaf."""
    for name, value in values.items():
        nested = nested_schema(schema["properties"].get(name, {}), shared)
        if nested is not None and isinstance(value, Mapping):
            yield from _leaves(value, nested, shared, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _flags(wanted: Wanted, entries: Entries) -> Iterator[tuple[str, Any, Entry]]:
    """Flag, value and schema of each change. Fields of an objective have flags of their own where no other
    field is called so, else they are JSON together.
    """
    action = entries["action"][wanted.action]
    subject = entries[action["about"]][wanted.name] if action["about"] else action
    objective = entries["objective"].get(str(wanted.changes.get("objective", "")))
    short = SHORT.get(wanted.action, {})
    aims: dict[str, Any] = {}
    for path, value in wanted.changes.items():
        head, _, rest = path.partition(".")
        if head == "objective_settings":
            put(aims, rest, value) if rest else aims.update(value)
        elif head in action["schema"]["properties"]:
            yield short.get(path, path), value, _field(action, path)
        else:
            yield path, value, _field(subject, path)
    flags = set(objective["schema"]["properties"]) - {*UNSAID, *subject["defaults"]} if objective else set()
    if objective is not None and set(aims) <= flags:
        yield from ((name, value, _field(objective, name)) for name, value in aims.items())
    elif aims:
        yield "objective_settings", aims, {}


def _field(entry: Entry, path: str) -> Entry:
    """The schema of the field under a dotted name."""
    schema, shared = entry["schema"], entry["schema"].get("$defs", {})
    *above, name = path.split(".")
    for part in above:
        schema = nested_schema(schema["properties"].get(part, {}), shared) or {"properties": {}}
    found: Entry = schema["properties"].get(name, {})
    return found


def _flag(name: str, value: Any, field: Entry) -> str:
    text = typed(value, field)
    return f"--{name}={shlex.quote(text)}" if text.startswith("-") else f"--{name} {shlex.quote(text)}"


def typed(value: Any, field: Entry) -> str:
    """A value as it is typed after the flag of a field: words as they are, several numbers with commas, all
    else as JSON.
    """
    if isinstance(value, str) and (field.get("type") == "string" or "enum" in field or _is_word(value)):
        return value
    simple = isinstance(value, list | tuple) and all(
        isinstance(item, int | float) and not isinstance(item, bool) for item in value
    )
    if simple and len(value) > 1:
        return ",".join(json.dumps(item) for item in value)
    return json.dumps(plain(value), ensure_ascii=False)


def _is_word(text: str) -> bool:
    """Whether what is typed is read as this very text where numbers and lists are possible too."""
    try:
        json.loads(text)
    except ValueError:
        return "," not in text and text.lower() not in ("true", "false") and text != ""
    return False


def _derived(spec: Spec, action: Entry, store: Store) -> tuple[str, ...]:
    """Roles that the settings of a training bring by themselves."""
    settings = spec.settings.get(f"{action['about']}_settings", {})
    if spec.action != "train" or not isinstance(settings.get("base"), Mapping):
        return ()
    return DERIVED[1:] if chosen_base(spec, store) else DERIVED


def _name(key: str, store: Store) -> str:
    """What a person calls the run of a key: the zoo name, or the key itself."""
    try:
        return store.find(key).name
    except FeintError:
        return key


def _with_data(wanted: Wanted, store: Store) -> Wanted:
    """Without the data, where they are those of the run that it builds on."""
    try:
        own = store.find(next(iter(wanted.models.values()))).spec.data if wanted.models else None
    except FeintError:
        own = None
    return replace(wanted, data=None) if own is not None and wanted.data == own else wanted
