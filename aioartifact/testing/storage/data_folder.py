"""
Claims the folder that a server keeps its data in: a marker, a lock and a schema version.

A server deletes files in its folder (interrupted uploads, blobs without an item). Therefore it only uses a folder that
was empty, or that carries the marker of an earlier run, and refuses every other one before anything is changed.
"""

import json
import os
import re
import sqlite3
import stat
import sys
from contextlib import ExitStack, closing
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

MARKER = ".aioartifact-data.json"
DATABASE = "metadata.sqlite"
BLOBS = "blobs"
UPLOADS = "uploads"
RESERVE = "reserve"  # space for deleting when the disk is full
SCHEMA_VERSION = 1
APPLICATION_ID = 0x41494F41  # "AIOA" in the header of the database

_OWN = frozenset(
    {MARKER, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal", BLOBS, UPLOADS, RESERVE}
)
_TABLES = frozenset({"items", "properties", "stats", "repositories"})
_PURPOSE = "data of aioartifact.testing"
_MARKER_LIMIT = 1024  # bytes
_LOCKED_BYTE = 1 << 20  # on Windows locks are mandatory: this byte lies beyond the content


class DataFolderError(OSError):
    """
    The data folder of a server cannot be used; nothing in it was changed.

    It is not a folder, has other content, is in use by another server, was written by a newer version, is incomplete or
    damaged, or cannot be accessed.

    Attributes:
        folder: The folder, as an absolute path.
        hint: What to try next, or None.
    """

    def __init__(self, folder: Path, problem: str, *, hint: str | None = None) -> None:
        super().__init__(f"cannot use {folder} as data folder: {problem}" + (f" — {hint}" if hint else ""))
        self.folder = folder
        self.hint = hint


class DataFolder:
    """
    A data folder, claimed for this process while the context is entered.

    Args:
        path: The folder; made with its parents if it does not exist. A relative path counts from the working
            directory at this moment, a leading ``~`` is the home folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # abspath, not resolve: a symbolic link must be seen as one
        self.path: Path = Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        try:
            with ExitStack() as resources:
                self._marker = resources.enter_context(self._open_marker())
                self._lock()
                self._check()
                self._resources = resources.pop_all()
        except DataFolderError:
            raise
        except OSError as error:
            raise DataFolderError(self.path, error.strerror or str(error)) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def set_ready(self) -> None:
        """Record that the database exists; from then on the folder is refused if it is missing."""
        self._marker.seek(0)
        self._marker.write(json.dumps({"purpose": _PURPOSE, "schema": SCHEMA_VERSION}).encode() + b"\n")

    def _open_marker(self) -> FileIO:
        """Open the marker; make it if the folder is empty or missing."""
        if not os.path.lexists(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        mode = self.path.lstat().st_mode
        if stat.S_ISLNK(mode):
            self._refuse("it is a symbolic link", hint="name the folder that it points to")
        if not stat.S_ISDIR(mode):
            self._refuse("it is not a folder")
        entries = {entry.name for entry in self.path.iterdir()}
        marker = self.path / MARKER
        if MARKER in entries:
            if not stat.S_ISREG(marker.lstat().st_mode):
                self._refuse(f"{MARKER} is not a regular file")
        elif entries:
            self._refuse("it is not empty, and not the data folder of a server", hint="name an empty or a new folder")
        else:
            with FileIO(marker, "ab"):  # another server may be as far as this: the lock decides
                pass
        return FileIO(marker, "r+b")

    def _lock(self) -> None:
        """Lock the marker; the system releases it when the process ends, however that happens."""
        try:
            if sys.platform == "win32":
                self._marker.seek(_LOCKED_BYTE)
                msvcrt.locking(self._marker.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(self._marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            self._refuse("another server uses it", hint="stop that server, or name another folder")

    def _was_ready(self) -> bool:
        """Whether a server has finished its start here: the marker is empty until then."""
        self._marker.seek(0)
        content = self._marker.read(_MARKER_LIMIT)
        if not content:
            return False
        try:
            marker = json.loads(content)
            purpose, version = marker["purpose"], marker["schema"]
        except (ValueError, TypeError, KeyError):
            self._refuse(f"{MARKER} is damaged")
        if purpose != _PURPOSE or type(version) is not int:
            self._refuse(f"{MARKER} is damaged")
        if version != SCHEMA_VERSION:
            self._refuse(
                f"it has schema version {version}, and this server knows {SCHEMA_VERSION}",
                hint="use the version of aioartifact that wrote it, or another folder",
            )
        return True

    def _check(self) -> None:
        """Refuse a folder of ours that is not whole, before anything is deleted because of that."""
        was_ready = self._was_ready()
        for name in (BLOBS, UPLOADS):
            self._check_subfolder(self.path / name)
        if not was_ready:
            self._check_new()
            return
        if not (self.path / BLOBS).is_dir():
            self._refuse(f"its folder {BLOBS} is missing", hint="restore it, or name another folder")
        self._check_database()

    def _check_subfolder(self, folder: Path) -> None:
        if os.path.lexists(folder) and not stat.S_ISDIR(folder.lstat().st_mode):
            self._refuse(f"{folder.name} is not a folder")

    def _check_new(self) -> None:
        """A server that was killed while it started has left nothing but what it makes anew."""
        foreign = {entry.name for entry in self.path.iterdir()} - _OWN
        content = [entry for name in (BLOBS, UPLOADS) for entry in (self.path / name).glob("*")]
        if foreign or content:
            self._refuse("it holds files, although no server ever finished its start there")

    def _check_database(self) -> None:
        database = self.path / DATABASE
        if not os.path.lexists(database):
            self._refuse(f"its database {DATABASE} is missing", hint="restore it, or name another folder")
        if not stat.S_ISREG(database.lstat().st_mode):
            self._refuse(f"its database {DATABASE} is not a regular file")
        if problem := _problem_of(database):
            self._refuse(f"its database {DATABASE} is damaged ({problem})", hint="restore it, or name another folder")

    def _refuse(self, problem: str, *, hint: str | None = None) -> NoReturn:
        raise DataFolderError(self.path, problem, hint=hint)


def is_staged_upload(name: str) -> bool:
    """Whether a file in the folder of uploads has a name that this server gives."""
    return re.fullmatch(r"[0-9a-f]{32}-\d+", name) is not None


def is_blob(shelf: str, name: str) -> bool:
    """Whether a file in the folder of blobs has a name that this server gives."""
    return re.fullmatch(r"[0-9a-f]{64}", name) is not None and name[:2] == shelf


def _problem_of(database: Path) -> str:
    """Return what is wrong with a database, ``""`` for nothing."""
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True)) as connection:
            ((application,),) = connection.execute("PRAGMA application_id")
            ((version,),) = connection.execute("PRAGMA user_version")
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if application != APPLICATION_ID or version != SCHEMA_VERSION or not tables >= _TABLES:
                return "it is not a server's"
            ((result,), *_) = connection.execute("PRAGMA quick_check(1)")
    except sqlite3.Error as error:
        return str(error)
    return "" if result == "ok" else str(result)
