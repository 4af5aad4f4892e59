"""One file over HTTP: in blocks, to a temporary name, measured and checked before it gets its own."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from engine.errors import DataMissing

BLOCK = 1 << 16
PATIENCE = 20.0
"""Seconds without a byte before an address is given up."""


@dataclass(frozen=True)
class Remote:
    """A file of a release: its name, its size in bytes (0: unknown) and its published MD5 ("": none)."""

    name: str
    size: int = 0
    md5: str = ""


def reason(error: BaseException) -> str:
    """Why an address did not give its file, in a few words."""
    if isinstance(error, HTTPError):
        return f"HTTP {error.code} {error.reason}"
    inner = error.reason if isinstance(error, URLError) else error
    return (inner.strerror if isinstance(inner, OSError) and inner.strerror else str(inner)) or type(
        inner
    ).__name__


def is_whole(path: Path, remote: Remote) -> bool:
    """Whether `path` holds the file: by MD5 where one is published, else by size where it is known.

    Downloads get their name when they are whole, so a file of which neither is known is taken as it lies.
    """
    if not path.is_file():
        return False
    if remote.md5:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "md5").hexdigest() == remote.md5
    return remote.size in (0, path.stat().st_size)


def download(address: str, target: Path, remote: Remote) -> Iterator[int]:
    """Fetch `address` to `target`, yielding the bytes so far after each block.

    Until it is whole the file is called `target`.part; that is removed whatever happens. Raises DataMissing
    for an address that cannot be reached, stops early, sends more than it said, or sends a file with another
    checksum.
    """
    part = target.with_name(target.name + ".part")
    try:
        yield from _receive(address, part, remote)
        part.replace(target)
    except (OSError, HTTPException, ValueError) as error:
        raise DataMissing(f"{urlsplit(address).hostname}: {reason(error)}") from None
    finally:
        part.unlink(missing_ok=True)


def _receive(address: str, part: Path, remote: Remote) -> Iterator[int]:
    digest, done, host = hashlib.md5(usedforsecurity=False), 0, urlsplit(address).hostname
    with (
        urlopen(Request(address, headers={"User-Agent": "feint"}), timeout=PATIENCE) as reply,
        part.open("wb") as stream,
    ):
        promised = int(reply.headers.get("Content-Length") or remote.size)
        while block := reply.read(BLOCK):
            done += len(block)
            if promised and done > promised:
                raise DataMissing(f"{host}: more than the {promised} bytes it promised")
            digest.update(block)
            stream.write(block)
            yield done
    if done == 0 or promised and done != promised:
        raise DataMissing(f"{host}: it stopped after {done} of {promised or 'an unknown number of'} bytes")
    if remote.md5 and digest.hexdigest() != remote.md5:
        raise DataMissing(
            f"{host}: not the published file (MD5 {digest.hexdigest()} instead of {remote.md5})"
        )
