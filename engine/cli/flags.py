"""Settings as flags: every field of a JSON Schema is `--field VALUE`, a nested one `--outer.inner VALUE`."""

import argparse
import json
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any, NoReturn

from engine.errors import SettingsError
from engine.settings import brief


class Parser(argparse.ArgumentParser):
    """An argparse parser that raises SettingsError instead of printing its usage."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            allow_abbrev=False, formatter_class=argparse.ArgumentDefaultsHelpFormatter, **options
        )
        self.fields: dict[str, Mapping[str, Any]] = {}
        """Flag -> the field that it sets."""

    def error(self, message: str) -> NoReturn:
        """Raises SettingsError with argparse's complaint as a sentence."""
        raise SettingsError(f"{self.prog}: {message}. See --help.")

    def finish(self, arguments: list[str]) -> argparse.Namespace:
        """Parse everything. Raises SettingsError with the nearest flag where one is unknown."""
        known, left = self.parse_known_args(arguments)
        if left:
            name = left[0].split("=")[0]
            raise SettingsError(f"{self.prog} knows no {name!r}; {self._instead(name)}")
        return known

    def _instead(self, name: str) -> str:
        """What may have been meant by a flag that nobody knows, and what it takes: a setting of that name of
        a part, else what is spelt alike.
        """
        flags = [flag for action in self._actions for flag in action.option_strings]
        of_parts = [flag for flag in flags if f"--{flag.rpartition('.')[2]}" == name]
        begun = [flag for flag in flags if flag.startswith(name) and len(name) > len("--")]
        near = of_parts or begun or get_close_matches(name, flags, cutoff=0.6)
        if not near:
            return f"`python3 -m engine {self.prog} --help` tells every setting and its limits."
        takes = [limits(self.fields.get(flag, {})).rstrip(".").lower() for flag in near]
        said = [f"{flag} ({text})" if text else flag for flag, text in zip(near, takes, strict=True)]
        return f"did you mean {' or '.join(said[:3])}?"


def fields(schema: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """(dotted name, its schema) of every field, those of nested settings included."""
    shared = schema.get("$defs", {})
    for name, entry in schema.get("properties", {}).items():
        nested = shared.get(str(entry.get("$ref", "")).rsplit("/", 1)[-1])
        if nested and "properties" in nested:
            yield from fields(nested | {"$defs": shared}, f"{prefix}{name}.")
        else:
            yield prefix + name, entry | (nested or {})


def add_fields(
    parser: Parser,
    entry: Mapping[str, Any],
    skip: tuple[str, ...] = (),
    also: Mapping[str, str] | None = None,
    within: str = "",
) -> None:
    """A flag for each field of a catalogue entry; `also` gives a field a second, shorter flag; `within` is
    the field that they are fields of.
    """
    group = parser.add_argument_group(f"settings of {entry['name']}")
    for name, field in fields(entry["schema"]):
        if name not in skip:
            spelt = dict.fromkeys(
                flag
                for flag in (f"--{name}", f"--{name.replace('_', '-')}", (also or {}).get(name, ""))
                if flag
            )
            parser.fields |= dict.fromkeys(spelt, field)
            group.add_argument(
                *spelt,
                dest=f"field:{within}.{name}" if within else f"field:{name}",
                metavar=kind(field).upper(),
                type=partial(read, field),
                default=argparse.SUPPRESS,
                help=_help(entry, name, field),
            )


def changes(chosen: argparse.Namespace) -> dict[str, Any]:
    """Dotted name -> value of every field that was given."""
    return {
        name.removeprefix("field:"): given
        for name, given in vars(chosen).items()
        if name.startswith("field:")
    }


def read(field: Mapping[str, Any], text: str) -> Any:
    """What was typed, as this field takes it: words stay words, and one number will do for a list."""
    if "enum" in field:
        return next((choice for choice in field["enum"] if str(choice) == text), text)
    if field.get("type") == "string":
        return text
    given = value(text)
    return [given] if field.get("type") == "array" and not isinstance(given, list) else given


def value(text: str) -> Any:
    """What a person typed: JSON where it is JSON, a list where it has commas, else the word itself."""
    try:
        return json.loads(text, parse_constant=str)
    except ValueError:
        pass
    except RecursionError:
        raise SettingsError(
            f"A value must be JSON that is nested a few times at most; got {brief(text)}."
        ) from None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return [value(part) for part in text.split(",") if part] if "," in text else text


def kind(field: Mapping[str, Any]) -> str:
    """One word for what a field takes."""
    if "enum" in field:
        return "|".join(map(str, field["enum"]))
    if "anyOf" in field:
        return "|".join(dict.fromkeys(kind(option) for option in field["anyOf"]))
    words = {
        "integer": "int",
        "number": "float",
        "boolean": "bool",
        "string": "text",
        "array": "list",
        "object": "json",
    }
    return words.get(field.get("type", ""), "value")


def _help(entry: Mapping[str, Any], name: str, field: Mapping[str, Any]) -> str:
    """What a field is, its unit, limits and default, and where the default comes from."""
    default: Any = entry.get("defaults", {})
    for part in name.split("."):
        default = default.get(part) if isinstance(default, Mapping) else None
    unit = f"[{field['unit']}]" if field.get("unit") else ""
    kept = json.dumps(default, ensure_ascii=False)
    ending = f"(default: {kept}; source: {field['source']})" if field.get("source") else f"(default: {kept})"
    words = (field.get("description", ""), unit, limits(field), ending)
    return " ".join(part for part in words if part).replace("%", "%%")


LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "greater than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
}
"""JSON Schema's words for limits, and ours."""


def limits(field: Mapping[str, Any]) -> str:
    """The limits of a number, or of each in a list, as a sentence; "" where it has none."""
    if "items" in field:
        each = limits(field["items"])
        count = (
            f"{field.get('minItems', 0)} to {field['maxItems']} numbers" if "maxItems" in field else "Numbers"
        )
        return f"{count}, each {each.lower()}" if each else ""
    options = [field, *field.get("anyOf", ())]
    said = [
        f"{words} {option[key]:g}" for option in options for key, words in LIMITS.items() if key in option
    ]
    return f"{', '.join(said).capitalize()}." if said else ""
