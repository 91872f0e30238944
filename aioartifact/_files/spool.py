"""A temporary copy of a file that must be received whole before its bytes can be used."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from .._threads import check_wanted
from .failures import explained

_IN_MEMORY = 4 * 1024 * 1024
_BLOCK = 1024 * 1024


class Spool:
    """
    Bytes in memory up to 4 MiB, else in an unnamed file in the folder for temporary files.

    Every method blocks.

    Attributes:
        size: Bytes.
    """

    def __init__(self) -> None:
        self.size = 0
        self._folder = tempfile.gettempdir()
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # close() closes it

    def append(self, chunks: Sequence[bytes]) -> None:
        """
        Append *chunks*.

        Raises:
            LocalFileError: If the disk failed.
        """
        with explained("write a temporary copy in", self._folder):
            self._file.seek(0, os.SEEK_END)
            for chunk in chunks:
                self._file.write(chunk)
                self.size += len(chunk)

    def read(self, start: int, stop: int) -> bytes:
        """
        Bytes *start* to *stop*.

        Raises:
            LocalFileError: If the disk failed.
        """
        with explained("read a temporary copy in", self._folder):
            self._file.seek(start)
            return self._file.read(max(0, stop - start))

    def blocks(self) -> Iterator[bytes]:
        """All bytes in blocks of up to 1 MiB; see :meth:`read`."""
        for start in range(0, self.size, _BLOCK):
            check_wanted()
            yield self.read(start, start + _BLOCK)

    def replace(self, pieces: Iterable[bytes]) -> None:
        """
        Replace the content with *pieces*, which may be derived from it.

        Raises:
            LocalFileError: If the disk failed; nothing is replaced.
        """
        other = Spool()
        try:
            for piece in pieces:
                other.append((piece,))
            self._file, other._file, self.size = other._file, self._file, other.size
        finally:
            other.close()

    def close(self) -> None:
        """Delete the copy."""
        with suppress(OSError):  # bytes that a full disk has refused before
            self._file.close()
