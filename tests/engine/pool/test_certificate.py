"""Nobody runs code through the engine's ports without its certificate: real processes, real connections."""

import asyncio
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client
from distributed.comm import connect

from engine.errors import EngineUnavailable
from engine.pool import certificate
from engine.pool.client import Engine
from tests.engine.pool.test_pool import ROOT, images, until


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[psutil.Process, str, Path]]:
    """`engine serve` as a person starts it: its process, address and certificate."""
    home = tmp_path_factory.mktemp("served")
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", "serve"],
        cwd=ROOT,
        env=os.environ | {"FEINT_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = re.fullmatch(r"FEINT_ENGINE=(\S+) FEINT_CERTIFICATE=(\S+)\n", process.stdout.readline())
    assert said is not None
    yield psutil.Process(process.pid), said[1], Path(said[2])
    process.terminate()
    process.wait(60)
    process.stdout.close()
    assert not Path(said[2]).exists()


def listening(process: psutil.Process) -> set[int]:
    """The ports on which a process and its children answer."""
    everyone = [process, *process.children(recursive=True)]
    found = [link for one in everyone for link in one.net_connections("tcp") if link.status == "LISTEN"]
    return {link.laddr.port for link in found}


def test_whoever_holds_the_certificate_is_answered(
    serving: tuple[psutil.Process, str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, address, file = serving
    assert address.startswith("tls://127.0.0.1:") and file.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("FEINT_CERTIFICATE", str(file))
    engine = Engine.connect(address)
    assert engine.ask(images("digits", 0, 1)).images.shape == (2, 64)
    engine.close()


def test_a_stranger_is_refused_at_every_port(serving: tuple[psutil.Process, str, Path]) -> None:
    process, _, _ = serving
    until(lambda: len(listening(process)) == 5)  # the scheduler, two lanes and their keepers
    stranger = certificate.security(certificate.new()).get_connection_args("client")
    anybody = {"ssl_context": ssl._create_unverified_context()}
    for port in listening(process):
        for scheme, shown in (("tcp", {}), ("tls", stranger), ("tls", anybody)):
            with pytest.raises(OSError):
                asyncio.run(said_by(f"{scheme}://127.0.0.1:{port}", shown))


async def said_by(address: str, shown: dict[str, Any]) -> object:
    """What a Dask port says to a question: with TLS 1.3 a client is refused when it first reads."""
    link = await connect(address, timeout=20, **shown)
    await link.write({"op": "identity", "reply": True})
    return await link.read()


def test_a_client_without_the_certificate_gets_nowhere(serving: tuple[psutil.Process, str, Path]) -> None:
    _, address, _ = serving
    for stranger in (certificate.security(certificate.new()), None):
        where = address if stranger else address.replace("tls", "tcp")
        with pytest.raises(OSError):
            Client(where, security=stranger, timeout=20, set_as_default=False)


def test_an_open_port_and_a_missing_certificate_are_sentences(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(EngineUnavailable, match="must begin with tls://"):
        Engine.connect("tcp://127.0.0.1:9")
    with pytest.raises(EngineUnavailable, match="engine-9.pem holds none"):
        Engine.connect("tls://127.0.0.1:9")
    other = tmp_path / "other.pem"
    certificate.write(other, certificate.new())
    monkeypatch.setenv("FEINT_CERTIFICATE", str(other))
    with pytest.raises(EngineUnavailable, match="No Feint engine answers"):
        Engine.connect("tls://127.0.0.1:9")


def test_workers_elsewhere_use_the_same_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As README says: Dask's own scheduler and workers, each with the one file."""
    file = tmp_path / "feint.pem"
    certificate.write(file, certificate.new())
    tls = ["--tls-ca-file", str(file), "--tls-cert", str(file)]
    told = tmp_path / "scheduler.json"
    commands = [
        ["scheduler", "--host", "tls://127.0.0.1", "--port", "0", "--no-dashboard"],
        ["worker", "--nthreads", "1", "--resources", "play=1", "--no-dashboard", "--memory-limit", "0"],
    ]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *command, *tls, "--scheduler-file", str(told)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=subprocess.DEVNULL,
        )
        for command in commands
    ]
    try:
        until(told.exists)
        address = re.search(r"tls://127\.0\.0\.1:\d+", told.read_text())
        assert address is not None
        monkeypatch.setenv("FEINT_CERTIFICATE", str(file))
        engine = Engine.connect(address[0])
        until(lambda: engine._client.scheduler_info()["workers"] or engine._client.nthreads())
        assert engine.ask(images("digits", 0)).images.shape == (1, 64)
        engine.close()
    finally:
        for process in running[::-1]:
            process.terminate()
            process.wait(60)
