"""What a run has said so far: its events as tables, its pace, stretches and blocks."""

from typing import Any

import pandas as pd
import pytest

from app.address import connection
from app.runs import progress, record
from app.runs.record import Pace, Record
from engine.errors import RunBroken
from engine.events import Evaluate, Event, Progress, Started, Stopped
from engine.store.run import Run
from engine.store.store import ZOO, Store
from tests.app.conftest import method


class Lines:
    """A run whose lines are given."""

    def __init__(self, *events: Event) -> None:
        self.lines = [event.model_copy(update={"at": float(place)}) for place, event in enumerate(events)]
        self.read: list[int] = []

    def events(self, after_line: int = 0) -> list[Event]:
        self.read.append(after_line)
        return self.lines[after_line:]


def evaluated(step: int, fd: float, stationary: float = 0.0, **metrics: Any) -> Evaluate:
    return Evaluate(
        step=step,
        total=100,
        values={"encoder_updates": step / 2},
        metrics={
            "acc": 0.5,
            "delta_fr": 0.1,
            "delta_fd": fd,
            "norm_total": 1.0 + fd,
            "near_stationary": stationary,
            "sizes": [3, 5, 4],
        }
        | metrics,
    )


def read(*events: Event) -> Record:
    told = Record()
    told.read(Lines(*events))  # type: ignore[arg-type]
    return told


def test_only_new_lines_are_read() -> None:
    run, told = Lines(Started(run="a"), Progress(step=1, total=9)), Record()
    assert told.read(run)  # type: ignore[arg-type]
    run.lines.append(Progress(step=2, total=9, at=3.0))
    assert told.read(run) and not told.read(run)  # type: ignore[arg-type]
    assert run.read == [0, 2, 3] and [event.event for event in told.events] == [
        "started",
        "progress",
        "progress",
    ]


def test_what_a_resumed_run_says_again_counts_once() -> None:
    told = read(
        Started(run="a"),
        evaluated(0, 0.1),
        evaluated(10, 0.2),
        evaluated(20, 0.3),
        Stopped(run="a", step=10),
        Started(run="a", step=10),
        evaluated(20, 0.4),
    )
    assert told.evaluations()["step"].tolist() == [0, 10, 20] and told.evaluations()["delta_fd"].tolist() == [
        0.1,
        0.2,
        0.4,
    ]


def test_pace_is_that_of_the_present_phase() -> None:
    clustering = (Progress(step=10 * k, total=100, phase="clustering") for k in range(1, 5))
    pace = read(Started(run="a"), Progress(step=400, total=400, phase="base: acai"), *clustering).pace()
    assert (
        pace == Pace("clustering", 40, 100, 10.0)
        and pace.share == 0.4
        and pace.remaining == 6.0
        and not pace.of_base
    )
    assert read(Progress(step=3, total=9, phase="base: acai")).pace().of_base and read().pace() == Pace()
    assert (
        read(*(Progress(step=0, total=9, phase="discriminator") for _ in range(4))).pace().remaining is None
    )


def test_a_base_is_called_by_its_title() -> None:
    pace = read(Progress(step=3, total=9, phase="base: acai")).pace()
    title = connection.catalogue()["model"]["acai"]["title"]
    assert progress._phase(Store(ZOO).zoo()["digits/adec"], pace) == f"First its base, {title}"


def test_losses_are_those_of_the_run_itself_and_thinned() -> None:
    base = [Progress(step=k, total=9, phase="base: acai", values={"critic": 1.0}) for k in range(5)]
    own = [Progress(step=k, total=5000, phase="clustering", values={"kl": float(k)}) for k in range(1700)]
    table = read(*base, *own).values(["kl", "critic"])
    assert "critic" not in table and len(table) <= record.POINTS and table["kl"].iloc[-1] == 1699


def test_angles_stand_where_they_were_measured() -> None:
    table = read(evaluated(0, 0.1), evaluated(10, 0.1), evaluated(20, -0.2)).evaluations()
    assert table["delta_fd"].notna().tolist() == [True, False, True] and table["acc"].notna().all()
    assert record.probed(table)["step"].tolist() == [0, 20]
    assert record.probed(pd.DataFrame({"step": [1]})).empty


def test_the_average_takes_ten_probes_at_least() -> None:
    assert (
        record.averaged_over(3) == 10 and record.averaged_over(199) == 10 and record.averaged_over(1000) == 50
    )


def test_near_stationary_stretches_reach_to_the_next_probe() -> None:
    table = pd.DataFrame({"step": [0, 10, 20, 30, 40], "flag": [0, 1, 1, 0, 1]})
    assert record.stretches(table, "flag", "step") == [(10, 30), (40, 40)]
    assert record.stretches(table, "other", "step") == []


def test_decoder_blocks_are_every_other_one_and_the_first() -> None:
    assert record.decoder_blocks(10, 0, 45) == [(0, 10), (20, 30), (40, 45)]
    assert record.decoder_blocks(10, 25, 45) == [(25, 30), (40, 45)]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (42, "42 s"), (95, "2 min"), (5399, "90 min"), (7200, "2.0 h")]
)
def test_durations_read_as_people_say_them(seconds: float, words: str) -> None:
    assert record.duration(seconds) == words


def test_a_damaged_line_is_refused(trained_home: Store) -> None:
    run = method(trained_home, "adec")
    (run.folder / "events.jsonl").write_bytes(b"{}\n")
    with pytest.raises(RunBroken):
        Record().read(Run(run.folder))


def test_phases_of_its_own_are_not_said_twice_either() -> None:
    own, base = (
        Progress(step=30, total=40, phase=phase, values={"kl": 1.0}) for phase in ("clustering", "base: acai")
    )
    told = read(Started(run="a"), base, own, Started(run="a", step=10), own.model_copy(update={"step": 11}))
    assert told.values(["kl", "critic"])["step"].tolist() == [11] and [
        event.step for event in told.events if isinstance(event, Progress)
    ] == [30, 11]
