"""The papers, as their studies declare them, and from which of them a method is: by its source, by the
encoder that it only reads, or by the kind of model that it is.
"""

import re
from collections.abc import Mapping
from os.path import commonprefix
from typing import Any

from app.address import connection
from app.forms import possible
from app.words import _
from engine.errors import FeintError
from engine.store.spec import Spec

WHERE = re.compile(r" \(|, (?:arXiv|tables?\b|supplement)")
"""Where a source goes on with what is not authors, place and year."""


def sources() -> dict[str, str]:
    """Paper, as the names of its studies begin -> its authors or title, place and year."""
    studies = connection.catalogue()["study"]
    return {name.partition(".")[0]: WHERE.split(said["source"])[0] for name, said in studies.items()}


def title(paper: str) -> str:
    """What the titles of a paper's studies have in common: "AR-DMVC"; of no paper, "another"."""
    studies = connection.catalogue()["study"]
    titles = [str(said["title"]) for name, said in studies.items() if name.partition(".")[0] == paper]
    return _(re.split(r"[,:]", commonprefix(titles))[0].strip()) if titles else _("another")


def of_source(said: Mapping[str, Any]) -> str:
    """The paper whose own a method is, by what its catalogue entry says of its source; "" for none."""
    source = str(said.get("source", ""))
    return next((paper for paper, lead in sources().items() if source.startswith(lead)), "")


def of_attack(name: str, model: str) -> str:
    """The paper of an attack; of one that every paper uses, that of the attacked model; "" for none."""
    own = of_source(possible.entry("attack", name))
    if own:
        return own
    try:
        return of_model(connection.store().find(model).spec)
    except FeintError:
        return ""


def of_model(spec: Spec) -> str:
    """The paper of a trained model; "" for none."""
    known = connection.catalogue()["model"]
    said = known.get(spec.name, {})
    reads = spec.settings["model_settings"].get(said.get("base_fields", {}).get("model"))
    return of_source(said) or _of_kind(known.get(reads, said).get("family", {}))


def _of_kind(family: Mapping[str, Any]) -> str:
    """The paper of a kind of model that has an example: that of any method of the kind that is a paper's."""
    if not family.get("example"):
        return ""
    alike = (said for said in connection.catalogue()["model"].values() if said["family"] == family)
    return next((paper for said in alike if (paper := of_source(said))), "")
