"""What is possible for a model follows from what objectives and attacks declare."""

import pytest

from app.address import connection
from app.forms import possible
from tests.app.conftest import Desk


def test_an_objective_has_success_without_words_for_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = connection.catalogue()
    silent = entries["objective"]["leave_cluster"] | {"success": ""}
    endless = entries["objective"]["move_embedding"] | {"success": "goes far"}
    known = entries["objective"] | {"silent": silent, "endless": endless}
    monkeypatch.setattr(connection, "catalogue", lambda: entries | {"objective": known})
    assert possible.has_success("silent") and not possible.has_success("endless")
    for name, said in entries["objective"].items():
        assert possible.has_success(name) == bool(said["success"]), name
    assert not possible.has_success("nobody")


def test_an_attack_for_one_objective_is_offered_for_it_alone(desk: Desk) -> None:
    assert "autoattack" in possible.attacks("linear_probe", "misclassify")
    assert "autoattack" not in possible.attacks("linear_probe", "misclassify_as")
    assert "autoattack" not in possible.attacks("acai", "leave_cluster")
    assert "autoattack" in possible.attacks("linear_probe") and "pgd" in possible.attacks("linear_probe")
    assert possible.axes("linear_probe", "autoattack", "misclassify") == ["epsilon"]
