"""`python -m engine zoo`: train, measure and pack the entries of assets/zoo, each a read-only run with what inference needs.

An entry holds spec, card with measured clean and attacked scores, weights, a thinned record of its training, and the answers
its first pictures need. The old entry is removed first, or its key would be served by it.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from engine.data import load
from engine.events import Evaluate, Event, Finished, Progress, Started, to_line
from engine.home import home
from engine.runs import answers, runner
from engine.runs.store import Run, Store

CLUSTERING = ("acai", "ae_kmeans", "dec_star", "idec_star", "adec")
SEVERAL_VIEWS = ("simvc", "comvc", "aecoddc", "ar_dmvc", "ar_dmvc_am")
GENERATORS = {"strong": None, "as_released": "as_released"}
"""What stands behind the dot of a fitted generator's name -> its preset."""
ENTRIES = {f"{data}/{model}": preset for data, models, preset in (
    ("digits", CLUSTERING, "quick"), ("mnist_test", CLUSTERING, "mnist_test"), ("noisy_digits", SEVERAL_VIEWS, "quick"),
    ("noisy_mnist", ("comvc", "ar_dmvc_am"), "mini")) for model in models}
FITTED = {f"noisy_digits/{model}.{kind}": preset for model in SEVERAL_VIEWS for kind, preset in GENERATORS.items()}
"""Attacks that were fitted to an entry, each a run beside it, with its preset."""
ALL = tuple(ENTRIES) + tuple(FITTED)
ATTACKED = ({"epsilon": 0.05}, {"epsilon": 0.1}, {"epsilon": 0.2})
AGAINST: dict[bool, dict[str, object]] = {False: {"objective": "leave_cluster", "n": 1000}, True: {"objective": "mv_disrupt", "half": "second", "n": 1000}}
"""What the scores on a card are measured with: for models of one view, and of several."""
LARGE = 20_000
"""Samples from which no UMAP is made ready: it would take minutes and megabytes."""
RECORD = 150
"""How many evaluations of its training an entry keeps."""


def build(names: list[str], out: Path = answers.ZOO) -> Iterator[Event]:
    """Build entries one after the other, yielding the events of their runs."""
    for name in names:
        data, model = name.split("/")
        shutil.rmtree(out / name, ignore_errors=True)
        if name in FITTED:
            yield from _fitted(name, out)
            yield Progress(step=names.index(name) + 1, total=len(names), phase=f"packed {name}")
            continue
        spec = runner.prepare("train", model, data, seed=0, preset=ENTRIES[name])
        yield from runner.run(spec)
        run = Store(home()).find(spec.key)
        scores, fixed = [], AGAINST[model in SEVERAL_VIEWS]
        for settings in ATTACKED:
            attack = runner.prepare("attack", "pgd", data, seed=0, changes=fixed | {"norm": "linf", **settings}, models={"model": spec.key})
            for event in runner.run(attack):
                if isinstance(event, Finished):
                    scores.append(settings | {"attack": "pgd", "steps": 20, "norm": "linf", "objective": fixed["objective"]} | event.metrics)
        pack(run, out / name, scores)
        yield Progress(step=names.index(name) + 1, total=len(names), phase=f"packed {name}")


def _fitted(name: str, out: Path) -> Iterator[Event]:
    """Fit generators to an entry at ε = 0.3, on the half it was not trained on, and pack them as a run of their own."""
    model = name.split(".")[0]
    changes = {"objective": "mv_disrupt", "epsilon": 0.3, "half": "second", "n": 1_000_000}
    spec = runner.prepare("attack", "mv_gan", seed=0, preset=FITTED[name], changes=changes, models={"model": model})
    yield from runner.run(spec)
    run, partial = Store(home()).find(spec.key), (out / name).with_name(f".{name.split('/')[1]}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for file in ("spec.json", "result.json", "card.json", "fitted.safetensors", "samples.parquet", "images.npz"):
        shutil.copyfile(run.folder / file, partial / file)
    (partial / "events.jsonl").write_text("".join(to_line(event) + "\n" for event in _thinned(run.events())), encoding="utf-8")
    first = answers.ladder_question(run.spec.builds_on["model"], answers.SHOWN.get(run.spec.data, 0), attack="mv_gan", objective="mv_disrupt", fitted=run.key)
    answers.write(partial / "answers" / f"{answers.key(first)}.npz", answers.answer(first))
    partial.rename(out / name)


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
    sample = answers.SHOWN.get(run.spec.data, 0)
    first = answers.ladder_question(run.key, sample)
    questions: list[dict[str, object]] = [{"ask": "overview", "model": run.key}, first]
    if run.spec.name in SEVERAL_VIEWS:
        questions += [{"ask": "views", "model": run.key}, answers.ladder_question(run.key, sample, objective="mv_disrupt")]
    if len(load(run.spec.data)) < LARGE:
        questions += [{"ask": "umap", "model": run.key, "seed": 0}, {"ask": "place", "model": run.key, "ladder": first}]
    for question in questions:
        answers.write(folder / f"{answers.key(question)}.npz", answers.answer(question))
