"""Tar archives in chunks of any size; without I/O."""

import tarfile
import zlib
from collections.abc import Iterator

from .._errors import ArchiveError

_BLOCK = tarfile.BLOCKSIZE
_GZIP = b"\x1f\x8b"
# Maximum bytes of a header that describes the next member: long names, and attributes of PAX.
_MAX_HEADER = 1024 * 1024
_PIECE = 1024 * 1024  # unpacked at a time: a few bytes can expand to very many
_LONG_NAME, _PAX = tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE
_SKIPPED = (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE)
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)


class TarReader:
    """
    Reads the files of a tar archive, plain or compressed with gzip.

    Pass it the chunks of the archive; each yields the files that it completes. Folders, links and devices are skipped.

    Args:
        name: Name of the archive, for messages.
        max_bytes: Maximum size of a file in bytes.
    """

    def __init__(self, name: str, max_bytes: int) -> None:
        self._name = name
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._unzip: zlib._Decompress | None = None
        self._is_first = True
        self._header: tarfile.TarInfo | None = None
        self._overrides: dict[str, str] = {}
        self._skip = 0
        self._has_ended = False

    def feed(self, chunk: bytes) -> Iterator[tuple[str, bytes]]:
        """
        Yield name and bytes of each file that *chunk* completes.

        Raises:
            ArchiveError: If the archive is not a tar archive, or is damaged, or a file in it is too large.
        """
        for piece in self._unzipped(chunk):
            self._buffer += piece
            yield from self._files()

    def finish(self) -> None:
        """
        State that there are no more chunks.

        Raises:
            ArchiveError: If the archive is not complete.
        """
        is_cut = self._header is not None or self._buffer or self._skip or self._overrides
        if not self._has_ended and (is_cut or self._is_first):
            raise ArchiveError(f"{self._name}: ends in the middle of a file")
        if self._unzip is not None and not self._unzip.eof:
            raise ArchiveError(f"{self._name}: its compressed data end too early")

    def _unzipped(self, chunk: bytes) -> Iterator[bytes]:
        if self._is_first and chunk:
            self._buffer += chunk
            if len(self._buffer) < len(_GZIP):
                return
            self._is_first = False
            chunk = bytes(self._buffer)
            self._buffer.clear()
            if chunk.startswith(_GZIP):
                self._unzip = zlib.decompressobj(wbits=31)
        if self._unzip is None:
            yield chunk
            return
        piece = b""
        while (chunk or len(piece) == _PIECE) and not self._unzip.eof:
            try:
                piece = self._unzip.decompress(chunk, _PIECE)
            except zlib.error as error:
                raise ArchiveError(f"{self._name}: is damaged: {error}") from None
            chunk = self._unzip.unconsumed_tail
            yield piece

    def _files(self) -> Iterator[tuple[str, bytes]]:
        while not self._has_ended:
            if self._skip:
                skipped = min(self._skip, len(self._buffer))
                del self._buffer[:skipped]
                self._skip -= skipped
                if self._skip:
                    return
            if self._header is None:
                if len(self._buffer) < _BLOCK:
                    return
                self._begin(bytes(self._buffer[:_BLOCK]))
                del self._buffer[:_BLOCK]
                continue
            if len(self._buffer) < self._header.size:
                return
            header, data = self._header, bytes(self._buffer[: self._header.size])
            del self._buffer[: header.size]
            self._header, self._skip = None, -header.size % _BLOCK
            if header.type in _FILES:
                yield header.name, data
            else:
                self._describe(header.type, data)

    def _begin(self, block: bytes) -> None:
        """Read a header; skip the data of members that are not files."""
        if not block.strip(b"\0"):
            self._has_ended = True
            return
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise ArchiveError(f"{self._name}: is not a tar archive, or damaged: {error}") from None
        if header.type in (_LONG_NAME, _PAX):
            self._check_size(header.name, header.size, _MAX_HEADER)
            self._header = header
        elif header.type in _FILES:
            self._apply_overrides(header)
            self._check_size(header.name, header.size, self._max_bytes)
            self._header = header
        else:
            if header.type not in _SKIPPED:
                self._overrides.clear()
            # Some archives record a size for links and folders, which have no data.
            has_data = header.type in _SKIPPED or header.type not in tarfile.SUPPORTED_TYPES
            self._skip = header.size + -header.size % _BLOCK if has_data else 0

    def _apply_overrides(self, header: tarfile.TarInfo) -> None:
        if any(key.startswith("GNU.sparse") for key in self._overrides):
            raise ArchiveError(f"{self._name}: {header.name}: sparse files are not supported")
        header.name = self._overrides.get("path", header.name)
        try:
            header.size = int(self._overrides.get("size", header.size))
        except ValueError:
            header.size = -1
        self._overrides.clear()

    def _check_size(self, name: str, size: int, limit: int) -> None:
        if not 0 <= size <= limit:
            raise ArchiveError(f"{self._name}: {name}: has {size} bytes; the limit is {limit}")

    def _describe(self, kind: bytes, data: bytes) -> None:
        """Store the attributes that a special header has for the next file."""
        if kind == _LONG_NAME:
            self._overrides["path"] = data.partition(b"\0")[0].decode(errors="surrogateescape")
            return
        while data:
            length, space, _ = data.partition(b" ")
            if not space or not length.isdigit() or not len(length) + 1 < int(length) <= len(data):
                raise ArchiveError(f"{self._name}: has a damaged header")
            key, _, value = data[len(length) + 1 : int(length) - 1].partition(b"=")
            self._overrides[key.decode(errors="replace")] = value.decode(errors="surrogateescape")
            data = data[int(length) :]
