"""What is measured of attacks that look at the likeness: the closed form by hand, the score beside it, and
which samples count.
"""

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.attacks.minmax import MinMax
from engine.metrics import likeness
from engine.metrics.protocols import AttackedSamples, measure
from engine.models.outputs import Outputs
from engine.nets import mine
from engine.objectives.keep_reconstruction import KeepReconstruction
from engine.running import masking
from engine.running.judging import Judge
from engine.running.launching import launch
from engine.running.threat import Threat
from tests.engine.tiny import TinyAutoencoder, blobs, done

OF = mine.Compression(24, 16)


def seen(clean: Tensor, attacked: Tensor) -> AttackedSamples:
    """Decoded to what they are, plus 0.1 and plus 0.2."""
    return AttackedSamples(
        objective=KeepReconstruction(),
        index=torch.arange(len(clean)),
        clean=Outputs(clean, reconstruction=clean + 0.1),
        attacked=Outputs(attacked, reconstruction=attacked + 0.2),
        compression=OF,
    )


def test_by_hand() -> None:
    clean = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.5, 0.5]])
    attacked = torch.tensor([[0.6, 0.8], [0.6, 0.8], [0.5, 0.5]])  # one moved: its cosine is 0.6
    values = measure("attack", seen(clean, attacked)).values
    assert values["closed_form_mean"] == pytest.approx(-8 * np.log(1 - 0.36), rel=1e-5)
    assert values["l2_answers_mean"] == pytest.approx(np.hypot(0.4, 0.8))
    assert values["l2_mean"] == pytest.approx(np.hypot(0.4, 0.8) / 3)
    assert values["reconstruction_error_clean"] == pytest.approx(0.01)
    against = (np.square([-0.2, 1.0]).mean() + 2 * 0.04) / 3
    assert values["reconstruction_error_attacked"] == pytest.approx(against)  # against the clean sample
    assert values["reconstruction_attacked_mean"] == pytest.approx(0.04)  # against itself
    assert np.isfinite(values["mine_mean"])


def test_without_an_answer_there_is_no_likeness() -> None:
    clean = torch.rand(3, 4)
    values = measure("attack", seen(clean, clean.clone())).values
    assert values["mine_mean"] is None and values["closed_form_mean"] is None and values["l2_mean"] == 0


def test_the_score_ranks_as_the_closed_form_and_does_not_depend_on_neighbours() -> None:
    clean = torch.rand(4, 60, generator=torch.Generator().manual_seed(0))
    size = torch.tensor([[0.02], [0.1], [0.3], [2.0]])
    attacked = clean + size * torch.randn(4, 60, generator=torch.Generator().manual_seed(1))
    found = mine.score(clean, attacked, mine.Compression(64, 32))
    assert (found.diff() < 0).all() and (mine.closed_form(clean, attacked, 32).diff() < 0).all()
    assert float(found[0]) < 5 < float(mine.closed_form(clean, attacked, 32)[0])  # no number of nats
    alone = mine.score(clean[2:3], attacked[2:3], mine.Compression(64, 32))
    torch.testing.assert_close(alone, found[2:3], rtol=0, atol=1e-3)


def test_an_attack_tells_them_and_only_the_doubts_that_mean_something() -> None:
    judge = Judge(TinyAutoencoder(), blobs(30), "cpu")
    attack = MinMax(compressed=8, size=6, steps=6, inner_steps=1)
    threat = Threat(attack, KeepReconstruction(), "linf", 0.3)
    samples, _ = done(launch(threat, judge, 0))
    values = measure("attack", samples).values
    assert {"mine_mean", "closed_form_mean", "l2_mean", "linf_max", "success_rate", "n"} <= values.keys()
    assert values["success_rate"] == pytest.approx(np.mean(likeness.l2(samples.delta()) > 0))
    (checks, doubts), _ = done(masking.check(threat, judge, samples, 0))  # type: ignore[arg-type,misc]
    assert checks["masking_huge_reach"] is None and checks["masking_noise_gain"] is None
    assert "strongest_success_rate" not in checks and checks["masking_zero_gradient"] == 0
    assert all("finds no answer" in doubt for doubt in doubts)
