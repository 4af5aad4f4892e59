"""A model that left another Feint becomes a run here: its hashes, its settings and the shapes of its weights
are checked before anything is kept.
"""

import json
import math
import re
import shutil
import uuid
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import safe_open

from engine.data import own_kept
from engine.data.listing import owners
from engine.errors import KEY, FeintError, RunBroken, RunError
from engine.events import Finished
from engine.home import make_home, writing
from engine.running import training
from engine.running.actions import action_of
from engine.store import checkpoint, portable
from engine.store.files import write_json
from engine.store.run import Run
from engine.store.spec import Spec
from engine.store.store import DONE, Store

ROLE = re.compile(r"[a-z_]+(\.\d+)?")
WORD = re.compile(r"[\w.+:-]{1,40}")
"""What a word of a card may look like: it is shown on pages."""
SENTENCE = re.compile(r"(?!.*www)[A-Za-z0-9 ,.()%-]{1,120}")
"""What a sentence of a result may look like."""
DEEPEST = 4
"""Lists and tables in one another, in a result."""


def take_in(path: Path, store: Store | None = None) -> tuple[Run, bool]:
    """The run of a model in a folder or a .zip, and whether it is new here.

    Raises RunBroken with one sentence where a byte was changed, or it is no such model; RunError where a run
    of its key is here and not finished.
    """
    store = store or Store()
    key, found = portable.opened(path)
    spec = _spec(path.name, key, found["spec.json"])
    there = next((run for run in (*store.zoo().values(), *store.all()) if run.key == key), None)
    if there is not None and there.status() in DONE:
        return there, False
    if there is not None:
        raise RunError(f"The run {key} is here and {there.status()}: let it finish, or delete it first.")
    return _written(path.name, spec, found, store), True


def _spec(where: str, key: str, text: bytes) -> Spec:
    """What the model is, where this Feint knows such a model. Raises RunBroken."""
    try:
        spec = Spec.model_validate_json(text)
        if spec.action != "train":
            raise ValueError("it trained nothing")
        action_of(spec)
    except (ValidationError, ValueError, FeintError) as error:
        why = str(error).splitlines()[0].rstrip(".")
        raise RunBroken(
            f"{where} holds a model that this Feint cannot make sense of ({why[:150]}). The Feint that takes"
            " it in needs the same version and the same extensions."
        ) from None
    plain = (
        KEY.fullmatch(spec.fingerprint)
        and all(KEY.fullmatch(other) for other in spec.builds_on.values())
        and all(ROLE.fullmatch(role) for role in spec.builds_on)
    )
    if spec.key != key or not plain:
        raise RunBroken(f"{where}: spec.json is not that of the key {key[:40]}. Export the model again.")
    return spec.model_copy(update={"data": _data(spec)})


def _data(spec: Spec) -> str:
    """What its data are called here: the name under which they are kept, else the one that came, if it can be
    a name.
    """
    kept = own_kept.with_fingerprint(spec.fingerprint)
    if kept or spec.data in owners():
        return kept or spec.data
    return spec.data if WORD.fullmatch(spec.data) else f"data-{spec.fingerprint[:6]}"


def _written(where: str, spec: Spec, found: dict[str, bytes], store: Store) -> Run:
    """The folder of the run, whole or not at all."""
    partial = store.folder / f".new-{uuid.uuid4().hex[:8]}"
    inner, target = partial / spec.key, store.folder / spec.key
    with writing(store.folder):
        make_home(store.home)
        try:
            (inner / "state").mkdir(parents=True)
            (inner / "state" / portable.WEIGHTS).write_bytes(found[portable.WEIGHTS])
            _check_weights(where, inner, spec)
            result, card = (_read(where, found[name]) for name in ("result.json", "card.json"))
            how, result, card = _words(card.get("how")), _harmless(result), _harmless(card)
            about = {"key": spec.key, "title": f"Train {spec.name}", "how": how, "metrics": result}
            write_json(inner / "spec.json", spec.model_dump(mode="json"))
            write_json(inner / "result.json", result)
            write_json(inner / "card.json", card | about | {"imported": True})
            seconds = result.get("seconds")
            Run(inner).append(
                Finished(
                    run=spec.key,
                    metrics=result,
                    seconds=float(seconds) if isinstance(seconds, int | float) else 0.0,
                )
            )
            inner.rename(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return Run(target)


def _check_weights(where: str, folder: Path, spec: Spec) -> None:
    """Raises RunBroken unless the weights are those of the network that the settings describe."""
    try:
        header = checkpoint.read_header(folder, training.version(spec.name))
        with torch.device("meta"):  # nothing is allocated, whatever the settings say
            network = training.network(spec.name, spec.settings["model_settings"], header)
        wanted = {name: tuple(weight.shape) for name, weight in network.state_dict().items()}
        with safe_open(folder / "state" / portable.WEIGHTS, "pt") as opened:
            came = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
    except RunBroken as error:
        raise RunBroken(f"{where}: {error}") from None
    except (RuntimeError, ValueError, TypeError, KeyError, MemoryError, FeintError) as error:
        why = str(error).splitlines()[0][:150]
        raise RunBroken(f"{where}: no network can be made of its settings ({why}).") from None
    if came != wanted:
        raise RunBroken(
            f"{where}: its weights are not those of {spec.name} with its settings. Export the model again."
        )


def _harmless(value: Any, depth: int = 0) -> Any:
    """What of a card or a result is numbers, or words that are no markup: they are shown on pages."""
    if isinstance(value, dict) and depth < DEEPEST:
        held = {
            name: _harmless(one, depth + 1) for name, one in value.items() if re.fullmatch(r"\w{1,60}", name)
        }
        return {name: one for name, one in held.items() if one is not None}
    if isinstance(value, list) and depth < DEEPEST:
        return [one for one in (_harmless(one, depth + 1) for one in value) if one is not None]
    if isinstance(value, str):
        return value if SENTENCE.fullmatch(value) else None
    return value if isinstance(value, bool | int | float) and math.isfinite(value) else None


def _words(how: Any) -> dict[str, str]:
    """How it was computed, as far as a card may say it."""
    held = how.items() if isinstance(how, dict) else ()
    said = {str(name): str(word) for name, word in held}
    return {name: word for name, word in said.items() if WORD.fullmatch(name) and WORD.fullmatch(word)}


def _read(where: str, content: bytes) -> dict[str, Any]:
    """What a file of JSON holds. Raises RunBroken."""
    try:
        return dict(json.loads(content))
    except (ValueError, TypeError, RecursionError):
        raise RunBroken(f"{where} holds a file that is no JSON of Feint's. Export the model again.") from None
