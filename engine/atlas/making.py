"""`python -m engine atlas`: looks at samples of every model of the zoo; keeps what rules find striking."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine import registry
from engine.asking import computing, keeping
from engine.asking.answers import LadderAnswer
from engine.asking.questions import Question
from engine.atlas import case, from_runs, rule
from engine.atlas.case import ATLAS, Atlas, Case, Shown, difference
from engine.atlas.rule import Rule, Seen
from engine.device import of_answers
from engine.events import Event, Progress
from engine.store.run import Run
from engine.store.store import Store

CONSIDERED = 60
"""Samples of a model that are looked at: the first ones."""
KEPT = 2
"""Cases of a rule for each kind of model and each data set, at most, each of another method."""
Found = tuple[Case, np.ndarray]


def make(considered: int = CONSIDERED, out: Path = ATLAS) -> Iterator[Event]:
    """Climb the ladders that the rules ask for, those that were climbed before at once; then write."""
    zoo = {name: run for name, run in Store().zoo().items() if run.spec.action in ("train", "attack")}
    found: list[Found] = []
    known = dict(rule.rules())
    for number, (name, run) in enumerate(zoo.items()):
        if run.spec.action == "train":
            for each, looked_for in known.items():
                found.extend(_of_a_model(name, run, each, looked_for, considered))
        else:
            found.extend(from_runs.cases(run))
        yield Progress(step=number + 1, total=len(zoo), phase=f"looked at {name}")
    best = chosen(found)
    about = {name: {"title": each.title, "about": each.about} for name, each in known.items()}
    about |= {from_runs.NAME: {"title": from_runs.TITLE, "about": from_runs.ABOUT}}
    case.write(Atlas(about, tuple(one for one, _ in best), tuple(images for _, images in best)), out)
    yield Progress(step=len(zoo), total=len(zoo), phase=f"kept {len(best)} cases")


def chosen(found: list[Found]) -> list[Found]:
    """The most striking ones of each rule, kind of model and data set, in the order of `found`'s scores."""
    ranked = sorted(found, key=lambda one: -one[0].measured["score"])
    kept: dict[tuple[str, str, str], list[Found]] = {}
    for one in ranked:
        here = kept.setdefault((one[0].rule, one[0].family, one[0].data), [])
        if len(here) < KEPT and all(other.model != one[0].model for other, _ in here):
            here.append(one)
    return [one for key in sorted(kept) for one in kept[key]]


def _of_a_model(name: str, run: Run, called: str, looked_for: Rule, considered: int) -> Iterator[Found]:
    """The most striking of a model's first samples, if any is a case of the rule."""
    settings = registry.find("model", run.spec.name)
    if not looked_for.suits(settings):
        return
    best: tuple[float, Question[LadderAnswer], Seen] | None = None
    considered = min(considered, looked_for.most or considered)
    for sample in range(considered):
        question = looked_for.ask(run, sample)
        if question is None:
            return
        other = looked_for.beside(run, sample) if looked_for.beside else None
        if looked_for.beside and other is None:
            return
        seen = Seen(name, _answer(question), None if other is None else _answer(other))
        score = looked_for.score(seen)
        if score is not None and (best is None or score > best[0]):
            best = (score, question, seen)
    if best is not None:
        yield _kept(called, looked_for, run, best, considered)


def _answer(question: Question[LadderAnswer]) -> LadderAnswer:
    return keeping.kept_or(question, computing.compute, of_answers)


def _kept(
    called: str, looked_for: Rule, run: Run, best: tuple[float, Question[LadderAnswer], Seen], considered: int
) -> Found:
    score, question, seen = best
    answer, level = seen.answer, looked_for.level(seen)
    delta = answer.delta[level].astype(np.float32)
    attacked = np.clip(answer.clean + delta, 0, 1)
    pictures = [
        (Shown(says=seen.own or "clean"), answer.clean),
        (difference(delta), delta),
        (Shown(says=_becomes(seen, level)), attacked),
        *((Shown(says=says), image) for says, image in looked_for.extra(seen)),
    ]
    wanted = question.model_dump()["objective"]["name"]
    kept = Case(
        rule=called,
        family=registry.find("model", run.spec.name).family.name,
        data=run.spec.data,
        model=seen.model,
        attack=question.model_dump()["attack"]["name"],
        objective=wanted,
        sample=answer.sample,
        level=answer.levels[level],
        axis=answer.axis,
        sentence=looked_for.sentence(seen),
        measured={"score": float(score)}
        | {key: float(value) for key, value in looked_for.measured(seen).items()},
        considered=considered,
        shape=answer.shape,
        shown=tuple(shown for shown, _ in pictures),
    )
    return kept, np.stack([image for _, image in pictures])


def _becomes(seen: Seen, level: int) -> str:
    """What the attacked sample is taken for."""
    answer = seen.answer
    return "attacked" if answer.q is None else answer.group_names[int(answer.q[level].argmax())]
