"""A partial file: its bytes arrive in any order, and are hashed in the order they have in the file."""

import threading
from collections.abc import Iterable, Sequence

from ..._checksums import Algorithm, Checksums, Digests
from ..._files import Staging
from ..._threads import check_wanted
from .content import Range, Ranges
from .journal import Journal, encode

_BLOCK = 1024 * 1024


class PartialFile:
    """
    The received bytes of one file, and the digests of those that have no gap before them.

    Bytes that directly follow the hashed ones are hashed from memory. The rest is read back, which is cheap while the
    system still has it in memory: see :meth:`catch_up`. Every method blocks; stores may run in several threads at
    once.

    Args:
        staging: The file.
        size: How long it will be, where bytes may arrive in any order; None if it is not known.
        kept: Bytes that are in it already.

    Attributes:
        staging: The file.
        kept: Bytes that are in it.
    """

    def __init__(self, staging: Staging, size: int | None = None, kept: Ranges | None = None) -> None:
        if size is not None:
            staging.allocate(size)  # removes anything appended by others
        self.staging = staging
        self.kept = kept or Ranges()
        self._marking = threading.Lock()
        self._hashing = threading.Lock()
        self._digests: Digests | None = None
        self._hashed = 0
        self._saved = tuple(self.kept)

    @property
    def size(self) -> int:
        """How many bytes were received."""
        with self._marking:
            return self.kept.total

    def hash_with(self, algorithms: Iterable[Algorithm]) -> None:
        """Begin to hash, now that it is known which digests are wanted; does nothing if it has begun."""
        with self._hashing:
            self._digests = self._digests or Digests(algorithms)

    @property
    def is_behind(self) -> bool:
        """Whether received bytes could be hashed, but are not yet."""
        with self._marking:
            return self._digests is not None and self._hashed < self.kept.reach()

    def store(self, offset: int, chunks: Sequence[bytes | memoryview]) -> None:
        """
        Write *chunks*, one after the other from *offset* on, and hash them if it is their turn.

        Raises:
            LocalFileError: If the disk failed; none of the bytes count.
        """
        self.staging.write(offset, chunks)
        stop = offset + sum(map(len, chunks))
        with self._marking:
            self.kept.add(offset, stop)
        # If another thread is hashing, it reads them back.
        if self._hashing.acquire(blocking=False):
            try:
                if self._digests is not None and self._hashed == offset:
                    for chunk in chunks:
                        self._digests.update(chunk)
                    self._hashed = stop
            finally:
                self._hashing.release()

    def catch_up(self, most: int) -> None:
        """
        Read back and hash up to *most* bytes whose turn it is.

        Raises:
            LocalFileError: If the disk failed.
        """
        with self._hashing:
            if self._digests is None:
                return
            with self._marking:
                stop = min(self.kept.reach(), self._hashed + most)
            view = memoryview(bytearray(min(_BLOCK, max(0, stop - self._hashed))))
            while self._hashed < stop:
                check_wanted()
                count = self.staging.read_into(self._hashed, view[: stop - self._hashed])
                self._digests.update(view[:count])
                self._hashed += count

    def checksums(self) -> Checksums:
        """
        Checksums of all bytes; the file must be complete.

        Raises:
            LocalFileError: If some of them cannot be read back.
        """
        while self.is_behind:
            self.catch_up(self.size)
        return self._digests.checksums() if self._digests else Checksums()

    def missing(self, size: int) -> list[Range]:
        """The bytes of a file of *size* bytes that are missing."""
        with self._marking:
            return self.kept.missing(size)

    def snapshot(self) -> tuple[Range, ...]:
        """The received bytes."""
        with self._marking:
            return tuple(self.kept)

    def save(self, journal: Journal) -> None:
        """
        Sync the bytes to the disk, then the *journal* that lists them; does nothing if that is done already.

        Raises:
            LocalFileError: If the disk failed; what was saved before is still valid.
        """
        if journal.kept != self._saved:
            self.staging.save(encode(journal))
            self._saved = journal.kept
