"""One runner turns a spec into events and a folder: in the foreground, in process for tests, as the pool's
child process.

    from engine.running.runner import prepare, run
    spec = prepare("train", "adec", "digits", preset="quick")
    for event in run(spec):
        print(event)

`prepare` checks every choice; `run` does it, goes on with it, follows it, or says again what it said.
"""

import time
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from typing import Any

from engine import device
from engine.device import How
from engine.errors import DiskError, FeintError, ResumeRefused, RunBroken, UnknownName
from engine.events import Event, Failed, Finished, Progress, Started, Stopped, finite
from engine.home import unwritable, why_unwritable
from engine.running.action import Action
from engine.running.actions import action_of
from engine.running.ingredients import plain_data_of
from engine.running.job import Job
from engine.running.preparing import below, prepare, spec_of
from engine.store import checkpoint, lock, snapshot
from engine.store.files import write_json
from engine.store.run import FINAL, Run, story
from engine.store.spec import Spec
from engine.store.store import Store

__all__ = ["prepare", "resume", "run", "work"]

FOLLOW_EVERY = 0.1
"""Seconds between looks at a run that another process works on."""
LOG_EVERY = 0.1
"""Seconds between Progress events that are kept; more frequent ones are dropped."""


def run(
    what: Spec | Run,
    *,
    how: How | None = None,
    on_event: Callable[[Event], object] | None = None,
    store: Store | None = None,
) -> Generator[Event, None, None]:
    """Do a run and yield its events as they come; they are in its folder as well.

    A finished run says its events again; one that another process works on is followed; a stopped or failed
    one goes on from its checkpoint. What goes wrong becomes the last event, Failed. Closing the generator
    stops the run.
    """
    store = store or (Store(what.folder.parents[1]) if isinstance(what, Run) and not what.zoo else Store())
    this = what if isinstance(what, Run) else store.create(what)
    if this.status() not in ("running", "finished", "zoo"):
        this.want("run")
    yield from work(this, how=how, on_event=on_event, store=store)


def work(
    this: Run,
    *,
    how: How | None = None,
    on_event: Callable[[Event], object] | None = None,
    store: Store | None = None,
) -> Generator[Event, None, None]:
    """As `run`, but heeds a stop that was asked for before it began: the pool's form."""
    for event in _attend(this, store or Store(this.folder.parents[1]), how):
        if event is not None:
            if on_event:
                on_event(event)
            yield event


def resume(name: str, *, how: How | None = None, store: Store | None = None) -> Generator[Event, None, None]:
    """Go on with a stopped, paused or failed run. Raises ResumeRefused for a zoo entry, RunBroken for a
    broken one.
    """
    store = store or Store()
    this = store.mine(name)
    if this.zoo:
        this.want("run")
    return run(this, how=how, store=store)


Ticks = Generator[Event | None, None, bool]
"""Events, and None now and then while there is nothing to say; returns whether the end was seen."""


def _attend(this: Run, store: Store, how: How | None) -> Ticks:
    while True:
        if this.status() in ("finished", "zoo"):
            yield from story(this.events())
            return True
        if this.status() == "broken":
            raise RunBroken(this.reason())
        try:
            with lock.hold(this.folder):
                yield from _perform(this, store, how)
                return True
        except lock.Held:
            if (yield from _follow(this)):
                return True


def _follow(this: Run) -> Ticks:
    """What another process says, until it ends. An end counts only when nobody works any more: an older one
    may still stand there.
    """
    seen = 0
    while True:
        alive = lock.holder(this.folder) is not None
        events = this.events(seen)
        seen += len(events)
        yield from (
            event
            for event in (story(events) if seen == len(events) else events)
            if not isinstance(event, FINAL)
        )
        if not alive:
            break
        yield None
        time.sleep(FOLLOW_EVERY)
    last = this.last_event()
    if isinstance(last, FINAL):
        yield last
    return isinstance(last, FINAL)


class _Wish(Exception):
    """A person asked for a stop or a pause."""


def _perform(this: Run, store: Store, how: How | None) -> Generator[Event | None, None, None]:
    """Do the work, holding the lock; every end is written as an event."""
    this.repair()
    began = time.monotonic()
    try:
        yield from _heeding(this, _steps(this, store, how, began))
    except (_Wish, GeneratorExit, KeyboardInterrupt) as wish:
        stopped = this.append(Stopped(run=this.key, step=_step(this), paused=this.wanted() == "pause"))
        if not isinstance(wish, _Wish):
            raise
        yield stopped
    except Exception as error:  # a run's failure becomes an event
        yield _failed(this, error)


def _failed(this: Run, error: Exception) -> Event:
    """The run's last words, written down if the disk takes them, and the traceback in its log."""
    for partial in this.folder.glob(".*"):  # what was half written makes room
        if partial.is_file() and not partial.name.startswith(".lock"):
            partial.unlink(missing_ok=True)
    resumable = checkpoint.there(this.folder) and not isinstance(error, RunBroken)
    failed: Event = Failed(run=this.key, reason=_reason(this, error), resumable=resumable)
    with suppress(DiskError):
        failed = this.append(failed)
    with suppress(OSError), (this.folder / "log.txt").open("a", encoding="utf-8") as log:
        log.write("".join(traceback.format_exception(error)))
    return failed


def _heeding(this: Run, steps: Generator[Event | None, None, None]) -> Generator[Event | None, None, None]:
    """The same events, until a person wants something else; raises _Wish then, after `steps` has saved its
    work.
    """
    try:
        if this.wanted() != "run":
            raise _Wish
        for event in steps:
            yield event
            if not isinstance(event, FINAL) and this.wanted() != "run":
                raise _Wish
    finally:
        steps.close()


def _steps(this: Run, store: Store, how: How | None, began: float) -> Generator[Event | None, None, None]:
    spec, action = this.spec, action_of(this.spec)
    how = _how(this, how)
    title = " ".join([action.title, *([action.subject().title] if action.about else []), "on", spec.data])
    model = snapshot.words(spec.builds_on.get("model", ""))
    title += f", the model {model}" * bool(model)
    yield this.append(Started(run=this.key, title=title, step=_step(this), how=how.values()))
    job = Job(this, how, store)
    made = {"key": this.key, "title": title, "how": how.values(), "created": round(time.time(), 3)}
    said = action.described(job.data) | ({"model_as_it_was": model} if model else {})
    write_json(this.folder / "card.json", this.card() | made | said)
    for role, base in action.bases().items():
        yield from _base(this, store, role, base, job, how, below(action, role, spec.builds_on))
    metrics = yield from _kept(this, action.work(job))
    metrics = finite({"seconds": round(time.monotonic() - began, 3)} | metrics | said)
    write_json(this.folder / "result.json", metrics)
    write_json(
        this.folder / "card.json", this.card() | {"metrics": metrics, "finished": round(time.time(), 3)}
    )
    yield this.append(Finished(run=this.key, metrics=metrics, seconds=metrics["seconds"]))


def _kept(
    this: Run, steps: Generator[Event, None, dict[str, Any]]
) -> Generator[Event | None, None, dict[str, Any]]:
    """The action's events, written down; Progress not more often than every LOG_EVERY. Returns what the
    action returns.
    """
    last, phase = 0.0, None
    try:
        while True:
            event = next(steps)
            if (
                isinstance(event, Progress)
                and event.phase == phase
                and event.step != event.total
                and time.monotonic() - last < LOG_EVERY
            ):
                yield None
                continue
            if isinstance(event, Progress):
                last, phase = time.monotonic(), event.phase
            yield this.append(event)
    except StopIteration as end:
        return dict(end.value or {})
    finally:
        steps.close()


def _base(
    this: Run, store: Store, role: str, base: Action, job: Job, how: How, builds_on: Mapping[str, str]
) -> Generator[Event | None, None, None]:
    """Make (or find, or follow) a run that this one builds on; its progress is this one's, with the base as
    phase.
    """
    if _finished(store, this.spec.builds_on[role]):
        return
    spec = spec_of(base, plain_data_of(this.spec), this.spec.seed, builds_on)
    if spec.key != this.spec.builds_on[role]:
        raise RunBroken(
            f"The run {this.key} builds on {this.spec.builds_on[role]}, which this Feint would make as"
            f" {spec.key}; start it anew."
        )
    run_of_base = store.create(spec)
    steps = _attend(_asked(run_of_base), store, None if checkpoint.there(run_of_base.folder) else how)
    last: Event | None = None
    try:
        for event in steps:
            last = event or last
            yield (
                this.append(event.model_copy(update={"phase": f"{role}: {spec.name}"}))
                if isinstance(event, Progress)
                else None
            )
    finally:
        steps.close()
    if not isinstance(last, Finished):
        reason = last.reason if isinstance(last, Failed) else "it was stopped"
        raise RunBroken(f"The {spec.name} run {spec.key} that this one builds on did not finish: {reason}")


def _finished(store: Store, key: str) -> bool:
    try:
        return store.find(key).status() in ("finished", "zoo")
    except UnknownName:
        return False


def _asked(this: Run) -> Run:
    if this.status() != "running":
        this.want("run")
    return this


def _how(this: Run, how: How | None) -> How:
    """The recorded how where there is a checkpoint, else the one asked for, else that of the last start, else
    this machine's best.
    """
    recorded = checkpoint.about(this.folder).get("how") if checkpoint.there(this.folder) else None
    if recorded is None:
        return how or _of_last_start(this) or device.choose()
    if how is not None and (how.device, how.precision, how.threads) != (
        recorded["device"],
        recorded["precision"],
        recorded["threads"],
    ):
        raise ResumeRefused(
            f"The run {this.key} began on {recorded['device']} in {recorded['precision']} with"
            f" {recorded['threads']} threads and goes on so; {how.device}, {how.precision}, {how.threads} was"
            " asked for. Leave it out, or train anew with another seed."
        )
    return device.same(recorded)


def _of_last_start(this: Run) -> How | None:
    """How a run was begun that has no checkpoint to go on from, where this machine can do so too."""
    recorded = this.card().get("how")
    with suppress(ResumeRefused):
        return device.same(recorded) if recorded else None
    return None


def _step(this: Run) -> int:
    try:
        return int(checkpoint.about(this.folder).get("counters", {}).get("step", 0))
    except RunBroken:
        return 0


def _reason(this: Run, error: Exception) -> str:
    if isinstance(error, FeintError):
        return str(error)
    if why := why_unwritable(error):
        return str(unwritable(this.folder, why))
    said = " ".join(str(error).split())[:200]
    return (
        f"{type(error).__name__}: {said or 'without a word'} (the whole story is in log.txt of the run's"
        " folder)"
    )
