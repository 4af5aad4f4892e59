"""A run as a person asks for it: an action on a name, with a preset and changes. Torch-free.

`Wanted` is what `engine.running.runner.prepare` takes. `settings_of` says which settings such a run stores,
so that `found` recognises it among the runs that are here; `engine.store.reproduce` goes the other way.
"""

import json
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import FeintError
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import DONE, LIVE, Store

Entry = Mapping[str, Any]
Entries = Mapping[str, Mapping[str, Entry]]
"""The catalogue: kind -> name -> entry."""

BASE = "base"
"""The role of the run that a training begins from."""
WITH = "with"
"""The role of an attack whose samples are appended to the data; further ones are with.2, with.3 and so on."""
EXTRACTOR = "extractor"
"""The role of a classifier in whose features the samples of an attack are held against those trained on."""
CHOSEN = ("fitted", EXTRACTOR, WITH)
"""Roles that a person chooses; no settings bring them."""


@dataclass(frozen=True)
class Wanted:
    """A run that is asked for."""

    action: str
    name: str
    """The registered name of what is trained, launched or studied."""
    data: str | None = None
    """A registered name or a file; None: that of the first of `models`."""
    seed: int = 0
    preset: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Dotted settings, of the action or of what it is about, on top of the preset."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Role ("model", "fitted", "extractor", "with", "with.2") -> key or zoo name of a finished run that it
    builds on.
    """

    def text(self) -> str:
        """The same text for the same wish: a name for it within a session."""
        return json.dumps(plain(vars(self)), sort_keys=True)


def flag_of(role: str) -> str:
    """The flag under which a run in that role is given: that of "with.2" is "with"."""
    return role.partition(".")[0]


def appended(runs: str) -> dict[str, str]:
    """Role -> run of attacks that are named one after the other, with commas: "A,B" is with A, with.2 B."""
    names = [name for name in runs.split(",") if name]
    return {f"{WITH}.{place}" if place > 1 else WITH: name for place, name in enumerate(names, 1)}


def settings_of(wanted: Wanted, entries: Entries, store: Store) -> dict[str, Any]:
    """The settings of such a run, as the action would take the choices; those added later are there too.

    Nothing is checked: a choice that the engine refuses has settings too. Raises UnknownName for a fitted run
    that is nowhere, and KeyError for a name that is not registered.
    """
    action = entries["action"][wanted.action]
    if "fitted" in wanted.models:  # the attack is taken as it was fitted
        fitted = store.find(wanted.models["fitted"]).spec.settings
        return dict(action["defaults"]) | plain(fitted) | plain(wanted.changes)
    if not action["about"]:
        return chosen(action, wanted.preset, wanted.changes)
    about, fields = str(action["about"]), action["schema"]["properties"]
    own = {path: value for path, value in wanted.changes.items() if path.split(".")[0] in fields}
    others = {path: value for path, value in wanted.changes.items() if path not in own}
    entry = entries[about][wanted.name]
    if BASE in wanted.models:
        others = base_changes(entry["base_fields"], store.find(wanted.models[BASE]).spec) | others
    subject = chosen(entry, wanted.preset, others)
    values: dict[str, Any] = plain(action["defaults"]) | {about: wanted.name, f"{about}_settings": subject}
    for path, value in own.items():
        put(values, path, plain(value))
    return values


def base_changes(fields: Mapping[str, str], base: Spec) -> dict[str, Any]:
    """The settings that say on which base a method stands: `fields` maps parts of that run's settings to the
    method's own fields.
    """
    known = {part: base.settings.get(part) for part in fields}
    return {field: known[part] for part, field in fields.items() if known[part] is not None}


def chosen_base(spec: Spec, store: Store) -> bool:
    """Whether a training begins from a run that was chosen, and not from the one that its own data and seed
    bring.
    """
    key = spec.builds_on.get(BASE) if spec.action == "train" else None
    try:
        base = None if key is None else store.find(key).spec
    except FeintError:
        return False
    return base is not None and (base.seed, base.fingerprint) != (spec.seed, spec.fingerprint)


def chosen(entry: Entry, preset: str | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    """All values of a catalogue entry's settings: a preset, with dotted changes on top."""
    values: dict[str, Any] = plain(entry["presets"][preset]) if preset else {}
    for path, value in changes.items():
        put(values, path, plain(value))
    return _filled(values, entry["defaults"], entry["schema"], entry["schema"].get("$defs", {}))


def with_defaults(settings: Mapping[str, Any], action: str, entries: Entries) -> dict[str, Any]:
    """The settings of a run with every default written out, those of its objective too, also where they were
    stored before a field was added.
    """
    entry = entries["action"][action]
    about, values = str(entry["about"]), dict(entry["defaults"]) | plain(settings)
    parts = {f"{about}_settings": (about, about), "objective_settings": ("objective", "objective")}
    for name, said in entry["schema"]["properties"].items():
        if "stored_none" in said and values.get(name) == said["stored_none"]:
            values[name] = None
    for name, (kind, chooser) in parts.items():
        known = entries.get(kind, {}).get(str(values.get(chooser)))
        if known is not None and isinstance(values.get(name), dict):
            values[name] = merged(known["defaults"], values[name])
    return values


def found(wanted: Wanted, entries: Entries, store: Store) -> Run | None:
    """The run of these choices, as far as it can be known without torch: a finished one first, then one that
    is going on, then any other; None where nobody has begun it.
    """
    try:
        roles = {role: store.find(name) for role, name in wanted.models.items()}
        settings = with_defaults(settings_of(wanted, entries, store), wanted.action, entries)
    except (FeintError, KeyError):
        return None
    first = next(iter(roles.values()), None)
    data = wanted.data or (first.spec.data if first is not None else None)
    alike = [
        run
        for run in store.query(
            action=wanted.action, name=_subject(wanted, entries), data=data, seed=wanted.seed
        )
        if _builds_on(run, roles)
        and (BASE in roles or not chosen_base(run.spec, store))
        and (first is None or first.spec.data != data or first.spec.fingerprint == run.spec.fingerprint)
        and with_defaults(run.spec.settings, wanted.action, entries) == settings
        and run.spec.version >= _version(wanted, settings, entries)
    ]
    return min(alike, key=lambda run: _rank(run.status()), default=None)


def merged(values: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with `over` on top, nested settings too."""
    together = dict(values)
    for name, value in over.items():
        both = isinstance(value, Mapping) and isinstance(together.get(name), Mapping)
        together[name] = merged(together[name], value) if both else value
    return together


def put(values: MutableMapping[str, Any], path: str, value: Any) -> None:
    """Set the value under a dotted name, making what is above it."""
    *above, name = path.split(".")
    for part in above:
        values = values.setdefault(part, {})
    values[name] = value


def plain(value: Any) -> Any:
    """A value as JSON has it, copied: tuples become lists."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def nested_schema(field: Entry, shared: Mapping[str, Entry]) -> Entry | None:
    """The schema of a field that is settings itself; None for any other field."""
    known = shared.get(str(field.get("$ref", "")).rsplit("/", 1)[-1])
    return known if known and "properties" in known else None


def _filled(
    values: Mapping[str, Any], defaults: Mapping[str, Any], schema: Entry, shared: Mapping[str, Entry]
) -> dict[str, Any]:
    """Settings with their defaults. Nested settings that are given in part take the others from their own
    class, as Pydantic does, and not from the outer field's default.
    """
    whole = dict(defaults) | dict(values)
    for name, field_ in schema["properties"].items():
        nested = nested_schema(field_, shared)
        if nested is not None and isinstance(values.get(name), Mapping):
            own = {
                inner: entry["default"] for inner, entry in nested["properties"].items() if "default" in entry
            }
            whole[name] = _filled(values[name], own, nested, shared)
    return whole


def _subject(wanted: Wanted, entries: Entries) -> str:
    """The name in the spec: of what the action is about, else of the action."""
    return wanted.name if entries["action"][wanted.action]["about"] else wanted.action


def _builds_on(run: Run, roles: Mapping[str, Run]) -> bool:
    """Whether a run builds on these, and on no fitted attack or appended images beside them. Bases that its
    own settings bring need not be said.
    """
    there = run.spec.builds_on
    return all(there.get(role) == other.key for role, other in roles.items()) and all(
        role in roles for role in there if flag_of(role) in CHOSEN
    )


def _version(wanted: Wanted, settings: Mapping[str, Any], entries: Entries) -> int:
    """The version that a spec of these choices has; of a training or a study, has at least: what is trained
    or fitted for it may raise it further.
    """
    action = entries["action"][wanted.action]
    about, lams = str(action["about"]), settings.get("lams", [settings.get("lam", 0.0)])
    parts = [action] + ([entries[about][wanted.name]] if about else [])
    if "objective" in settings:
        named = objectives_named(settings["objective"], settings["objective_settings"], max(lams))
        parts += [entries["objective"][name] for name in named]
    return 1 + sum(int(part["version"]) - 1 for part in parts)


def objectives_named(name: str, settings: Mapping[str, Any], lam: float) -> Iterator[str]:
    """The objective, those that a weighted sum adds up, and the penalty where λ is not 0."""
    yield name
    for part in settings.get("parts", ()):  # (weight, {"name": …, and its fields})
        if isinstance(part, list | tuple) and isinstance(part[-1], Mapping):
            yield from objectives_named(str(part[-1].get("name", "")), part[-1], 0.0)
    if lam:
        yield "reconstruction_change"


def _rank(status: str) -> int:
    return 0 if status in DONE else 1 if status in LIVE else 2
