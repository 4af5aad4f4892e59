"""Which numbers of a result are said first."""

from engine import registry
from engine.store.headlines import MOST, headlines, ranked

METRICS = registry.catalogue()["metric"]


def test_a_model_s_scores_come_in_their_declared_order() -> None:
    assert headlines({"ari": 0.5, "nmi": 0.25, "acc": 0.75, "seconds": 3.0}, METRICS) == ["acc", "nmi", "ari"]
    trained = {"ari": 0.5, "delta_fr": 0.25, "acc": 0.75}
    assert headlines(trained, METRICS) == ["acc", "ari", "delta_fr"], "what came of it first"
    assert headlines({"acc": None, "nmi": True, "ari": "x"}, METRICS) == []


def test_a_rate_is_said_with_its_control_and_no_control_alone() -> None:
    rates = {"flip_rate": 0.5, "noise_flip_rate": 0.125, "acc_attacked": 0.25}
    assert headlines(rates, METRICS) == ["acc_attacked", "flip_rate", "noise_flip_rate"]
    assert headlines({"noise_flip_rate": 0.125, "other_delta_flip_rate": 0.25}, METRICS) == []
    success = rates | {"success_rate": 0.5, "noise_success_rate": 0.0}
    assert headlines(success, METRICS) == ["acc_attacked", "success_rate", "noise_success_rate"]


def test_no_more_than_a_line_holds() -> None:
    everything = dict.fromkeys(METRICS, 0.5)
    said = headlines(everything, METRICS)
    assert len(said) == MOST < len(ranked(METRICS)) and said[-2:] == ["success_rate", "noise_success_rate"]
