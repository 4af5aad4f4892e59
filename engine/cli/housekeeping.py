"""Commands that keep the house: serve, catalogue, fetch, zoo."""

import json
import os
from pathlib import Path

from engine import data
from engine.cli import terminal
from engine.cli.flags import Parser
from engine.errors import DiskError, SettingsError, UnknownName
from engine.events import to_line
from engine.pool import parent
from engine.store import catalogue
from engine.store.store import Store


def serve(arguments: list[str]) -> int:
    """The worker processes, for pages: serve [--port 8786]"""
    parser = Parser(prog="serve")
    parser.add_argument(
        "--port", type=int, default=0, help="of the scheduler, on this machine only; any free one unless set"
    )
    parser.add_argument("--address-file", type=Path, help="written when the scheduler answers")
    parser.add_argument(parent.LEASH, action="store_true", help="stop when standard input closes")
    chosen = parser.finish(arguments)
    if not 0 <= chosen.port <= 65535:
        raise SettingsError(f"port must be from 1 to 65535, or 0 for any free one; got {chosen.port}.")
    os.environ.setdefault(
        "DASK_LOGGING__DISTRIBUTED", "warning"
    )  # before Dask is imported; its workers inherit it
    from engine.pool import server  # Dask, which nothing else needs

    server.serve(chosen.address_file, chosen.port)
    return 0


def write_catalogue(arguments: list[str]) -> int:
    """Describe everything that can be chosen, for the pages: catalogue"""
    Parser(prog="catalogue").finish(arguments)
    from engine import registry  # torch

    described = registry.catalogue()
    try:
        print(catalogue.write(described))
    except (DiskError, OSError):  # then who asked has it at least
        print(json.dumps(described))
    return 0


def fetch(arguments: list[str]) -> int:
    """Fetch a data set, so that it loads without a network: fetch NAME [--json]"""
    parser = Parser(prog="fetch")
    parser.add_argument("name", help="from `list data`")
    parser.add_argument("--json", action="store_true", help="one event a line")
    chosen = parser.finish(arguments)
    return terminal.follow(data.fetch(chosen.name), chosen.json, {})


def zoo(arguments: list[str]) -> int:
    """Build the zoo anew, or the named entries of it: zoo [DATA/MODEL …] [--answers|--spread] [--json]"""
    from engine.cli import zoo as building  # torch
    from engine.cli import zoo_spread

    parser = Parser(prog="zoo")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(building.ENTRIES)}")
    parser.add_argument(
        "--answers", action="store_true", help="only what pages show first, from the weights that ship"
    )
    parser.add_argument(
        "--spread",
        type=int,
        metavar="SEEDS",
        help="only how the scores of named models spread over so many seeds, beside the entries",
    )
    parser.add_argument("--json", action="store_true", help="one event a line")
    chosen = parser.finish(arguments)
    for name in chosen.names:
        if name not in building.ENTRIES:
            raise UnknownName("zoo entry", name, list(building.ENTRIES))
    if chosen.spread:
        for event in zoo_spread.spread(chosen.names, chosen.spread):
            print(to_line(event), flush=True)
        return 0
    make = building.answer if chosen.answers else building.build
    every = Store().zoo() if chosen.answers else building.ENTRIES
    for event in make(chosen.names or list(every)):
        print(to_line(event), flush=True)
    return 0


def atlas(arguments: list[str]) -> int:
    """Choose the striking attacks of the page Atlas anew, from the zoo: atlas [--samples N] [--out FOLDER]"""
    from engine.atlas import making  # torch

    parser = Parser(prog="atlas")
    parser.add_argument(
        "--samples",
        type=int,
        default=making.CONSIDERED,
        help="of each model that are looked at, the first ones",
    )
    parser.add_argument("--out", type=Path, default=making.ATLAS, help="the folder that is written")
    chosen = parser.finish(arguments)
    if chosen.samples < 1:
        raise SettingsError(f"--samples must be at least 1; got {chosen.samples}.")
    for event in making.make(chosen.samples, chosen.out):
        print(to_line(event), flush=True)
    return 0
