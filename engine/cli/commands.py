"""The commands of `python -m engine`: which there are, and what a wrong one says."""

import os
import sys
from collections.abc import Callable

from engine.cli import bringing, computing, housekeeping, looking, terminal
from engine.errors import FeintError, UnknownName
from engine.home import home, why_unwritable
from engine.store import catalogue

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
    except OSError as error:
        why = why_unwritable(error) or error.strerror or error
        print(f"feint: {error.filename or home()}: {why}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _usage() -> str:
    rows = [[f"  {name}", (command.__doc__ or "").split("\n")[0]] for name, command in COMMANDS.items()]
    return "python -m engine COMMAND … (each has --help)\n\n" + terminal.table(rows)


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "list": looking.list_names,
    "train": computing.train,
    "attack": computing.attack,
    "sweep": computing.sweep,
    "pairs": computing.pairs,
    "place": computing.place,
    "study": computing.study,
    "runs": looking.runs,
    "show": looking.show,
    "resume": computing.resume,
    "work": computing.work,
    "serve": housekeeping.serve,
    "catalogue": housekeeping.write_catalogue,
    "fetch": housekeeping.fetch,
    "data": bringing.data,
    "export": bringing.export,
    "import": bringing.import_,
    "zoo": housekeeping.zoo,
    "atlas": housekeeping.atlas,
}
