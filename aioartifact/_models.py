"""Values that the server reports."""

import codecs
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal

from ._checksums import Checksums
from ._errors import ArtifactoryError, error_for_status
from ._reprs import ShortRepr


@dataclass(frozen=True, slots=True)
class FileInfo:
    """
    A file as the server describes it (JFrog "File Info").

    Attributes:
        url: Download URL, percent-encoded, derived from the requested address.
        repository: Repository key the server reports; for a remote repository that of its cache.
        path: Path inside the repository, not encoded, without a leading slash.
        size: Bytes; None if a listing does not report it.
        checksums: Checksums the server computed.
        created: When it was deployed, with time zone, or None.
        modified: When it was last modified, with time zone, or None.
        created_by: User who deployed it, or None.
        modified_by: User who last modified it, or None.
        mime_type: Media type by file extension, or None.
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
    One entry of a folder.

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
        repository: Repository key the server reports.
        path: Path inside the repository, not encoded; ``""`` for the repository itself.
        children: Entries one level below, in the server's order (folders first); ``()`` for a folder in a
            listing, which yields its entries separately.
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
    A copy or a move.

    Attributes:
        url: New URL of the item.
        dry_run: Whether it was a dry run.
        messages: Messages of the server; empty if its response was lost and the outcome was looked up.
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
        files: Files that would be deleted; None after a deletion, which does not list them.
    """

    url: str
    dry_run: bool
    files: tuple[FileInfo, ...] | None = None

    @property
    def size(self) -> int | None:
        """Total bytes of these files; None if not known."""
        sizes = [file.size for file in self.files or ()]
        return None if self.files is None or None in sizes else sum(size or 0 for size in sizes)


@dataclass(frozen=True, slots=True)
class Repository:
    """
    A repository as the server lists it.

    Attributes:
        key: Its name, the first segment of its items' paths.
        kind: ``"local"``, ``"remote"``, ``"virtual"``, ``"federated"`` or another kind of the server.
        package_type: Type of its packages, in lower case: ``"generic"``, ``"maven"``, …; ``""`` if the server does not
            report it.
        url: Its URL, percent-encoded, derived from the requested address.
        description: Its description; may be empty.
        upstream: URL that a remote repository mirrors, as the server reports it; otherwise None.
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
        revision: Build of this release, or None.
        edition: ``"pro"`` if a licence is installed, including those above Pro; otherwise ``"oss"``.
        addons: IDs of installed add-ons, sorted.
        capabilities: What its release and edition should offer: ``"aql"``, ``"checksum-deploy"``, ``"sha256"``,
            ``"file-list"``, ``"properties"``, ``"merge-properties"``, ``"copy-move"``, ``"archive-entries"``,
            ``"folder-archive"``, ``"version-search"``. Permissions and settings may still prevent their use.
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
        versions: All versions, in the order of the file; a snapshot by its base version, ``1.0-SNAPSHOT``.
        last_updated: When this was computed.
    """

    latest: str | None
    release: str | None
    versions: tuple[str, ...]
    last_updated: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class ArtifactVersions(ShortRepr):
    """
    The versions of one of many artifacts, or the error.

    Attributes:
        group_id: Group ID of the artifact.
        name: Its name.
        versions: Its versions, oldest first; empty if the artifact does not exist, or if there is an *error*.
        error: Why they could not be listed, or None.
        latest: The version that :func:`latest_version` returns for the same arguments: a pre-release only if no
            release matches, if *spec* names one, or with *prerelease*. None if there is no version; if not given, the
            last of *versions*.
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
    One entry of an archive.

    Attributes:
        name: Its path, without slashes at the ends. Not trusted: it may contain ``..``.
        size: Declared bytes, unpacked.
        kind: ``"file"``, ``"folder"``, ``"link"`` (symbolic or hard), or ``"other"``: a device, a pipe.
    """

    name: str
    size: int
    kind: MemberKind


# Only charsets: Python would also accept names of other codecs.
_CHARSET = re.compile(r"charset=\"?(utf-?8|utf-?16|iso-8859-\d+|us-ascii|windows-125\d)\b", re.IGNORECASE)


def decode_text(content: bytes, content_type: str) -> str:
    """
    Decode a body by the charset of its Content-Type, else UTF-8, else Latin-1.

    Artifactory's servlet layer writes Latin-1 and says so; its REST layer writes UTF-8 and often does not.
    """
    for charset in (charset_of(content_type), "utf-8"):
        try:
            return content.decode(charset)
        except UnicodeError:
            continue
    return content.decode("latin-1")


def charset_of(content_type: str) -> str:
    """The charset that a Content-Type names and Python knows, else UTF-8."""
    match = _CHARSET.search(content_type)
    try:
        return codecs.lookup(match[1] if match else "utf-8").name
    except LookupError:
        return "utf-8"


@dataclass(frozen=True, slots=True)
class Response:
    """
    A response that has been read whole.

    Attributes:
        status_code: HTTP status code.
        content: Body.
        headers: Header fields; look-up ignores case.
        url: The requested URL, without its query.
        login_hint: Of a 401: which credentials were sent and where they come from, without the secret. Of a 403, only
            that there were none. Otherwise ``""``.
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
        """Standard phrase of the status, such as ``"Not Found"``; ``""`` for a status that has none."""
        try:
            return HTTPStatus(self.status_code).phrase
        except ValueError:
            return ""

    def raise_for_status(self) -> None:
        """
        Do nothing for a status below 400, as in requests.

        Raises:
            ResponseError: If the status is 400 or above, as the class of the status, such as :class:`NotFoundError`.
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
    What a session has done; :func:`stats` returns it.

    Attributes:
        requests: Requests that were sent, including retries and redirects.
        retries: Attempts after a failure that may pass, such as a lost connection or status 503.
        rate_limited: Responses with status 429.
        in_flight: Requests whose responses have not been read to their end, of all sessions that share the limits.
        bytes_received: Bytes of response bodies.
        bytes_sent: Bytes of files that were uploaded.
        bytes_resumed: Bytes that resumed downloads did not transfer again.
        cache_hits: Downloads for which the cache had the bytes.
    """

    requests: int = 0
    retries: int = 0
    rate_limited: int = 0
    in_flight: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    bytes_resumed: int = 0
    cache_hits: int = 0
