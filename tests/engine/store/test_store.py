"""Run folders as the store reads them: statuses, names, damage, deletion."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

from engine.errors import ResumeRefused, RunBroken, RunError, UnknownName
from engine.events import Evaluate, Failed, Finished, Progress, Started, Stopped
from engine.store import lock
from engine.store import run as run_module
from engine.store.files import write_json
from engine.store.run import Run, story
from engine.store.spec import Spec
from engine.store.store import DONE, Store


def spec(seed: int = 0) -> Spec:
    settings = {"model": "acai", "model_settings": {}}
    return Spec(
        action="train", name="acai", settings=settings, data="digits", fingerprint="f" * 16, seed=seed
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with an empty home and a zoo of one entry."""
    entry = tmp_path / "zoo" / "digits" / "acai"
    entry.mkdir(parents=True)
    write_json(entry / "spec.json", spec(99).model_dump(mode="json"))
    write_json(entry / "result.json", {"acc": 0.5})
    return Store(tmp_path / "home", tmp_path / "zoo")


def test_a_created_run_is_found_by_key_and_by_its_beginning(store: Store) -> None:
    run = store.create(spec())
    assert store.create(spec()) == run
    assert store.find(run.key) == store.find(run.key[:6]) == run
    assert [other.key for other in store.all()] == [run.key]
    assert run.spec == spec() and not list(store.folder.glob(".*"))


def test_a_key_that_the_zoo_has_is_served_by_the_zoo(store: Store) -> None:
    assert store.create(spec(99)).zoo == store.find(spec(99).key).zoo == "digits/acai"
    assert store.all() == []


def test_a_wrong_name_says_the_nearest(store: Store) -> None:
    with pytest.raises(UnknownName, match="did you mean digits/acai"):
        store.find("digits/acia")
    with pytest.raises(UnknownName):
        store.find(store.create(spec()).key[:3])


def test_the_zoo_is_read_only(store: Store) -> None:
    entry = store.find("digits/acai")
    assert entry.status() == "zoo" and entry.result() == {"acc": 0.5}
    with pytest.raises(ResumeRefused, match="read-only"):
        entry.want("run")
    with pytest.raises(ResumeRefused, match="read-only"):
        store.delete("digits/acai")


def test_every_status_is_read_from_the_folder(store: Store) -> None:
    run = store.create(spec())
    assert run.status() == "stopped"
    run.want("run")
    assert run.status() == "queued"
    run.want("stop")
    assert run.status() == "stopped"
    run.want("run")
    time.sleep(0.01)
    run.append(Started(run=run.key))
    assert run.status() == "failed" and "without a word" in run.reason()
    with lock.hold(run.folder):
        assert run.status() == "running" and run.heartbeat_age() < 5
        with pytest.raises(RunError, match="stop it first"):
            store.delete(run.key)
    run.append(Stopped(run=run.key, step=3, paused=True))
    assert run.status() == "paused"
    time.sleep(0.01)
    run.want("run")
    assert run.status() == "queued"
    time.sleep(0.01)
    run.append(Failed(run=run.key, reason="because"))
    assert run.status() == "failed" and run.reason() == "because"
    run.append(Finished(run=run.key))
    assert run.status() == "broken"
    write_json(run.folder / "result.json", {"acc": 1.0})
    assert run.status() == "finished" and run.result() == {"acc": 1.0}
    store.delete(run.key)
    assert store.all() == [] and not list(store.folder.iterdir())


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 7}', '{"format": 1, "action": "train"}'])
def test_a_half_written_folder_is_broken_says_so_and_can_be_deleted(store: Store, damage: str) -> None:
    run = store.create(spec())
    (run.folder / "spec.json").write_text(damage) if damage else (run.folder / "spec.json").unlink()
    run = Run(run.folder)
    assert run.status() == "broken" and run.reason()
    with pytest.raises(RunBroken):
        store.find(run.key)
    assert [other.status() for other in store.all()] == ["broken"]
    store.delete(run.key)
    assert store.all() == []


def test_a_renamed_folder_is_broken(store: Store) -> None:
    run = store.create(spec())
    run.folder.rename(run.folder.with_name("0" * 16))
    assert Run(run.folder.with_name("0" * 16)).status() == "broken"


def test_events_are_read_from_a_line_on_and_a_half_line_is_left_alone(store: Store) -> None:
    run = store.create(spec())
    for step in range(3):
        run.append(Progress(step=step, total=3))
    with (run.folder / "events.jsonl").open("a") as file:
        file.write('{"event": "progr')
    assert [event.step for event in run.events(1)] == [1, 2]
    assert run.last_event().step == 2
    run.repair()
    run.append(Progress(step=3, total=3))
    assert [event.step for event in run.events()] == [0, 1, 2, 3]
    (run.folder / "events.jsonl").write_text("nonsense\n")
    assert run.status() == "broken"


def test_a_lock_of_a_dead_process_does_not_hold(store: Store) -> None:
    run = store.create(spec())
    (run.folder / "lock").write_text(
        json.dumps({"pid": 2**22 + 1, "host": lock.socket.gethostname(), "born": 0.0})
    )
    assert lock.holder(run.folder) is None
    with lock.hold(run.folder):
        assert lock.holder(run.folder)["pid"] == lock.os.getpid()
        with pytest.raises(lock.Held), lock.hold(run.folder):
            pass
    assert not (run.folder / "lock").exists()


def test_a_lock_from_another_machine_holds_while_its_heart_beats(store: Store) -> None:
    run = store.create(spec())
    file = run.folder / "lock"
    file.write_text(json.dumps({"pid": 1, "host": "elsewhere", "born": 0.0}))
    assert lock.holder(run.folder)
    lock.os.utime(file, (time.time() - 60, time.time() - 60))
    assert lock.holder(run.folder) is None


def test_the_story_leaves_interruptions_out() -> None:
    first = [
        Started(run="r"),
        Progress(step=1, total=4),
        Evaluate(step=2, total=4),
        Progress(step=3, total=4),
        Stopped(run="r", step=2),
    ]
    again = [
        Started(run="r", step=2),
        Progress(step=3, total=4),
        Evaluate(step=4, total=4),
        Finished(run="r"),
    ]
    assert [type(event).__name__ + str(getattr(event, "step", "")) for event in story(first + again)] == [
        "Started0",
        "Progress1",
        "Evaluate2",
        "Progress3",
        "Evaluate4",
        "Finished",
    ]


def test_tables_and_arrays_that_are_not_there_or_damaged_say_so(store: Store) -> None:
    run = store.create(spec())
    with pytest.raises(RunError, match="no table 'samples'"):
        run.table()
    with pytest.raises(RunError, match="no arrays"):
        run.arrays("map")
    np.savez(run.folder / "map.npz", xy=np.zeros((2, 2)))
    assert run.arrays("map")["xy"].shape == (2, 2)
    (run.folder / "map.npz").write_bytes((run.folder / "map.npz").read_bytes()[:40])
    (run.folder / "samples.parquet").write_bytes(b"PAR1")
    with pytest.raises(RunBroken, match="damaged"):
        run.arrays("map")
    with pytest.raises(RunBroken, match="damaged"):
        run.table()


def test_a_finished_run_without_its_result_says_so(store: Store) -> None:
    run = store.create(spec())
    run.append(Finished(run=run.key, metrics={}, seconds=1.0))
    assert run.status() == "broken" and "result.json is gone; delete it" in run.reason()


def test_a_run_that_is_nowhere_has_a_cure(store: Store) -> None:
    with pytest.raises(UnknownName, match="Reproduce and share") as caught:
        store.find("deadbeefdeadbeef")
    assert len(str(caught.value)) < 200


def test_a_query_asks_for_what_a_run_is(store: Store) -> None:
    first, second = store.create(spec()), store.create(spec(1))
    attack = spec().model_copy(
        update={
            "action": "attack",
            "name": "pgd",
            "settings": {"epsilon": 0.1, "attack_settings": {"steps": 5}},
            "builds_on": {"model": first.key},
        }
    )
    attacked = store.create(attack)
    assert [run.name for run in store.query(action="train")][0] == "digits/acai"  # the zoo's first
    assert set(store.query(name=("acai", "adec"), seed=0)) == {first}
    assert store.query(model=first.key) == [attacked] == store.query(action="attack", fitted="")
    assert store.query(model=second.key) == store.query(base=first.key) == []
    assert store.query(settings={"attack_settings.steps": 5, "epsilon": 0.1}) == [attacked]
    assert store.query(settings={"attack_settings.steps": 6}) == []
    second.want("run")
    assert store.query(status="queued") == [second] and store.query(data="usps") == []
    assert {run.name for run in store.query(status=DONE)} == {"digits/acai"}


def test_a_query_leaves_out_what_cannot_be_read_and_says_a_key_once(store: Store) -> None:
    run, same = store.create(spec()), store.folder / spec(99).key
    same.mkdir()
    write_json(same / "spec.json", spec(99).model_dump(mode="json"))
    assert [found.name for found in store.query()] == ["digits/acai", run.name]
    (run.folder / "spec.json").write_text("{")
    assert [found.name for found in store.query()] == ["digits/acai"]


def test_a_key_that_is_a_folder_is_found_without_looking_at_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(spec())
    monkeypatch.setattr(Store, "all", lambda self: pytest.fail("every run was looked at"))
    assert store.find(run.key) == run


def test_a_changed_spec_is_read_anew(store: Store) -> None:
    run = store.create(spec())
    assert store.find(run.key).spec.seed == 0
    write_json(run.folder / "spec.json", spec(12345).model_dump(mode="json"))
    with pytest.raises(RunBroken, match="renamed or edited"):
        store.find(run.key)


@pytest.mark.parametrize("name", ["", ".", "..", "../runs", ".new-x", "a/b"])
def test_a_name_never_leads_out_of_the_folder(store: Store, name: str) -> None:
    store.create(spec())
    with pytest.raises(UnknownName):
        store.find(name)


def test_a_zoo_entry_s_card_spares_its_spec_but_does_not_stand_for_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, other = store.zoo()["digits/acai"], store.create(spec(1))
    write_json(entry.folder / "card.json", {"key": "0" * 16, "title": "another's card"})
    assert store.find(spec(99).key) == entry, "a wrong card hides no entry"
    with pytest.raises(UnknownName):
        store.find("0" * 16)
    read: list[Path] = []
    hashed = run_module._spec_of
    monkeypatch.setattr(
        run_module, "_spec_of", lambda folder, *rest: (read.append(folder), hashed(folder, *rest))[1]
    )
    assert store.find(other.key) == other and entry.folder not in read
    write_json(entry.folder / "card.json", {"title": "no key"})
    assert store.create(spec(99)) == entry and entry.folder in read


def test_every_shipped_card_begins_with_the_key_of_its_spec() -> None:
    for name, run in Store().zoo().items():
        card = run.folder / "card.json"
        assert run_module._key_on(card, run_module._stamp(card)) == run.spec.key, name
