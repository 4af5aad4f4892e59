"""Numbers that the house ships are measured again, to the last bit, by what measures them today."""

import pytest
import torch

from engine import data, registry
from engine.running import outcome, watching
from engine.running.attacking import Attack
from engine.running.fitting import restored
from engine.running.judging import Judge
from engine.running.launching import ended, launch
from engine.running.models import load_model
from engine.store.store import Store


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """As they were made."""
    torch.set_num_threads(1)


def test_the_attacked_scores_of_a_shipped_defence() -> None:
    run = Store().find("noisy_digits/ar_dmvc_am")
    settings = registry.find("model", run.spec.name)(**run.spec.settings["model_settings"])
    attack = watching.watched_attack(settings)
    assert attack is not None
    found = watching.under_attack(attack, load_model(run), data.load(run.spec.data), "cpu")
    card = run.result()
    shared = found.keys() & card.keys()
    assert shared >= {"acc_attacked", "flip_rate", "assignment_kl_mean"}
    assert {name: found[name] for name in shared} == pytest.approx(
        {name: card[name] for name in shared}, abs=1e-6
    )


def test_a_shipped_attack_on_the_embedding() -> None:
    run = Store().find("digits/conv_ae.attack")
    threat, loaded = Attack(**run.spec.settings).threat, data.load(run.spec.data)
    judge = Judge(load_model(Store().find(run.spec.builds_on["model"])), loaded, "cpu")
    samples = ended(launch(threat, judge, run.spec.seed, restored(run, loaded.views.shapes)))
    found, card = outcome.metrics(samples), run.result()
    known = {
        name: value for name, value in card.items() if isinstance(value, int | float) and name != "seconds"
    }
    assert len(known) > 30
    assert {name: found[name] for name in known} == pytest.approx(known, abs=1e-6)
    table, kept = outcome.table(samples), run.table()
    for name in ("id", "label", "cluster_clean", "cluster_attacked", "flipped", "right"):
        assert (table[name] == kept[name].to_numpy()).all(), name
    assert outcome.arrays(samples)["z"] == pytest.approx(run.arrays("images")["z"], abs=1e-2), (
        "kept in 16 bits"
    )
