"""What is in a zip or tar file, by name."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from gzip import BadGzipFile
from pathlib import Path
from typing import IO, Protocol

_ZIP = (".zip", ".jar", ".war", ".ear", ".sar", ".har", ".hpi", ".jpi", ".nupkg", ".whl", ".egg", ".apk")
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2")
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    BadGzipFile,
    EOFError,
    zlib.error,
    NotImplementedError,  # a compression zipfile lacks
    RuntimeError,  # a zip file with a password
    UnicodeDecodeError,
)


class BrokenArchiveError(Exception):
    """The file is not the archive its name says, or a part of it cannot be read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in an archive: its path without slashes at the ends, and its size in bytes."""

    path: str
    size: int

    @property
    def is_safe(self) -> bool:
        """Whether the path stays below where the archive is unpacked."""
        return bool(self.path) and ".." not in self.path.split("/") and "\\" not in self.path


class Archive(Protocol):
    """An open archive: yields every file in its order, neither folders nor links, and opens each of them."""

    def entries(self) -> Iterator[Entry]: ...  # noqa: D102  # the class says it

    def open(self, entry: Entry) -> IO[bytes]: ...  # noqa: D102  # the class says it


def is_archive(name: str) -> bool:
    """Return whether a file of this name can be looked into."""
    return name.lower().endswith((*_ZIP, *_TAR))


@contextmanager
def opened(path: Path, name: str) -> Iterator[Archive]:
    """
    Open the archive at *path*, whose *name* says what it is.

    Raises:
        BrokenArchiveError: If it is something else, or damaged, also where that shows only in the block.
    """
    try:
        if name.lower().endswith(_ZIP):
            with zipfile.ZipFile(path) as zipped:
                yield _Zip(zipped)
        else:
            with tarfile.open(path) as tarred:
                yield _Tar(tarred)
    except _BROKEN as wrong:
        raise BrokenArchiveError(f"{name} cannot be read: {wrong}") from wrong


def find(archive: Archive, path: str) -> Entry | None:
    """Return the entry of this path; the last one where there are several, as unpacking would leave it."""
    found = [entry for entry in archive.entries() if entry.path == path]
    return found[-1] if found else None


class _Zip:
    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._members: dict[Entry, zipfile.ZipInfo] = {}

    def entries(self) -> Iterator[Entry]:
        for member in self._file.infolist():
            if not member.is_dir():
                entry = Entry(_clean(member.filename), member.file_size)
                self._members[entry] = member
                yield entry

    def open(self, entry: Entry) -> IO[bytes]:
        return self._file.open(self._members[entry])


class _Tar:
    def __init__(self, file: tarfile.TarFile) -> None:
        self._file = file
        self._members: dict[Entry, tarfile.TarInfo] = {}

    def entries(self) -> Iterator[Entry]:
        for member in self._file:
            if member.isfile():
                entry = Entry(_clean(member.name), member.size)
                self._members[entry] = member
                yield entry

    def open(self, entry: Entry) -> IO[bytes]:
        file = self._file.extractfile(self._members[entry])
        assert file is not None  # it is for files only
        return file


def _clean(path: str) -> str:
    return "/".join(segment for segment in path.split("/") if segment not in ("", "."))
