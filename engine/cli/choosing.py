"""From typed words to a wanted run: the parsers of `train`, `attack`, `sweep`, `pairs`, `place` and `study`.

One declaration, the settings classes as the catalogue has them, gives every flag. Torch-free.
"""

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engine.cli import one_sample, terminal
from engine.cli.flags import Parser, add_fields, changes
from engine.cli.one_sample import OneSample
from engine.errors import SettingsError, UnknownName
from engine.store import catalogue
from engine.store.reproduce import SHORT, UNSAID
from engine.store.store import Store
from engine.store.wanted import BASE, EXTRACTOR, WITH, Entries, Entry, Wanted, appended

RUN = re.compile(r"[0-9a-f]{4,16}(@\d+)?")
"""The key of a run or its beginning, and perhaps a step."""
ROLES = ("model", "fitted", "base", EXTRACTOR)
"""Flags that name one finished run."""
FIRST = 12
"""Numbers of an attack that are told unless all are asked for."""
OF_AXIS = {"epsilon": ("epsilon", "epsilons", "norm", "locked", "fixed"), "lambda": ("lam", "lams")}
"""Axis that an attack may declare -> fields of actions that mean nothing outside pixels without it."""


@dataclass(frozen=True)
class Typed:
    """What was typed after a command: the run, and how to compute and show it."""

    wanted: Wanted
    how: tuple[str, str, int | None]
    """Device, precision and threads."""
    json: bool
    out: Path | None = None
    """Where a study leaves its result too."""
    one: OneSample | None = None
    """The sample that is attacked alone, and how it is looked at."""
    most: int | None = None
    """How many numbers are told; None: all."""
    again: bool = False
    """Whether it is made anew although it is there."""


def typed(action: str, arguments: list[str]) -> Typed:
    """What was typed after `train`, `attack`, `sweep`, `pairs`, `place` or `study`. Raises SettingsError or
    UnknownName with the nearest names.
    """
    entries = catalogue.read()
    about = str(entries["action"][action]["about"])
    name, rest = _name(action, about, arguments, entries) if about else (action, arguments)
    entry = entries[about][name] if about else entries["action"][action]
    parser = _parser(action, name, entry)
    if action == "train":
        _add_data(parser, rest, entry)
    elif action == "study":
        parser.add_argument(
            "--out", type=Path, help="a folder in which the result is left too, as NAME.SIZE.json"
        )
    else:
        _add_model(parser, action, entry)
    if action == "attack":
        one_sample.add_flags(parser, entry)
        parser.add_argument("--all", action="store_true", help=f"every number, not the first {FIRST} alone")
    if about:
        _add_settings(parser, action, about, entries, entry, rest)
    else:
        add_fields(parser, entry)
    made = _read(action, name, parser.finish(rest))
    if action != "train":
        return made
    return replace(made, wanted=_with_base(_on_run(made.wanted, entry, entries), entry, entries))


def _name(action: str, about: str, arguments: list[str], entries: Entries) -> tuple[str, list[str]]:
    """The first word, which names what the action is about, and the others."""
    known = entries[about]
    if arguments and arguments[0] in ("-h", "--help"):
        _help(action, about, known)
        raise SystemExit(0)
    if not arguments or arguments[0].startswith("-"):
        article = "an" if about[0] in "aeiou" else "a"
        raise SettingsError(f"{action} needs the name of {article} {about} first: {', '.join(known)}.")
    if arguments[0] not in known:
        raise UnknownName(about, arguments[0], list(known))
    return arguments[0], arguments[1:]


def _help(action: str, about: str, known: Mapping[str, Entry]) -> None:
    """What may follow a command, and how to know more of each."""
    rows = [[f"  {name}", str(entry["title"])] for name, entry in known.items()]
    print(f"python3 -m engine {action} {about.upper()} …, where {about.upper()} is one of")
    print(terminal.table(rows))
    print(f"Its settings: python3 -m engine {action} {about.upper()} --help")


def _parser(action: str, name: str, entry: Entry) -> Parser:
    """A parser with what every run takes."""
    parser = Parser(prog=action if name == action else f"{action} {name}", description=entry.get("summary"))
    presets = ", ".join(entry.get("presets", {})) or "none"
    parser.add_argument("--preset", help=f"named settings to begin from ({presets})")
    parser.add_argument("--seed", type=int, default=0, help="of everything random")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 …")
    parser.add_argument("--precision", default="auto", help="auto, float32 or bfloat16")
    parser.add_argument("--threads", type=int, help="of the CPU; all of them unless set")
    parser.add_argument("--json", action="store_true", help="one event a line")
    parser.add_argument(
        "--again",
        action="store_true",
        help="make it anew although it is there: a run of your own is deleted first, a zoo entry stays",
    )
    return parser


def _add_data(parser: Parser, arguments: list[str], entry: Entry) -> None:
    """The flags of what a model is trained on."""
    parser.add_argument(
        "--data",
        required=not (_after(arguments, "--with") or _after(arguments, "--base")),
        help="a name from `list data`, or a file (.npz, .zip of images, .csv)",
    )
    parser.add_argument(
        "--with",
        metavar="RUN",
        action="append",
        help="a finished attack run on the same data: its samples are appended to them; several in turn",
    )
    if entry["base_fields"]:
        parser.add_argument(
            "--base",
            metavar="RUN",
            help="the finished run that it begins from, as it is; one is trained first unless given",
        )


def _add_model(parser: Parser, action: str, entry: Entry) -> None:
    """The flags of what an action on a trained model builds on."""
    parser.add_argument(
        "--model",
        required=True,
        help="the key of a training, its beginning, or a zoo name; one that is not finished is"
        " attacked as it stands, and KEY@STEP is how it stood",
    )
    parser.add_argument("--data", help="other data of the same shape; the model's own unless given")
    if action == "attack" and entry["space"] == "pixels":
        parser.add_argument(
            "--extractor",
            metavar="RUN",
            help="a classifier trained on data of the same shape: FID and KID are measured in its features",
        )
    if entry.get("fitted") and action == "attack":
        parser.add_argument(
            "--fitted", help="a run in which it was fitted to another model: used as it is, instead of a fit"
        )


def _add_settings(
    parser: Parser, action: str, about: str, entries: Entries, entry: Entry, arguments: list[str]
) -> None:
    """The fields of the action, of what it is about, and of the objective that was typed."""
    skip = [about, f"{about}_settings"]
    if about == "attack":
        meaningless = _meaningless(entry, entries)
        _refuse(meaningless, entry, entries, arguments)
        skip += meaningless
    short = {field: f"--{flag}" for field, flag in SHORT.get(action, {}).items()}
    add_fields(parser, entries["action"][action], skip=tuple(skip), also=short)
    add_fields(parser, entry)
    objective = entries["objective"].get(_after(arguments, "--objective"))
    if about == "attack" and objective is not None:
        add_fields(parser, objective, skip=(*UNSAID, *entry["defaults"]), within="objective_settings")


def _meaningless(entry: Entry, entries: Entries) -> list[str]:
    """Fields of an action that an attack does not take, as it declares its space and its axes."""
    if entry["space"] == "pixels":
        return []
    bounds = [field for axis, fields in OF_AXIS.items() if axis not in entry["axes"] for field in fields]
    return bounds + ["cluster"] * (not any(aim["targeted"] for aim in _aims(entry, entries)))


def _aims(entry: Entry, entries: Entries) -> list[Entry]:
    """The objectives that an attack can have: those of its space."""
    return [aim for aim in entries["objective"].values() if aim["space"] == entry["space"]]


def _refuse(fields: list[str], entry: Entry, entries: Entries, arguments: list[str]) -> None:
    """Raises SettingsError for a flag of a field that means nothing to this attack."""
    typed_flags = {argument.split("=")[0].replace("_", "-") for argument in arguments}
    for field in fields:
        if f"--{field}" in typed_flags:
            aims = " or ".join(aim["name"] for aim in _aims(entry, entries))
            raise SettingsError(
                f"{entry['name']} moves the {entry['space']}, which nothing bounds but its own weight: it"
                f" takes no --{field}. Say --objective {aims}, with its own settings."
            )


def _after(arguments: list[str], flag: str) -> str:
    """What follows a flag, or ""."""
    for place, argument in enumerate(arguments):
        if argument.startswith(f"{flag}="):
            return argument.removeprefix(f"{flag}=")
        if argument == flag and place + 1 < len(arguments):
            return arguments[place + 1]
    return ""


def _read(action: str, name: str, parsed: argparse.Namespace) -> Typed:
    models = appended(",".join(getattr(parsed, WITH, None) or ()))
    models |= {role: run for role in ROLES if (run := getattr(parsed, role, None))}
    data: str | None = getattr(parsed, "data", None)
    said = changes(parsed)
    if Path(str(said.get("fixed", ""))).is_file():
        said["fixed"] = one_sample.bright(Path(said["fixed"]))
    wanted = Wanted(action, name, data, parsed.seed, parsed.preset, said, models)
    how = (parsed.device, parsed.precision, parsed.threads)
    most = None if getattr(parsed, "all", True) else FIRST
    out, one = getattr(parsed, "out", None), one_sample.typed(parsed)
    return Typed(wanted, how, parsed.json, out, one, most, parsed.again)


def _on_run(wanted: Wanted, entry: Entry, entries: Entries) -> Wanted:
    """Where a run stands in place of the method that is begun from (`--encoder RUN`): that run as the base.
    Raises SettingsError beside another base.
    """
    field = entry["base_fields"].get("model", "")
    said = str(wanted.changes.get(field, ""))
    if said in entries["model"] or not ("/" in said or RUN.fullmatch(said)):
        return wanted
    if wanted.models.get(BASE, said) != said:
        raise SettingsError(
            f"--{field} {said} and --base {wanted.models[BASE]} are two runs to begin from; say one of them."
        )
    left = {name: value for name, value in wanted.changes.items() if name != field}
    return replace(wanted, changes=left, models={**wanted.models, BASE: said})


def _with_base(wanted: Wanted, entry: Entry, entries: Entries) -> Wanted:
    """Of a method that begins from another one's run which nobody chose: with the preset of that other method
    that is meant for the data. Raises SettingsError where none is.
    """
    fields = entry["base_fields"]
    said = {path.split(".")[0] for path in wanted.changes}
    takes_any = "model" in fields  # else its own presets say what its base is
    if not takes_any or BASE in wanted.models or wanted.preset or fields["model_settings"] in said:
        return wanted
    other = str(wanted.changes.get(fields["model"], entry["defaults"][fields["model"]]))
    data = wanted.data or Store().find(next(iter(wanted.models.values()))).spec.data
    known = entries["model"].get(other)
    if known is None:  # the engine says that there is none
        return wanted
    if data not in known["fits"]:
        raise SettingsError(
            f"{wanted.name} begins from a trained {other}, and none of {other}'s presets is meant for {data}."
            " Train one first and say --base RUN, or say --preset."
        )
    settings = known["presets"][known["fits"][data]]
    return replace(wanted, changes={fields["model_settings"]: settings, **wanted.changes})
