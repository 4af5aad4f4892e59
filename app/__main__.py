"""`python3 -m app`: sets everything up on first use, serves the pages on this machine, opens the browser.

The standard library alone: it runs on the system's Python, before anything is installed.
"""

import argparse
import ctypes
import os
import platform
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import webbrowser
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from app.setup import ROOT, SetupError, environment

LOOPBACK = "127.0.0.1"
ANY = ("0.0.0.0", "::")  # all of a machine's addresses, and no name of one
PATIENCE = 10.0  # seconds for the server to stop by itself


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """What was typed behind `python3 -m app`."""
    parser = argparse.ArgumentParser(
        prog="python3 -m app", description="Feint in your browser; Ctrl-C stops it."
    )
    parser.add_argument(
        "--port",
        type=int,
        default=8501,
        help="where to listen; the next free port if it is taken (default: 8501)",
    )
    parser.add_argument(
        "--host", default=LOOPBACK, help="0.0.0.0 lets a classroom in (default: this machine only)"
    )
    parser.add_argument(
        "--lan",
        action="store_true",
        help="lets a classroom in and opens a class: prints its address, a QR code, and the teacher's secret",
    )
    parser.add_argument(
        "--days",
        type=int,
        default=30,
        help="with --lan: how long the class's aliases and answers are kept (default: 30)",
    )
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        help="another name by which browsers reach this machine, as behind a proxy; may be given again",
    )
    parser.add_argument(
        "--no-browser", dest="browser", action="store_false", help="print the address, open nothing"
    )
    chosen = parser.parse_args(arguments)
    if not 1 <= chosen.port <= 65535:
        parser.error(f"--port must be in 1 .. 65535; got {chosen.port}.")
    if not 1 <= chosen.days <= 365:
        parser.error(f"--days must be in 1 .. 365; got {chosen.days}.")
    if chosen.lan and chosen.host == LOOPBACK:
        chosen.host = "0.0.0.0"
    return chosen


def free_port(host: str, first: int, tries: int = 100) -> int:
    """The first port from `first` on that nobody uses on `host`."""
    for port in range(first, min(first + tries, 65536)):
        if is_free(host, port):
            return port
    raise SetupError(
        f"No port from {first} to {port} is free on {host}: choose another with --port, or another --host."
    )


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        if platform.system() != "Windows":
            # a server that stopped a second ago is gone
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            return True
        except OSError:
            return False


def lan_address() -> str:
    """This machine's address on its network; a UDP socket that is connected sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address: only the route is looked up
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()


ADDRESSES = """import psutil
found = [address for several in psutil.net_if_addrs().values() for address in several]
print(*{address.address.split("%")[0] for address in found if address.family.name in ("AF_INET", "AF_INET6")})
"""


def names(python: Path, host: str, more: Sequence[str] = ()) -> list[str]:
    """Names and addresses under which a browser may ask: those of this machine, where others are let in."""
    known = ["localhost", LOOPBACK, "::1", *more]
    if host == LOOPBACK:
        return known
    every = subprocess.run(
        [python, "-c", ADDRESSES], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    own = socket.gethostname()
    called = [own, f"{own.split('.')[0]}.local", socket.getfqdn(), host, lan_address()]
    return [name for name in dict.fromkeys([*known, *called, *every.stdout.split()]) if name not in ANY]


def server_command(python: Path, host: str, port: int, more: Sequence[str] = ()) -> list[str]:
    """What starts the page server; all other settings stand in .streamlit/config.toml."""
    allowed = [word for name in names(python, host, more) for word in ("--server.allowedHosts", name)]
    seen_as = "localhost" if host == LOOPBACK else lan_address()
    return [
        str(python),
        "-m",
        "app.serving",
        "app/main.py",
        "--server.address",
        host,
        "--server.port",
        str(port),
        "--browser.serverAddress",
        seen_as,
        *allowed,
    ]


def dies_with_its_parent() -> None:
    """Linux: the child is told when this process is killed outright (PR_SET_PDEATHSIG)."""
    if platform.system() == "Linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def start(command: list[str], more: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """The page server, in a session of its own so that Ctrl-C reaches it once, through `stop`; told `more` in
    its environment.
    """
    posix = platform.system() != "Windows"
    # complaints go to stderr
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | (more or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=posix,
        preexec_fn=dies_with_its_parent if posix else None,
    )


def stop(server: subprocess.Popen[bytes], patience: float = PATIENCE) -> None:
    """End the server and whatever it left behind; first kindly, then not."""
    try:
        server.terminate()
        server.wait(patience)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        server.kill()
    if platform.system() != "Windows":
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)


def is_healthy(port: int, host: str = LOOPBACK) -> bool:
    """Whether the server answers already."""
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(f"http://{host}:{port}/_stcore/health", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Of a class code and a teacher's secret: none that is taken for another."""
QR = "import segno, sys; segno.make(sys.argv[1], micro=False).terminal(compact=True)"


def new_class(days: int) -> dict[str, str]:
    """A class code, its teacher's secret, and how long it is kept, as the page server is told them."""
    code, secret = ("".join(secrets.choice(LETTERS) for _ in range(length)) for length in (5, 12))
    return {"FEINT_CLASS": code, "FEINT_CLASS_SECRET": secret, "FEINT_CLASS_DAYS": str(days)}


def announce_class(python: Path, port: int, told: Mapping[str, str]) -> None:
    """Say how a class comes in, with a QR code, and the secret by which its teacher is known."""
    address = f"http://{lan_address()}:{port}/classroom?code={told['FEINT_CLASS']}"
    subprocess.run([python, "-c", QR, address], stdin=subprocess.DEVNULL)
    print(f"Students open {address}")
    print(f"Class code: {told['FEINT_CLASS']}")
    print(
        f"Teacher's secret, for the page Classroom; do not show it: {told['FEINT_CLASS_SECRET']}", flush=True
    )


def announce(server: subprocess.Popen[bytes], host: str, port: int, browser: bool) -> None:
    """Say the address, and open it, once the server answers."""
    reached = LOOPBACK if host in (LOOPBACK, "0.0.0.0") else host
    while server.poll() is None and not is_healthy(port, reached):
        time.sleep(0.05)
    if server.poll() is not None:
        return
    address = f"http://{'localhost' if reached == LOOPBACK else reached}:{port}"
    print(f"Feint is at {address} (Ctrl-C stops it)", flush=True)
    if host != LOOPBACK:
        print(
            f"Anybody on this network can open http://{lan_address()}:{port}, train on this machine and "
            "delete runs: "
            "do this only where you trust everybody.",
            flush=True,
        )
    if browser and has_screen():
        webbrowser.open(address)


def has_screen() -> bool:
    """Whether there is a desktop to open a browser on."""
    return platform.system() in ("Windows", "Darwin") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def interrupted(*_: object) -> None:
    """Treat a signal as Ctrl-C."""
    raise KeyboardInterrupt


def serve(python: Path, chosen: argparse.Namespace) -> int:
    """Run the page server until it ends or is stopped; its exit status."""
    port = free_port(chosen.host, chosen.port)
    if port != chosen.port:
        print(f"Port {chosen.port} is taken: using {port}.", flush=True)
    told = new_class(chosen.days) if chosen.lan else {}
    server = start(server_command(python, chosen.host, port, chosen.name), told)
    for name in ("SIGTERM", "SIGHUP"):
        # nohup ignores SIGHUP on purpose
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) != signal.SIG_IGN:
            signal.signal(getattr(signal, name), interrupted)
    try:
        if told:
            announce_class(python, port, told)
        threading.Thread(
            target=announce, args=(server, chosen.host, port, chosen.browser), daemon=True
        ).start()
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        stop(server)


def main() -> int:
    """Set up, serve; 0 after Ctrl-C, 1 with one sentence where set-up fails."""
    chosen = options()
    try:
        return serve(environment(), chosen)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; the same command goes on from here.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
