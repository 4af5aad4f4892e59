"""Striking samples of finished attacks of the zoo: the one that moved least among those that reached what was
wanted; of an attack that looks for far ones, the one that moved most.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from engine import registry
from engine.asking import computing, keeping
from engine.asking.questions import ImagesQuestion
from engine.asking.striking import striking
from engine.atlas.case import Case, Sentence, Shown, difference
from engine.device import of_answers
from engine.store.run import Run
from engine.store.store import Store

if TYPE_CHECKING:
    import pandas as pd

NAME, TITLE = "from_attacked_sets", "From whole attacked sets"
ABOUT = (
    "Of all samples of a finished attack that reached what was wanted: the one that moved least; where the"
    " attack looks for samples unlike their originals, the one that moved most."
)


def cases(run: Run) -> Iterator[tuple[Case, np.ndarray]]:
    """That of an attack on pixels that kept its samples."""
    attack = registry.find("attack", run.spec.name)
    if attack.space != "pixels" or not (run.folder / "images.npz").exists():
        return
    farthest = not attack.fills and run.spec.settings["attack_settings"].get("direction", -1) == -1
    table = run.table()
    if "reached" not in table:  # where nothing can be reached, those that changed their cluster
        table = table.assign(reached=table.get("flipped", 0), counted=1)
    places = striking(table, farthest)
    if len(places):
        yield _case(run, table, int(places[0]), farthest)


def _case(run: Run, table: "pd.DataFrame", place: int, farthest: bool) -> tuple[Case, np.ndarray]:
    row, attacked = table.iloc[place], run.arrays("images")["adversarial"][place].astype(np.float32).ravel()
    owner = Store().find(run.spec.builds_on["model"])
    model, said = registry.find("model", owner.spec.name), run.spec.settings
    asked = ImagesQuestion.of(run.spec, [int(row["id"])])
    images = keeping.kept_or(asked, computing.compute, of_answers)
    clean = images.images[0].astype(np.float32) / 255
    delta = attacked - clean
    number = {"l2": float(row["l2"]), "epsilon": float(said["epsilon"])}
    kept = Case(
        rule=NAME,
        family=model.family.name,
        data=run.spec.data,
        model=owner.name,
        attack=run.spec.name,
        objective=said["objective"],
        run=run.name,
        sample=int(row["id"]),
        sentence=_sentence(row, farthest, len(table), registry.find("attack", run.spec.name).title),
        measured={"score": number["l2"] if farthest else -number["l2"]} | number,
        considered=len(table),
        shape=images.shape,
        shown=(
            Shown(says="clean"),
            difference(delta),
            Shown(says="attacked"),
        ),
    )
    return kept, np.stack([clean, delta, attacked])


def _sentence(row: "pd.Series[float]", farthest: bool, n: int, attack: str) -> Sentence:
    said = {"l2": f"{row['l2']:.2f}", "n": f"{n:,}", "attack": attack}
    if farthest:
        return Sentence.of(
            "It went an L2 distance of {l2} away, the farthest of {n} that {attack} found, and is copied"
            " better than its original: error {after} instead of {before}.",
            **said,
            after=f"{row['reconstruction_error_attacked']:.4f}",
            before=f"{row['reconstruction_error_clean']:.4f}",
        )
    return Sentence.of(
        "Of {n} samples under {attack}, this one went elsewhere with the least: an L2 distance of {l2}.",
        **said,
    )
