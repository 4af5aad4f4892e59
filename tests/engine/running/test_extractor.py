"""FID and KID in the features of another classifier, for attacks on models of any kind; on the zoo."""

from typing import Any

import numpy as np
import pytest
import torch

from engine import registry
from engine.data import load
from engine.errors import DataError, FeintError, SettingsError
from engine.metrics.frechet import fid, kid
from engine.running.models import load_model
from engine.running.runner import prepare, run
from engine.store.reproduce import lines
from engine.store.run import Run
from engine.store.store import Store
from engine.store.wanted import EXTRACTOR

CLASSIFIER = "digits/classifier"
SMALL = {"half": "test", "n": 40, "doubts": False, "attack_settings.steps": 3}


def attacked(model: str, name: str = "minmax", **changes: Any) -> Run:
    models = {"model": model, EXTRACTOR: CLASSIFIER}
    spec = prepare("attack", name, changes=SMALL | changes, models=models)
    events = list(run(spec))
    assert events[-1].event == "finished", events[-1]
    return Store().find(spec.key)


def test_samples_of_an_autoencoder_are_held_against_its_training_samples() -> None:
    done = attacked("digits/dense_ae", objective="keep_reconstruction", epsilon=0.5)
    metrics, data = done.result(), load("digits")
    assert "fid_attacked" not in metrics, "the victim is no classifier"
    whole = data.views.rows(torch.arange(len(data)))
    images, network = done.arrays("images"), load_model(Store().find(CLASSIFIER))

    def read(x: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network.encode(whole.like(torch.from_numpy(x))).numpy()

    flat = whole.flat().numpy()
    reference = read(flat[data.rows("train")])
    for which, x in {
        "attacked": images["adversarial"],
        "clean": flat[images["id"]],
    }.items():
        own = read(x.reshape(40, -1))
        assert metrics[f"fid_extractor_{which}"] == pytest.approx(fid(own, reference), rel=1e-3)
        assert metrics[f"kid_extractor_{which}"] == pytest.approx(kid(own, reference), rel=1e-3)
    told = lines(done.spec, registry.catalogue(), Store())
    assert f"--extractor {CLASSIFIER}" in told["Command line"]


def test_of_a_classifier_itself_both_features_are_the_same() -> None:
    metrics = attacked(CLASSIFIER, objective="misclassify", epsilon=0.5).result()
    for name in ("fid", "kid"):
        assert metrics[f"{name}_extractor_attacked"] == metrics[f"{name}_attacked"]
        assert metrics[f"{name}_extractor_clean"] == metrics[f"{name}_clean"]


@pytest.mark.parametrize(
    ("action", "model", "extractor", "error", "words"),
    [
        (
            "attack",
            "digits/adec",
            "digits/adec",
            SettingsError,
            "must be a run that trained a classifier",
        ),
        ("attack", "noisy_digits/comvc", CLASSIFIER, DataError, "takes samples of shape 1x8x8"),
        ("sweep", "digits/adec", CLASSIFIER, SettingsError, "sweep takes no extractor"),
    ],
)
def test_what_cannot_be_an_extractor_is_refused_in_a_sentence(
    action: str, model: str, extractor: str, error: type[FeintError], words: str
) -> None:
    with pytest.raises(error, match=words):
        prepare(action, "pgd", models={"model": model, EXTRACTOR: extractor})


def test_an_attack_on_the_embedding_takes_none() -> None:
    with pytest.raises(SettingsError, match="moves the embedding and takes no extractor"):
        prepare(
            "attack",
            "latent_attack",
            changes={"objective": "flip_and_keep"},
            models={"model": "digits/conv_ae", EXTRACTOR: CLASSIFIER},
        )
