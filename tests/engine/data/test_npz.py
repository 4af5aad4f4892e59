"""Archives of arrays that nobody vouches for: what they promise is checked before it is read."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engine.data.npz import arrays
from engine.data.report import examine
from engine.errors import DataError

X = np.random.default_rng(0).normal(size=(40, 5))


def header(shape: str, descr: str = "<f8") -> bytes:
    """That of an array of this shape, without its numbers."""
    words = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    words += b" " * (64 - (len(words) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(words).to_bytes(2, "little") + words


def packed(path: Path, content: bytes, name: str = "x.npy") -> Path:
    """An archive of one member."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return path


def patched(path: Path, local: int, central: int, value: int) -> Path:
    """A good archive, one byte of each member's two heads changed."""
    np.savez(path, x=X)
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        place = content.find(mark)
        while place >= 0:
            content[place + offset] = value
            place = content.find(mark, place + 4)
    path.write_bytes(bytes(content))
    return path


@pytest.mark.parametrize(
    "shape", ["(1000000000000,)", "(100000, 100000)", "(-5, 3)", "(10**3,)", "(999999999999999999999999, 3)"]
)
def test_a_shape_that_the_file_does_not_hold_takes_no_memory(tmp_path: Path, shape: str) -> None:
    with pytest.raises(DataError, match="holds 0 bytes|damaged"):
        arrays(packed(tmp_path / "x.npz", header(shape)))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\x93NUMPY\x01\x00" + (60000).to_bytes(2, "little") + b"(" * 60000, "is damaged"),
        (b"\x93NUMPY\x07\x00" + b"abc" * 30, "no plain array"),
        (b"\x93NUM", "no array of numpy's"),
        (b"hello", "no array of numpy's"),
        (header("(3,)", "|O") + b"\x80\x04N.", "holds Python objects"),
        (header("(3,)", "xyz"), "is damaged"),
        (b"", "no array of numpy's"),
    ],
)
def test_a_member_that_is_no_array(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(DataError, match=says):
        arrays(packed(tmp_path / "x.npz", content))


def test_encrypted_and_oddly_packed_members(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="encrypted"):
        arrays(patched(tmp_path / "encrypted.npz", 6, 8, 1))
    with pytest.raises(DataError, match="compression method is not supported"):
        arrays(patched(tmp_path / "deflate64.npz", 8, 10, 9))


def test_a_single_array_and_no_archive(tmp_path: Path) -> None:
    single = io.BytesIO()
    np.save(single, X)
    (tmp_path / "single.npz").write_bytes(single.getvalue())
    with pytest.raises(DataError, match="got a single array"):
        arrays(tmp_path / "single.npz")
    (tmp_path / "none.npz").write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(DataError, match="no .npz archive"):
        arrays(tmp_path / "none.npz")


@pytest.mark.parametrize("x", [np.where(X > 0, 1e308, -1e308), np.where(X > 0, 1e308, 0).reshape(40, 5, 1)])
def test_values_that_would_overflow(tmp_path: Path, x: np.ndarray) -> None:
    np.savez(tmp_path / "x.npz", x=x)
    with pytest.raises(DataError, match="at most ±1e\\+30 can be computed with"):
        examine(str(tmp_path / "x.npz"))


def test_good_ones_are_read_whatever_their_kind(tmp_path: Path) -> None:
    kinds = {
        "f2": X.astype("f2"),
        "be": X.astype(">f8"),
        "fortran": np.asfortranarray(X),
        "text": X.astype(str),
    }
    np.savez_compressed(tmp_path / "x.npz", one=np.float64(3), none=np.zeros((0, 5)), **kinds)
    found = arrays(tmp_path / "x.npz")
    assert all((found[name] == value).all() for name, value in kinds.items())
    assert found["one"] == 3 and found["none"].shape == (0, 5)
