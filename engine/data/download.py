"""One file over HTTP: by pooch, in a folder of its own, measured and checked before it gets its name."""

import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Any
from urllib.parse import urlsplit

from engine.errors import DataMissing

BLOCK = 1 << 16
PATIENCE = 20.0
"""Seconds without a byte before an address is given up."""
LOOK = 0.05
"""Seconds between looks at a download that says nothing."""


@dataclass(frozen=True)
class Remote:
    """A file of a release: its name, its size in bytes (0: unknown) and its published MD5 ("": none)."""

    name: str
    size: int = 0
    md5: str = ""


def reason(error: BaseException) -> str:
    """Why an address did not give its file, in a few words."""
    reply = getattr(error, "response", None)  # of a server that refused
    if reply is not None:
        return f"HTTP {reply.status_code} {reply.reason}"
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        inner = getattr(inner, "reason", None) if _wraps(inner) else inner.__context__
    return str(error) or type(error).__name__


def _wraps(error: BaseException) -> bool:
    return isinstance(getattr(error, "reason", None), BaseException)


def is_whole(path: Path, remote: Remote) -> bool:
    """Whether `path` holds the file: by MD5 where one is published, else by size where it is known.

    Downloads get their name when they are whole, so a file of which neither is known is taken as it lies.
    """
    if not path.is_file():
        return False
    if remote.md5:
        import pooch  # a quarter of a second of import, which looking at data cards does without

        return bool(pooch.file_hash(str(path), alg="md5") == remote.md5)
    return remote.size in (0, path.stat().st_size)


def download(address: str, target: Path, remote: Remote) -> Iterator[int]:
    """Fetch `address` to `target`, yielding the bytes so far now and then.

    Until it is whole it lies in the folder `target`.part; that is removed whatever happens. Raises
    DataMissing for an address that cannot be reached, stops early, or sends another size or checksum.
    """
    folder, meter = target.with_name(target.name + ".part"), _Meter(remote.size)
    shutil.rmtree(folder, ignore_errors=True)
    with ThreadPoolExecutor(1) as thread:
        job = thread.submit(_retrieve, address, folder, remote, meter)
        try:
            yield from meter.counts(job)
            part = _received(job, address, meter)
            _check(part, address, remote, meter)
            yield part.stat().st_size
            part.replace(target)
        finally:
            meter.closed = True
            job.exception()  # has ended, or ends at its next block
            shutil.rmtree(folder, ignore_errors=True)


class _Closed(Exception):
    """Nobody waits for this download any more."""


class _Meter:
    """What pooch tells of its progress: as much as its progress bars are asked."""

    def __init__(self, size: int) -> None:
        self.total, self.done, self.closed = size, 0, False
        self.said: Queue[int] = Queue()

    def update(self, count: int) -> None:
        """`count` more bytes, at most: the last block is rarely full."""
        if self.closed:
            raise _Closed
        self.done = min(self.done + count, self.total or self.done + count)
        self.said.put(self.done)

    def reset(self) -> None:
        """Begins anew, to be filled at once."""
        self.done = 0

    def close(self) -> None:
        """Is over."""

    def counts(self, job: "Future[Path]") -> Iterator[int]:
        """The bytes so far, until the job has ended."""
        while not (job.done() and self.said.empty()):
            try:
                yield self.said.get(timeout=LOOK)
            except Empty:
                continue


def _retrieve(address: str, folder: Path, remote: Remote, meter: _Meter) -> Path:
    import pooch  # see is_whole

    pooch.get_logger().setLevel("WARNING")
    headers = {"User-Agent": "feint", "Accept-Encoding": "identity"}  # as long as it says
    fetcher = pooch.HTTPDownloader(progressbar=meter, chunk_size=BLOCK, timeout=PATIENCE, headers=headers)
    known = f"md5:{remote.md5}" if remote.md5 else None
    options: dict[str, Any] = {"fname": remote.name, "path": folder, "downloader": fetcher}
    return Path(pooch.retrieve(address, known, **options))


def _received(job: "Future[Path]", address: str, meter: _Meter) -> Path:
    """The file that the job left. Raises DataMissing with the reason why there is none."""
    host, error = urlsplit(address).hostname, job.exception()
    if error is None:
        return job.result()
    if "does not match the known hash" in str(error):
        raise DataMissing(f"{host}: not the published file ({str(error).split('. ')[0]})") from None
    if "IncompleteRead" in str(error):
        raise DataMissing(f"{host}: it stopped after {meter.done} of {meter.total} bytes") from None
    raise DataMissing(f"{host}: {reason(error)}") from None


def _check(part: Path, address: str, remote: Remote, meter: _Meter) -> None:
    size = part.stat().st_size
    promised = meter.total or remote.size
    if size == 0 or promised and size != promised:
        raise DataMissing(
            f"{urlsplit(address).hostname}: it stopped after {size} of"
            f" {promised or 'an unknown number of'} bytes"
        )
