"""The base of all settings: frozen Pydantic models that say about themselves what a form, a flag and a card
need.

A registered settings class declares, as class variables, `kind`, `name`, `title`, `source` and, where there
is one, `equation` (TeX) and `presets` (name -> the values that differ from the defaults).
"""

import reprlib
from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic.fields import FieldInfo

from engine.errors import SettingsError

EVERY_FIELD: dict[str, Any] = {}
"""The serialisation context in which no field is left out; recognised by identity."""

Width = Annotated[int, Field(ge=1)]
"""Units of a layer."""
Seed = Annotated[int, Field(ge=0, lt=2**31)]
"""Of everything random."""


def knob(
    default: Any,
    title: str,
    help: str = "",
    *,
    symbol: str = "",
    unit: str = "",
    source: str = "",
    log: bool = False,
    advanced: bool = False,
    added_later: bool = False,
    stored_none: int | None = None,
    **limits: Any,
) -> Any:
    """A settings field that explains itself.

    `title` labels the widget and `help` becomes tooltip and flag help; `symbol` is the paper's letter, `unit`
    the unit, `source` where the default comes from; `log` asks for a logarithmic widget; `advanced` folds the
    field away. `added_later` marks a field that runs were made without: at its default it is left out of
    `Settings.values`, so their keys stay what they were; `stored_none` is the number by which runs said None
    before the field took it, and say it still. `limits` are Pydantic's own (ge, gt, le, lt,
    multiple_of, min_length ...).
    """
    extra: dict[str, Any] = {
        "symbol": symbol,
        "unit": unit,
        "source": source,
        "log": log,
        "advanced": advanced,
        "added_later": added_later,
        "stored_none": stored_none,
    }
    return Field(
        default,
        title=title,
        description=help,
        json_schema_extra={k: v for k, v in extra.items() if v},
        **limits,
    )


class Settings(BaseModel):
    """A frozen, hashable, serialisable value with no tensors in it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=False
    )

    kind: ClassVar[str] = ""
    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    source: ClassVar[str] = ""
    equation: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    version: ClassVar[int] = 1
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SettingsError(sentence(type(self), error)) from None

    @classmethod
    def preset(cls, preset: str | None = None, **changes: Any) -> Self:
        """The settings of a named preset with `changes` on top; dotted names reach into nested settings."""
        if preset and preset not in cls.presets:
            known = ", ".join(cls.presets) or "none"
            raise SettingsError(f"{cls.name or cls.__name__} has no preset {preset!r}; it has: {known}.")
        values: dict[str, Any] = _copied(cls.presets[preset]) if preset else {}
        for path, value in changes.items():
            _put(values, path.split("."), value)
        return cls(**values)

    @classmethod
    def depends_on(cls) -> "tuple[type[Settings], ...]":
        """Other classes on whose code its results depend, whatever its fields are: their versions are part of
        its own.
        """
        return ()

    @classmethod
    def whole(cls) -> "set[type[Settings]]":
        """Itself with all that it is made of, and what that is made of."""
        found: set[type[Settings]] = set()
        left: list[type[Settings]] = [cls]
        while left:
            part = left.pop()
            if part not in found:
                found.add(part)
                left.extend(part.depends_on())
        return found

    @classmethod
    def full_version(cls) -> int:
        """Its own version, raised with every version of what it is made of."""
        return 1 + sum(part.version - 1 for part in cls.whole())

    def values(self) -> dict[str, Any]:
        """The fields as plain JSON values, nested settings included, as a run stores them and as its key is
        made of them: without fields that were added later and stand at their default.
        """
        return self.model_dump(mode="json")

    def all_values(self) -> dict[str, Any]:
        """Every field as a plain JSON value, nested settings included."""
        return self.model_dump(mode="json", context=EVERY_FIELD)

    def in_words(self, fields: Collection[str] | None = None) -> str:
        """The title with those of `fields` (None: all) that have a symbol and a value: "PGD, T = 20"."""
        parts = [self.title]
        for name, field in type(self).model_fields.items():
            extra, value = _extra(field), getattr(self, name)
            if "symbol" in extra and value is not None:
                parts += [f"{extra['symbol']} = {value}"] * (fields is None or name in fields)
        return ", ".join(parts)

    @model_validator(mode="after")
    def _read_none(self) -> Self:
        for name, field in type(self).model_fields.items():
            number = _extra(field).get("stored_none")
            if number is not None and getattr(self, name) == number:
                object.__setattr__(self, name, None)
        return self

    @model_serializer(mode="wrap")
    def _stored(self, dumped: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        values: dict[str, Any] = dumped(self)
        if info.context is EVERY_FIELD:
            return values
        for name, field in type(self).model_fields.items():
            extra = _extra(field)
            if name in values and values[name] is None and "stored_none" in extra:
                values[name] = extra["stored_none"]
            if "added_later" in extra and getattr(self, name) == field.get_default(call_default_factory=True):
                values.pop(name, None)
        return values


def _extra(field: FieldInfo) -> dict[str, Any]:
    """What a `knob` says of its field beside Pydantic's own."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, Mapping) else value for key, value in values.items()}


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
    values[path[-1]] = value


def sentence(cls: type[BaseModel], error: ValidationError) -> str:
    """Pydantic's first complaint as one sentence: owner.field, what was expected, what came, what the field
    means.
    """
    first = error.errors(include_url=False)[0]
    where = [str(part) for part in first["loc"]]
    owner = getattr(cls, "name", "") or cls.__name__
    field = cls.model_fields.get(where[0]) if where else None
    if first["type"] == "extra_forbidden":
        return f"{owner} has no setting {'.'.join(where)!r}; it has: {', '.join(cls.model_fields)}."
    came = first.get("input")
    expected = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    if first["type"] == "too_short":
        expected = f"a list of at least {first['ctx']['min_length']}"
    about = f" {field.description}" if field and field.description and len(where) == 1 else ""
    return f"{owner}.{'.'.join(where)} must be {expected}; got {brief(came)}.{about}"


def brief(value: Any) -> str:
    """What came, as code would say it, with the middle of what is long left out."""
    shortened = reprlib.Repr()
    shortened.maxstring = shortened.maxother = shortened.maxlong = 60
    return shortened.repr(value)
