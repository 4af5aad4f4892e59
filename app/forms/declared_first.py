"""What a page is about where several registered methods could be meant: the one that the page's family of
models declares, and the others beside it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.address import connection, links
from app.forms import possible
from app.words import _


def family(page: str) -> Mapping[str, Any]:
    """The family of models that a page is about: where several name the page, that of most models."""
    declared = [
        entry["family"]
        for entry in connection.catalogue()["model"].values()
        if entry["family"]["page"] == page
    ]
    models = Counter(said["name"] for said in declared)
    found: Mapping[str, Any] = max(declared, key=lambda said: models[said["name"]])
    return found


@dataclass(frozen=True)
class Methods:
    """Registered methods of one kind, of which one is meant: `declared`, unless another is chosen.

    `parameter` is their place in the address; `label` stands above the box.
    """

    kind: str
    names: list[str]
    declared: str
    parameter: str
    label: str

    @property
    def first(self) -> str:
        """The declared one; where it is not registered here, the first."""
        return self.declared if self.declared in self.names else self.names[0]

    def chosen(self) -> str:
        """The one that is meant; the address holds it only where there is a choice."""
        if len(self.names) < 2:
            return self.first
        return links.value(self.parameter, self.first, lambda name: name in self.names)

    def choose(self) -> str:
        """The same, with a box where there is a choice."""
        if len(self.names) > 1:
            st.selectbox(
                _(self.label),
                [self.first, *(name for name in self.names if name != self.first)],
                key=links.key(self.parameter, self.first, lambda name: name in self.names),
                format_func=lambda name: _(possible.title(self.kind, name)),
            )
        return self.chosen()
