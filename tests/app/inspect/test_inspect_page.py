"""The Inspect page: one attack, one selection; links, refusals, what is taken away. A real tiny run is made
once.
"""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.address import connection
from app.components import map as plane
from app.forms.choose_model import victim_of
from app.forms.threat import Threat
from app.inspect import downloads, finished_attack, grid, matrices, selection
from app.inspect import map as inspect_map
from app.inspect.finished_attack import FinishedAttack
from app.inspect.selection import Selection, cell_mask
from engine.asking.questions import AttackedOnUmapQuestion
from engine.running import placing
from engine.running.runner import prepare, run
from engine.store.run import Run
from engine.store.store import Store
from tests.app.conftest import Desk, Worker, method, said

Opened = Callable[..., AppTest]
N = 60


@pytest.fixture
def attacked(trained_home: Store) -> Run:
    """A finished attack on the tiny ADEC."""
    spec = prepare(
        "attack",
        "pgd",
        models={"model": method(trained_home, "adec").key},
        seed=3,
        changes={"n": N, "steps": 3, "epsilon": 0.4},
    )
    assert list(run(spec))[-1].event == "finished"
    return trained_home.find(spec.key)


@pytest.fixture
def found(attacked: Run, desk: Desk) -> FinishedAttack:
    """What the page reads of it."""
    model = connection.store().find(attacked.spec.builds_on["model"])
    return finished_attack.look(attacked, victim_of(model))


def button(at: AppTest, label: str) -> Any:
    return next(item for item in at.button if item.label == label)


def subtitle(at: AppTest) -> str:
    """What stands under the title of the first chart."""
    return str(json.loads(at.get("plotly_chart")[0].proto.spec)["layout"]["title"]["subtitle"]["text"])


def test_a_link_to_an_attack_opens_it_with_its_own_choices(attacked: Run, desk: Desk, opened: Opened) -> None:
    at = opened("inspect", run=attacked.key)
    assert at.title[0].value.endswith("?") and not at.error
    assert {item.label: item.value for item in at.metric}[
        "Flip rate"
    ] == f"{attacked.result()['flip_rate']:.3f}"
    assert (
        at.number_input(key="p_n").value == N
        and at.slider(key="p_steps").value == 3
        and at.slider(key="p_eps").value == 0.4
    )
    assert f"n = {N} · seed 3" in said(at) and f"**All {N}**" in said(at)
    captions = "\n".join(str(element.value) for element in at.caption)
    assert "ADEC on Digits" in captions and attacked.key not in captions, "a title, and no key"
    assert not desk.submitted and at.session_state["p_run"] == attacked.key
    assert "LaTeX" in [item.proto.label for item in at.get("download_button")], "of the probabilities"


def test_choices_make_an_attack(trained_home: Store, worker: Worker, opened: Opened) -> None:
    model = method(trained_home, "adec").key
    at = opened("inspect", model=model, n="30", steps="2")
    assert len(worker.submitted) == 1 and trained_home.find(worker.submitted[0]).spec.settings["n"] == 30
    assert not at.error and at.metric
    at.slider(key="p_eps").set_value(0.5).run()
    assert (
        len(worker.submitted) == 2 and trained_home.find(worker.submitted[1]).spec.settings["epsilon"] == 0.5
    )
    assert at.session_state["p_run"] == worker.submitted[1]


def test_a_cell_in_the_link_filters_everything_and_can_be_cleared(
    found: FinishedAttack, opened: Opened
) -> None:
    row = found.table.iloc[0]
    cell = f"attacked:{row['label']}:{row['cluster_attacked']}"
    count = int(
        (
            (found.table["label"] == row["label"])
            & (found.table["cluster_attacked"] == row["cluster_attacked"])
        ).sum()
    )
    at = opened("inspect", run=found.run.key, pick=cell, view="clean")
    assert f"**{count} / {N}** selected" in said(at) and f"of {count}" in said(at)
    assert subtitle(at).startswith(f"{count} of {N} samples")  # another view counts the slice alone
    assert at.session_state["p_sample"] in found.ids
    button(at, "Clear").click().run()
    assert f"**All {N}**" in said(at) and at.session_state["p_pick"] == ""


def test_boxes_select_as_a_click_does(found: FinishedAttack, opened: Opened) -> None:
    at = opened("inspect", run=found.run.key)
    label = int(found.table["label"].iloc[0])
    at.selectbox(key="box0/attacked/0").set_value(label).run()
    assert at.session_state["p_pick"] == f"attacked:{label}:-1"
    assert f"**{int((found.table['label'] == label).sum())} / {N}** selected" in said(at)


def test_next_and_previous_walk_through_the_selection(found: FinishedAttack, opened: Opened) -> None:
    at = opened("inspect", run=found.run.key)
    order = found.table.sort_values("margin_attacked", kind="stable")["id"].tolist()
    at.query_params["sample"] = str(order[0])
    at.run()
    button(at, "Next").click().run()
    assert at.session_state["p_sample"] == order[1] and f"#### Sample {order[1]}" in said(at)
    button(at, "Previous").click().run()
    assert at.session_state["p_sample"] == order[0]


def test_the_grid_turns_to_the_page_of_a_sample_chosen_elsewhere(
    found: FinishedAttack, opened: Opened
) -> None:
    at = opened("inspect", run=found.run.key)
    order = found.table.sort_values("margin_attacked", kind="stable")["id"].tolist()
    for place, page in ((45, 2), (3, 1), (59, 2)):
        at.query_params["sample"] = str(order[place])
        at.run()
        assert at.session_state["inspect_page"]["page"] == page
    turned = at.session_state["inspect_page"]["turn"] + 1
    at.session_state["inspect_page"] |= {"page": 1, "turn": turned}  # a hand turns back: the sample stays
    at.run()
    assert (at.session_state["inspect_page"]["page"], at.session_state["p_sample"]) == (1, order[59])


def test_the_map_says_that_it_is_pca_while_its_umap_is_made(
    found: FinishedAttack, opened: Opened, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    shown: list[Any] = []
    answered, drawn = desk.ask, inspect_map.map_payload

    def asks(question: Any) -> Any:
        asked.append((type(question), [drawing.title for drawing in shown]))
        return answered(question)

    monkeypatch.setattr(desk, "ask", asks)
    monkeypatch.setattr(
        inspect_map, "map_payload", lambda drawing: (shown.append(drawing), drawn(drawing))[1]
    )
    monkeypatch.setattr(placing, "fit_map", lambda z, seed: z[:, :2].astype(np.float32))
    monkeypatch.setattr(placing, "place", lambda z, *_: (z[:, :2].astype(np.float32), 0.0))
    opened("inspect", run=found.run.key, umap="1")
    pending = "PCA (UMAP is being made) of the embedding"
    assert [titles for kind, titles in asked if kind is AttackedOnUmapQuestion] == [[pending]]
    assert shown[-1].title == "UMAP of the embedding"


def test_an_empty_selection_says_so(found: FinishedAttack, opened: Opened) -> None:
    label, other = found.table["label"].unique()[:2]
    at = opened("inspect", run=found.run.key, pick=f"clean:{label}:-1,attacked:{other}:-1")
    assert f"**0 / {N}** selected" in said(at) and "Nothing is in this selection" in said(at)


def test_nonsense_in_the_link_is_a_sentence_or_nothing(attacked: Run, opened: Opened, worker: Worker) -> None:
    at = opened(
        "inspect", run=attacked.key, pick="map:!!,attacked:x:y,moon:1:2", view="sideways", sample="99999"
    )
    assert not at.error and "The link says view=sideways" in said(at)
    at = opened("inspect", run="0123456789abcdef", model=attacked.spec.builds_on["model"], n="0")
    assert "No run is called '0123456789abcdef'" in said(at) and "n must be a whole number from 2" in said(at)


def test_without_labels_the_flow_of_clusters_is_what_there_is(
    attacked: Run, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FinishedAttack, "labelled", False)
    at = opened("inspect", run=attacked.key)
    assert [item.options for item in at.segmented_control if item.label == "Matrix"] == [["Flow"]]
    assert "The data have no labels" in said(at) and subtitle(at).startswith(f"{N} of {N} samples")


def test_a_damaged_attack_is_one_sentence(attacked: Run, opened: Opened) -> None:
    (attacked.folder / "images.npz").write_bytes(b"PK nothing")
    at = opened("inspect", run=attacked.key)
    assert len(at.error) == 1 and "is damaged" in at.error[0].value


def test_what_the_engine_refuses_is_one_sentence(
    trained_home: Store, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Threat, "changes", lambda self: {"epsilon": 8.0})
    at = opened("inspect", model=method(trained_home, "adec").key)
    assert len(at.error) == 1 and "epsilon" in at.error[0].value and len(trained_home.all()) == 3


def test_cells_hold_what_the_matrices_count(found: FinishedAttack) -> None:
    for view in selection.MATRICES:
        rows, _ = matrices._rows(found, view)
        counts = matrices._counts(found, np.ones(N, dtype=bool), view, rows, found.victim.order)
        for i, row in enumerate(rows):
            for j, column in enumerate(found.victim.order):
                inside = found.table[cell_mask(found, view, row, column)]
                if view == "difference":
                    joined, left = (inside[name] == column for name in ("cluster_attacked", "cluster_clean"))
                    assert counts[i, j] == int(joined.sum()) - int(left.sum()) and not (joined & left).any()
                else:
                    assert counts[i, j] == len(inside)


def test_a_selection_is_its_text_and_hold_together(found: FinishedAttack) -> None:
    text = plane.encode(np.array([0, 1, 2]), N)
    chosen = Selection({"attacked": "-1:1", "map": text})
    inside = chosen.mask(found)
    assert str(chosen) == f"attacked:-1:1,map:{text}"
    assert inside.tolist() == [
        (place < 3) and after == 1 for place, after in enumerate(found.table["cluster_attacked"])
    ]
    assert (
        chosen.without("map").of == {"attacked": "-1:1"} and chosen.without("attacked").mask(found).sum() == 3
    )


def test_the_zip_holds_the_slice(found: FinishedAttack) -> None:
    mask = np.isin(np.arange(N), [4, 7])
    with zipfile.ZipFile(
        io.BytesIO(downloads.zipped(found, grid.clean_images(found), downloads.named(found)[mask], mask))
    ) as archive:
        names = archive.namelist()
        assert archive.read("samples.csv").decode().count("\n") == 3
        assert attack_of(archive) == found.run.spec.key
    assert (
        f"{found.ids[4]:05d}-clean.png" in names
        and f"{found.ids[7]:05d}-adversarial.png" in names
        and len(names) == 6
    )


def attack_of(archive: zipfile.ZipFile) -> str:
    """The key of the run that a zip speaks of."""
    from engine.store.spec import Spec

    return Spec.model_validate(json.loads(archive.read("protocol.json"))["spec"]).key


def test_where_samples_went_agrees_with_the_table(found: FinishedAttack) -> None:
    assert (found.before == found.table["cluster_clean"]).all()
    assert (found.after == found.table["cluster_attacked"]).all()
    assert (found.reached == found.table["flipped"]).all(), "it wants them to leave their cluster"
    answer = found.answer
    assert np.allclose(answer.xy_clean, found.victim.overview.xy[found.ids], atol=1e-5)
    assert answer.recon.shape == found.images.shape and answer.uncertain.dtype == bool


def test_a_link_to_pairs_opens_them(attacked: Run, opened: Opened) -> None:
    model = attacked.spec.builds_on["model"]
    spec = prepare("pairs", "pgd", models={"model": model}, changes={"n": 10, "levels": 3, "steps": 2})
    assert list(run(spec))[-1].event == "finished"
    assert (
        list(run(prepare("attack", "pgd", models={"model": model}, changes={"n": 500, "steps": 2})))[-1].event
        == "finished"
    )
    at = opened("inspect", run=spec.key)
    layout = json.loads(at.get("plotly_chart")[1].proto.spec)["layout"]
    caption = layout["title"]["subtitle"]["text"].replace("<br>", " ")
    assert not at.error and caption.endswith(
        f"{connection.store().find(spec.key).result()['n']:,} pairs of sample and target · seed 0"
    )


def test_a_link_to_a_training_opens_its_model(attacked: Run, worker: Worker, opened: Opened) -> None:
    other = method(connection.store(), "dec_star").key
    at = opened("inspect", run=other, n="20")
    assert not at.error and at.session_state["p_model"] == other and f"model {other}" in said(at)


def test_who_can_become_whom_opens_the_pictures_of_a_cell(
    attacked: Run, monkeypatch: pytest.MonkeyPatch, worker: Worker, opened: Opened
) -> None:
    monkeypatch.setattr("app.inspect.who_becomes_whom.PAIRS", 12)
    at = opened("inspect", run=attacked.key)
    at.session_state["inspect_pairs"] = True
    at.run()
    button(at, "Send every cluster to every other").click().run()
    assert not at.exception and len(worker.submitted) == 1
    run_ = connection.store().find(worker.submitted[0])
    reached = run_.table()[lambda table: table["reached"]].iloc[0]
    who = f"{reached['cluster_clean']}:{reached['cluster_target']}:{reached['id']}"
    at = opened("inspect", run=attacked.key, who=who)
    assert not at.exception and "get there (95 % interval" in said(at), "a link opens the cell"
    drawn = "".join(element.proto.body for element in at.get("html"))
    assert f"sample {reached['id']}" in drawn and at.query_params["who"] == who
