"""Downloads against a small server on this machine: whole, cut short, wrong, refused, and asked for twice at
once.
"""

import gzip
import hashlib
import json
import socket
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from engine.data.download import Remote, download, is_whole
from engine.data.fetching import fetch, obtain
from engine.data.finding import Part, find, kept, read
from engine.data.formats import (
    cifar_release,
    coil20_release,
    har_release,
    idx,
    idx_release,
    isolet_openml,
    jpeg_parts,
    svhn_release,
    usps_part,
)
from engine.data.published import OpenML, Published, Release
from engine.data.sets.cifar100 import CIFAR100
from engine.data.sets.stl10 import STL10
from engine.errors import DataError, DataMissing
from engine.events import Finished, Progress


@pytest.fixture()
def alone(monkeypatch, tmp_path):
    """A machine without any data: an empty FEINT_DATA and an empty FEINT_HOME."""
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("FEINT_DATA", str(tmp_path / "nothing"))
    monkeypatch.setenv("FEINT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FEINT_MIRROR", raising=False)
    return tmp_path


class Server:
    """Serves `files` (path -> bytes); `cut` sends that many bytes fewer than promised, `wait` sleeps before
    each file.
    """

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.cut, self.wait, outer = 0, 0.0, self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                content = outer.files.get(self.path)
                time.sleep(outer.wait)
                if content is None:
                    return self.send_error(404)
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) - outer.cut])

            def log_message(self, *_):
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.http.server_port}/"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture()
def server():
    one = Server()
    yield one
    one.http.shutdown()
    one.http.server_close()


def idx_bytes(x: np.ndarray) -> bytes:
    """The gzipped idx file of a uint8 array."""
    return gzip.compress(
        struct.pack(">HBB", 0, 8, x.ndim) + struct.pack(f">{x.ndim}I", *x.shape) + x.tobytes()
    )


RNG = np.random.default_rng(0)
TINY = {
    "train-images-idx3-ubyte.gz": RNG.integers(0, 256, (6, 3, 3), dtype=np.uint8),
    "train-labels-idx1-ubyte.gz": np.array([0, 1, 0, 1, 0, 0], np.uint8),
    "t10k-images-idx3-ubyte.gz": RNG.integers(0, 256, (4, 3, 3), dtype=np.uint8),
    "t10k-labels-idx1-ubyte.gz": np.array([1, 0, 1, 1], np.uint8),
}
FILES = {name: idx_bytes(x) for name, x in TINY.items()}


def tiny(*bases: str, openml: OpenML | None = None, files: dict[str, bytes] = FILES) -> type[Published]:
    """An unregistered set in MNIST's form, published at `bases`."""
    remotes = tuple(Remote(key, len(value), hashlib.md5(value).hexdigest()) for key, value in files.items())

    class Tiny(Published):
        name = "tiny"
        title = "Tiny"
        source = "this test"
        class_names = ("a", "b")
        counts = (5, 5)
        shape = (1, 3, 3)
        download = sum(map(len, files.values()))
        file = "tiny.npz"
        parts = (
            Part("train", (3, 3), (4, 2), float(TINY["train-images-idx3-ubyte.gz"].mean())),
            Part("test", (3, 3), (1, 3), float(TINY["t10k-images-idx3-ubyte.gz"].mean())),
        )
        release = Release(bases, remotes, idx_release)

    Tiny.openml = openml
    return Tiny


def serve(server: Server, folder: str = "") -> None:
    server.files |= {f"/{folder}{name}": content for name, content in FILES.items()}


def closed() -> str:
    """An address at which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}/"


def test_fetches_converts_and_keeps(alone, server):
    serve(server)
    cls = tiny(server.base)
    events = list(obtain(cls))
    assert all(isinstance(event, Progress) and 0 <= event.step <= event.total for event in events)
    assert events[-1].step == events[-1].total == sum(map(len, FILES.values()))
    x, y = read(find("tiny.npz"), cls.parts)
    np.testing.assert_array_equal(
        x, np.concatenate([TINY["train-images-idx3-ubyte.gz"], TINY["t10k-images-idx3-ubyte.gz"]])
    )
    assert y.tolist() == [0, 1, 0, 1, 0, 0, 1, 0, 1, 1] and cls().load().views.shapes == ((1, 3, 3),)
    assert not [path for path in kept().rglob("*") if path.suffix in (".gz", ".part")]


def test_a_second_mirror_helps(alone, server):
    serve(server)
    list(obtain(tiny(closed(), server.base + "nothing/", server.base)))
    assert find("tiny.npz")


def test_what_lies_there_whole_is_not_fetched_again(alone, server):
    serve(server)
    cls = tiny(server.base)
    cls.folder().mkdir(parents=True)
    for name in list(FILES)[:2]:
        (cls.folder() / name).write_bytes(FILES[name])
    (cls.folder() / list(FILES)[2]).write_bytes(b"damaged")
    list(obtain(cls))
    assert server.asked == [f"/{name}" for name in list(FILES)[2:]]


def test_files_placed_by_hand_need_no_network(alone):
    cls = tiny(closed())
    cls.folder().mkdir(parents=True)
    for name, content in FILES.items():
        (cls.folder() / name).write_bytes(content)
    list(obtain(cls))
    assert find("tiny.npz") == kept() / "tiny.npz"


def test_feint_mirror_takes_the_place_of_the_public_addresses(alone, server, monkeypatch):
    serve(server, "school/tiny/")
    monkeypatch.setenv("FEINT_MIRROR", server.base + "school")
    list(obtain(tiny(closed())))
    assert server.asked[0] == "/school/tiny/train-images-idx3-ubyte.gz"


def nothing_is_left(cls) -> None:
    assert find(cls.file) is None and not [
        path for path in kept().rglob("*") if path.is_file() and path.suffix != ".lock"
    ]


def test_cut_short(alone, server):
    serve(server)
    server.cut = 10
    cls = tiny(server.base)
    says = (
        r"Tiny is not on this machine .* stopped after \d+ of \d+ bytes.* Place tiny.npz in .*home/data, or"
        r" train-images"
    )
    with pytest.raises(DataMissing, match=says):
        list(obtain(cls))
    nothing_is_left(cls)


def test_another_file_than_the_published_one(alone, server):
    serve(server)
    server.files["/train-images-idx3-ubyte.gz"] = FILES["train-images-idx3-ubyte.gz"][:-1] + b"!"
    cls = tiny(server.base)
    with pytest.raises(DataMissing, match="not the published file"):
        list(obtain(cls))
    nothing_is_left(cls)


def test_nobody_there(alone):
    cls = tiny(closed())
    with pytest.raises(DataMissing, match="127.0.0.1: Connection refused"):
        list(obtain(cls))
    nothing_is_left(cls)


def test_not_found_there(alone, server):
    with pytest.raises(DataMissing, match="127.0.0.1: HTTP 404"):
        list(obtain(tiny(server.base)))


def test_other_numbers_than_published_are_not_kept(alone, server):
    other = FILES | {"train-labels-idx1-ubyte.gz": idx_bytes(np.zeros(6, np.uint8))}
    server.files = {f"/{name}": content for name, content in other.items()}
    with pytest.raises(DataMissing, match=r"the classes of y_train must hold \(4, 2\) samples; got \(6, 0\)"):
        list(obtain(tiny(server.base, files=other)))
    assert find("tiny.npz") is None


def test_closing_the_download_leaves_nothing_and_frees_the_lock(alone, server):
    serve(server)
    cls = tiny(server.base)
    events = obtain(cls)
    next(events)
    events.close()
    nothing_is_left(cls)
    list(obtain(cls))
    assert find("tiny.npz")


def test_two_at_once_fetch_once(alone, server):
    serve(server)
    server.wait = 0.1
    cls, said, failed = tiny(server.base), [], []

    def one():
        try:
            said.append([event.phase for event in obtain(cls)])
        except DataError as error:
            failed.append(error)

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not failed and len(said) == 2 and sorted(server.asked) == sorted(f"/{name}" for name in FILES)
    assert any("another process fetches Tiny" in phase for phases in said for phase in phases)


def test_a_killed_fetch_leaves_nothing_in_the_way(alone, server):
    """The process dies in the middle of a file: its lock goes with it, and the next fetch succeeds."""
    serve(server)
    server.wait = 5
    cls = tiny(server.base)
    code = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_fetching
print([event.phase for event in test_fetching.obtain(test_fetching.tiny({server.base!r}))])"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    end = time.monotonic() + 30
    while not server.asked and child.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    first = next(obtain(cls))
    child.kill()
    said = child.communicate()
    assert server.asked, said
    assert first.phase == "another process fetches Tiny"
    server.wait = 0
    list(obtain(cls))
    assert find("tiny.npz")


def test_a_folder_that_cannot_be_written(alone, monkeypatch):
    (alone / "file").write_text("not a folder")
    monkeypatch.setenv("FEINT_HOME", str(alone / "file"))
    with pytest.raises(
        DataError,
        match=r"file/data cannot be written \(File exists\). Free space there, or set FEINT_HOME",
    ):
        list(obtain(tiny(closed())))


def test_another_copy_says_so(alone, server):
    serve(server)
    cls = tiny(server.base)
    list(obtain(cls))
    assert cls().load().note == ""
    cls.fingerprint = "0" * 16
    assert "differs in some numbers" in cls().load().note


def test_download_takes_no_more_than_promised(tmp_path, server):
    server.files["/a"] = b"x" * 200_000
    assert list(download(server.base + "a", tmp_path / "a", Remote("a")))[-1] == 200_000
    assert is_whole(tmp_path / "a", Remote("a", 200_000)) and not is_whole(tmp_path / "a", Remote("a", 5))
    server.files["/empty"] = b""
    with pytest.raises(DataMissing, match="stopped after 0"):
        list(download(server.base + "empty", tmp_path / "b", Remote("b")))


def test_openml_is_the_second_way(alone):
    """scikit-learn reads its own folder before it asks openml.org: a whole answer put there needs no
    network.
    """
    rows = np.concatenate([TINY["train-images-idx3-ubyte.gz"], TINY["t10k-images-idx3-ubyte.gz"]]).reshape(
        10, 9
    )
    labels = [0, 1, 0, 1, 0, 0, 1, 0, 1, 1]
    features = [f"pixel{i}" for i in range(9)]
    arff = (
        "@RELATION tiny\n"
        + "".join(f"@ATTRIBUTE {name} REAL\n" for name in features)
        + "@ATTRIBUTE class {0,1}\n@DATA\n"
        + "".join(
            ",".join(map(str, [*row, label])) + "\n" for row, label in zip(rows.tolist(), labels, strict=True)
        )
    )
    plain = {
        "is_target": "false",
        "is_ignore": "false",
        "is_row_identifier": "false",
        "number_of_missing_values": "0",
    }
    form = [
        plain | {"index": str(i), "name": name, "data_type": "numeric"} for i, name in enumerate(features)
    ]
    form.append(
        plain
        | {
            "index": "9",
            "name": "class",
            "data_type": "nominal",
            "nominal_value": ["0", "1"],
            "is_target": "true",
        }
    )
    address = "https://www.openml.org/data/v1/download/777/tiny.arff"
    answers = {
        "api/v1/json/data/99999": {
            "data_set_description": {
                "id": "99999",
                "name": "tiny",
                "version": "1",
                "format": "ARFF",
                "status": "active",
                "file_id": "777",
                "url": address,
                "default_target_attribute": "class",
                "md5_checksum": hashlib.md5(arff.encode()).hexdigest(),
            }
        },
        "api/v1/json/data/features/99999": {"data_features": {"feature": form}},
        "api/v1/json/data/qualities/99999": {
            "data_qualities": {"quality": [{"name": "NumberOfInstances", "value": "10"}]}
        },
    }
    whole = {path: json.dumps(answer) for path, answer in answers.items()} | {
        urlsplit(address).path.lstrip("/"): arff
    }
    for path, text in whole.items():
        target = kept() / "openml" / "openml" / "openml.org" / f"{path}.gz"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(text.encode()))

    def split(x, y):
        x, y = x.astype(np.uint8).reshape(-1, 3, 3), y.astype(np.int64)
        return {"x_train": x[:6], "y_train": y[:6], "x_test": x[6:], "y_test": y[6:]}

    cls = tiny(closed(), openml=OpenML(99999, split))
    assert [event.phase for event in obtain(cls)][-1] == "openml.org"
    assert read(find("tiny.npz"), cls.parts)[1].tolist() == labels


def coil_zip() -> bytes:
    """The release of COIL-20 as it would have to be to give the 32x32 images: every pixel four times each
    way.
    """
    if (path := find("coil20.npz")) is None:
        pytest.skip("coil20.npz is not on this machine")
    packed = BytesIO()
    with np.load(path) as found, zipfile.ZipFile(packed, "w") as archive:
        for index, image in enumerate(found["x"]):
            one = BytesIO()
            Image.fromarray(image.repeat(4, 0).repeat(4, 1)).save(one, "png", compress_level=1)
            archive.writestr(f"coil-20-proc/obj{index // 72 + 1}__{index % 72}.png", one.getvalue())
    return packed.getvalue()


def test_coil20_from_a_mirror_equals_the_local_copy(real_data, server, monkeypatch, request):
    here = find("coil20.npz")
    server.files["/coil20/coil-20-proc.zip"] = coil_zip()
    request.getfixturevalue("alone")
    monkeypatch.setenv("FEINT_MIRROR", server.base)
    *_, last = fetch("coil20")
    assert (
        isinstance(last, Finished)
        and last.run == "coil20"
        and last.metrics == {"samples": 1440, "where": str(kept() / "coil20.npz")}
    )
    with np.load(here) as local, np.load(kept() / "coil20.npz") as fetched:
        np.testing.assert_array_equal(local["x"], fetched["x"])
        np.testing.assert_array_equal(local["y"], fetched["y"])
    assert len(list(fetch("coil20"))) == 1 and len(server.asked) == 1


def test_what_is_here_is_not_fetched():
    events = list(fetch("digits"))
    assert len(events) == 1 and events[0].metrics == {"samples": 1797, "where": "built in"}


def test_load_says_what_to_place_where(alone, monkeypatch):
    monkeypatch.setenv("FEINT_MIRROR", closed())
    code = "from engine import data\ntry: data.load('mnist')\nexcept data.fetching.DataMissing as e: print(e)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.startswith(
        "MNIST is not on this machine and could not be fetched (127.0.0.1: Connection refused"
    )
    assert f"Place mnist.npz in {kept()}, or train-images-idx3-ubyte.gz, " in out and "\n" not in out.strip()


def test_idx_that_is_cut_is_refused(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(idx_bytes(TINY["train-images-idx3-ubyte.gz"]))
    np.testing.assert_array_equal(idx(path), TINY["train-images-idx3-ubyte.gz"])
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-3]))
    with pytest.raises(DataError, match="no idx file of bytes"):
        idx(path)


def test_usps_rows(tmp_path):
    import bz2

    values = RNG.integers(-1000, 1001, (3, 256)) / 1000
    rows = [" ".join(f"{i + 1}:{v:g}" for i, v in enumerate(row)) for row in values]
    text = "".join(f"{label} {row} \n" for label, row in zip((1, 10, 4), rows, strict=True))
    (tmp_path / "u.bz2").write_bytes(bz2.compress(text.encode()))
    x, y = usps_part(tmp_path / "u.bz2")
    assert y.tolist() == [0, 9, 3] and x.shape == (3, 16, 16)
    np.testing.assert_allclose(x.reshape(3, 256), (values + 1) / 2, atol=1e-6)


def test_coil20_of_another_size_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "coil-20-proc.zip", "w") as archive:
        one = BytesIO()
        Image.new("L", (64, 64)).save(one, "png")
        archive.writestr("coil-20-proc/obj1__0.png", one.getvalue())
    with pytest.raises(DataError, match="must be 128x128; got 64x64"):
        coil20_release(tmp_path)


def packed(path: Path, members: dict[str, bytes]) -> None:
    """Write files into a gzipped tar archive."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, BytesIO(content))


def test_the_formats_of_tables_and_colour_pictures(tmp_path):
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, 256, (12, 3, 32, 32), dtype=np.uint8)
    names = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
    members = {
        f"cifar-10-batches-bin/{name}.bin": np.concatenate(
            [np.full((2, 1), number, np.uint8), numbers[2 * number : 2 * number + 2].reshape(2, -1)], axis=1
        ).tobytes()
        for number, name in enumerate(names)
    }
    packed(tmp_path / "cifar-10-binary.tar.gz", members)
    found = cifar_release(tmp_path)
    assert found["y_train"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4] and found["y_test"].tolist() == [5, 5]
    np.testing.assert_array_equal(found["x_test"], numbers[10:].transpose(0, 2, 3, 1))

    for part in ("train", "test"):
        held = {"X": numbers[:3].transpose(2, 3, 1, 0), "y": np.array([[1], [10], [9]])}
        savemat(tmp_path / f"{part}_32x32.mat", held)
    found = svhn_release(tmp_path)
    assert found["y_train"].tolist() == [1, 0, 9]
    np.testing.assert_array_equal(found["x_train"], numbers[:3].transpose(0, 2, 3, 1))

    inner = BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for part in ("train", "test"):
            archive.writestr(f"UCI HAR Dataset/{part}/X_{part}.txt", "  0.5 -1 1e-2\n 1 2 3\n")
            archive.writestr(f"UCI HAR Dataset/{part}/y_{part}.txt", "1\n6\n")
        archive.writestr("UCI HAR Dataset/features.txt", "1 a\n2 b\n3 a\n")
        archive.writestr("__MACOSX/UCI HAR Dataset/._features.txt", "no table")
    with zipfile.ZipFile(tmp_path / "human+activity+recognition+using+smartphones.zip", "w") as archive:
        archive.writestr("UCI HAR Dataset.zip", inner.getvalue())
    found = har_release(tmp_path)
    assert found["y_train"].tolist() == [0, 5] and found["feature_names"].tolist() == ["a 1", "b", "a 3"]
    np.testing.assert_allclose(found["x_test"], [[0.5, -1, 0.01], [1, 2, 3]], rtol=1e-6)

    found = isolet_openml(rng.normal(size=(6240, 3)), np.array(["1", "26"] * 3120))
    assert len(found["x_train"]) == 6238 and found["y_test"].tolist() == [0, 25]


def fetched(made: type[Published], name: str, members: dict[str, bytes], server, folder: Path, monkeypatch):
    """The data set as it is fetched from a release of these members, of the smaller parts that they hold."""
    packed(folder / name, members)
    server.files[f"/{name}"] = content = (folder / name).read_bytes()
    counts = {"train": (2, 1), "test": (1, 1)}
    parts = tuple(Part(part.name, part.shape, counts[part.name], None) for part in made.parts)
    remotes = (Remote(name, md5=hashlib.md5(content).hexdigest()),)
    monkeypatch.setattr(made, "parts", parts)
    monkeypatch.setattr(made, "release", Release((server.base,), remotes, made.release.convert))
    list(obtain(made))
    return made().load()


def test_cifar100_is_fetched_with_its_fine_labels(alone, server, monkeypatch):
    numbers = RNG.integers(0, 256, (5, 3, 32, 32), dtype=np.uint8)
    labels = np.array([[19, 0], [11, 1], [11, 0], [4, 0], [4, 1]], np.uint8)
    records = np.concatenate([labels, numbers.reshape(5, -1)], axis=1)
    parts = {"train": records[:3], "test": records[3:]}
    members = {f"cifar-100-binary/{part}.bin": rows.tobytes() for part, rows in parts.items()}
    found = fetched(CIFAR100, "cifar-100-binary.tar.gz", members, server, alone, monkeypatch)
    assert found.labels.tolist() == [0, 1, 0, 0, 1] and (len(found.train), len(found.test)) == (3, 2)
    np.testing.assert_array_equal(found.views.tensors[0].numpy(), numbers)
    assert len(found.class_names) == 100 and found.class_names[1] == "aquarium fish"


def test_stl10_is_fetched_upright_and_without_its_unlabelled_part(alone, server, monkeypatch):
    numbers = RNG.integers(0, 256, (5, 3, 96, 96), dtype=np.uint8)
    columns = numbers.transpose(0, 1, 3, 2)
    members = {
        "stl10_binary/unlabeled_X.bin": b"not read",
        "stl10_binary/train_X.bin": columns[:3].tobytes(),
        "stl10_binary/train_y.bin": bytes([1, 2, 1]),
        "stl10_binary/test_X.bin": columns[3:].tobytes(),
        "stl10_binary/test_y.bin": bytes([2, 1]),
    }
    found = fetched(STL10, "stl10_binary.tar.gz", members, server, alone, monkeypatch)
    assert found.labels.tolist() == [0, 1, 0, 1, 0] and found.views.shapes == ((3, 96, 96),)
    np.testing.assert_array_equal(found.views.tensors[0].numpy(), numbers)


def test_pictures_in_jpeg_are_decoded(tmp_path):
    pictures = [np.full((32, 32, 3), level, np.uint8) for level in (10, 200)]
    content = []
    for picture in pictures:
        stream = BytesIO()
        Image.fromarray(picture).save(stream, "JPEG", quality=95)
        content.append(stream.getvalue())
    ends = np.cumsum([0, *map(len, content)])
    held = {"jpeg": np.frombuffer(b"".join(content), np.uint8), "offsets": ends, "y": np.array([3, 4])}
    np.savez(tmp_path / "x.npz", **{f"{k}_{p}": v for k, v in held.items() for p in ("train", "test")})
    found = jpeg_parts(tmp_path / "x.npz")
    assert found["x_train"].shape == (2, 32, 32, 3) and found["y_test"].tolist() == [3, 4]
    np.testing.assert_allclose(found["x_test"].mean(axis=(1, 2, 3)), [10, 200], atol=2)
    held["offsets"] = ends[::-1].copy()
    np.savez(tmp_path / "x.npz", **{f"{k}_{p}": v for k, v in held.items() for p in ("train", "test")})
    with pytest.raises(DataError, match="a picture cannot be decoded"):
        jpeg_parts(tmp_path / "x.npz")
