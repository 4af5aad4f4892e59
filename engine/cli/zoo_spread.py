"""`python -m engine zoo NAME --spread`: how an entry's scores, clean and attacked, spread over seeds.

The entry is one training with seed 0. Its method is trained with the next seeds too, as the entry was; each
model is attacked by PGD, and beside it by the strongest attack on the first 100 samples. What comes of it
stands beside the entry, in `spread.json`; the entry itself, and its key, stay what they are.
"""

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from engine import registry
from engine.asking import keeping
from engine.cli.zoo_entries import entries
from engine.errors import RunBroken
from engine.events import Event, Failed, Finished, Progress
from engine.running import runner
from engine.running.preparing import prepare
from engine.store.files import write_json
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.spread import FILE
from engine.store.store import Store
from engine.studies.study import over_seeds

EPSILONS = (0.1, 0.2)
SAMPLES = 300
CLEAN = ("acc", "nmi")
ATTACKED = (
    "acc_attacked_fixed_match",
    "success_rate",
    "noise_success_rate",
    "strongest_success_rate",
    "strongest_missed",
)


def spread(names: list[str], seeds: int, out: Path = keeping.ZOO) -> Iterator[Event]:
    """Measure the spread of models among the entries, one after the other, yielding the events of their
    runs.
    """
    for number, name in enumerate(names):
        yield from _of(name, seeds, out)
        yield Progress(step=number + 1, total=len(names), phase=f"spread of {name}")


def _of(name: str, seeds: int, out: Path) -> Iterator[Event]:
    """Train and attack a model for every seed, and write what it came to."""
    entry, data, runs = entries()[name], name.split("/")[0], []
    for seed in range(seeds):
        training = prepare("train", entry.name, data, preset=entry.preset, changes=entry.changes, seed=seed)
        runs.append((yield from _finished(training)))
    abilities = registry.find("model", entry.name).abilities
    attacked = []
    for epsilon in EPSILONS if "clusters" in abilities else ():
        half = {"half": "second"} if "fuses" in abilities else {}
        changes = {"objective": "leave_cluster", "epsilon": epsilon, "n": SAMPLES} | half
        results = []
        for run in runs:
            models = {"model": run.key}
            spec = prepare("attack", "pgd", data, changes=changes, models=models, seed=run.spec.seed)
            results.append((yield from _finished(spec)).result())
        counted = {"strongest_n": results[0].get("strongest_n")}
        attacked.append({"attack": "pgd"} | changes | counted | _over(results, ATTACKED))
    clean = _over([run.result() for run in runs], CLEAN)
    write_json(out / name / FILE, {"seeds": seeds, "clean": clean, "attacked": attacked})


def _over(results: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    """Mean, deviation and values by seed of the numbers that every run has."""
    there = [name for name in names if all(result.get(name) is not None for result in results)]
    return {name: over_seeds([result[name] for result in results]) for name in there}


def _finished(spec: Spec) -> Generator[Event, None, Run]:
    """The run of a spec, found or done now. Raises RunBroken where it did not finish."""
    last = None
    for last in runner.run(spec):
        if isinstance(last, Progress):
            yield last
    if not isinstance(last, Finished):
        reason = last.reason if isinstance(last, Failed) else "it was stopped"
        raise RunBroken(f"The run {spec.key} of {spec.name} did not finish: {reason}")
    return Store().find(spec.key)
