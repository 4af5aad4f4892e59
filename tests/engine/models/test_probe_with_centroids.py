"""A probe on an encoder with centroids: clusters are chased, classes judge; the measures by hand."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.attacks.budget import Budget
from engine.attacks.noise import Noise
from engine.attacks.protocols import answer
from engine.errors import AbilityError
from engine.metrics.classification import lost, mistaken
from engine.metrics.protocols import AttackedSamples
from engine.models.linear_probe import probe_of
from engine.models.outputs import Outputs
from engine.models.probe_with_centroids import LinearProbeWithCentroids
from engine.models.protocols import abilities
from engine.models.spherical_k_means import SphericalKMeans
from engine.models.state import State
from engine.objectives.chase_neighbour import ChaseNeighbour
from engine.objectives.protocols import Objective
from engine.running.attacking import Attack
from tests.engine.models.small import BASE, DATA, how, rng
from tests.engine.tiny import Desk, done

CLUSTERS = 5
ENCODER = {"encoder": "acai", "encoder_settings": BASE | {"hidden": (16,)}, "encoder_clusters": 3}
PROBE = {"encoder": "spherical_k_means", "encoder_settings": ENCODER, "encoder_clusters": CLUSTERS}


@pytest.fixture
def probe() -> State:
    """A probe of three classes on five centroids."""
    below = SphericalKMeans(**ENCODER)
    sphere = below.skeleton(DATA.views, CLUSTERS, rng(), how())
    for weight in sphere.model.encoder.parameters():
        with torch.no_grad():
            weight.normal_(generator=rng(7))
    list(below.train(sphere, DATA.views))
    settings = LinearProbeWithCentroids(**PROBE, steps=100)
    state = settings.skeleton(DATA.views, 3, rng(), how())
    settings.adopt(state, {"base": sphere.model})
    list(settings.train_on_labels(state, DATA.views, torch.from_numpy(DATA.labels)))
    return state


def test_it_sorts_as_its_encoder_does_and_classifies(probe: State) -> None:
    model, x = probe_of(probe).eval(), DATA.views.all()
    assert abilities(model) == list(LinearProbeWithCentroids.abilities)
    assert model.log_assign(x).shape == (len(DATA), CLUSTERS) and model.logits(x).shape == (len(DATA), 3)
    assert torch.equal(model.log_assign(x), model.encoder.log_assign(x))
    assert torch.equal(model.centroids(), model.encoder.directions)


def test_an_attack_on_its_clusters_is_judged_by_the_classes(probe: State, tmp_path: Path) -> None:
    model = probe_of(probe).eval().requires_grad_(False)
    desk = Desk(tmp_path, model, DATA)
    metrics, _ = done(Attack(objective="chase_neighbour", epsilon=0.3, n=None).work(desk))
    table = desk.tables["samples"]
    right = table["class_clean"] == table["label"]
    wrong = table["class_attacked"] != table["label"]
    assert right.mean() > 0.8 and metrics["mistaken_rate"] == pytest.approx(wrong[right].mean())
    assert {"noise_mistaken_rate", "noise_probability_lost", "success_rate"} <= metrics.keys()
    assert 0 < metrics["probability_lost"] <= 100 and metrics["success_rate"] > 0


def test_only_what_was_right_is_counted() -> None:
    labels = torch.tensor([0, 1, 2, 1])
    clean = torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.3, 0.2], [0.1, 0.8, 0.1]]).log()
    after = torch.tensor([[0.2, 0.7, 0.1], [0.3, 0.6, 0.1], [0.1, 0.1, 0.8], [0.5, 0.4, 0.1]]).log()

    def said(logits: torch.Tensor) -> Outputs:
        return Outputs(torch.zeros(4, 2), logits=logits + 3, labels=labels)

    samples = AttackedSamples(ChaseNeighbour(), torch.arange(4), said(clean), said(after))
    assert mistaken(samples, samples.attacked).tolist() == [True, False, True]  # the third was wrong before
    np.testing.assert_allclose(lost(samples, samples.attacked), [40, 10, 40], atol=1e-4)
    assert len(mistaken(samples, None)) == len(lost(samples, None)) == 0


def test_noise_is_drawn_from_the_rim_or_from_the_ball() -> None:
    x, still = torch.full((200, 30), 0.5), Objective(lambda flat: flat.sum(1))
    moved = {
        drawn: answer(Noise(drawn=drawn).perturb(x, still, Budget("linf", 0.1), rng())).x - x
        for drawn in ("rim", "ball")
    }
    assert torch.allclose(moved["rim"].abs(), torch.full_like(x, 0.1))
    assert float(moved["ball"].abs().max()) <= 0.1 + 1e-6
    assert float(moved["ball"].abs().mean()) == pytest.approx(0.05, abs=2e-3)  # uniform: half of ε
    assert Noise().values() == {} and Noise(drawn="ball").values() == {"drawn": "ball"}


def test_an_encoder_without_centroids_is_refused() -> None:
    settings = LinearProbeWithCentroids(**ENCODER)
    with pytest.raises(AbilityError, match="probe_with_centroids needs a model that compares"):
        settings.skeleton(DATA.views, 3, rng(), how())
