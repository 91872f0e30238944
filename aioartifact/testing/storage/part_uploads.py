"""Uploads in parts: the state of each, from its first request to the deploy that refers to it."""

import secrets
from dataclasses import dataclass, field
from threading import Lock
from typing import Literal

from ..accounts.principals import User
from .blobs import BATCH, Content
from .leases import Lease
from .store import Store

Status = Literal["PARTS", "QUEUED", "PROCESSING", "FINISHED", "RETRYABLE_ERROR", "NON_RETRYABLE_ERROR", "ABORTED"]

FOLDER = "uploads"  # of the second origin, where parts are put


@dataclass(slots=True)
class MultipartUpload:
    """
    One upload. Every look at its status takes it a step further, so that clients see each state.

    Attributes:
        user: Who started it.
        repository: Key of the repository it is for.
        path: Path of the file there.
        store: Keeps the parts.
        key: Names it in the URLs of parts.
        token: Credential of every request but those for parts.
        checksum_token: What the deploy at the end shows.
        parts: What was uploaded, by number from 1.
        sha1: Of the whole file, as the client says.
        error: What went wrong; ``""`` for nothing.
        content: The whole file, once it is there.
    """

    user: User
    repository: str
    path: str
    store: Store
    key: str = field(default_factory=lambda: secrets.token_hex(16))
    token: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    checksum_token: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    status: Status = "PARTS"
    parts: dict[int, Content] = field(default_factory=dict)
    sha1: str = ""
    error: str = ""
    content: Content | None = None
    _joining: Lock = field(default_factory=Lock)
    _lease: Lease = field(init=False)  # on the parts, later on the whole file

    def __post_init__(self) -> None:
        self._lease = Lease(self.store.blobs.leases)

    @property
    def takes_parts(self) -> bool:
        """Whether parts may be put: before it is complete, and after an error that they may cure."""
        return self.status in ("PARTS", "RETRYABLE_ERROR")

    @property
    def progress(self) -> int:
        """How much of the joining is done, in percent."""
        return 100 if self.status == "FINISHED" else 0

    def complete(self, sha1: str) -> None:
        """Have the parts joined; said again, this changes nothing until that has failed."""
        if self.takes_parts:
            self.status, self.sha1, self.error = "QUEUED", sha1.lower(), ""

    def put_part(self, number: int, content: Content) -> None:
        """Take a part; put again, it replaces the one before."""
        self._lease.hold(content.sha256, is_new=True)
        self.parts[number] = content

    def abort(self) -> None:
        """Forget the parts; nothing can be done with this upload any more."""
        self.status = "ABORTED"
        self.release()

    def release(self) -> None:
        """Keep neither parts nor the whole file any longer."""
        self.parts.clear()
        self.store.end_lease(self._lease)

    def advance(self) -> None:
        """Go on to the next state: from the queue to the work, from the work to its end. Blocks for the latter."""
        if self.status == "QUEUED":
            self.status = "PROCESSING"
        elif self.status == "PROCESSING" and self._joining.acquire(blocking=False):
            try:
                self._join()
            finally:
                self._joining.release()

    def _join(self) -> None:
        missing = sorted(set(range(1, max(self.parts, default=1) + 1)) - set(self.parts))
        if missing:
            self.status, self.error = "RETRYABLE_ERROR", f"Parts are missing: {', '.join(map(str, missing))}"
            return
        with self.store.blobs.upload() as upload:
            for number in sorted(self.parts):
                with self.store.blobs.open(self.parts[number].sha256) as part:
                    while data := part.read(BATCH):
                        upload.write(data)
            content = upload.finish()
            if content.sha1 != self.sha1:
                self.error = f"The parts have the SHA-1 {content.sha1}, not {self.sha1}"
                self.status = "NON_RETRYABLE_ERROR"
                return
            upload.commit(content)
        if self.status == "PROCESSING":  # not aborted meanwhile
            self.release()
            self._lease.hold(content.sha256, is_new=True)
            self.status, self.content = "FINISHED", content


class MultipartUploads:
    """Every upload in parts of one server; they are not kept over a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._uploads: list[MultipartUpload] = []

    def start(self, user: User, repository: str, path: str) -> MultipartUpload:
        """Start an upload."""
        upload = MultipartUpload(user, repository, path, self._store)
        self._uploads.append(upload)
        return upload

    def with_token(self, token: str) -> MultipartUpload | None:
        """Return the upload whose credential this is."""
        return next((each for each in self._uploads if secrets.compare_digest(each.token, token)), None)

    def with_key(self, key: str) -> MultipartUpload | None:
        """Return the upload that is named so in the URLs of its parts."""
        return next((each for each in self._uploads if each.key == key), None)

    def content(self, checksum_token: str, repository: str, path: str, sha1: str | None) -> Content | None:
        """Return the finished file a deploy refers to; None where token, place or digest are others."""
        for each in self._uploads:
            is_meant = secrets.compare_digest(each.checksum_token, checksum_token)
            if is_meant and each.content and (each.repository, each.path) == (repository, path):
                is_same = sha1 is None or each.content.sha1 == sha1.lower()
                return each.content if is_same and self._store.blobs.has(each.content.sha256) else None
        return None

    def deployed(self, checksum_token: str) -> None:
        """Keep the file of an upload no longer than the item that was made of it."""
        for each in self._uploads:
            if secrets.compare_digest(each.checksum_token, checksum_token):
                each.release()

    def clear(self) -> None:
        """Forget every upload."""
        for each in self._uploads:
            each.abort()
        self._uploads.clear()
