"""What must not be in the repository: pickles, code made from text, large files, paths of somebody's
machine.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SKIPPED = {"__pycache__", "artefacts", "data", "node_modules"}
LARGEST = 5_000_000  # bytes
TEXT = {".py", ".js", ".css", ".html", ".md", ".toml", ".txt", ".json", ".jsonl", ".yml", ".sh", ""}
SOMEBODYS = re.compile(r"(?<![\w.:/-])/(?:work|root|tmp|home/\w+|Users/\w+)/[\w.-]+|\b[A-Z]:\\Users\\")
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "pickle.load",
    "pickle.loads",
    "joblib.load",
    "torch.load",
    "dill.load",
    "cloudpickle.loads",
    "pandas.read_pickle",
    "pd.read_pickle",
    "marshal.loads",
}
FORBIDDEN_VALUES = {("allow_pickle", True), ("weights_only", False)}


def files(folder: Path = ROOT) -> Iterator[Path]:
    """Every file that is, or could be, part of the repository."""
    for path in sorted(folder.iterdir()):
        hidden = path.name.startswith(".") and path.name not in (".ci", ".streamlit", ".gitignore")
        if hidden or (path.name in SKIPPED and path.parent.name != "engine"):  # engine/data is source
            continue
        if path.is_dir():
            yield from files(path)
        else:
            yield path


def dangers(source: str) -> list[str]:
    """Calls that run what they read."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            if ast.unparse(node.func) in FORBIDDEN_CALLS:
                found.append(ast.unparse(node.func))
            found += [
                f"{given.arg}={given.value.value}"
                for given in node.keywords
                if isinstance(given.value, ast.Constant)
                and (given.arg, given.value.value) in FORBIDDEN_VALUES
            ]
    return found


PYTHON = [path for path in files() if path.suffix == ".py"]


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_unpickled_or_run_from_text(path: Path) -> None:
    assert dangers(path.read_text(encoding="utf-8")) == []


def test_no_file_is_large() -> None:
    assert [
        f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes"
        for path in files()
        if path.stat().st_size > LARGEST
    ] == []


def test_no_path_of_somebodys_machine() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in files() if path.suffix in TEXT}
    assert [
        f"{path.relative_to(ROOT)}: {found}"
        for path, text in texts.items()
        for found in SOMEBODYS.findall(text)
    ] == []


@pytest.mark.parametrize(
    "source",
    [
        "eval('1')",
        "import pickle; pickle.load(file)",
        "np.load(file, allow_pickle=True)",
        "torch.load(file, weights_only=False)",
        "torch.load(file)",
    ],
)
def test_a_danger_is_found(source: str) -> None:
    assert dangers(source)


@pytest.mark.parametrize("source", ["model.eval()", "np.load(file, allow_pickle=False)", "json.loads(text)"])
def test_what_is_safe_is_not(source: str) -> None:
    assert dangers(source) == []


@pytest.mark.parametrize(
    "text",
    ["/" + "work/main/engine", "see /" + "tmp/out.txt", '"/' + 'home/ada/data"', "C:" + "\\Users\\ada"],
)
def test_a_machine_path_is_found(text: str) -> None:
    assert SOMEBODYS.search(text)


@pytest.mark.parametrize("text", ["../shared/data", "https://example.org/work/x", "assets/zoo", "a/tmp/b"])
def test_a_relative_path_is_not(text: str) -> None:
    assert not SOMEBODYS.search(text)
