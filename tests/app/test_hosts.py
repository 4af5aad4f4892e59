"""Under which names the page server answers: DNS rebinding leads a browser here under a stranger's."""

import socket
import sys
from pathlib import Path

import pytest

from app import __main__ as served
from tests.conftest import Server, answers, end, free_port, wait_until

UPGRADE = (
    "GET /_stcore/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def status(port: int, host: str) -> int:
    """The page server's answer to a browser that wants its channel under the name `host`."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as link:
        link.sendall(UPGRADE.format(host=host).encode())
        return int(link.recv(64).split()[1])


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_is_answered(server: Server, host: str) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    assert status(port, f"{host}:{port}") == 101


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example"])
def test_a_stranger_of_the_same_origin_is_refused(server: Server, host: str) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    assert status(port, f"{host}:{port}") == 403


def test_a_classroom_comes_in_by_the_names_of_this_machine(home: Path) -> None:
    port = free_port()
    own = served.names(Path(sys.executable), "0.0.0.0", ["feint.example"])
    assert {"localhost", "127.0.0.1", socket.gethostname(), "feint.example"} <= set(own)
    assert served.names(Path(sys.executable), "127.0.0.1") == ["localhost", "127.0.0.1", "::1"]
    command = served.server_command(Path(sys.executable), "0.0.0.0", port, ["feint.example"])
    process = served.start(command)
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health"), 240, "the page server")
        found = {name: status(port, name) for name in ("localhost", socket.gethostname(), "feint.example")}
        assert set(found.values()) == {101}, found
        assert status(port, "evil.example") == 403
    finally:
        end(process)
