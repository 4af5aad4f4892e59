"""Commands that compute: train, attack, sweep, pairs, place, study, resume, work."""

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from engine import data
from engine.cli import one_sample, terminal
from engine.cli.choosing import Typed, typed
from engine.cli.flags import Parser
from engine.cli.one_sample import OneSample
from engine.events import Event, Finished
from engine.pool import parent, workers
from engine.store import catalogue, lock
from engine.store.files import write_json
from engine.store.run import FINAL, Run
from engine.store.spec import Spec
from engine.store.store import DONE, Store
from engine.store.wanted import Wanted


def train(arguments: list[str]) -> int:
    """Train a model: train MODEL --data NAME_OR_FILE [--with ATTACK_RUN] [--base RUN] [--preset quick]
    [--seed 0] [--FIELD VALUE …] [--json]
    """
    return _do(typed("train", arguments))[0]


def attack(arguments: list[str]) -> int:
    """Attack a model: attack ATTACK --model RUN_OR_ZOO_NAME --objective NAME --epsilon E [--norm linf] [--n
    1000] [--lam λ] …

    An attack on the embedding takes no ε but its own weight: attack latent_attack --model M --objective
    flip_and_keep [--nu V] [--fitted RUN]; one sample along ν with --sample N [--at NU]

    One sample alone, as the page Attack shows it: attack ATTACK --model M --sample N --epsilon E
    """
    chosen = typed("attack", arguments)
    return _do(chosen)[0] if chosen.one is None else _one(chosen, chosen.one)


def sweep(arguments: list[str]) -> int:
    """The same over lists: sweep ATTACK --model M --objective NAME --epsilon 0,0.1,0.2 [--lam 0,1]
    [--attack-seed 0,1,2] …
    """
    return _do(typed("sweep", arguments))[0]


def pairs(arguments: list[str]) -> int:
    """Which cluster can become which: pairs ATTACK --model M --epsilon E [--n 100] …"""
    return _do(typed("pairs", arguments))[0]


def place(arguments: list[str]) -> int:
    """The map of a model's embedding: place --model M [--umap true]"""
    return _do(typed("place", arguments))[0]


def study(arguments: list[str]) -> int:
    """Tables and figures of a paper, measured: study NAME [--size quick|mini|paper] [--seeds 3] [--out
    FOLDER] [--json]
    """
    chosen = typed("study", arguments)
    code, run = _do(chosen)
    if code == 0 and chosen.out:
        size = run.spec.settings["study_settings"]["size"]
        chosen.out.mkdir(parents=True, exist_ok=True)
        result = {"study": run.spec.name, "how": run.card()["how"]} | run.result()
        write_json(chosen.out / f"{run.spec.name}.{size}.json", result)
    return code


def resume(arguments: list[str]) -> int:
    """Go on with a stopped, paused or failed run: resume KEY [--json]"""
    parser = Parser(prog="resume")
    parser.add_argument("run", help="a key or its beginning")
    parser.add_argument("--json", action="store_true", help="one event a line")
    chosen = parser.finish(arguments)
    run = Store().mine(chosen.run)
    from engine.running import runner  # torch, only where something is computed

    return _show(run, runner.resume(run.name), chosen.json)


def work(arguments: list[str]) -> int:
    """Do the run of a folder, as the pool's child process: work FOLDER"""
    parser = Parser(prog="work")
    parser.add_argument("folder", type=Path)
    parser.add_argument(parent.LEASH, action="store_true", help="stop when standard input closes")
    parser.add_argument("--json", action="store_true", help="one event a line")
    chosen = parser.finish(arguments)
    run = Run(chosen.folder.resolve())
    run.check()
    with _Interrupts(run, by="engine" if chosen.end_with_parent else "person"):
        from engine.running import runner  # torch, only where something is computed

        if chosen.end_with_parent:
            workers.stand_back("train")
        code = terminal.follow(runner.work(run), chosen.json, {})
    return code if isinstance(run.last_event(), FINAL) else workers.UNWRITTEN


def spec_of(wanted: Wanted) -> Spec:
    """The checked spec of what was typed; its data are fetched first where they must be. Raises a FeintError
    for every wrong choice.
    """
    from engine.running import runner  # torch, only where something is computed

    if wanted.action == "study":
        wanted = replace(wanted, data=_data_of_study(wanted))
    card = data.cards().get(wanted.data or "")
    if card is not None and not card["here"]:
        terminal.bring(data.fetch(card["name"]))
    return runner.prepare(**vars(wanted))


def _data_of_study(wanted: Wanted) -> str:
    """The data of a study's first row, under which its run is filed."""
    from engine.studies.study import Study  # torch, only where something is computed

    return Study.choose(wanted.name, wanted.preset, wanted.changes).chosen.data()


def _one(chosen: Typed, one: OneSample) -> int:
    """Attack one sample; no run is made."""
    from engine.asking import computing  # torch, only where something is computed

    spec = spec_of(chosen.wanted)
    answer = computing.answer(one_sample.question(spec, one))
    one_sample.show(answer, one_sample.level_of(answer, spec, one), chosen.json)
    return 0


def _do(chosen: Typed) -> tuple[int, Run]:
    """Do a run in the foreground: the exit code, and the run."""
    from engine import device  # torch, only where something is computed
    from engine.running import runner

    spec = spec_of(chosen.wanted)
    how = device.choose(*chosen.how) if chosen.how != ("auto", "auto", None) else None
    store = Store()
    run = store.anew(spec) if chosen.again else store.create(spec)
    if run.status() in DONE:
        store.note(run)
    events: Iterable[Event] = runner.run(run, how=how, store=store)
    if run.status() not in DONE and not chosen.json:
        _say_preset(chosen.wanted, spec)
    if run.status() in DONE and not chosen.json:
        _say_done(run)
        last = run.last_event()
        events = [last] if isinstance(last, Finished) else events
    return _show(run, events, chosen.json, chosen.most), run


def _say_preset(wanted: Wanted, spec: Spec) -> None:
    """Of a training with no preset that takes longer than the one that is meant for its data: how much, and
    how that one is asked for. Nobody waits for hours who did not mean to.
    """
    if wanted.action != "train" or wanted.preset or "epochs" in wanted.changes:
        return
    entry = catalogue.read()["model"][wanted.name]
    meant, own = entry["fits"].get(spec.data), spec.settings["model_settings"].get("epochs")
    shorter = entry["presets"].get(meant, {}).get("epochs")
    if own and shorter and own > shorter:
        print(
            f"{wanted.name} as published: {own:,} epochs, {own / shorter:.0f} times the {shorter:,} of its"
            f" preset for {spec.data}. Stop with Ctrl-C and add --preset {meant} for that one.",
            file=sys.stderr,
        )


def _say_done(run: Run) -> None:
    """That nothing is computed now, and how it would be."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.card().get("created", 0)))
    origin = f"{run.zoo} of the zoo" if run.zoo else f"run {run.key}"
    print(f"done before: {origin}, {when}; --again makes it anew", file=sys.stderr)


def _show(run: Run, events: Iterable[Event], as_json: bool, most: int | None = None) -> int:
    titles = {} if as_json else catalogue.read()["metric"]
    with _Interrupts(run):
        return terminal.follow(events, as_json, titles, most)


class _Interrupts:
    """While a run goes on here, Ctrl-C and SIGTERM stop it at its next event, with a checkpoint; a second one
    ends at once.
    """

    def __init__(self, run: Run, by: str = "person") -> None:
        self.run, self.by = run, by

    def __enter__(self) -> None:
        self.old = {number: signal.signal(number, self._heed) for number in (signal.SIGINT, signal.SIGTERM)}

    def __exit__(self, *_: object) -> None:
        for number, handler in self.old.items():
            signal.signal(number, handler)

    def _heed(self, number: int, _: object) -> None:
        holder = lock.holder(self.run.folder)
        if holder is None or holder.get("pid") != os.getpid() or self.run.wanted() != "run":
            raise KeyboardInterrupt
        self.run.want("stop", self.by)
        with suppress(OSError, ValueError):  # nobody may be there to read it any more
            print(
                "Stopping at the next step; what makes checkpoints leaves one. Once more ends at once.",
                file=sys.stderr,
            )
