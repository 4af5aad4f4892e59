"""Commands for what a person brings and takes along: data checked, kept, removed; models out and in."""

import json
import shlex
from pathlib import Path
from typing import Any

from engine.cli.flags import Parser
from engine.data import own_kept
from engine.errors import UnknownName
from engine.store import portable
from engine.store.store import Store

DEEDS = ("check", "keep", "remove")


def data(arguments: list[str]) -> int:
    """Data of your own: data check FILE | data keep FILE --name NAME | data remove NAME"""
    parser = Parser(prog="data")
    parser.add_argument(
        "deed",
        metavar="|".join(DEEDS),
        help="check: say in plain words what is in it; keep: that, and keep it under a name, so that it is in"
        " every list of data; remove: of what is kept",
    )
    parser.add_argument("what", help="an .npz, a .zip or a folder of images, or a .csv; to remove, the name")
    parser.add_argument("--name", default="", help="to keep it under; that of the file unless set")
    parser.add_argument("--clusters", type=int, help="how many to look for; as many as there are classes")
    parser.add_argument("--json", action="store_true", help="one object, with twelve samples")
    chosen = parser.finish(arguments)
    if chosen.deed not in DEEDS:
        raise UnknownName("deed with data", chosen.deed, list(DEEDS))
    if chosen.deed == "remove":
        card = own_kept.remove(chosen.what)
        print(f"{card['title']} is removed; runs on it stay, and work again once it is brought again.")
        return 0
    from engine.data.report import examine  # torch

    found = examine(chosen.what, chosen.clusters)
    about: dict[str, Any] = {"report": found.report.values()}
    if chosen.deed == "keep":
        title = chosen.name or found.data.title
        note = {
            "note": " ".join(found.report.done),
            "facts": found.report.facts,
            "rows": found.report.rows,
            "labels": found.report.labels,
        }
        about["card"] = own_kept.keep(found.data, found.raws, title, note)
    if chosen.json:
        print(json.dumps(about, ensure_ascii=False))
        return 0
    print("\n".join([*found.report.sentences(), found.report.seen_in_words()]))
    if chosen.deed == "keep":
        print(f"Kept as {about['card']['name']}: use it by --data {about['card']['name']}.")
    return 0


def export(arguments: list[str]) -> int:
    """A trained model as files for another Feint: export RUN --out FOLDER (or FILE.zip)"""
    parser = Parser(prog="export")
    parser.add_argument("run", help="the key of a finished training, its beginning, or a zoo name")
    parser.add_argument("--out", type=Path, required=True, help="a new folder, or a new .zip")
    chosen = parser.finish(arguments)
    out = portable.export(Store().find(chosen.run), chosen.out)
    print(f"{out}: take it in elsewhere with: python3 -m engine import {shlex.quote(str(out))}")
    return 0


def import_(arguments: list[str]) -> int:
    """Take in a trained model that left another Feint: import FOLDER (or FILE.zip)"""
    parser = Parser(prog="import")
    parser.add_argument("path", type=Path, help="the folder or the .zip that `export` made")
    parser.add_argument("--json", action="store_true", help="one object")
    chosen = parser.finish(arguments)
    from engine.running.taking_in import take_in  # torch

    run, new = take_in(chosen.path)
    if chosen.json:
        print(json.dumps({"run": run.name, "new": new}))
    else:
        print(f"{run.name} {'is here now' if new else 'was here already'}: python3 -m engine show {run.name}")
    return 0
