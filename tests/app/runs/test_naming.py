"""What a person calls a run."""

from app.runs import naming
from engine.store.store import Store
from tests.app.conftest import Desk, method


def test_an_arm_has_a_name_of_its_own(trained_home: Store, desk: Desk) -> None:
    assert naming.title(method(trained_home, "adec").spec) == "ADEC"
    spec = method(trained_home, "adec").spec
    bare = spec.model_copy(
        update={
            "settings": (
                spec.settings | {"model_settings": spec.settings["model_settings"] | {"adv_weight": 0.0}}
            )
        }
    )
    assert naming.title(bare) == "ADEC without adversary"
