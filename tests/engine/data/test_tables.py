"""Tables: from a release to features in [0, 1] by what the training rows say, and what a person brings."""

from pathlib import Path

import numpy as np
import pytest

from engine import data
from engine.data.fetching import obtain
from engine.data.finding import Part, find
from engine.data.formats import mice_release
from engine.data.own import read
from engine.data.published import Release
from engine.data.scaling import filled, ranged
from engine.data.tabular import Tabular
from engine.errors import DataError
from tests.engine.data.test_fetching import Server, alone, server

__all__ = ["alone", "server"]

NAN = np.nan


def test_what_is_missing_is_the_median_of_the_training_rows() -> None:
    x = np.array([[1, NAN, NAN], [3, 4, NAN], [NAN, 8, 7.0]])
    found = filled(x, np.array([True, True, False]))
    assert found.tolist() == [[1, 4, 0], [3, 4, 0], [2, 8, 7]]


def test_a_feature_goes_from_0_to_1_over_the_training_rows_and_others_are_cut() -> None:
    x = np.array([[0, 5.0], [4, 5], [-4, 6], [1, 5]])
    view, low, span = ranged(x, np.array([True, True, False, False]))
    assert view.tolist() == [[0, 0], [1, 0], [0, 1], [0.25, 0]] and view.dtype == np.float32
    assert low.tolist() == [0, 5] and span.tolist() == [4, 1]


TABLE = """MouseID,A_N,B_N,Genotype,Treatment,Behavior,class
1_1,0.5,2,Control,m,CS,x
1_2,1.5,,Control,m,CS,x
2_1,0.7,4,Ts65Dn,s,CS,y
2_2,9,6,Ts65Dn,s,CS,y
"""


def tiny(base: str) -> type[Tabular]:
    """An unregistered table in the form of Mice Protein, published at `base`."""
    from engine.data.download import Remote

    class Tiny(Tabular):
        name = "tiny_table"
        title = "Tiny table"
        source = "this test"
        class_names = ("x", "y")
        counts = (2, 2)
        shape = (2,)
        feature_names = ("A_N", "B_N")
        file = "tiny_table.npz"
        parts = (Part("", (2,), (2, 2), 23.7 / 7, gaps=True),)
        release = Release(
            (base,),
            (Remote("Data_Cortex_Nuclear.csv"),),
            lambda folder: mice_release(folder, ("x", "y")),
        )

        def divided(self, n: int) -> tuple[np.ndarray, np.ndarray]:
            return np.arange(3), np.array([3])

    return Tiny


def test_a_table_is_fetched_kept_and_scaled(alone: Path, server: Server) -> None:
    server.files["/Data_Cortex_Nuclear.csv"] = TABLE.encode()
    cls = tiny(server.base)
    list(obtain(cls))
    assert find("tiny_table.npz") is not None and cls.whereabouts()
    found = cls().load()
    x = found.views.all().flat().numpy()
    np.testing.assert_allclose(x, [[0, 0], [1, 0.5], [0.2, 1], [1, 1]], atol=1e-6)
    assert found.labels.tolist() == [0, 0, 1, 1] and found.feature_names == ("A_N", "B_N")
    assert found.affine[0].tolist() == [0.5, 2] and found.affine[1].tolist() == [1, 2]
    assert found.train.tolist() == [0, 1, 2] and found.test.tolist() == [3]


def test_a_table_that_is_nowhere_says_which_file_to_place(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEINT_MIRROR", "http://127.0.0.1:9/")
    with pytest.raises(
        DataError, match=r"ISOLET is not on this machine .* Place isolet.npz in [^,]*, and try"
    ):
        list(data.fetch("isolet"))
    with pytest.raises(DataError, match=r"CIFAR-10 \(JPEG\) is not on this machine and is never fetched"):
        list(data.fetch("cifar10_jpeg"))


def test_a_brought_table_keeps_its_names_and_is_scaled_by_its_training_rows(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("age,weight,split\n10,1\n".replace("10,1\n", "10,1,train\n20,3,train\n40,2,test\n"))
    [found] = read(str(file), clusters=2)
    assert found.feature_names == ("age", "weight")
    assert found.x.tolist() == [[0, 0], [1, 1], [1, 0.5]]
    assert found.affine is not None and found.affine[0].tolist() == [10, 1]
    loaded = data.load(str(file), clusters=2)
    assert loaded.feature_names == ("age", "weight") and loaded.affine[1].tolist() == [10, 2]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("1,1,train\n,2,train\n3,4,test\n", r"constant in the training rows \(age\)\. Leave them out"),
        (",1,train\n,2,train\n3,4,test\n4,5,test\n", r"missing in the training rows .* \(age: 2\)\. Fill"),
        ("1,1,train\n2,1,train\n3,1,train\n", r"1 of 2 features are constant \(weight\)\. Leave them out"),
        ("1,1,train\n2,1,train\n3,4,test\n", r"constant in the training rows \(weight\)\. Leave them out"),
    ],
)
def test_gaps_and_constant_columns_get_a_sentence(tmp_path: Path, rows: str, says: str) -> None:
    file = tmp_path / "own.csv"
    file.write_text("age,weight,split\n" + rows)
    with pytest.raises(DataError, match=says):
        data.load(str(file), clusters=2)
