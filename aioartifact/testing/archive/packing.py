"""
Archives made while they are sent: no seeking back, and no more of a file in memory than a batch.

Both formats are written member by member; what is ready is yielded as soon as there is a batch of it.
"""

import tarfile
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..protocol.formats import at
from ..storage.blobs import BATCH

ArchiveType = Literal["zip", "tar", "tar.gz", "tgz"]

_GZIP = 31  # zlib's window bits for the largest window in a gzip frame
_EARLIEST_IN_ZIP = (1980, 1, 1, 0, 0, 0)
_LATEST_IN_ZIP = (2107, 12, 31, 23, 59, 58)


@dataclass(frozen=True, slots=True)
class Member:
    """
    A file to pack.

    Attributes:
        path: Its path in the archive.
        size: Bytes.
        modified: Epoch milliseconds.
        content: Where its bytes are, or they themselves.
    """

    path: str
    size: int
    modified: int
    content: Path | bytes


def packed(members: Iterable[Member], archive_type: ArchiveType) -> Generator[bytes, None, None]:
    """Yield an archive of *members*, batch by batch."""
    if archive_type == "zip":
        return _batched(_zip(members))
    tar = _tar(members)
    return _batched(tar if archive_type == "tar" else _gzip(tar))


def _batched(pieces: Iterable[bytes]) -> Generator[bytes, None, None]:
    """Join small pieces, so that a thousand small files are not ten thousand writes."""
    batch = bytearray()
    for piece in pieces:
        batch += piece
        if len(batch) >= BATCH:
            yield bytes(batch)
            batch.clear()
    if batch:
        yield bytes(batch)


def _pieces_of(member: Member) -> Iterator[bytes]:
    if isinstance(member.content, bytes):
        yield member.content
        return
    with member.content.open("rb", buffering=0) as file:
        while data := file.read(BATCH):
            yield data


class _Sink:
    """Output of ``zipfile``; without a position, so that nothing before it must be changed."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes, /) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: what is written waits for :meth:`take`."""

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


def _zip(members: Iterable[Member]) -> Iterator[bytes]:
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            date = at(member.modified).timetuple()[:6]
            info = zipfile.ZipInfo(member.path, min(max(date, _EARLIEST_IN_ZIP), _LATEST_IN_ZIP))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            info.file_size = member.size  # decides whether the header has room for more than 4 GiB
            with archive.open(info, "w") as file:
                for piece in _pieces_of(member):
                    file.write(piece)
                    yield sink.take()
    yield sink.take()


def _tar(members: Iterable[Member]) -> Iterator[bytes]:
    written = 0
    for member in members:
        info = tarfile.TarInfo(member.path)
        info.size = member.size
        info.mtime = member.modified / 1000
        header = info.tobuf(tarfile.PAX_FORMAT)
        yield header
        yield from _pieces_of(member)
        padding = bytes(-member.size % tarfile.BLOCKSIZE)
        yield padding
        written += len(header) + member.size + len(padding)
    end = 2 * tarfile.BLOCKSIZE
    yield bytes(end + -(written + end) % tarfile.RECORDSIZE)


def _gzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(wbits=_GZIP)
    for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()
