"""How runs are made again: one command and one piece of Python for each, for the foot of a page."""

import json
import shlex

from app.address import connection
from engine.asking.questions import NU_TOP, TOP, EmbeddingLadderQuestion, LadderQuestion
from engine.store import pictures, reproduce
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.wanted import Wanted


def lines(*runs: Spec | Wanted) -> dict[str, str]:
    """Language -> the text that makes these runs, one after the other; empty where there are none."""
    found = [reproduce.lines(run, connection.catalogue(), connection.store()) for run in runs]
    if len(found) == 1:
        return found[0]
    return {"Command line": "\n".join(one["Command line"] for one in found)} if found else {}


def answer(question: LadderQuestion | EmbeddingLadderQuestion, at: float) -> dict[str, str]:
    """Language -> the text that asks a question again, and shows the level `at`: a ladder is no run, but the
    same question has the same answer. In a notebook the last line is drawn.
    """
    said = question.model_dump(mode="json", exclude_defaults=True)
    name = type(question).__name__
    code = [
        "from engine.asking.computing import answer",
        f"from engine.asking.questions import {name}",
        "from engine.cli import one_sample\n",
        f"found = answer({name}.model_validate({said!r}))",
        f"level = one_sample.nearest(found, {float(at):.9g})",
        "one_sample.show(found, level)",
        "one_sample.clean_and_attacked(found, level)",
    ]
    return {"Python": "\n".join(code)}


def one_sample(wanted: Wanted, question: LadderQuestion, at: float, original: str = "") -> dict[str, str]:
    """Language -> the text that asks for a sample's ladder again; the command prints the level `at`. A
    picture of one's own is read from where its `original` is kept.
    """
    axis = question.axis
    flags = [f"--sample {question.sample}"]
    if question.own is not None:
        flags = [f"--picture {shlex.quote(str(pictures.file_of(original or question.own.picture)))}"]
        flags += [f"--label {question.own.label}"] * (question.own.label is not None)
    flags += [f"--along {axis.name}"] * (axis.name != "epsilon")
    flags += [f"--at {at:g}"] * (axis.name in ("path", "compressed"))
    flags += [f"--top {axis.top:.9g}"] * (axis.name == "epsilon" and axis.top > TOP[question.norm])
    return {"Command line": " ".join([command(wanted), *flags])} | answer(question, at)


def along_nu(question: EmbeddingLadderQuestion, at: float) -> dict[str, str]:
    """The same of a sample whose embedding is moved; the command prints the level at this ν."""
    objective, store = question.objective.name, connection.store()
    models = {"model": question.model}
    wish = Wanted("attack", question.attack.name, changes={"objective": objective}, models=models)
    flags = [f"--sample {question.sample} --at {at:g}"]
    flags += [f"--top {question.top:g}"] * (question.top != NU_TOP)
    names = [store.find(key).name for key in question.attack.fitted]
    flags += [f"--levels {','.join(names)}"] * bool(names)
    return {"Command line": " ".join([command(wish), *flags])} | answer(question, at)


def command(run: Spec | Wanted) -> str:
    """The same as one line for a card."""
    return lines(run)["Command line"]


def card(run: Run) -> str:
    """Everything that says what a run is and what came out, as JSON: key, settings, how it was computed,
    scores.
    """
    said = {
        "key": run.key,
        "spec": run.spec.model_dump(mode="json"),
        "card": run.card(),
        "result": run.result(),
    }
    return json.dumps(said, indent=1, ensure_ascii=False)
