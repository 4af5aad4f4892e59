"""`python -m engine zoo`: train, measure and pack the entries of assets/zoo, each a read-only run with what
inference needs.

An entry holds spec, card with measured clean and attacked scores, weights, a thinned record of its training,
and the answers its first pictures need. The old entry is removed first, or its key would be served by it.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, product
from pathlib import Path
from typing import Any

from engine.asking import answers
from engine.asking.victims import victim
from engine.data import load
from engine.defences.latent_defence import LatentDefence
from engine.events import Evaluate, Event, Finished, Progress, Started, to_line
from engine.home import home
from engine.running import runner
from engine.store.run import Run
from engine.store.store import Store

CLUSTERING = ("acai", "ae_kmeans", "dec_star", "idec_star", "adec")
SEVERAL_VIEWS = ("simvc", "comvc", "aecoddc", "ar_dmvc", "ar_dmvc_am")
ROBUST = LatentDefence.begins_from
GENERATORS = {"strong": None, "as_released": "as_released"}
"""What stands behind the dot of a fitted generator's name -> its preset."""
ATTACKED = ({"epsilon": 0.05}, {"epsilon": 0.1}, {"epsilon": 0.2})
"""PGD with which the scores on a model's card are measured."""
LARGE = 500_000
"""Numbers in an embedding of all samples from which no UMAP is made ready: it would take minutes and
megabytes.
"""
SMALL = 200
"""Numbers in a sample below which the pictures of an act come with it; of larger ones they would take
megabytes, and are decoded when asked for.
"""
RECORD = 150
"""How many evaluations of its training an entry keeps."""


@dataclass(frozen=True)
class Made:
    """How an entry is made: a model that is trained, or an attack that is fitted to the entry `on`, or is
    that of the entry `fitted` as it is.
    """

    name: str
    preset: str | None
    changes: Mapping[str, Any] = field(default_factory=dict)
    on: str = ""
    fitted: str = ""


def _models() -> Iterator[tuple[str, Made]]:
    for data, models, preset in (
        ("digits", CLUSTERING, "quick"),
        ("mnist_test", CLUSTERING, "mnist_test"),
        ("noisy_digits", SEVERAL_VIEWS, "quick"),
        ("noisy_mnist", ("comvc", "ar_dmvc_am"), "mini"),
    ):
        yield from ((f"{data}/{model}", Made(model, preset)) for model in models)


def _generators() -> Iterator[tuple[str, Made]]:
    """Fitted at ε = 0.3 on the half that the model was not trained on."""
    changes = {"objective": "mv_disrupt", "epsilon": 0.3, "half": "second", "n": None}
    for model, (kind, preset) in product(SEVERAL_VIEWS, GENERATORS.items()):
        yield f"noisy_digits/{model}.{kind}", Made("mv_gan", preset, changes, on=f"noisy_digits/{model}")


def _acts(data: str, module: str, preset: str, nus: Mapping[str, float]) -> Iterator[tuple[str, Made]]:
    """Attack, defence and re-attack on the embedding, with attacks of other weights, by name."""
    base, changes = f"{data}/{module}", {"objective": "flip_and_keep", "n": 1000}
    defended = f"{base}.defended"
    yield base, Made(module, preset)
    yield f"{base}.attack", Made("latent_attack", preset, changes, on=base)
    yield defended, Made("latent_defence", preset, {"module": module})
    yield f"{defended}.same", Made("latent_attack", preset, changes, on=defended, fitted=f"{base}.attack")
    yield f"{defended}.reattack", Made("latent_attack", preset, changes, on=defended)
    for (name, nu), on in product(nus.items(), (base, defended)):
        yield f"{on}.{name}", Made("latent_attack", preset, changes | {"objective_settings.nu": nu}, on=on)


ENTRIES: dict[str, Made] = dict(
    chain(
        _models(),
        _generators(),
        _acts("digits", "conv_ae", "quick", {"nu1": 0.001, "nu3": 0.003, "nu5": 0.005}),
        *(_acts("digits", module, "quick", {}) for module in ROBUST[1:]),
        _acts("mnist_test", "conv_ae", "mini", {}),
    )
)
"""Every entry by name, in an order in which each finds what it builds on."""


def build(names: list[str], out: Path = answers.ZOO) -> Iterator[Event]:
    """Build entries one after the other, yielding the events of their runs."""
    for number, name in enumerate(names):
        shutil.rmtree(out / name, ignore_errors=True)
        made = ENTRIES[name]
        yield from _fit(name, made, out) if made.on else _train(name, made, out)
        yield Progress(step=number + 1, total=len(names), phase=f"packed {name}")


def _train(name: str, made: Made, out: Path) -> Iterator[Event]:
    """Train a model, attack it at every size for its card, and pack it."""
    data = name.split("/")[0]
    spec = runner.prepare("train", made.name, data, seed=0, preset=made.preset, changes=made.changes)
    yield from runner.run(spec)
    run = Store(home()).find(spec.key)
    several: dict[str, object] = {"objective": "mv_disrupt", "half": "second"}
    fixed = (several if made.name in SEVERAL_VIEWS else {"objective": "leave_cluster"}) | {"n": 1000}
    scores = []
    for settings in ATTACKED:
        attack = runner.prepare(
            "attack",
            "pgd",
            data,
            seed=0,
            changes=fixed | {"norm": "linf", **settings},
            models={"model": spec.key},
        )
        for event in runner.run(attack):
            if isinstance(event, Finished):
                scores.append(
                    settings
                    | {"attack": "pgd", "steps": 20, "norm": "linf", "objective": fixed["objective"]}
                    | event.metrics
                )
    pack(run, out / name, scores)


def _fit(name: str, made: Made, out: Path) -> Iterator[Event]:
    """Fit an attack to an entry, or use another entry's on it, and pack it as a run of its own."""
    models = {"model": made.on} | ({"fitted": made.fitted} if made.fitted else {})
    spec = runner.prepare(
        "attack", made.name, seed=0, preset=made.preset, changes=made.changes, models=models
    )
    yield from runner.run(spec)
    run, partial = Store(home()).find(spec.key), (out / name).with_name(f".{name.split('/')[1]}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for file in (
        "spec.json",
        "result.json",
        "card.json",
        "samples.parquet",
        "images.npz",
        *(() if made.fitted else ("fitted.safetensors",)),
    ):
        shutil.copyfile(run.folder / file, partial / file)
    (partial / "events.jsonl").write_text(
        "".join(to_line(event) + "\n" for event in _thinned(run.events())), encoding="utf-8"
    )
    for question in _shown_of(run, name):
        answers.write(partial / "answers" / f"{answers.key(question)}.npz", answers.answer(question))
    partial.rename(out / name)


def _shown_of(run: Run, name: str) -> list[dict[str, object]]:
    """The first picture of a fitted attack: a generator's ladder, or where an act's samples went."""
    model = run.spec.builds_on["model"]
    if run.spec.name == "mv_gan":
        return [
            answers.ladder_question(
                model,
                answers.SHOWN.get(run.spec.data, 0),
                attack="mv_gan",
                objective="mv_disrupt",
                fitted=run.key,
            )
        ]
    small = load(run.spec.data).views.size < SMALL
    return (
        [{"ask": "moved", "run": run.key}]
        if small and name.rsplit(".", 1)[1] in ("attack", "same", "reattack")
        else []
    )


def pack(run: Run, folder: Path, scores: list[dict[str, object]]) -> None:
    """Write one entry under a temporary name, then rename."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "state").mkdir(parents=True)
    for file in ("spec.json", "result.json", "state/model.safetensors"):
        shutil.copyfile(run.folder / file, partial / file)
    card = run.card() | {"attacked": scores}
    (partial / "card.json").write_text(json.dumps(card, indent=1), encoding="utf-8")
    (partial / "events.jsonl").write_text(
        "".join(to_line(event) + "\n" for event in _thinned(run.events())), encoding="utf-8"
    )
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
        questions += [
            {"ask": "views", "model": run.key},
            answers.ladder_question(run.key, sample, objective="mv_disrupt"),
        ]
    if run.spec.name in (*ROBUST, "latent_defence"):
        questions.append(answers.nu_question(run.key, sample, load(run.spec.data).views.size))
    if victim(run.key).z.numel() < LARGE:
        questions += [
            {"ask": "umap", "model": run.key, "seed": 0},
            {"ask": "place", "model": run.key, "ladder": first},
        ]
    for question in questions:
        answers.write(folder / f"{answers.key(question)}.npz", answers.answer(question))
