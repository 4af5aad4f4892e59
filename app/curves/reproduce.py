"""A sweep on the command line and in Python."""

import json
from collections.abc import Mapping
from typing import Any

from app.curves.choose import entry_of, model_of
from engine.store.run import Run


def command(name: str, model: str, changes: Mapping[str, Any]) -> dict[str, str]:
    """A sweep on the command line and in Python."""
    flags = {"epsilons": "epsilon", "lams": "lam", "attack_seeds": "attack-seed"}
    typed = [f"--{flags.get(field, field)} {_typed(value)}" for field, value in changes.items()]
    python = (
        f'from engine.running.runner import prepare, run\nspec = prepare("sweep", {name!r}, models={{"model":'
        f" {model!r}}}, changes={dict(changes)!r})\nfor event in run(spec):\n    print(event)"
    )
    return {
        "Command line": f"python3 -m engine sweep {name} --model {model} " + " ".join(typed),
        "Python": python,
    }


def command_of(run: Run) -> dict[str, str]:
    """The same of a sweep that is here."""
    settings, defaults = run.spec.settings, entry_of(run.spec)["defaults"]
    own = {name: value for name, value in settings["attack_settings"].items() if defaults.get(name) != value}
    fields = ["objective", "norm", "epsilons", "lams", "attack_seeds", "n"]
    fields += [name for name in ("cluster", "objective_settings") if settings[name] not in (None, {})]
    return command(run.spec.name, model_of(run)[2], own | {name: settings[name] for name in fields})


def _typed(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(f"{item:g}" for item in value)
    return f"'{json.dumps(value)}'" if isinstance(value, dict) else str(value)
