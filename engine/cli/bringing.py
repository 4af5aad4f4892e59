"""Commands for what a person brings: data checked, kept, removed."""

import json
from typing import Any

from engine.cli.flags import Parser
from engine.data import own_kept
from engine.errors import UnknownName

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
        note = {"note": " ".join(found.report.done), "facts": found.report.facts}
        about["card"] = own_kept.keep(found.data, found.raws, title, note)
    if chosen.json:
        print(json.dumps(about, ensure_ascii=False))
        return 0
    print("\n".join(found.report.sentences()))
    if chosen.deed == "keep":
        print(f"Kept as {about['card']['name']}: use it by --data {about['card']['name']}.")
    return 0
