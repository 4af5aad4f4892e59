"""The commands of `python -m engine`: parse, do, show. Torch is imported only where something is computed."""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from engine import data
from engine.cli import terminal
from engine.cli.flags import Parser, add_fields, changes
from engine.errors import FeintError, SettingsError, UnknownName
from engine.events import Event, to_line
from engine.pool import leash
from engine.store import catalogue, lock
from engine.store.files import write_json
from engine.store.run import Run
from engine.store.store import Store
from engine.studies.rows import upgraded

KINDS = {
    "models": "model",
    "attacks": "attack",
    "objectives": "objective",
    "data": "data",
    "metrics": "metric",
    "zoo": "zoo",
    "studies": "study",
}
SUBJECTS = {"train": "model", "study": "study"}
"""What a command's first word names, where it is no attack."""
ALIASES = {"sweep": {"epsilons": "--epsilon", "lams": "--lam", "attack_seeds": "--attack-seed"}}
"""`sweep` takes lists where `attack` takes values, under the same flags."""
UNBOUNDED = ("epsilon", "norm", "lam", "locked", "cluster", "epsilons", "lams")
"""What an attack on the embedding does not take."""

INNER = ("work", "serve", "catalogue")
"""Commands that others begin; what is wrong with an extension was told there."""


def main(arguments: list[str]) -> int:
    """Do what was typed; the exit code: 0 done, 1 failed, 2 wrong choice, 130 stopped."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_usage())
        return 0
    try:
        if arguments[0] not in COMMANDS:
            raise UnknownName("command", arguments[0], list(COMMANDS))
        for sentence in catalogue.problems() if arguments[0] not in INNER else ():
            print(f"feint: {sentence}", file=sys.stderr)
        return COMMANDS[arguments[0]](arguments[1:])
    except FeintError as error:
        print("\n".join(f"feint: {error}".splitlines()[:3]), file=sys.stderr)
        return 2
    except BrokenPipeError:  # `… | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def _usage() -> str:
    rows = [[f"  {name}", (command.__doc__ or "").split("\n")[0]] for name, command in COMMANDS.items()]
    return "python -m engine COMMAND … (each has --help)\n\n" + terminal.table(rows)


def list_names(arguments: list[str]) -> int:
    """What there is: list [models|attacks|objectives|data|metrics|zoo|studies] [--json]"""
    parser = Parser(prog="list")
    parser.add_argument("what", nargs="?", metavar="|".join(KINDS))
    parser.add_argument("--json", action="store_true", help="one entry a line")
    chosen = parser.finish(arguments)
    if chosen.what and chosen.what not in KINDS:
        raise UnknownName("list", chosen.what, list(KINDS))
    entries = catalogue.read()
    for what in [chosen.what] if chosen.what else KINDS:
        found = entries[KINDS[what]]
        if chosen.json:
            lines = [
                json.dumps({"list": what, **_brief(entry, name)}, ensure_ascii=False)
                for name, entry in found.items()
            ]
            print("".join(line + "\n" for line in lines), end="")
        else:
            print(f"{what}:" + ("" if found else " none yet"))
            print(
                terminal.table([[f"  {name}", *_told(entry)] for name, entry in found.items()]),
                end="\n" if found else "",
            )
    return 0


def _brief(entry: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {"name": name} | {key: value for key, value in entry.items() if key != "schema"}


def _told(entry: Mapping[str, Any]) -> tuple[str, str]:
    if "card" in entry:
        return entry["card"].get("title", ""), _scores(entry["card"].get("metrics", {}))
    return entry.get("title", ""), entry.get("source", "")


def runs(arguments: list[str]) -> int:
    """The runs on this machine: runs [--json]"""
    parser = Parser(prog="runs")
    parser.add_argument("--json", action="store_true", help="one run a line")
    chosen = parser.finish(arguments)
    rows = []
    for run in Store().all():
        about = _about(run)
        if chosen.json:
            print(json.dumps(about, ensure_ascii=False))
        rows.append(
            [
                *(str(about[part]) for part in ("run", "status", "what", "data", "seed", "created")),
                _scores(about["metrics"]),
            ]
        )
    if not chosen.json:
        print(
            terminal.table(rows, ["run", "status", "what", "data", "seed", "created", "scores"])
            if rows
            else (
                f"No runs yet in {Store().folder}; begin one with: python -m engine train ae_kmeans --data"
                " digits --preset quick"
            )
        )
    return 0


def _about(run: Run) -> dict[str, Any]:
    status = run.status()
    if status == "broken":
        return {
            "run": run.name,
            "status": status,
            "what": run.reason(),
            "data": "",
            "seed": "",
            "created": "",
            "metrics": {},
        }
    card = run.card()
    created = time.strftime("%Y-%m-%d %H:%M", time.localtime(card["created"])) if "created" in card else ""
    spec = run.spec
    return {
        "run": run.key,
        "status": status,
        "what": f"{spec.action} {spec.name}",
        "data": spec.data,
        "seed": spec.seed,
        "created": created,
        "metrics": run.result(),
    }


def _scores(metrics: Mapping[str, Any]) -> str:
    names = ("acc", "nmi", "ari", "acc_clean", "acc_attacked", "flip_rate", "noise_flip_rate")
    return "  ".join(
        f"{name} {terminal.number(metrics[name])}" for name in names if metrics.get(name) is not None
    )


def show(arguments: list[str]) -> int:
    """All about one run or zoo entry: show KEY [--json]"""
    parser = Parser(prog="show")
    parser.add_argument("run", help="a key, its beginning, or a zoo name")
    parser.add_argument("--json", action="store_true", help="its events, one a line")
    chosen = parser.finish(arguments)
    run = Store().find(chosen.run)
    if chosen.json:
        print("".join(to_line(event) + "\n" for event in run.events()), end="")
        return 0
    about, titles = _about(run), catalogue.read()["metric"]
    rows = [(key, str(about[key])) for key in ("run", "status", "what", "data", "seed", "created")] + [
        ("folder", str(run.folder))
    ]
    rows += [(key, json.dumps(value)) for key, value in run.spec.settings.items()]
    rows += [(f"builds on ({role})", key) for role, key in run.spec.builds_on.items()]
    print(terminal.table(rows + ([("why", run.reason())] if run.reason() else [])))
    print(terminal.table(terminal.metric_rows(run.result(), titles)))
    return 0


def train(arguments: list[str]) -> int:
    """Train a model: train MODEL --data NAME_OR_FILE [--preset quick] [--seed 0] [--FIELD VALUE …]
    [--json]
    """
    name, rest = _subject("train", arguments)
    entries = catalogue.read()
    parser = _parser("train", name, entries["model"])
    parser.add_argument(
        "--data", required=True, help="a name from `list data`, or a file (.npz, .zip of images, .csv)"
    )
    add_fields(parser, entries["action"]["train"], skip=("model", "model_settings"))
    add_fields(parser, entries["model"][name])
    return _start("train", name, parser.finish(rest))


def attack(arguments: list[str]) -> int:
    """Attack a model: attack ATTACK --model RUN_OR_ZOO_NAME --objective NAME --epsilon E [--norm linf] [--n
    1000] [--lam λ] …

    An attack on the embedding takes no ε but its own weight: attack latent_attack --model M --objective
    flip_and_keep [--nu V] [--fitted RUN]
    """
    return _launch("attack", arguments)


def sweep(arguments: list[str]) -> int:
    """The same over lists: sweep ATTACK --model M --objective NAME --epsilon 0,0.1,0.2 [--lam 0,1]
    [--attack-seed 0,1,2] …
    """
    return _launch("sweep", arguments)


def pairs(arguments: list[str]) -> int:
    """Which cluster can become which: pairs ATTACK --model M --epsilon E [--n 100] …"""
    return _launch("pairs", arguments)


def _launch(action: str, arguments: list[str]) -> int:
    name, rest = _subject(action, arguments)
    entries = catalogue.read()
    parser = _parser(action, name, entries["attack"])
    parser.add_argument(
        "--model", required=True, help="the key of a finished run, its beginning, or a zoo name"
    )
    parser.add_argument("--data", help="other data of the same shape; the model's own unless given")
    latent = entries["attack"][name].get("space") == "embedding"
    for flag in UNBOUNDED if latent else ():
        if any(argument.split("=")[0] in (f"--{flag}", f"--{flag.replace('_', '-')}") for argument in rest):
            raise SettingsError(
                f"{name} moves the embedding, which nothing bounds but its own weight: it takes no --{flag}."
                " Say --objective flip_and_keep [--nu V]."
            )
    if entries["attack"][name]["fitted"] and action == "attack":
        parser.add_argument(
            "--fitted", help="a run in which it was fitted to another model: used as it is, instead of a fit"
        )
    add_fields(
        parser,
        entries["action"][action],
        skip=("attack", "attack_settings", *(UNBOUNDED if latent else ())),
        also=ALIASES.get(action),
    )
    add_fields(parser, entries["attack"][name])
    if (objective := _said(rest, "--objective")) in entries["objective"]:
        add_fields(
            parser,
            entries["objective"][objective],
            skip=("cluster", "parts", *entries["attack"][name]["defaults"]),
            within="objective_settings",
        )
    return _start(action, name, parser.finish(rest))


def _said(arguments: list[str], flag: str) -> str:
    """What follows a flag, or ""."""
    for place, argument in enumerate(arguments):
        if argument.startswith(f"{flag}="):
            return argument.removeprefix(f"{flag}=")
        if argument == flag and place + 1 < len(arguments):
            return arguments[place + 1]
    return ""


def study(arguments: list[str]) -> int:
    """Tables and figures of a paper, measured: study NAME [--size quick|mini|paper] [--seeds 3] [--out
    FOLDER] [--json]
    """
    name, rest = _subject("study", arguments)
    entries = catalogue.read()
    parser = _parser("study", name, entries["study"])
    parser.add_argument(
        "--out", type=Path, help="a folder in which the result is left too, as NAME.SIZE.json"
    )
    add_fields(parser, entries["study"][name])
    chosen = parser.finish(rest)
    from engine.studies.study import Study  # torch, only where something is computed

    asked = Study.choose(name, None, changes(chosen)).chosen
    chosen.data = asked.data()
    code, run = _begun("study", name, chosen)
    if code == 0 and chosen.out:
        chosen.out.mkdir(parents=True, exist_ok=True)
        result = {"study": name, "how": run.card()["how"]} | run.result()
        result["rows"] = [upgraded(name, row) for row in result["rows"]]
        write_json(chosen.out / f"{name}.{asked.size}.json", result)
    return code


def _subject(command: str, arguments: list[str]) -> tuple[str, list[str]]:
    if not arguments or arguments[0].startswith("-"):
        kind = SUBJECTS.get(command, "attack")
        known = catalogue.read()[kind]
        raise SettingsError(
            f"{command} needs the name of {'an' if kind == 'attack' else 'a'} {kind} first:"
            f" {', '.join(known)}."
        )
    return arguments[0], arguments[1:]


def _parser(command: str, name: str, known: Mapping[str, Any]) -> Parser:
    if name not in known:
        raise UnknownName(SUBJECTS.get(command, "attack"), name, list(known))
    parser = Parser(prog=f"{command} {name}", description=known[name].get("summary"))
    presets = ", ".join(known[name].get("presets", {})) or "none"
    parser.add_argument("--preset", help=f"named settings to begin from ({presets})")
    parser.add_argument("--seed", type=int, default=0, help="of everything random")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 …")
    parser.add_argument("--precision", default="auto", help="auto, float32 or bfloat16")
    parser.add_argument("--threads", type=int, help="of the CPU; all of them unless set")
    parser.add_argument("--json", action="store_true", help="one event a line")
    return parser


def _start(action: str, name: str, chosen: argparse.Namespace) -> int:
    return _begun(action, name, chosen)[0]


def _begun(action: str, name: str, chosen: argparse.Namespace) -> tuple[int, Run]:
    """The exit code and the run of what was chosen."""
    from engine import device  # torch, only where something is computed
    from engine.running import runner

    card = data.cards().get(chosen.data or "")
    if card is not None and not card["here"]:
        terminal.bring(data.fetch(chosen.data))
    models = {role: run for role in ("model", "fitted") if (run := getattr(chosen, role, None))}
    spec = runner.prepare(
        action,
        name,
        chosen.data,
        seed=chosen.seed,
        preset=chosen.preset,
        changes=changes(chosen),
        models=models,
    )
    asked = (chosen.device, chosen.precision, chosen.threads) != ("auto", "auto", None)
    how = device.choose(chosen.device, chosen.precision, chosen.threads) if asked else None
    run = Store().create(spec)
    return _show(run, runner.run(run, how=how), chosen.json), run


def _show(run: Run, events: Iterator[Event], as_json: bool) -> int:
    titles = {} if as_json else catalogue.read()["metric"]
    with _Interrupts(run):
        return terminal.follow(events, as_json, titles)


class _Interrupts:
    """While a run goes on here, Ctrl-C and SIGTERM stop it at its next event, with a checkpoint; a second one
    ends at once.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    def __enter__(self) -> None:
        self.old = {number: signal.signal(number, self._heed) for number in (signal.SIGINT, signal.SIGTERM)}

    def __exit__(self, *_: object) -> None:
        for number, handler in self.old.items():
            signal.signal(number, handler)

    def _heed(self, number: int, _: object) -> None:
        holder = lock.holder(self.run.folder)
        if holder is None or holder.get("pid") != os.getpid() or self.run.wanted() != "run":
            raise KeyboardInterrupt
        self.run.want("stop")
        print(
            "Stopping at the next step; what makes checkpoints leaves one. Once more ends at once.",
            file=sys.stderr,
        )


def resume(arguments: list[str]) -> int:
    """Go on with a stopped, paused or failed run: resume KEY [--json]"""
    parser = Parser(prog="resume")
    parser.add_argument("run", help="a key or its beginning")
    parser.add_argument("--json", action="store_true", help="one event a line")
    chosen = parser.finish(arguments)
    run = Store().find(chosen.run)
    from engine.running import runner  # torch, only where something is computed

    return _show(run, runner.resume(run.name), chosen.json)


def work(arguments: list[str]) -> int:
    """Do the run of a folder, as the pool's child process: work FOLDER"""
    parser = Parser(prog="work")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--leash", action="store_true", help="stop when standard input closes")
    parser.add_argument("--json", action="store_true", help="one event a line")
    chosen = parser.finish(arguments)
    run = Run(chosen.folder.resolve())
    run.check()
    with _Interrupts(run):
        if chosen.leash:
            leash.follow()
        from engine.pool import lanes  # torch, only where something is computed
        from engine.running import runner  # torch, only where something is computed

        if chosen.leash:
            lanes.stand_back("train")
        return terminal.follow(runner.work(run), chosen.json, {})


def serve(arguments: list[str]) -> int:
    """The worker processes, for pages: serve [--port 8786]"""
    parser = Parser(prog="serve")
    parser.add_argument(
        "--port", type=int, default=0, help="of the scheduler, on this machine only; any free one unless set"
    )
    parser.add_argument("--address-file", type=Path, help="written when the scheduler answers")
    parser.add_argument("--leash", action="store_true", help="stop when standard input closes")
    chosen = parser.finish(arguments)
    os.environ.setdefault(
        "DASK_LOGGING__DISTRIBUTED", "warning"
    )  # before Dask is imported; its workers inherit it
    from engine.pool import server  # Dask, which nothing else needs

    if chosen.leash:
        leash.follow()
    server.serve(chosen.address_file, chosen.port)
    return 0


def write_catalogue(arguments: list[str]) -> int:
    """Describe everything that can be chosen, for the pages: catalogue"""
    Parser(prog="catalogue").finish(arguments)
    from engine import registry  # torch

    print(catalogue.write(registry.catalogue()))
    return 0


def fetch(arguments: list[str]) -> int:
    """Fetch a data set, so that it loads without a network: fetch NAME [--json]"""
    parser = Parser(prog="fetch")
    parser.add_argument("name", help="from `list data`")
    parser.add_argument("--json", action="store_true", help="one event a line")
    chosen = parser.finish(arguments)
    return terminal.follow(data.fetch(chosen.name), chosen.json, {})


def zoo(arguments: list[str]) -> int:
    """Build the zoo anew, or the named entries of it: zoo [DATA/MODEL …] [--json]"""
    from engine.cli import zoo as building  # torch

    parser = Parser(prog="zoo")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(building.ENTRIES)}")
    parser.add_argument("--json", action="store_true", help="one event a line")
    chosen = parser.finish(arguments)
    for name in chosen.names:
        if name not in building.ENTRIES:
            raise UnknownName("zoo entry", name, list(building.ENTRIES))
    for event in building.build(chosen.names or list(building.ENTRIES)):
        print(to_line(event), flush=True)
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "list": list_names,
    "train": train,
    "attack": attack,
    "sweep": sweep,
    "pairs": pairs,
    "study": study,
    "runs": runs,
    "show": show,
    "resume": resume,
    "work": work,
    "serve": serve,
    "catalogue": write_catalogue,
    "fetch": fetch,
    "zoo": zoo,
}
