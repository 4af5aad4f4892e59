"""MNIST comes first, on a machine without it: what ships is looked at, what needs the data says so or turns
to digits, and it is fetched meanwhile.
"""

import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.address import fetching, house, links
from app.attack import on_the_map
from app.inspect import map as inspect_map
from engine.asking import keeping
from engine.asking.questions import (
    LOOKED_AT,
    AttackedOnUmapQuestion,
    ImagesQuestion,
    PlaceOnUmapQuestion,
)
from engine.cli import main
from engine.data.finding import kept
from engine.store.store import Store
from tests.app.conftest import Desk, Worker, said
from tests.engine.data.test_own_kept import views

Opened = Callable[..., AppTest]
BEGIN = fetching.begin.__wrapped__
LOOKS: dict[str, str] = {
    "home": "cluster **0** to **6**",
    "attack": "It leaves cluster **0**",
    "inspect": "model mnist_test/adec",
    "curves": "At **ε = 0.3** a sample leaves its cluster",
    "train": "run(prepare('train', 'adec', 'mnist_test'",
    "multiview": "--model noisy_mnist/comvc",
    "defend": "'size': 'mini'",
}
"""Page -> what it says of MNIST before anybody has chosen anything."""


class Held:
    """A server that holds every answer back until it is `released`, and then has nothing."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asking: list[subprocess.Popen[bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.released.wait(60)
                self.send_error(404)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def held() -> Iterator[Held]:
    one = Held()
    yield one
    one.released.set()
    for process in one.asking:
        process.wait(60)
    one.http.shutdown()
    one.http.server_close()


def fetched_from(url: str, monkeypatch: pytest.MonkeyPatch) -> "subprocess.Popen[bytes]":
    """The background fetch of a page server that has only this address."""
    monkeypatch.setenv("FEINT_MIRROR", url)
    process = BEGIN()
    assert process is not None
    monkeypatch.setattr(fetching, "begin", lambda: process)
    return process


@pytest.fixture
def refused(trained_home: Store, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """A machine without MNIST whose fetch has failed."""
    assert fetched_from("http://127.0.0.1:9", monkeypatch).wait(60)
    return worker


def whole(page: str, **address: str) -> AppTest:
    """A page as the entry point shows it."""
    at = AppTest.from_file(str(links.ROOT / "app" / "main.py"), default_timeout=60)
    at.run()
    for name, value in address.items():
        at.query_params[name] = value
    at.switch_page(f"../pages/{page}.py").run()
    assert not at.exception, at.exception
    return at


@pytest.mark.parametrize("page", LOOKS)
def test_pages_begin_with_mnist_and_need_no_data(
    page: str, refused: Worker, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(question: Any) -> Any:
        raise AssertionError(f"the page {page} asked a worker for {question}")

    monkeypatch.setattr(refused, "ask", nobody)
    at = opened(page, data="mnist_test", umap="1")
    assert LOOKS[page] in said(at) and not refused.submitted
    assert at.query_params["data"] in ("mnist_test", ["mnist_test"])


def test_no_map_says_that_a_umap_is_being_made_of_data_that_are_not_here(
    refused: Worker, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles: list[str] = []
    drawn, kept_answer = inspect_map.map_payload, keeping.kept
    away = AttackedOnUmapQuestion, PlaceOnUmapQuestion  # some of theirs ship
    monkeypatch.setattr(
        keeping, "kept", lambda question: None if isinstance(question, away) else kept_answer(question)
    )
    monkeypatch.setattr(
        inspect_map, "map_payload", lambda drawing: (titles.append(drawing.title), drawn(drawing))[1]
    )
    at = opened("inspect", data="mnist_test", umap="1")
    assert titles == ["PCA (UMAP needs the data, which are not here yet) of the embedding"]
    assert "This needs MNIST, which could not be fetched." in said(at)
    place = on_the_map.Place
    monkeypatch.setattr(on_the_map, "Place", lambda name, *more: (titles.append(name), place(name, *more))[1])
    opened("attack", data="mnist_test", umap="1")
    assert titles[1:] == ["PCA of the embedding (UMAP needs the data, which are not here yet)"]


def test_where_it_cannot_be_had_digits_stand_in_with_one_sentence(refused: Worker) -> None:
    at = whole("attack", model="mnist_test/adec", sample="77", data="mnist_test")
    told = said(at)
    assert told.count("This needs MNIST, which could not be fetched. It is shown on digits instead.") == 1
    assert at.session_state["p_model"] == "digits/adec" and house.STAND_IN == "digits"
    at.switch_page("../pages/train.py").run()
    assert at.session_state["p_data"] == "digits", "chosen once for all pages"


def test_robust_clustering_needs_it_begins_with_digits_and_says_so(refused: Worker) -> None:
    at = whole("robust", data="mnist_test")
    assert at.session_state["p_model"] == "digits/conv_ae" and not at.exception
    assert said(at).count("This needs MNIST, which could not be fetched. It is shown on digits.") == 1
    assert at.session_state["house"] == "mnist_test", "what ships of it is still shown on the other pages"


@pytest.mark.parametrize(
    ("page", "model"),
    [("contrastive", "ncp_acl"), ("attack", "ncp_acl"), ("attack", "ncp_acl.probe"), ("attack", "simclr")],
)
def test_data_that_are_never_fetched_are_looked_at_without_them(
    page: str, model: str, desk: Desk, opened: Opened
) -> None:
    model = f"cifar10_jpeg_mini/{model}"
    at = opened(page, data="cifar10_jpeg_mini", model=model)
    told = said(at)
    assert at.session_state["p_model"] == model and not at.error
    assert "12,000 images is not on this machine" in told and "Until then, these:" in told


def test_what_does_not_ship_of_them_is_shown_on_digits(desk: Desk, trained_home: Store) -> None:
    at = whole("attack", model="cifar10_jpeg_mini/ncp_acl", sample="77")
    told = said(at)
    assert told.count("It is shown on digits instead.") == 1 and "cifar10_jpeg.npz" in told
    assert at.session_state["house"] == house.STAND_IN


def test_a_training_that_needs_it_turns_to_digits(refused: Worker) -> None:
    at = whole("train", data="mnist_test")
    next(button for button in at.button if button.label == "Train").click().run()
    assert "It is shown on digits instead." in said(at) and at.session_state["p_data"] == "digits"
    assert not refused.submitted


def test_while_it_comes_a_page_waits_and_says_so(
    trained_home: Store, worker: Worker, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = fetched_from(held.url, monkeypatch)
    held.asking.append(process)
    at = whole("attack", model="mnist_test/adec", sample="77", data="mnist_test")
    assert "This needs MNIST, which is being fetched" in said(at) and "It goes on by itself" in said(at)
    assert at.session_state["p_model"] == "mnist_test/adec" and process.poll() is None
    at = whole("home")
    assert LOOKS["home"] in said(at) and process.poll() is None, "nothing waits for it"
    kept().mkdir(exist_ok=True)
    (kept() / "mnist.npz").write_bytes(b"it has come")
    assert fetching.about("mnist_test") is None, "from now on whoever needs it is answered"


def test_what_is_on_this_machine_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"somebody put it here")
    monkeypatch.setenv("FEINT_DATA", str(tmp_path))
    assert BEGIN() is None and fetching.about("mnist_test") is None and not fetching.log().exists()


def test_the_picker_offers_what_ships(refused: Worker, opened: Opened) -> None:
    at = opened("attack", data="mnist_test")
    assert "Until then, these:" in said(at)
    run = Store().zoo()["mnist_test/adec"]
    found = keeping.kept(ImagesQuestion.of(run.spec, LOOKED_AT["mnist_test"]))
    assert found is not None and found.images.shape == (10, 784)


@pytest.mark.parametrize("data", house.READY)
def test_the_strongest_attack_stands_among_the_first_controls(
    data: str, refused: Worker, opened: Opened
) -> None:
    at = opened("attack", data=data)
    tables = [frame.value for frame in at.dataframe]
    names = " ".join(str(value) for table in tables for value in (*table.index, *table.to_numpy().ravel()))
    assert "the strongest attack (n = 1)" in names and "noise of the same size (n = 64)" in names


@pytest.mark.long
def test_data_are_chosen_once_for_all_pages(desk: Desk, trained_home: Store) -> None:
    at = whole("attack", data="mnist_test")
    at.selectbox(key="house_choice").set_value("digits").run()
    assert not at.exception and at.session_state["p_model"] == "digits/adec"
    at.query_params.clear()  # as a browser does
    at.switch_page("../pages/curves.py").run()
    assert at.session_state["p_model"] == "digits/adec"
    at.selectbox(key="model_data").set_value("mnist_test").run()
    assert at.session_state["p_model"] == "mnist_test/adec"
    at.query_params.clear()
    at.switch_page("../pages/train.py").run()
    assert at.session_state["p_data"] == "mnist_test", "who takes models of other data takes the data"


@pytest.mark.long
def test_views_studies_and_defended_networks_follow_the_choice(desk: Desk, trained_home: Store) -> None:
    of_pages = {
        "mnist_test": {"multiview": "noisy_mnist/comvc", "robust": "mnist_test/conv_ae", "defend": "mini"},
        "digits": {"multiview": "noisy_digits/comvc", "robust": "digits/conv_ae", "defend": "quick"},
    }
    at = whole("home", data="mnist_test")
    for data in ("digits", "mnist_test"):
        at.selectbox(key="house_choice").set_value(data).run()
        for page, shown in of_pages[data].items():
            at.query_params.clear()  # as a browser does
            at.switch_page(f"../pages/{page}.py").run()
            assert not at.exception, at.exception
            assert at.session_state["p_size" if page == "defend" else "p_model"] == shown
            assert at.session_state["house"] == data and "It is shown on" not in said(at)


def test_a_study_that_was_not_made_on_mnist_says_so(desk: Desk, opened: Opened) -> None:
    at = opened("defend", data="mnist_test", tab="grid")
    assert "This study was not made on MNIST. It is shown on digits." in said(at)
    assert "It is shown on" not in said(opened("defend", data="digits", tab="grid"))


def test_the_strongest_attack_judges_every_size(desk: Desk, opened: Opened) -> None:
    for data in ("mnist_test", "digits"):
        at = opened("defend", data=data)
        assert "strongest attack" in set(at.dataframe[0].value["attack"])


@pytest.mark.parametrize(("page", "data"), [("defend", "noisy_mnist"), ("robust", "mnist_test")])
def test_what_is_trained_begins_with_the_same_data(page: str, data: str, desk: Desk, opened: Opened) -> None:
    at = opened(page, data="mnist_test", tab="train")
    assert at.session_state["p_data"] == data and at.session_state["house"] == "mnist_test"


def test_other_data_are_fetched_once_for_all_who_look(
    desk: Desk, trained_home: Store, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEINT_MIRROR", held.url)
    at = whole("train", data="coil20")
    assert (
        at.session_state["house"] == "coil20"
        and "COIL-20 · 12 MB to fetch" in at.selectbox(key="p_data").options
    )
    assert next(button for button in at.button if button.label == "Train").disabled
    next(button for button in at.button if button.label == "Fetch 12 MB").click().run()
    process = fetching._asked_for()["coil20.npz"]
    assert process is not None and process.poll() is None
    held.asking.append(process)
    other = whole("train", data="coil20")
    for viewer in (at, other):
        assert len(viewer.get("progress")) == 2, "in the choice at the top, and in the form"
    assert fetching._asked_for() == {"coil20.npz": process}, "once"
    held.released.set()
    assert process.wait(60)
    other.run()
    assert "It could not be fetched. COIL-20 is not on this machine" in said(other) and not other.exception
    with pytest.raises(fetching.DataAway, match="This needs COIL-20, which could not be fetched"):
        fetching.require("coil20")


def test_data_without_a_model_are_told_and_the_usual_ones_are_shown(refused: Worker, opened: Opened) -> None:
    at = opened("attack", data="fashion_mnist")
    assert at.session_state["p_model"] == "mnist_test/adec" and at.session_state["house"] == "fashion_mnist"
    assert (
        said(at).count("No model of Fashion-MNIST that this page can show is here yet. It is shown on MNIST.")
        == 1
    )


def test_no_two_data_of_the_choice_have_one_name(refused: Worker, opened: Opened) -> None:
    at = opened("attack", data="mnist")
    names = at.selectbox(key="house_choice").options
    assert len(set(names)) == len(names) and "MNIST" in names
    assert any(name.startswith("MNIST, 70,000 samples") for name in names)
    told = "No model of MNIST, 70,000 samples that this page can show is here yet. It is shown on MNIST."
    assert told in said(at)


def test_own_data_of_several_views_are_chosen_like_others(
    desk: Desk, trained_home: Store, tmp_path: Path
) -> None:
    assert main(["data", "keep", str(views(tmp_path)), "--name", "My views"]) == 0
    at = whole("multiview", data="my-views")
    told = "No model of My views that this page can show is here yet. It is shown on MNIST."
    assert said(at).count(told) == 1 and "My views" in at.selectbox(key="house_choice").options
    at.query_params.clear()  # as a browser does
    at.switch_page("../pages/train.py").run()
    assert at.session_state["p_data"] == "my-views" and not at.exception
    at.query_params.clear()
    at.switch_page("../pages/robust.py").run()
    assert at.session_state["house"] == "my-views" and not at.exception
