"""The page Contrastive, on the encoders that ship with Feint."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.metrics import silhouette_score
from streamlit.testing.v1 import AppTest

from app.papers.contrastive import choose, slide
from engine.asking import computing
from engine.asking.questions import LadderQuestion, ObjectiveChoice, OverviewQuestion, SilhouetteQuestion
from engine.asking.victims import victim_of
from engine.nets.spherical_k_means import spherical_k_means
from engine.store.store import Store
from tests.app.conftest import Desk, said

Opened = Callable[..., AppTest]
ENCODER = "digits/ncp_acl"


def told(at: AppTest) -> str:
    return "\n".join([*(text.value for text in at.markdown), *(text.value for text in at.caption)])


@pytest.mark.parametrize("objective", ["chase_neighbour", "leave_own_cluster", "ncp", "leave_teacher"])
def test_a_sample_is_pushed_as_was_chosen(objective: str, trained_home: Store, opened: Opened) -> None:
    at = opened("contrastive", data="digits", objective=objective)
    assert not at.error and not at.warning, said(at)
    assert "Nearest to its own centroid" in told(at) and len(at.get("plotly_chart")) == 2, "K and λ"
    assert at.session_state["p_objective"] == objective


def test_another_k_finds_clusters_by_itself(
    trained_home: Store, opened: Opened, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "WAIT", 0.0)
    at = opened("contrastive", data="digits", clusters="7")
    assert not at.error, said(at)
    (key,) = desk.submitted
    spec = trained_home.find(key).spec
    assert spec.name == "spherical_k_means" and spec.settings["clusters"] == 7
    assert spec.builds_on["base"] == trained_home.find(ENCODER).key


def test_another_lambda_is_another_training_of_the_same_settings(
    trained_home: Store, opened: Opened, desk: Desk
) -> None:
    at = opened("contrastive", data="digits", model=ENCODER, weight="12")
    assert not at.error and not desk.submitted, said(at)
    next(button for button in at.button if button.label == "Train it with λ = 12").click().run()
    (key,) = desk.submitted
    shipped, spec = trained_home.find(ENCODER).spec, trained_home.find(key).spec
    there, settings = shipped.settings["model_settings"], spec.settings["model_settings"]
    assert {name for name in there if name != "encoder_settings" and settings[name] != there[name]} == {"lam"}
    assert settings["lam"] == 12 and spec.builds_on == shipped.builds_on
    undefended = opened("contrastive", model="digits/spherical_k_means", data="digits")
    assert not undefended.select_slider, "which knows no λ"


def test_an_encoder_has_its_centroids_and_exemplars_on_the_map() -> None:
    seen = computing.compute(OverviewQuestion(model=ENCODER))
    victim = victim_of(ENCODER)
    assert seen.centroid_xy is not None and seen.exemplars is not None and victim.z is not None
    centroids = victim.model.centroids()  # type: ignore[operator]
    cosines = (victim.z @ centroids.T).numpy()
    assert np.allclose(np.linalg.norm(victim.z, axis=1), 1, atol=1e-5), "compared by direction"
    assert (seen.exemplars[:, 0] == cosines.argmax(axis=0)).all()
    assert (np.sort(cosines, axis=0)[-8:].mean(axis=0) >= cosines.mean(axis=0)).all()
    assert len(set(seen.group_names)) == len(seen.group_names), "no two clusters of one name"
    middle = seen.label[victim.medoids]  # type: ignore[index]
    assert [name[0] for name in seen.group_names] == [str(label) for label in middle], "named as it looks"


def test_the_neighbour_is_the_second_nearest_centroid() -> None:
    wanted = ObjectiveChoice(name="chase_neighbour")
    answer = computing.compute(LadderQuestion(model=ENCODER, sample=3, objective=wanted))
    victim = victim_of(ENCODER)
    assert victim.z is not None and answer.z is not None and answer.near is not None
    ranked = np.argsort(-(victim.z[3] @ victim.model.centroids().T).numpy())  # type: ignore[operator]
    assert slide.centroids(answer, 2) == (ranked[0], ranked[1])
    assert slide.centroids(answer, 4) == (ranked[0], ranked[3])
    towards = answer.z @ victim.model.centroids()[int(ranked[1])].numpy()  # type: ignore[operator]
    assert towards[-1] > towards[0] and np.allclose(answer.value, towards, atol=1e-4)


def test_the_silhouette_chooses_k() -> None:
    found = computing.compute(SilhouetteQuestion(model="digits/simclr", clusters=(5, 10, 40)))
    assert found.chosen == found.clusters[int(found.silhouette.argmax())]
    assert found.purity is not None and found.purity[2] > found.purity[0]
    z = victim_of("digits/simclr").z
    assert z is not None
    labels = spherical_k_means(z, 5, torch.Generator().manual_seed(0))[1]
    assert found.silhouette[0] == pytest.approx(silhouette_score(z, labels, metric="cosine"), abs=1e-5)
