"""A home with one trained model of each single ability, made once."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import registry
from engine.running.runner import prepare, run
from engine.store import catalogue
from engine.store.store import Store
from tests.engine.extended import extended_by

OWN = Path(__file__).parent / "own"
"""The folder that `FEINT_PLUGINS` names: the models, and an objective for the classifier."""
MODELS = {
    "only_classifies": "digits",
    "only_encodes": "digits",
    "only_reconstructs": "digits",
    "only_fuses": "noisy_digits",
    "fuses_and_classifies": "noisy_digits",
}
"""Method -> the data that it is trained on."""


@pytest.fixture(scope="session")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home. Do not change it: `limited_home` is a copy, with the folder known to the engine."""
    home = tmp_path_factory.mktemp("limited")
    with extended_by(OWN), pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEINT_HOME", str(home))
        catalogue.write(registry.catalogue())
        for name, data in MODELS.items():
            events = list(run(prepare("train", name, data)))
            assert events[-1].event == "finished", events[-1]
    return home


@pytest.fixture
def limited_home(limited: Path, home: Path) -> Iterator[Store]:
    """The test's own copy, as FEINT_HOME."""
    shutil.copytree(limited, home, dirs_exist_ok=True)
    with extended_by(OWN):
        yield Store(home)
