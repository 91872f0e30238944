"""
A local record of the checksums of files, so that a later run need not read them.

An entry states: the file with this size, these times and this inode had these checksums. It is valid only for a file
that still has the same values, and only if its times had settled when the entry was made: a file changed twice within
one tick of the clock looks the same after both changes.

See: Git, "Racy Git problem" (Documentation/technical/racy-git.txt).
"""

import logging
import os
import sqlite3
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from operator import index
from threading import Lock
from typing import Any, NamedTuple, Self

from .._checksums import Checksums
from .._errors import InvalidArgumentError, LocalFileError
from .folders import make_folder

_LOG = logging.getLogger("aioartifact.transfer")
_SECOND = 1_000_000_000
# The coarsest clock tick of kernels with fine file times; and that of FAT, which stores even seconds only.
_FINE_TICK = 20_000_000
_COARSE_TICK = 2 * _SECOND
# Entries per transaction, which waits for the disk in a thread.
_FLUSH = 2048
_LOCK_SECONDS = 5.0
_SQLITE = b"SQLite format 3\0"
_APPLICATION_ID = 0x41494F41
# A later layout gets another table, so that releases may share one file.
_CREATE = """
CREATE TABLE IF NOT EXISTS files_1 (
    path BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
    inode BLOB NOT NULL, looked_ns INTEGER NOT NULL, sha256 BLOB, sha1 BLOB
) WITHOUT ROWID
"""
_INSERT = "INSERT OR REPLACE INTO files_1 VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_SELECT = "SELECT path, size, mtime_ns, ctime_ns, inode, looked_ns, sha256, sha1 FROM files_1 WHERE path IN"
# What reading a damaged row may raise.
_MALFORMED = (AttributeError, TypeError, ValueError)


class Stamp(NamedTuple):
    """The status fields that show changes of a file: a change of its content changes them, if the clock has ticked."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Take the relevant fields of a status."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)

    def has_same_bytes(self, other: "Stamp") -> bool:
        """Whether at most a rename lies between the two."""
        return (self.size, self.mtime_ns, self.inode) == (other.size, other.mtime_ns, other.inode)


class Entry(NamedTuple):
    """The record of one file: its stamp at the time *looked_ns*, and its checksums."""

    stamp: Stamp
    looked_ns: int
    checksums: Checksums


def tick_ns(time_ns: int) -> int:
    """The largest clock tick of a file system that reports *time_ns*, in nanoseconds."""
    return _FINE_TICK if time_ns % _SECOND else _COARSE_TICK


def settles_at(stamp: Stamp) -> int:
    """The time from which on any change changes the stamp, in nanoseconds."""
    return max(moment + tick_ns(moment) for moment in (stamp.mtime_ns, stamp.ctime_ns))


def is_trusted(entry: Entry, stamp: Stamp, now_ns: int) -> bool:
    """Whether a file that has *stamp* now has the checksums of *entry*."""
    return entry.stamp == stamp and settles_at(stamp) <= entry.looked_ns <= now_ns


class Manifest:
    """
    Entries in one SQLite file, which several processes may use at once.

    Every method blocks; any thread may call them. A file that fails after it was opened is not used any more: the run
    continues without it.
    """

    def __init__(self, path: str) -> None:
        """
        Open *path*; create it and its folder if they do not exist.

        Raises:
            InvalidArgumentError: If it is a file of another kind, or damaged.
            LocalFileError: If it or its folder cannot be created or opened, or another process has locked it.
        """
        self.path = path
        self._lock = Lock()
        self._flushing = Lock()
        self._fresh: deque[tuple[str, Stamp, Checksums]] = deque()
        self._added = 0
        self._database: sqlite3.Connection | None = _opened(path)

    def find(self, looks: Mapping[str, Stamp]) -> dict[str, Checksums]:
        """Checksums of the files, each given with its present stamp, whose entries can be trusted."""
        keys = {os.fsencode(path): path for path in looks}
        now, found = time.time_ns(), {}
        for key, entry in self._select(list(keys)):
            path = keys[key]
            if is_trusted(entry, looks[path], now):
                found[path] = entry.checksums
        return found

    def add_written(self, path: str, status: os.stat_result, checksums: Checksums) -> bool:
        """
        Record that bytes with these *checksums* were written to *path*; *status* is that right before the rename.

        A change of the file within the same tick of its clock is not noticed.

        Returns:
            Whether it is time to `flush`.
        """
        self._fresh.append((path, Stamp.of(status), checksums))
        self._added += 1
        return self._added >= _FLUSH

    def add_read(self, path: str, status: os.stat_result, looked_ns: int, checksums: Checksums) -> bool:
        """The same for a file that was read after its *status* had been read, at the time *looked_ns*."""
        return settles_at(Stamp.of(status)) <= looked_ns and self.add_written(path, status, checksums)

    def flush(self) -> None:
        """Write the recorded files whose stamps have settled; several threads take turns."""
        with self._flushing:
            self._insert(self._settled())

    def _settled(self) -> list[tuple[object, ...]]:
        self._added = 0
        now = time.time_ns()
        rows: list[tuple[object, ...]] = []
        for _ in range(len(self._fresh)):
            path, before, checksums = self._fresh.popleft()
            stamp = _look(path)
            if stamp is None or not stamp.has_same_bytes(before):
                continue
            if settles_at(stamp) <= now:
                rows.append(_row(path, stamp, now, checksums))
            elif settles_at(stamp) <= now + _COARSE_TICK:  # else the clock of this file system is wrong
                self._fresh.append((path, before, checksums))
        return rows

    def close(self) -> None:
        """Write the remaining entries, after a tick of the clock, and close the file."""
        if self._fresh:
            time.sleep(_FINE_TICK / _SECOND)
            self.flush()
        self._give_up()

    def _select(self, keys: Sequence[bytes]) -> Iterable[tuple[bytes, Entry]]:
        with self._lock:
            if self._database is None:
                return []
            try:
                question = f"{_SELECT} ({', '.join('?' * len(keys))})"
                rows = self._database.execute(question, keys).fetchall()
                return [_read(row) for row in rows]
            except (sqlite3.Error, *_MALFORMED) as error:
                self._fail(error)
                return []

    def _insert(self, rows: Sequence[tuple[object, ...]]) -> None:
        with self._lock:
            if self._database is None or not rows:
                return
            try:
                with self._database:
                    self._database.execute("BEGIN IMMEDIATE")
                    self._database.executemany(_INSERT, rows)
            except sqlite3.Error as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        _LOG.warning("manifest %s is not used any more in this call: %s", self.path, error)
        self._give_up()

    def _give_up(self) -> None:
        database, self._database = self._database, None
        if database is not None:
            with suppress(sqlite3.Error):  # it has failed before, or all is written
                database.close()


def _row(path: str, stamp: Stamp, looked_ns: int, checksums: Checksums) -> tuple[object, ...]:
    # SQLite's integers are signed; an inode of ReFS has 128 bits.
    inode = str(stamp.inode).encode()
    return (
        os.fsencode(path),
        stamp.size,
        stamp.mtime_ns,
        stamp.ctime_ns,
        inode,
        looked_ns,
        checksums.sha256 and bytes.fromhex(checksums.sha256),
        checksums.sha1 and bytes.fromhex(checksums.sha1),
    )


def _read(row: Sequence[Any]) -> tuple[bytes, Entry]:
    key, size, mtime, ctime, inode, looked, sha256, sha1 = row
    stamp = Stamp(size, mtime, ctime, int(inode))
    return key, Entry(stamp, index(looked), Checksums(sha256 and sha256.hex(), sha1 and sha1.hex()))


def _look(path: str) -> Stamp | None:
    try:
        return Stamp.of(os.stat(path))
    except OSError:
        return None


def _opened(path: str) -> sqlite3.Connection:
    make_folder(os.path.dirname(path) or os.curdir)
    _check_kind(path)
    try:
        database = sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            _prepare(database, path)
        except BaseException:
            database.close()
            raise
    except sqlite3.OperationalError as error:
        raise LocalFileError(
            f"manifest {path}: {error}", filename=path, hint="check its folder and permissions, or choose another file"
        ) from error
    except sqlite3.DatabaseError as error:
        raise _not_a_manifest(path) from error
    return database


def _check_kind(path: str) -> None:
    """Make sure that a file is a database, empty or missing: SQLite treats a file of a single byte as empty, too."""
    with suppress(OSError), open(path, "rb") as file:  # SQLite reports a file that cannot be read
        beginning = file.read(len(_SQLITE))
        if beginning and beginning != _SQLITE:
            raise _not_a_manifest(path)


def _prepare(database: sqlite3.Connection, path: str) -> None:
    # Not in WAL mode: several processes cannot enter it at once, and it needs shared memory, which network disks lack.
    with database:
        # In one step, or another process would find it incomplete and mistake it for a file of another kind.
        database.execute("BEGIN IMMEDIATE")
        if database.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
            if database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                raise _not_a_manifest(path)
            database.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        database.execute(_CREATE)


def _not_a_manifest(path: str) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"manifest {path}: is not a manifest, or damaged", hint="choose another file, or delete this one"
    )
