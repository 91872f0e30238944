"""
Which blobs are in use although no item may refer to them, so that they must not be deleted yet.

A lease holds what a request has found, received or reads. It is found by context: code that stores or looks up a blob
adds it to the lease of the request that it runs for, also in the server's threads.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import RLock


class Leases:
    """The leases on the blobs of one server; callable from any thread."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._holders: Counter[str] = Counter()
        self._holders_of_all = 0
        self._doubtful: set[str] = set()  # may have no item, and are held

    def hold(self, sha256: str, *, is_new: bool = False) -> None:
        """
        Add a blob to the lease of this context, if it has one.

        Args:
            sha256: Digest of the blob.
            is_new: Whether it may have no item when the lease ends.
        """
        lease = _current.get()
        if lease is not None and lease.belongs_to(self):
            lease.hold(sha256, is_new=is_new)

    def hold_all(self) -> None:
        """Keep every blob until the lease of this context ends."""
        lease = _current.get()
        if lease is not None and lease.belongs_to(self):
            lease.hold_all()

    def remove(self, sha256: str, delete: Callable[[str], None]) -> None:
        """Call *delete* unless the blob is held; the end of the last lease on it reports it again."""
        with self._lock:
            if self._holders_of_all or sha256 in self._holders:
                self._doubtful.add(sha256)
            else:
                self._doubtful.discard(sha256)
                delete(sha256)

    def _add(self, sha256: str, held: set[str], *, is_new: bool) -> None:
        with self._lock:
            if is_new:
                self._doubtful.add(sha256)
            if sha256 not in held:
                held.add(sha256)
                self._holders[sha256] += 1

    def _add_all(self) -> None:
        with self._lock:
            self._holders_of_all += 1

    def _release(self, held: Iterable[str], *, holds_all: bool) -> set[str]:
        with self._lock:
            self._holders_of_all -= holds_all
            for sha256 in held:
                self._holders[sha256] -= 1
                if not self._holders[sha256]:
                    del self._holders[sha256]
            if self._holders_of_all:
                return set()
            candidates = self._doubtful if holds_all else self._doubtful.intersection(held)
            found = {each for each in candidates if each not in self._holders}
            self._doubtful -= found
            return found


class Lease:
    """Blobs that are not deleted until it ends."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._held: set[str] = set()
        self._holds_all = False

    def belongs_to(self, leases: Leases) -> bool:
        """Whether this is a lease on the blobs of that server."""
        return self._leases is leases

    def hold(self, sha256: str, *, is_new: bool = False) -> None:
        """Keep a blob; see :meth:`Leases.hold`."""
        self._leases._add(sha256, self._held, is_new=is_new)  # noqa: SLF001  # one subject, two classes

    def hold_all(self) -> None:
        """Keep every blob."""
        if not self._holds_all:
            self._holds_all = True
            self._leases._add_all()  # noqa: SLF001

    def end(self) -> set[str]:
        """Release what is held; return the digests of blobs that now may have neither an item nor a lease."""
        held, self._held = self._held, set()
        holds_all, self._holds_all = self._holds_all, False
        return self._leases._release(held, holds_all=holds_all)  # noqa: SLF001


@contextmanager
def current(lease: Lease) -> Iterator[None]:
    """Let *lease* be the one of this context."""
    token = _current.set(lease)
    try:
        yield
    finally:
        _current.reset(token)


_current: ContextVar[Lease | None] = ContextVar("lease", default=None)
