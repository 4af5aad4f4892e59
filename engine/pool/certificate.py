"""Who may speak with the scheduler and its workers: those that hold the engine's certificate.

Whoever reaches a Dask port can run code there, so every connection is TLS, and both sides show this one
certificate. It is made anew for each start; its file holds the key too, and only its owner can read it.
"""

import os
from pathlib import Path

from distributed.security import Security

from engine.errors import EngineUnavailable
from engine.home import home

BEGINNING = "-----BEGIN CERTIFICATE-----"


def new() -> str:
    """A new key and the certificate that it signed itself, as PEM."""
    made = Security.temporary()
    return f"{made.tls_scheduler_key.strip()}\n{made.tls_scheduler_cert}"


def security(pem: str) -> Security:
    """What Dask needs to show this certificate and to accept nobody without it."""
    at = pem.index(BEGINNING)
    key, certificate = pem[:at], pem[at:]
    return Security(
        require_encryption=True,
        tls_ca_file=certificate,
        tls_client_cert=certificate,
        tls_client_key=key,
        tls_scheduler_cert=certificate,
        tls_scheduler_key=key,
        tls_worker_cert=certificate,
        tls_worker_key=key,
    )


def given() -> Path | None:
    """The file that FEINT_CERTIFICATE names."""
    named = os.environ.get("FEINT_CERTIFICATE")
    return Path(named).expanduser() if named else None


def place(port: int) -> Path:
    """Where an engine that was started by hand leaves its certificate, for pages of the same person."""
    return home() / f"engine-{port}.pem"


def of(address: str) -> str:
    """The certificate of the engine at `address`, as PEM. Raises EngineUnavailable where there is none."""
    if not address.startswith("tls://"):
        raise EngineUnavailable(
            f"FEINT_ENGINE must begin with tls://, for whoever reaches an open port can run code there; got"
            f" {address}. README says how an engine gets its certificate; or unset FEINT_ENGINE."
        )
    port = address.rsplit(":", 1)[-1]
    file = given() or (place(int(port)) if port.isdigit() else home())
    try:
        pem = file.read_text()
    except (OSError, ValueError):
        pem = ""
    if BEGINNING not in pem or "PRIVATE KEY" not in pem:
        raise EngineUnavailable(
            f"The engine at {address} wants a certificate, and {file} holds none: copy the file that"
            " `python3 -m engine serve` names and give it as FEINT_CERTIFICATE, or unset FEINT_ENGINE."
        )
    return pem


def write(file: Path, text: str) -> None:
    """A file that nobody but its owner can read, whole at once."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
    partial.replace(file)
