"""Set-up: made once, known in milliseconds afterwards, done again after an interruption, and one sentence
where it cannot go on.
"""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import __main__ as served
from app import setup
from tests import chromium
from tests.__main__ import checks
from tests.conftest import wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with an empty requirements.txt, so that pip has nothing to fetch."""
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    return tmp_path


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No CPU index is asked for."""
    monkeypatch.setattr(setup, "prefers_cpu_torch", lambda: False)
    monkeypatch.setattr(setup, "check_space", lambda *_: None)


@pytest.fixture
def website() -> Iterator[Callable[[type[http.server.BaseHTTPRequestHandler]], str]]:
    """`website(Handler)` -> the address of a local server that answers by it."""
    servers = []

    def started(handler: type[http.server.BaseHTTPRequestHandler]) -> str:
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield started
    for server in servers:
        server.shutdown()
        server.server_close()


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers at once."""

    status, pause = 200, 0.0

    def do_HEAD(self) -> None:
        time.sleep(self.pause)
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class Missing(Answering):
    """Has no such page."""

    status = 404


class Slow(Answering):
    """Answers too late."""

    pause = 1.0


@pytest.mark.parametrize(
    ("system", "inside"),
    [("Linux", "bin/python"), ("Darwin", "bin/python"), ("Windows", "Scripts/python.exe")],
)
def test_the_interpreter_of_each_platform(system: str, inside: str) -> None:
    assert setup.venv_python(Path(".venv"), system).as_posix() == f".venv/{inside}"


def fake_venv(project: Path) -> Path:
    """A complete-looking environment without a single program run."""
    python = setup.venv_python(project / ".venv")
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (project / ".venv" / "pyvenv.cfg").write_text("version = 3.11.7\n")
    setup.stamp_file(project / ".venv").write_text(
        setup.stamp(project / ".venv", project / "requirements.txt")
    )
    return project / ".venv"


def test_a_stamped_environment_is_ready(project: Path) -> None:
    assert setup.is_ready(fake_venv(project), project / "requirements.txt")


@pytest.mark.parametrize("change", ["requirements", "version", "interpreter", "stamp"])
def test_whatever_changes_asks_for_set_up_again(project: Path, change: str) -> None:
    venv, requirements = fake_venv(project), project / "requirements.txt"
    if change == "requirements":
        requirements.write_text("six\n")
    elif change == "version":
        (venv / "pyvenv.cfg").write_text("version = 3.12.1\n")
    elif change == "interpreter":
        setup.venv_python(venv).unlink()
    else:
        setup.stamp_file(venv).unlink()
    assert not setup.is_ready(venv, requirements)


def test_a_second_start_has_nothing_to_do(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_venv(project)
    monkeypatch.setattr(setup, "make", lambda *_: pytest.fail("set up again"))
    began = time.perf_counter()
    assert setup.environment(project) == setup.venv_python(project / ".venv")
    assert time.perf_counter() - began < 0.5


def test_an_environment_is_made_and_made_again_after_an_interruption(project: Path, offline: None) -> None:
    half = project / ".venv" / "bin"
    half.mkdir(parents=True)
    (half / "python").write_text("interrupted")
    said: list[str] = []
    python = setup.environment(project, said.append)
    assert (
        subprocess.run([python, "-c", "import sys, pip; sys.exit(sys.prefix == sys.base_prefix)"]).returncode
        == 0
    )
    assert setup.is_ready(project / ".venv", project / "requirements.txt") and len(said) == 2
    setup.stamp_file(
        project / ".venv"
    ).unlink()  # as if pip had been interrupted: the environment works and is kept
    marker = project / ".venv" / "kept"
    marker.touch()
    assert setup.environment(project, said.append) == python and marker.exists()


def test_a_failed_install_leaves_no_stamp(
    project: Path, offline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "works", lambda _: True)
    monkeypatch.setattr(
        setup,
        "pip_command",
        lambda *_: [sys.executable, "-c", "import sys; print('ERROR: a riddle'); sys.exit(1)"],
    )
    (project / ".venv").mkdir()
    with pytest.raises(setup.SetupError, match="could not install requirements.txt: a riddle"):
        setup.environment(project, lambda _: None)
    assert not setup.stamp_file(project / ".venv").exists()


def test_two_set_ups_wait_for_each_other(project: Path) -> None:
    said: list[str] = []
    order: list[str] = []

    def second() -> None:
        with setup.one_at_a_time(project / "requirements.txt", said.append):
            order.append("second")

    with setup.one_at_a_time(project / "requirements.txt"):
        waiting = threading.Thread(target=second)
        waiting.start()
        while not said:
            time.sleep(0.01)
        order.append("first")
    waiting.join(10)
    assert order == ["first", "second"] and "waiting" in said[0]


def test_pip_looks_at_the_cpu_index_only_where_it_is_given() -> None:
    plain = setup.pip_command(Path("python"), Path("requirements.txt"))
    assert "--extra-index-url" not in plain and plain[:4] == ["python", "-m", "pip", "install"]
    assert setup.pip_command(Path("python"), Path("requirements.txt"), setup.TORCH_CPU)[-2:] == [
        "--extra-index-url",
        setup.TORCH_CPU,
    ]


@pytest.mark.parametrize(("handler", "expected"), [(Answering, True), (Missing, False), (Slow, False)])
def test_an_index_must_answer_in_time(website: Callable[..., str], handler: type, expected: bool) -> None:
    assert setup.answers(website(handler), seconds=0.5) is expected


def test_an_index_behind_a_closed_port_does_not_answer() -> None:
    assert setup.answers(f"http://127.0.0.1:{closed_port()}", seconds=0.5) is False


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(("answering", "expected"), [(True, setup.TORCH_CPU), (False, None)])
def test_the_index_is_used_if_it_answers(
    project: Path, monkeypatch: pytest.MonkeyPatch, answering: bool, expected: str | None
) -> None:
    asked: list[str | None] = []
    monkeypatch.setattr(setup, "works", lambda _: True)
    monkeypatch.setattr(setup, "prefers_cpu_torch", lambda: True)
    monkeypatch.setattr(setup, "answers", lambda _: answering)
    monkeypatch.setattr(setup, "install", lambda *_: None)
    monkeypatch.setattr(setup, "pip_command", lambda python, requirements, index: asked.append(index))
    (project / ".venv").mkdir()
    setup.make(project / ".venv", project / "requirements.txt", lambda _: None)
    assert asked == [expected]


@pytest.mark.parametrize(
    ("system", "driver", "tool", "expected"),
    [
        ("Linux", False, None, True),
        ("Linux", True, None, False),
        ("Linux", False, "/usr/bin/nvidia-smi", False),
        ("Darwin", False, None, False),
        ("Windows", False, None, False),
    ],
)
def test_cpu_wheels_are_preferred_on_linux_without_a_gpu(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    driver: bool,
    tool: str | None,
    expected: bool,
) -> None:
    monkeypatch.setattr(setup.shutil, "which", lambda _: tool)
    assert setup.prefers_cpu_torch(system, tmp_path if driver else tmp_path / "none") is expected


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "  Downloading pandas-3.1.1-cp311-cp311-manylinux_2_28_x86_64.whl (12.4 MB)\n",
            "pandas 3.1.1 (12.4 MB)",
        ),
        ("  Downloading zict-3.0.0-py2.py3-none-any.whl (43 kB)\n", None),
        ("Requirement already satisfied: numpy\n", None),
        ("Installing collected packages: numpy\n", "unpacking (half a minute) ..."),
    ],
)
def test_only_what_takes_time_is_told(line: str, told: str | None) -> None:
    assert setup.progress(line) == told


@pytest.mark.parametrize(
    ("output", "cure"),
    [
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "make room",
        ),
        (
            (
                "WARNING: Retrying ... NewConnectionError(...)\nERROR: No matching distribution found for"
                " torch==2.13.0"
            ),
            "No network",
        ),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "No network"),
        ("ERROR: No matching distribution found for torch==2.13.0", "no torch==2.13.0 for Python"),
        ("ERROR: [Errno 13] Permission denied: '.venv'", "a folder of your own"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]" + "'))", "PIP_CERT"),
    ],
)
def test_what_pip_says_becomes_one_sentence(output: str, cure: str) -> None:
    sentence = setup.explanation(output)
    assert sentence and cure in sentence and "\n" not in sentence


def test_an_unknown_failure_keeps_pips_last_word() -> None:
    assert setup.explanation("ERROR: a riddle") is None
    assert setup.last_line("ERROR: a riddle\n\n[notice] A new release of pip\n") == "a riddle"


def test_too_little_space_is_said_before_anything_is_made(project: Path) -> None:
    with pytest.raises(setup.SetupError, match="make room and run the same command again"):
        setup.check_space(project, needed=1e9)


def test_a_pip_that_finds_no_network_ends_in_one_sentence(project: Path, offline: None) -> None:
    (project / "requirements.txt").write_text("feint-needs-a-network==1\n")
    command = [
        *setup.pip_command(Path(sys.executable), project / "requirements.txt"),
        "--dry-run",
        "--isolated",
        "--retries",
        "1",
        "--index-url",
        f"http://127.0.0.1:{closed_port()}/simple",
    ]
    with pytest.raises(setup.SetupError, match="No network"):
        setup.install(command, project, lambda _: None)


def test_an_old_python_is_told_what_to_install() -> None:
    code = "import sys; sys.version_info = (3, 8, 10, 'final', 0); import app"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert "needs Python 3.11 or newer, and this is Python 3.8" in ended.stderr


def test_a_taken_port_gives_the_next_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not served.is_free("127.0.0.1", port)
        assert served.free_port("127.0.0.1", port) > port
        with pytest.raises(setup.SetupError, match="choose another with --port"):
            served.free_port("127.0.0.1", port, tries=1)


def test_the_server_is_for_this_machine_alone_unless_asked() -> None:
    assert served.options([]).host == "127.0.0.1"
    command = served.server_command(Path("python"), "127.0.0.1", 8501)
    assert command[command.index("--server.address") + 1] == "127.0.0.1"
    assert (
        served.server_command(Path("python"), served.options(["--host", "0.0.0.0"]).host, 8501).count(
            "0.0.0.0"
        )
        == 1
    )


def test_a_class_is_told_how_to_come_in(capfd: pytest.CaptureFixture[str]) -> None:
    assert served.options(["--lan"]).host == "0.0.0.0"
    told, other = served.new_class(30), served.new_class(served.options(["--days", "7"]).days)
    code, secret = told["FEINT_CLASS"], told["FEINT_CLASS_SECRET"]
    assert (len(code), len(secret)) == (5, 12) and not {code, secret} & set(other.values())
    assert (told["FEINT_CLASS_DAYS"], other["FEINT_CLASS_DAYS"]) == ("30", "7")
    served.announce_class(Path(sys.executable), 8501, told)
    said = capfd.readouterr().out
    assert f":8501/classroom?code={code}" in said and secret in said and "█" in said
    assert secret not in said.split("Teacher's")[0], "only the line for the teacher says it"


@pytest.mark.parametrize(
    "arguments", [["--port", "0"], ["--port", "x"], ["--days", "0"], ["--days", "366"], ["--nonsense"]]
)
def test_nonsense_on_the_command_line_exits_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        served.options(arguments)
    assert ended.value.code == 2 and "error:" in capsys.readouterr().err


def test_stopping_leaves_nothing_of_the_server_behind(tmp_path: Path) -> None:
    grandchild = tmp_path / "pid"
    code = (
        "import pathlib, subprocess, sys, time\nchild = subprocess.Popen([sys.executable, '-c', 'import"
        f" time; time.sleep(60)'])\npathlib.Path({str(grandchild)!r}).write_text(str(child.pid));"
        " time.sleep(60)"
    )
    server = served.start([sys.executable, "-c", code])
    wait_until(lambda: grandchild.exists() and grandchild.read_text() != "", 10, "the grandchild", 0.02)
    served.stop(server)
    assert server.poll() is not None
    wait_until(lambda: not runs(int(grandchild.read_text())), 5, "the grandchild's end", 0.02)


def runs(process: int) -> bool:
    """Whether a process is there and more than a zombie."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True
    ).stdout.strip()
    return state != "" and not state.startswith("Z")


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize(
    "ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda ending: ending.name
)
def test_serving_says_the_address_and_ends_with_its_parent(ending: signal.Signals) -> None:
    heed = (  # a shell's background jobs begin deaf to it
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    )
    code = (
        heed + "import sys; from pathlib import Path; from app.__main__ import options, serve; "
        f"sys.exit(serve(Path(sys.executable), options(['--no-browser', '--port', '{closed_port()}'])))"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as app:
        assert app.stdout
        said = app.stdout.readline()
        port = int(said.split("localhost:")[1].split()[0])
        assert served.is_healthy(port)
        app.send_signal(ending)
        try:
            assert app.wait(15) == (-9 if ending == signal.SIGKILL else 0)
        finally:
            app.kill()
    wait_until(lambda: not served.is_healthy(port), 10, "the server's end")


def serving(home: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """The page server as far as its own help, on a home of its own."""
    return subprocess.run(
        [sys.executable, "-m", "app.serving", "--help"],
        cwd=ROOT,
        env=os.environ | {"FEINT_HOME": str(home)} | more,
        capture_output=True,
        text=True,
    )


def test_what_there_is_to_choose_is_listed_before_a_page_is_served(tmp_path: Path) -> None:
    assert serving(tmp_path).returncode == 0
    (listed,) = (tmp_path / "catalogue").glob("*.json")
    assert json.loads(listed.read_text())["model"]


def test_a_server_without_an_engine_says_so_and_ends(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('torch is broken')")
    ended = serving(tmp_path / "home", PYTHONPATH=str(tmp_path))
    assert ended.returncode == 1
    assert ended.stderr.strip() == "The engine could not describe itself: ImportError: torch is broken"


def test_arguments_of_the_checks_go_to_pytest() -> None:
    commands = checks(Path("python"), ["-k", "pgd"])
    assert list(commands) == ["ruff", "format", "mypy", "pytest"] and commands["pytest"][-2:] == ["-k", "pgd"]


def test_all_of_the_checks_are_the_long_ones_too() -> None:
    usual, every = (checks(Path("python"), more)["pytest"] for more in ([], ["--all"]))
    assert "-m" not in usual[3:] and every == [*usual, "-m", "not slow and not benchmark"]


def test_the_chromium_that_is_named_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CHROME", sys.executable)
    assert chromium.found() == sys.executable
    monkeypatch.delenv("CHROME")
    assert chromium.found() == str(program)
    monkeypatch.setenv("CHROME", str(tmp_path / "gone"))
    assert chromium.got(Path(sys.executable)) is None


def test_without_a_chromium_playwright_is_asked_then_debian(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.delenv("CHROME", raising=False)
    monkeypatch.setattr(chromium, "found", lambda: None)
    monkeypatch.setattr(chromium, "playwrights", lambda *_: asked.append("playwright"))
    monkeypatch.setattr(chromium, "debians", lambda *_: asked.append("debian"))
    assert chromium.got(Path("python")) is None and asked == ["playwright", "debian"]
