"""`python -m engine zoo`: train, measure and pack the entries of assets/zoo, each a read-only run with what
inference needs.

An entry holds spec, card with measured clean and attacked scores, weights, a thinned record of its training,
and the answers its first pictures need. The old entry is removed first, or its key would be served by it.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine import registry
from engine.asking import keeping, shipping
from engine.cli.zoo_entries import DRAWN, Entry, entries
from engine.errors import RunBroken
from engine.events import Evaluate, Event, Failed, Finished, Picture, Progress, Started, to_line
from engine.home import home
from engine.running import runner
from engine.store.run import Run
from engine.store.store import Store

ENTRIES = entries()
EPSILONS = (0.05, 0.1, 0.2)
"""ε of the attacks whose scores stand on a model's card,"""
IN_COLOUR = (2 / 255, 4 / 255, 8 / 255)
"""and those for pictures in colour, as the literature has them."""
SCORED = {
    "fuses": {"objective": "mv_disrupt", "half": "second"},
    "clusters": {"objective": "leave_cluster"},
    "classifies": {"objective": "misclassify"},
    "reconstructs": {"objective": "raise_reconstruction"},
    "encodes": {"objective": "move_embedding"},
}
"""Ability -> what the attack of a card wants of a model; the first that a model has."""
RECORD = 150
"""How many evaluations of its training an entry keeps,"""
PICTURES = 12
"""and at how many steps what it drew, where that ships."""
OF_A_MODEL = ("spec.json", "result.json", "state/model.safetensors")
OF_AN_ATTACK = ("spec.json", "result.json", "card.json")
WHERE_MADE = ("samples.parquet", "images.npz")
"""Files that a sweep does not leave."""
FITTED = "fitted.safetensors"


def build(names: list[str], out: Path = keeping.ZOO) -> Iterator[Event]:
    """Build entries one after the other, yielding the events of their runs."""
    for number, name in enumerate(names):
        shutil.rmtree(out / name, ignore_errors=True)
        yield from _attack(name, out) if ENTRIES[name].on else _train(name, out)
        yield Progress(step=number + 1, total=len(names), phase=f"packed {name}")


def answer(names: list[str], out: Path = keeping.ZOO) -> Iterator[Event]:
    """Make only the answers of entries anew, from the weights that ship; nothing else in an entry changes."""
    for number, name in enumerate(names):
        shipping.ship(Store().find(name), out / name)
        yield Progress(step=number + 1, total=len(names), phase=f"answered for {name}")


def _train(name: str, out: Path) -> Iterator[Event]:
    """Train a model, attack it at every size for its card, and pack it."""
    entry, data = ENTRIES[name], name.split("/")[0]
    models = {"with": entry.appended} if entry.appended else {}
    spec = runner.prepare(
        "train", entry.name, data, preset=entry.preset, changes=entry.changes, models=models
    )
    yield from runner.run(spec)
    run = Store(home()).find(spec.key)
    epsilons = IN_COLOUR if registry.find("data", data).shape[:1] == (3,) else EPSILONS
    card = run.card() | {"attacked": [_score(run, entry, epsilon) for epsilon in epsilons]}
    with_card = {"card.json": json.dumps(card, indent=1)}
    drawn = _drawn(run.events()) if name in DRAWN else []
    _pack(run, out / name, (*OF_A_MODEL, *(picture.file for picture in drawn)), with_card)


def _score(run: Run, entry: Entry, epsilon: float) -> dict[str, Any]:
    """The scores of a trained model under PGD at one ε, with their protocol."""
    able = registry.find("model", entry.name).abilities
    wanted = dict(next(objective for ability, objective in SCORED.items() if ability in able))
    changes = wanted | {"n": 1000, "norm": "linf", "epsilon": epsilon}
    spec = runner.prepare("attack", "pgd", run.spec.data, changes=changes, models={"model": run.key})
    ended = list(runner.run(spec))[-1]
    if not isinstance(ended, Finished):
        reason = ended.reason if isinstance(ended, Failed) else "it was stopped"
        raise RunBroken(f"The attack {spec.key} that scores {run.name} did not finish: {reason}")
    protocol = {"attack": "pgd", "steps": 20, "norm": "linf", "objective": wanted["objective"]}
    return {"epsilon": epsilon} | protocol | ended.metrics


def _attack(name: str, out: Path) -> Iterator[Event]:
    """Attack an entry, with an attack fitted to it or that of another entry, and pack it as a run of its
    own.
    """
    entry = ENTRIES[name]
    models = {"model": entry.on} | ({"fitted": entry.fitted} if entry.fitted else {})
    spec = runner.prepare(entry.action, entry.name, preset=entry.preset, changes=entry.changes, models=models)
    yield from runner.run(spec)
    run = Store().find(spec.key)
    own = WHERE_MADE if entry.fitted else (*WHERE_MADE, FITTED)
    made = (file for file in own if (run.folder / file).exists())
    _pack(run, out / name, (*OF_AN_ATTACK, *made))


def _pack(run: Run, folder: Path, files: tuple[str, ...], texts: Mapping[str, str] | None = None) -> None:
    """Write one entry under a temporary name, then rename."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for file in files:
        (partial / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run.folder / file, partial / file)
    record = "".join(to_line(event) + "\n" for event in _thinned(run.events(), files))
    for file, text in {"events.jsonl": record, **(texts or {})}.items():
        (partial / file).write_text(text, encoding="utf-8")
    shipping.ship(run, partial)
    partial.rename(folder)


def _drawn(events: list[Event]) -> list[Picture]:
    """What was drawn, at evenly spaced steps, the first and the last among them."""
    pictures = [event for event in events if isinstance(event, Picture)]
    steps = sorted({picture.step for picture in pictures})
    kept = (
        {steps[round(place * (len(steps) - 1) / (PICTURES - 1))] for place in range(PICTURES)}
        if steps
        else set()
    )
    return [picture for picture in pictures if picture.step in kept]


def _thinned(events: list[Event], files: Sequence[str]) -> list[Event]:
    """The start, evenly spaced evaluations, what was drawn into `files`, and the end."""
    evaluations = [event for event in events if isinstance(event, Evaluate)]
    step = max(1, -(-len(evaluations) // RECORD))
    kept = set(map(id, evaluations[::step] + evaluations[-1:]))
    return [
        event
        for event in events
        if isinstance(event, Started | Finished)
        or id(event) in kept
        or (isinstance(event, Picture) and event.file in files)
    ]
