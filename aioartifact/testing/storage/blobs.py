"""Content-addressed files: ``blobs/<first two digits>/<sha256>``, written beside and renamed into place."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from . import data_folder
from .leases import Leases

Bytes = bytes | bytearray | memoryview

BATCH = 2 << 20  # bytes hashed and written, or read and sent, in one go


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds: its size in bytes and its digests in lower-case hex."""

    size: int
    sha1: str
    md5: str
    sha256: str


class Hasher:
    """Computes the three digests Artifactory keeps, in one pass."""

    def __init__(self) -> None:
        self._digests = (
            hashlib.sha1(usedforsecurity=False),
            hashlib.md5(usedforsecurity=False),
            hashlib.sha256(),
        )
        self.size: int = 0

    def update(self, data: Bytes) -> None:
        """Add *data* to all digests."""
        self.size += len(memoryview(data))
        for digest in self._digests:
            digest.update(data)

    def content(self) -> Content:
        """Return what was added so far."""
        return Content(self.size, *(digest.hexdigest() for digest in self._digests))


def content_of(data: Bytes) -> Content:
    """Describe *data*."""
    hasher = Hasher()
    hasher.update(data)
    return hasher.content()


class Upload:
    """
    A blob being written. Leaving the ``with`` block without :meth:`commit` throws the bytes away.

    Its methods block: call them in a thread where batches are big.
    """

    def __init__(self, staging: Path, blobs: "Blobs") -> None:
        self._staging = staging
        self._blobs = blobs
        self._file = staging.open("xb", buffering=0)
        self._hasher = Hasher()

    def write(self, data: Bytes) -> None:
        """Append *data*."""
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._hasher.update(data)

    def finish(self) -> Content:
        """Close the file and describe what was written; it is not visible yet."""
        self._file.close()
        return self._hasher.content()

    def commit(self, content: Content) -> None:
        """Make the finished file the blob of *content*."""
        self._blobs.leases.hold(content.sha256, is_new=True)
        self._staging.replace(self._blobs.place(content.sha256))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._file.close()
        finally:
            self._staging.unlink(missing_ok=True)


class Blobs:
    """
    The folder of blobs below *data*, and the folder where uploads wait to become one.

    Attributes:
        leases: Which blobs are in use.
    """

    def __init__(self, data: Path) -> None:
        self.leases: Leases = Leases()
        self._folder = data / data_folder.BLOBS
        self._staging = data / data_folder.UPLOADS
        self._folder.mkdir(parents=True, exist_ok=True)
        self._staging.mkdir(exist_ok=True)
        for stale in self._staging.iterdir():  # uploads of a server that was killed
            if data_folder.is_staged_upload(stale.name):
                stale.unlink()
        self._prefix = uuid4().hex
        self._numbers = count()
        self._shelves = {shelf.name for shelf in self._folder.iterdir()}

    @property
    def folder(self) -> Path:
        """Where the blobs are."""
        return self._folder

    def upload(self) -> Upload:
        """Start a blob that grows by batches."""
        return Upload(self._staging / f"{self._prefix}-{next(self._numbers)}", self)

    def add(self, data: Bytes) -> Content:
        """Store *data* as a blob; storing the same bytes twice writes once."""
        content = content_of(data)
        self.leases.hold(content.sha256, is_new=True)
        if not self.path(content.sha256).exists():
            with self.upload() as upload:
                upload.write(data)
                upload.finish()
                upload.commit(content)
        return content

    def add_all(self, batches: Iterable[Bytes]) -> Content:
        """Store the joined *batches* as a blob."""
        with self.upload() as upload:
            for batch in batches:
                upload.write(batch)
            content = upload.finish()
            upload.commit(content)
        return content

    def path(self, sha256: str) -> Path:
        """Return where the blob with this digest is, or would be."""
        return self._folder.joinpath(sha256[:2], sha256)

    def open(self, sha256: str) -> BufferedReader:
        """Open a blob; the file stays readable although the item may be overwritten or deleted meanwhile."""
        return self.path(sha256).open("rb")

    def place(self, sha256: str) -> Path:
        """Return the path of a new blob, its folder made."""
        shelf = sha256[:2]
        if shelf not in self._shelves:
            (self._folder / shelf).mkdir(exist_ok=True)
            self._shelves.add(shelf)
        return self.path(sha256)

    def has(self, sha256: str) -> bool:
        """Hold the blob with this digest; return whether it exists."""
        self.leases.hold(sha256)
        return self.path(sha256).exists()

    def remove(self, sha256: str) -> None:
        """Delete a blob that no item refers to, unless it is in use: then the end of that use reports it again."""
        self.leases.remove(sha256, self._delete)

    def _delete(self, sha256: str) -> None:
        with suppress(OSError):  # what cannot be deleted now is when the next server starts
            self.path(sha256).unlink()

    def keep_only(self, wanted: set[str]) -> None:
        """Delete every blob whose digest is not in *wanted*."""
        for blob in self._folder.glob("*/*"):
            if blob.name not in wanted and data_folder.is_blob(blob.parent.name, blob.name):
                blob.unlink()
