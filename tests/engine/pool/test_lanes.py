"""Where runs wait: as their action and what it is about declare it."""

import pytest

from engine import registry
from engine.pool.lanes import LANES, lane_of
from engine.store.spec import Spec

ENTRIES = registry.catalogue()


@pytest.mark.parametrize(
    ("action", "name", "lane"),
    [
        ("train", "adec", "train"),
        ("attack", "pgd", "attack"),
        ("attack", "mv_gan", "train"),  # networks are trained first
        ("attack", "latent_attack", "train"),
        ("pairs", "pgd", "attack"),
        ("place", "place", "attack"),
        ("sweep", "pgd", "train"),  # long: it may be paused, and an attack does not wait for it
        ("study", "robust.table1", "train"),
        ("attack", "an attack that is gone", "attack"),
    ],
)
def test_a_run_waits_where_its_kind_says(action: str, name: str, lane: str) -> None:
    spec = Spec(action=action, name=name, settings={}, data="digits", fingerprint="f")
    assert lane_of(spec, ENTRIES) == lane


def test_every_declared_lane_is_one_of_the_pool() -> None:
    declared = {entry["lane"] for entry in ENTRIES["action"].values()}
    declared |= {entry["lane"] for entry in ENTRIES["attack"].values()} - {""}
    assert declared <= set(LANES)
