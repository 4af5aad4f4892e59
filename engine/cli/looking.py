"""Commands that look: list, runs, show. Torch-free."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from engine.cli import terminal
from engine.cli.flags import Parser
from engine.errors import UnknownName
from engine.events import to_line
from engine.store import catalogue, reproduce, spread
from engine.store.headlines import headlines
from engine.store.run import Run
from engine.store.store import Store

KINDS = {
    "models": "model",
    "attacks": "attack",
    "objectives": "objective",
    "data": "data",
    "metrics": "metric",
    "zoo": "zoo",
    "studies": "study",
}


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
                terminal.table(
                    [
                        [f"  {name}", *_title_and_source(entry, entries["metric"])]
                        for name, entry in found.items()
                    ]
                ),
                end="\n" if found else "",
            )
    return 0


def _brief(entry: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {"name": name} | {key: value for key, value in entry.items() if key != "schema"}


def _title_and_source(entry: Mapping[str, Any], metrics: Mapping[str, Any]) -> tuple[str, str]:
    if "card" in entry:
        return entry["card"].get("title", ""), _scores(entry["card"].get("metrics", {}), metrics)
    return entry.get("title", ""), entry.get("source", "")


def runs(arguments: list[str]) -> int:
    """The runs on this machine, and zoo entries that answered for one: runs [--json]"""
    parser = Parser(prog="runs")
    parser.add_argument("--json", action="store_true", help="one run a line")
    chosen = parser.finish(arguments)
    rows, metrics = [], catalogue.read()["metric"]
    for run in [*Store().all(), *Store().noted()]:
        about = _about(run)
        if chosen.json:
            print(json.dumps(about, ensure_ascii=False))
        rows.append(
            [
                *(str(about[part]) for part in ("run", "status", "what", "data", "seed", "created")),
                _scores(about["metrics"], metrics),
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


def _scores(result: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """The first numbers of a result; of a sweep, from the least to the greatest of its cells."""
    cells = [cell["metrics"] for cell in result.get("cells", ())]
    found = {}
    for name in headlines(_together(cells) if cells else result, metrics):
        values = [cell[name] for cell in cells if cell.get(name) is not None] or [result.get(name)]
        ends = dict.fromkeys(map(terminal.number, (min(values), max(values))))
        found[name] = " to ".join(ends)
    return "  ".join(f"{name} {text}" for name, text in found.items())


def _together(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One value of each metric that any cell has."""
    return {name: value for cell in cells for name, value in cell.items() if value is not None}


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
    about, entries = _about(run), catalogue.read()
    rows = [(key, str(about[key])) for key in ("run", "status", "what", "data", "seed", "created")] + [
        ("folder", str(run.folder))
    ]
    if run.zoo and (own := Store().mine(run.key)) != run:
        rows.append(("made again", f"{own.folder} ({own.status()})"))
    rows += [(key, json.dumps(value)) for key, value in run.spec.settings.items()]
    rows += [(f"builds on ({role})", key) for role, key in run.spec.builds_on.items()]
    print(terminal.table(rows + ([("why", run.reason())] if run.reason() else [])))
    print(terminal.table(terminal.metric_rows(run.result(), entries["metric"])))
    print("".join(f"{sentence}\n" for sentence in spread.in_words(run)), end="")
    try:
        print(f"Made by: {reproduce.lines(run.spec, entries, Store())['Command line']}")
    except UnknownName as gone:  # a method of somebody's own that is not here now
        print(f"It can't be made here: {gone}")
    return 0
