"""`attack … --sample N`: one sample under an attack, as the pages Attack and Robust clustering ask for it:
its ladder, and the level of it that was typed.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.asking.answers import EmbeddingLadderAnswer, LadderAnswer
from engine.asking.questions import (
    LAMBDA_TOP,
    NU_TOP,
    OWN,
    AttackChoice,
    Axis,
    EmbeddingLadderQuestion,
    LadderQuestion,
    ObjectiveChoice,
    OverviewQuestion,
    OwnPicture,
    Question,
)
from engine.cli import terminal
from engine.cli.flags import Parser
from engine.data import drawn
from engine.data.fixed import text_of
from engine.errors import DataError, SettingsError
from engine.store import catalogue, pictures
from engine.store.spec import Spec
from engine.store.store import Store
from engine.store.wanted import Entry

SIDE, STRIP = 256, 16
"""Pixels of a picture's longer side, about, and of a strip's height before it is enlarged."""


@dataclass(frozen=True)
class OneSample:
    """The sample that was typed, along what its ladder lies, and where on it one looks."""

    sample: int
    along: str = "epsilon"
    at: float | None = None
    """Which step of the path, which K, or which ν; ε and λ say it for the other axes."""
    top: float = 0.0
    """How far a ladder over ε goes, where that is farther than usual; of one over ν, how far it goes."""
    own: Path | None = None
    """A picture in place of a sample."""
    label: int | None = None
    """What it is, where that was said."""
    fitted: tuple[str, ...] = ()
    """Runs in which an attack on the embedding was fitted: each is a level of a ladder over ν."""


def add_flags(parser: Parser, entry: Entry) -> None:
    """The flags of an attack that can be followed on one sample."""
    if not {"epsilon", "nu"} & set(entry["axes"]):
        return
    group = parser.add_argument_group("one sample")
    group.add_argument("--sample", type=int, help="attack this one alone, and say what became of it")
    if "nu" in entry["axes"]:
        group.add_argument("--at", type=float, help="the ν of its ladder; where a page begins unless given")
        group.add_argument("--top", type=float, default=NU_TOP, help="the largest ν of its ladder")
        group.add_argument(
            "--levels", default="", help="RUN,RUN …: attacks fitted at several ν, each a level of its ladder"
        )
        return
    group.add_argument("--picture", type=Path, help="attack this picture of your own: a PNG, JPEG …")
    group.add_argument("--label", type=int, help="which class it is, for objectives that know labels")
    group.add_argument("--along", choices=entry["axes"], default="epsilon", help="what its ladder lies along")
    group.add_argument("--at", type=float, help="the step of its path, or K; the last unless given")
    group.add_argument("--top", type=float, default=0.0, help="the largest ε of its ladder")


def typed(parsed: argparse.Namespace) -> OneSample | None:
    """What was typed of one sample; None where nothing was. Raises SettingsError for two, or for a label of
    none.
    """
    sample, picture, label = (getattr(parsed, name, None) for name in ("sample", "picture", "label"))
    if sample is not None and picture is not None:
        raise SettingsError(f"--sample {sample} and --picture {picture} are two samples; say one of them.")
    if label is not None and picture is None:
        raise SettingsError("--label says what --picture shows; samples of the data bring their own.")
    if sample is None and picture is None:
        return None
    if hasattr(parsed, "levels"):
        fitted = tuple(filter(None, parsed.levels.split(",")))
        return OneSample(parsed.sample, "nu", parsed.at, parsed.top, fitted=fitted)
    number = OWN if sample is None else int(sample)
    return OneSample(number, parsed.along, parsed.at, parsed.top, picture, label)


def question(spec: Spec, one: OneSample) -> Question[Any]:
    """The question of a sample's ladder, put as the page puts it. Raises SettingsError for one that cannot
    be.
    """
    return _along_nu(spec, one) if one.along == "nu" else _on_pixels(spec, one)


def _along_nu(spec: Spec, one: OneSample) -> EmbeddingLadderQuestion:
    said, store = spec.settings, Store()
    fitted = [store.find(name).key for name in one.fitted]
    fitted += [spec.builds_on["fitted"]] if "fitted" in spec.builds_on else []
    return EmbeddingLadderQuestion(
        model=spec.builds_on["model"],
        sample=one.sample,
        attack=AttackChoice(name=spec.name, settings=said["attack_settings"], fitted=tuple(fitted)),
        objective=ObjectiveChoice(name=said["objective"], settings=said["objective_settings"]),
        top=one.top,
        seed=spec.seed,
    )


def _on_pixels(spec: Spec, one: OneSample) -> LadderQuestion:
    said = spec.settings
    target = {} if said["cluster"] is None else {"cluster": said["cluster"]}
    if one.along == "lambda" and said["lam"] > LAMBDA_TOP:
        raise SettingsError(f"lam must be at most {LAMBDA_TOP:g} on a ladder over it; got {said['lam']:g}.")
    axis = {
        "epsilon": Axis.of_epsilon(said["norm"], max(said["epsilon"], one.top)),
        "path": Axis.of_path(said["epsilon"]),
        "lambda": Axis.of_lambda(said["epsilon"]),
        "compressed": Axis.of_compressed(said["epsilon"]),
    }[one.along]
    fitted = (spec.builds_on["fitted"],) if "fitted" in spec.builds_on else ()
    return LadderQuestion(
        model=spec.builds_on["model"],
        sample=one.sample,
        own=None if one.own is None else _own(spec, one.own, one.label),
        attack=AttackChoice(name=said["attack"], settings=said["attack_settings"], fitted=fitted),
        objective=ObjectiveChoice(
            name=said["objective"],
            settings=said["objective_settings"] | target,
            lam=0.0 if one.along == "lambda" else said["lam"],
        ),
        norm=said["norm"],
        axis=axis,
        locked=tuple(said["locked"]),
        fixed=said.get("fixed", ""),
        seed=spec.seed,
    )


def _own(spec: Spec, file: Path, label: int | None) -> OwnPicture:
    """A picture's file as the model sees it, kept. Raises DataError for what is none, or for data that are no
    pictures.
    """
    picture = _opened(file)
    from engine.asking import computing  # torch, only where something is computed

    model = computing.answer(OverviewQuestion(model=spec.builds_on["model"]))
    if not drawn.takes(model.shape, model.views):
        samples = f"have {model.views} views" if model.views > 1 else "are none"
        raise DataError(
            f"--picture needs a model that sees one picture, and samples of {spec.data} {samples}. Choose one"
            " with --sample."
        )
    framing = catalogue.read()["data"].get(spec.data, {}).get("framing", "whole")
    seen = drawn.as_seen(picture, model.shape, framing)
    return OwnPicture(picture=pictures.keep(seen.image), label=label)


def bright(file: Path) -> str:
    """The text of the places that may not change: the bright pixels of a picture as large as the samples."""
    picture = _opened(file)
    return text_of((picture if picture.ndim == 2 else picture.mean(axis=2)) > drawn.FULL / 2)


def _opened(file: Path) -> drawn.Pixels:
    try:
        return drawn.opened(file.read_bytes())
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror}. Name a picture.") from None


def level_of(answer: LadderAnswer, spec: Spec, one: OneSample) -> int:
    """The level that was typed: the nearest one."""
    last = answer.start if one.along == "nu" else len(answer.levels) - 1
    wanted = {"epsilon": spec.settings["epsilon"], "lambda": spec.settings["lam"]}.get(one.along, one.at)
    return last if wanted is None else nearest(answer, wanted)


def nearest(answer: LadderAnswer, at: float) -> int:
    """The level nearest to an ε, a λ, a step, a K or a ν."""
    return int(np.abs(np.array(answer.levels) - at).argmin())


def clean_and_attacked(answer: LadderAnswer, level: int) -> Image.Image:
    """The sample as it was and, at the right, as it is at a level; what is no picture is drawn as a strip."""
    from engine.running.pictures import grid  # torch with it, which reading a command line needs not

    both = np.stack([answer.clean, answer.clean + answer.delta[level].astype(np.float32)])
    if len(answer.shape) == 3:
        images = both.reshape(1, 2, *answer.shape)
    else:
        images = np.broadcast_to(both[None, :, None, None], (1, 2, 1, STRIP, answer.clean.size))
    return grid(images, scale=max(1, SIDE // max(images.shape[3:])))


def numbers(answer: LadderAnswer, level: int) -> dict[str, Any]:
    """What became of the sample at a level, and the smallest ε that was found, by their names."""
    by_noise, n = answer.noise_at(level)
    noise = {"noise_reached": by_noise, "noise_n": n} if n else {}
    found: dict[str, Any] = {
        "sample": answer.sample,
        "label": answer.label_name,
        answer.axis: answer.levels[level],
        "value": float(answer.value[level]),
        "reached": None if answer.reached is None else bool(answer.reached[level]),
        "epsilon_star": answer.epsilon_star,
        **noise,
        "levels": len(answer.levels),
        "linf": float(answer.linf[level]),
        "l2": float(answer.l2[level]),
    }
    if answer.q is not None and answer.own_group is not None:
        now = int(answer.q[level].argmax())
        found |= {"group_clean": answer.group_names[answer.own_group], "group": answer.group_names[now]}
        found |= {"confidence": float(answer.q[level, now])}
    if isinstance(answer, EmbeddingLadderAnswer):
        found |= {"ratio": float(answer.ratio[level]), "shift_mse": float(answer.shift_mse[level])}
    return {name: value for name, value in found.items() if value is not None}


TITLES = {
    "epsilon": "ε",
    "lambda": "λ",
    "path": "step",
    "nu": "ν",
    "ratio": "‖δ‖/‖z‖",
    "shift_mse": "change of the decoded picture (mean square)",
    "compressed": "K",
    "value": "objective",
    "epsilon_star": "ε* ≤",
    "noise_reached": "noises of this size that reach it",
    "noise_n": "noises drawn",
    "linf": "L∞",
    "l2": "L2",
    "group_clean": "group, clean",
    "group": "group, attacked",
}


def show(answer: LadderAnswer, level: int, as_json: bool = False) -> None:
    """The numbers of a level, as a table or as one line of JSON."""
    found = numbers(answer, level)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    print(f"{answer.title}: {answer.protocol}")
    print(terminal.table([(TITLES.get(name, name), terminal.number(value)) for name, value in found.items()]))
