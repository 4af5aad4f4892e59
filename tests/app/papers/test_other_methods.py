"""Other methods beside those that a page is about, with names that stand first in the alphabet: the declared
ones stay the default, and the others can be chosen.
"""

import copy
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app.address import connection
from app.papers.multiview import attackers
from app.papers.robust import networks
from engine.store.store import Store
from tests.app.conftest import Desk, said

Opened = Callable[..., AppTest]
TWINS = {
    "attack": ("latent_attack",),
    "objective": ("flip_and_keep", "mv_disrupt"),
    "model": ("latent_defence",),
}
"""Kind -> the methods of which the catalogue holds a second one, `aa_NAME`."""


@pytest.fixture
def crowded(trained_home: Store, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The home, and a catalogue in which each of these methods has a twin that comes first."""
    entries = copy.deepcopy(connection.catalogue())
    for kind, names in TWINS.items():
        twins = {
            f"aa_{name}": entries[kind][name] | {"name": f"aa_{name}", "title": f"Another {name}"}
            for name in names
        }
        for twin in twins.values():
            if kind == "model":
                twin["family"] = twin["family"] | {"name": "Own", "defence": "", "attack": "fgsm"}
        entries[kind] = twins | entries[kind]
    monkeypatch.setattr(connection, "catalogue", lambda: entries)
    return trained_home


def test_the_declared_methods_are_the_default(crowded: Store, opened: Opened) -> None:
    assert (networks.attacks().first, networks.objectives().first) == ("latent_attack", "flip_and_keep")
    assert networks.defences().first == "latent_defence" and attackers.objectives().first == "mv_disrupt"
    at = opened("robust", model="digits/conv_ae")
    assert not at.error and not at.warning, said(at)
    assert "against the attack it has seen (flips" in said(at)
    boxes = {name: at.selectbox(key=f"p_{name}") for name in ("kind", "aim", "defence")}
    assert {name: box.value for name, box in boxes.items()} == {
        "kind": "latent_attack",
        "aim": "flip_and_keep",
        "defence": "latent_defence",
    }
    assert boxes["kind"].options[1] == "Another latent_attack"
    at = opened("multiview", model="noisy_digits/comvc")
    assert at.selectbox(key="p_aim").value == "mv_disrupt" and "--objective mv_disrupt" in said(at)


def test_another_attack_is_chosen(crowded: Store, opened: Opened) -> None:
    at = opened("robust", model="digits/conv_ae", kind="aa_latent_attack", aim="aa_flip_and_keep")
    assert not at.warning and any(button.label == "Fit the attack" for button in at.button), said(at)
    assert "engine attack aa_latent_attack" in said(at) and "--objective aa_flip_and_keep" in said(at)
    assert "Another latent_attack" in opened("robust", tab="fit").selectbox(key="p_kind").options
    links = [link.proto.label for link in opened("robust", tab="train").get("page_link")]
    assert "Another latent_defence on Train" in links


def test_without_others_there_is_no_box(trained_home: Store, opened: Opened) -> None:
    at = opened("robust", model="digits/conv_ae")
    assert not {"p_kind", "p_aim", "p_defence"} & {box.key for box in at.selectbox}
