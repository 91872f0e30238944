"""Values that the server reports."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal

from ._bodies import decode_text
from ._checksums import Checksums
from ._errors import ArtifactoryError, error_for_status
from ._reprs import ShortRepr


@dataclass(frozen=True, slots=True)
class FileInfo:
    """
    A file as the server describes it (JFrog "File Info").

    Attributes:
        url: Download URL, percent-encoded, derived from the requested address.
        repository: Repository key reported by the server; for a remote repository, that of its cache.
        path: Path inside the repository, not encoded, without a leading slash.
        size: Size in bytes; None if a listing does not report it.
        checksums: Checksums computed by the server.
        created: When it was deployed, with time zone, or None.
        modified: When it was last modified, with time zone, or None.
        created_by: User who deployed it, or None.
        modified_by: User who last modified it, or None.
        mime_type: Media type, derived from the file extension, or None.
    """

    url: str
    repository: str
    path: str
    size: int | None = None
    checksums: Checksums = field(default_factory=Checksums)
    created: datetime | None = None
    modified: datetime | None = None
    created_by: str | None = None
    modified_by: str | None = None
    mime_type: str | None = None

    @property
    def name(self) -> str:
        """Last segment of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Child:
    """
    An entry of a folder.

    Attributes:
        name: Name, not encoded.
        folder: Whether it is a folder.
    """

    name: str
    folder: bool


@dataclass(frozen=True, slots=True, repr=False)
class FolderInfo(ShortRepr):
    """
    A folder or a repository as the server describes it (JFrog "Folder Info").

    Attributes:
        url: Its URL, percent-encoded, without a trailing slash.
        repository: Repository key reported by the server.
        path: Path inside the repository, not encoded; ``""`` for the repository itself.
        children: Entries one level below, in the server's order (folders first); ``()`` for a folder from a listing,
            which yields the entries separately.
        created: When it was created, with time zone, or None.
        modified: When it was last modified, with time zone, or None.
        created_by: User who created it, or None.
        modified_by: User who last modified it, or None.
    """

    url: str
    repository: str
    path: str
    children: tuple[Child, ...] = ()
    created: datetime | None = None
    modified: datetime | None = None
    created_by: str | None = None
    modified_by: str | None = None

    @property
    def name(self) -> str:
        """Last segment of the path; the repository key for the repository itself."""
        return self.path.rpartition("/")[2] or self.repository


@dataclass(frozen=True, slots=True, repr=False)
class Relocation(ShortRepr):
    """
    The result of a copy or a move.

    Attributes:
        url: New URL of the item.
        dry_run: Whether it was a dry run.
        messages: Messages of the server; empty if its response was lost.
    """

    url: str
    dry_run: bool
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Deletion(ShortRepr):
    """
    A deletion.

    Attributes:
        url: URL of the deleted item.
        dry_run: Whether it was a dry run.
        files: Files that a dry run would delete; None after a deletion.
    """

    url: str
    dry_run: bool
    files: tuple[FileInfo, ...] | None = None

    @property
    def size(self) -> int | None:
        """Total size of the files in bytes; None if not known."""
        sizes = [file.size for file in self.files or ()]
        return None if self.files is None or None in sizes else sum(size or 0 for size in sizes)


@dataclass(frozen=True, slots=True)
class Repository:
    """
    A repository as the server lists it.

    Attributes:
        key: Repository key, the first segment of the paths of its items.
        kind: ``"local"``, ``"remote"``, ``"virtual"``, ``"federated"`` or another kind.
        package_type: Package type in lower case, such as ``"generic"`` or ``"maven"``; ``""`` if the server does not
            report it.
        url: Its URL, percent-encoded, derived from the requested address.
        description: Its description; may be empty.
        upstream: URL that a remote repository mirrors; otherwise None.
    """

    key: str
    kind: str
    package_type: str
    url: str
    description: str = ""
    upstream: str | None = None


Edition = Literal["oss", "pro"]


@dataclass(frozen=True, slots=True, repr=False)
class ServerInfo(ShortRepr):
    """
    Version, edition and expected capabilities of a server.

    Attributes:
        url: Its base address.
        version: Release, e.g. ``"7.90.8"``.
        revision: Build number of the release, or None.
        edition: ``"pro"`` if a licence of Pro or above is installed; otherwise ``"oss"``.
        addons: IDs of installed add-ons, sorted.
        capabilities: Features of its release and edition: ``"aql"``, ``"checksum-deploy"``, ``"sha256"``,
            ``"file-list"``, ``"properties"``, ``"merge-properties"``, ``"copy-move"``, ``"archive-entries"``,
            ``"folder-archive"``, ``"version-search"``. Permissions and settings may restrict them.
    """

    url: str
    version: str
    revision: str | None
    edition: Edition
    addons: tuple[str, ...]
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True, repr=False)
class MavenMetadata(ShortRepr):
    """
    The ``maven-metadata.xml`` of an artifact; missing parts are None.

    Attributes:
        latest: Newest version, snapshots included.
        release: Newest version that is not a snapshot.
        versions: All versions, in the order of the file; a snapshot as its base version, ``1.0-SNAPSHOT``.
        last_updated: When the server computed the file.
    """

    latest: str | None
    release: str | None
    versions: tuple[str, ...]
    last_updated: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class ArtifactVersions(ShortRepr):
    """
    The result of one artifact of :func:`versions_many`.

    Attributes:
        group_id: Group ID of the artifact.
        name: Its name.
        versions: Its versions, oldest first; empty if the artifact does not exist, or if there is an *error*.
        error: The error if the versions cannot be listed, or None.
        latest: The version that :func:`latest_version` returns for the same arguments; None without versions.
    """

    group_id: str
    name: str
    versions: tuple[str, ...] = ()
    error: ArtifactoryError | None = None
    latest: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.latest is None and self.versions:
            object.__setattr__(self, "latest", self.versions[-1])


MemberKind = Literal["file", "folder", "link", "other"]


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """
    An entry of an archive.

    Attributes:
        name: Path in the archive, without leading and trailing slashes. Do not trust it: it may contain ``..``.
        size: Unpacked size in bytes, as the archive declares it.
        kind: ``"file"``, ``"folder"``, ``"link"`` (symbolic or hard), or ``"other"`` (a device, a pipe).
    """

    name: str
    size: int
    kind: MemberKind


@dataclass(frozen=True, slots=True)
class Response:
    """
    A response with its complete body.

    Attributes:
        status_code: HTTP status code.
        content: Body.
        headers: Header fields; look-up ignores case.
        url: The requested URL, without its query.
        login_hint: For a 401, which credentials were sent, and their source, without the secret. For a 403, a text if
            the request was anonymous. Otherwise ``""``.
    """

    status_code: int
    content: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    url: str
    login_hint: str = field(default="", repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status is below 400, as in requests."""
        return self.status_code < 400

    @property
    def reason(self) -> str:
        """Standard phrase of the status, such as ``"Not Found"``; ``""`` for an unknown status."""
        try:
            return HTTPStatus(self.status_code).phrase
        except ValueError:
            return ""

    def raise_for_status(self) -> None:
        """
        Raise an error for a status of 400 or above, as in requests.

        Raises:
            ResponseError: If the status is 400 or above; a subclass for the status, such as :class:`NotFoundError`.
        """
        if not self.ok:
            status = f"{self.status_code} {self.reason}".strip()
            raise error_for_status(self.status_code)(
                f"{self.url}: {status}",
                url=self.url,
                status=self.status_code,
                hint=self.login_hint or "the message of the server is in text",
            )

    @property
    def text(self) -> str:
        """Body as text, by the charset of its Content-Type, else UTF-8, else Latin-1."""
        return decode_text(self.content, self.headers.get("Content-Type", ""))

    def json(self) -> Any:
        """
        Body parsed as JSON.

        Raises:
            ValueError: If the body is not JSON.
        """
        return json.loads(self.text)


@dataclass(frozen=True, slots=True)
class SessionStats:
    """
    Statistics of a session; returned by :func:`stats`.

    Attributes:
        requests: Requests that were sent, including retries and redirects.
        retries: Attempts after a transient failure, such as a lost connection or status 503.
        rate_limited: Responses with status 429.
        in_flight: Requests without a complete response, of all sessions that share the limits.
        bytes_received: Bytes of response bodies.
        bytes_sent: Bytes of uploaded files.
        bytes_resumed: Bytes that resumed downloads did not have to transfer again.
        cache_hits: Downloads whose bytes were in the cache.
    """

    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    in_flight: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    bytes_resumed: int = 0
    cache_hits: int = 0
