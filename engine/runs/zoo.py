"""`python -m engine zoo`: train, measure and pack the entries of assets/zoo, each a read-only run with what inference needs.

An entry holds spec, card with measured clean and attacked scores, weights, a thinned record of its training, and the answers
its first pictures need. The old entry is removed first, or its key would be served by it.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from engine.events import Evaluate, Event, Finished, Progress, Started, to_line
from engine.home import home
from engine.runs import answers, runner
from engine.runs.store import Run, Store

ENTRIES = {f"{data}/{model}": preset for data, preset in (("digits", "quick"), ("mnist_test", "mnist_test"))
           for model in ("acai", "ae_kmeans", "dec_star", "idec_star", "adec")}
ATTACKED = ({"epsilon": 0.05}, {"epsilon": 0.1}, {"epsilon": 0.2})
RECORD = 150
"""How many evaluations of its training an entry keeps."""


def build(names: list[str], out: Path = answers.ZOO) -> Iterator[Event]:
    """Build entries one after the other, yielding the events of their runs."""
    for name in names:
        data, model = name.split("/")
        shutil.rmtree(out / name, ignore_errors=True)
        spec = runner.prepare("train", model, data, seed=0, preset=ENTRIES[name])
        yield from runner.run(spec)
        run = Store(home()).find(spec.key)
        scores = []
        for settings in ATTACKED:
            attack = runner.prepare("attack", "pgd", data, seed=0, changes={"objective": "leave_cluster", "norm": "linf", "n": 1000, **settings},
                                    models={"model": spec.key})
            for event in runner.run(attack):
                if isinstance(event, Finished):
                    scores.append(settings | {"attack": "pgd", "steps": 20, "norm": "linf", "objective": "leave_cluster"} | event.metrics)
        pack(run, out / name, scores)
        yield Progress(step=names.index(name) + 1, total=len(names), phase=f"packed {name}")


def pack(run: Run, folder: Path, scores: list[dict[str, object]]) -> None:
    """Write one entry under a temporary name, then rename."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "state").mkdir(parents=True)
    for file in ("spec.json", "result.json", "state/model.safetensors"):
        shutil.copyfile(run.folder / file, partial / file)
    card = run.card() | {"attacked": scores}
    (partial / "card.json").write_text(json.dumps(card, indent=1), encoding="utf-8")
    (partial / "events.jsonl").write_text("".join(to_line(event) + "\n" for event in _thinned(run.events())), encoding="utf-8")
    _ask(run, partial / "answers")
    partial.rename(folder)


def _thinned(events: list[Event]) -> list[Event]:
    """The start, evenly spaced evaluations, and the end."""
    evaluations = [event for event in events if isinstance(event, Evaluate)]
    step = max(1, -(-len(evaluations) // RECORD))
    kept = set(map(id, evaluations[::step] + evaluations[-1:]))
    return [event for event in events if isinstance(event, Started | Finished) or id(event) in kept]


def _ask(run: Run, folder: Path) -> None:
    """The answers that the first pictures of every page need."""
    first = answers.ladder_question(run.key, answers.SHOWN.get(run.spec.data, 0))
    for question in ({"ask": "overview", "model": run.key}, {"ask": "umap", "model": run.key, "seed": 0}, first,
                     {"ask": "place", "model": run.key, "ladder": first}):
        answers.write(folder / f"{answers.key(question)}.npz", answers.answer(question))
