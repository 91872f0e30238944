"""The functions of aioartifact for code that blocks. Written by .ci/blocking_stubs.py."""

# mypy: disable-error-code="override"
# pyright: reportIncompatibleMethodOverride=false
# Methods of paths and tables block here, and are awaited in their base classes.

from collections.abc import AsyncIterable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from typing import Literal
from typing import overload
from yarl import URL
import os
from aioartifact import ArtifactoryPath as _ArtifactoryPath
from aioartifact import Cache as _Cache
from aioartifact import Lookup as _Lookup
from aioartifact._address import ItemURL
from aioartifact._api.aql import Row
from aioartifact._api.sync import Folder
from aioartifact._api.version_sources import Method
from aioartifact._api.versions import Denied
from aioartifact._aql import Items
from aioartifact._listing import Entry
from aioartifact._lookup.table import Params
from aioartifact._lookup.table import Value
from aioartifact._session import ClientCertificate
from aioartifact._session import Middleware
from aioartifact._session import TraceConfig
from aioartifact._transfer.send.deployer import DeployItem
from aioartifact._transfer.send.deployer import LocalPath
from aioartifact._transfer.send.file_upload import Parameters
from aioartifact._versions import SchemeLike
from aioartifact._versions import Where
from . import AlreadyExistsError as AlreadyExistsError
from . import ArchiveError as ArchiveError
from . import ArchiveMember as ArchiveMember
from . import ArtifactVersions as ArtifactVersions
from . import ArtifactoryError as ArtifactoryError
from . import Auth as Auth
from . import AuthenticationError as AuthenticationError
from . import BadRequestError as BadRequestError
from . import BatchError as BatchError
from . import CacheEntry as CacheEntry
from . import CacheLike as CacheLike
from . import ChangedError as ChangedError
from . import Checksums as Checksums
from . import Child as Child
from . import Command as Command
from . import ConfigurationError as ConfigurationError
from . import ConfiguredServer as ConfiguredServer
from . import ConflictError as ConflictError
from . import ConnectError as ConnectError
from . import ConnectionLostError as ConnectionLostError
from . import Credentials as Credentials
from . import CredentialsError as CredentialsError
from . import CredentialsProvider as CredentialsProvider
from . import Deletion as Deletion
from . import Diagnosis as Diagnosis
from . import FileInfo as FileInfo
from . import Filter as Filter
from . import Finding as Finding
from . import FolderInfo as FolderInfo
from . import FolderNotEmptyError as FolderNotEmptyError
from . import ForbiddenError as ForbiddenError
from . import IncompleteListingError as IncompleteListingError
from . import IntegrityError as IntegrityError
from . import InvalidArgumentError as InvalidArgumentError
from . import InvalidURLError as InvalidURLError
from . import Item as Item
from . import Keyring as Keyring
from . import Limits as Limits
from . import LinkMode as LinkMode
from . import LocalFileError as LocalFileError
from . import LocalNotFoundError as LocalNotFoundError
from . import LookupTableError as LookupTableError
from . import MavenMetadata as MavenMetadata
from . import NotAFileError as NotAFileError
from . import NotAFolderError as NotAFolderError
from . import NotCachedError as NotCachedError
from . import NotFoundError as NotFoundError
from . import OIDC as OIDC
from . import OnError as OnError
from . import Outcome as Outcome
from . import Overwrite as Overwrite
from . import Progress as Progress
from . import ProgressSink as ProgressSink
from . import ProgressSnapshot as ProgressSnapshot
from . import ProtocolError as ProtocolError
from . import RateLimitedError as RateLimitedError
from . import RefreshingToken as RefreshingToken
from . import Relocation as Relocation
from . import Report as Report
from . import Repository as Repository
from . import Response as Response
from . import ResponseError as ResponseError
from . import RetryPolicy as RetryPolicy
from . import ServerError as ServerError
from . import ServerInfo as ServerInfo
from . import SessionError as SessionError
from . import SessionStats as SessionStats
from . import SplitPlan as SplitPlan
from . import StoredElsewhereError as StoredElsewhereError
from . import SyncAction as SyncAction
from . import SyncFile as SyncFile
from . import SyncPlan as SyncPlan
from . import Timeouts as Timeouts
from . import TransferEvent as TransferEvent
from . import TransportError as TransportError
from . import TransportTimeoutError as TransportTimeoutError
from . import URLLike as URLLike
from . import UnsafePathError as UnsafePathError
from . import Verify as Verify
from . import authentication as authentication
from . import authentification as authentification
from . import group_id_to_path as group_id_to_path
from . import path_to_group_id as path_to_group_id
from . import resolve_credentials as resolve_credentials
from . import resolve_server as resolve_server
from . import url as url
from ._blocking.values import FileListing as FileListing
from ._blocking.values import FileStream as FileStream
from ._blocking.values import Listing as Listing
from ._blocking.values import Outcomes as Outcomes
from ._blocking.values import RemoteFile as RemoteFile
from ._blocking.values import Results as Results
from ._blocking.values import Session as Session

class ArtifactoryPath(_ArtifactoryPath):
    """The path of an item, with methods to query and change it; returned by `path`."""

    def __init__(self, item: ItemURL, session: Session | None = None, *, names_folder: bool = False) -> None:
        ...

    @property
    def parent(self) -> ArtifactoryPath:
        """The parent folder; a repository is its own parent."""

    @property
    def parents(self) -> tuple[ArtifactoryPath, ...]:
        """All parent folders, from the nearest to the repository."""

    def with_session(self, session: Session | None) -> ArtifactoryPath:
        """Return the same path with another session; None opens one for each call."""

    def joinpath(self, *others: str | PurePosixPath) -> ArtifactoryPath:
        """Return a path below this one."""

    def __truediv__(self, other: str | PurePosixPath) -> ArtifactoryPath:
        ...

    def with_name(self, name: str) -> ArtifactoryPath:
        """Return the path with another name."""

    def with_stem(self, stem: str) -> ArtifactoryPath:
        """Return the path with another stem; raises as `with_name` does."""

    def with_suffix(self, suffix: str) -> ArtifactoryPath:
        """Return the path with another last suffix."""

    def is_relative_to(self, other: URLLike) -> bool:
        """Return whether this path is *other* or below it."""

    def relative_to(self, other: URLLike) -> PurePosixPath:
        """Return the path relative to *other*."""

    def stat(self) -> FileInfo | FolderInfo:
        """Return the info of the item; one request, see `info`."""

    def exists(self) -> bool:
        """Return whether the item exists; one request, see `exists`."""

    def is_file(self) -> bool:
        """Return whether the item is a file; one request."""

    def is_dir(self) -> bool:
        """Return whether the item is a folder or a repository; one request."""

    def iterdir(self) -> Iterator[ArtifactoryPath]:
        """List the folder, one level, as entries arrive; one request, see `ls`."""

    def glob(self, pattern: str) -> Iterator[ArtifactoryPath]:
        """List the files and folders below this path that match a pattern, as they arrive; see `glob`."""

    def rglob(self, pattern: str) -> Iterator[ArtifactoryPath]:
        """List the matching files and folders on all levels: ``glob("**/" + pattern)``."""

    def read_bytes(self) -> bytes:
        """Read the whole file; one request, see `read_bytes`."""

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Read the whole file as text; one request, see `read_bytes`. Line ends are not changed."""

    def write_bytes(
        self,
        data: bytes | bytearray | memoryview,
        *,
        parameters: Mapping[str, str | Sequence[str]] | None = None,
    ) -> int:
        """Deploy *data* as the file; one request, see `write_bytes`."""

    def write_text(self, data: str, encoding: str = "utf-8", errors: str = "strict") -> int:
        """Deploy text as the file; one request, see `write_bytes`. Line ends are not changed."""

    def open(self) -> AbstractContextManager[RemoteFile]:
        """Open the file for random access: ``with path.open() as file:``, see `open`."""

    def mkdir(self, *, parents: bool = False, exist_ok: bool = False) -> None:
        """Create a folder; one request, and one check each if *parents* or *exist_ok* is False."""

    def touch(self, *, exist_ok: bool = True) -> None:
        """Create an empty file if the item does not exist; one request, two if it is created."""

    def unlink(self, *, missing_ok: bool = False) -> None:
        """Delete the file; two requests, the first checks that it is a file. To delete folders, use `delete`."""

    def rmdir(self) -> None:
        """Delete the folder if it is empty; two requests. To delete a folder with content, use `delete`."""

    def rename(self, target: URLLike) -> ArtifactoryPath:
        """Move a file, or a folder with its content, to a new path; two requests, see `move`."""

    def replace(self, target: URLLike) -> ArtifactoryPath:
        """Move like `rename`, but replace an existing file."""

class Cache(_Cache):
    """A cache of downloaded files by their SHA-256, for any number of projects and processes."""

    def entries(self) -> list[CacheEntry]:
        """List the files in the cache, sorted by their SHA-256."""

    def prune(self, *, max_bytes: int | None = None, older_than: float | None = None) -> list[CacheEntry]:
        """
        Remove the least recently used files, and leftovers of killed processes; running downloads are not affected.
        """

    def verify(self) -> list[CacheEntry]:
        """Hash all files in the cache, and remove damaged ones. Each use of a file checks it, too."""

class Lookup(_Lookup):
    """A table of the flavours of an artifact; `open` finds a table, `create` creates one."""

    def __init__(
        self,
        server: URLLike,
        repository: str,
        group_id: str,
        *,
        version: str,
        name: str = "lookup",
        session: Session | None = None,
    ) -> None:
        ...

    @classmethod
    def open(
        cls,
        server: URLLike,
        repository: str,
        group_id: str,
        *,
        name: str = "lookup",
        version: str | None = None,
        session: Session | None = None,
    ) -> Lookup:
        """Find a table; one request."""

    def table(self) -> list[list[Value]]:
        """Return the table: the header, which starts with ``id``, then the rows; one request."""

    def columns(self) -> list[str]:
        """Return the names of the columns without ``id``; one request."""

    def ids(self) -> list[str]:
        """Return the IDs of the rows; one request."""

    def get(self, uid: str) -> dict[str, Value]:
        """Return the values of a row by column, empty if the row does not exist; one request."""

    def render(self) -> str:
        """Return the table as text with padded columns; one request."""

    def find(self, params: Params) -> str:
        """Return the ID of the row with these values for all columns; one request."""

    def contains(self, params: Params) -> bool:
        """Return whether there is a row with these values for all columns; one request."""

    def append(self, params: Params) -> str:
        """Add a row; five requests."""

    def extend(self, params: str | Sequence[str] | Params) -> list[list[Value]]:
        """Add columns; five requests."""

    def remove(self, params: Params) -> str:
        """Remove the row with these values for all columns; five requests."""

    def clear(self) -> None:
        """Remove all rows, and keep the columns; five requests."""

    @classmethod
    def create(
        cls,
        server: URLLike,
        repository: str,
        group_id: str,
        version: str,
        params: Sequence[str] = (),
        *,
        name: str = "lookup",
        force: bool = False,
        session: Session | None = None,
    ) -> str:
        """Create a table without rows; five requests."""

    @classmethod
    def delete(
        cls,
        server: URLLike,
        repository: str,
        group_id: str,
        version: str,
        *,
        name: str = "lookup",
        force: bool = True,
        session: Session | None = None,
    ) -> None:
        """Delete a table with the folder of its version; five requests, six unless *force* is True."""

    @classmethod
    def exists(
        cls,
        server: URLLike,
        repository: str,
        group_id: str,
        version: str,
        *,
        name: str = "lookup",
        session: Session | None = None,
    ) -> bool:
        """Return whether there is a table of this version; one request."""

    @classmethod
    def latest_version(
        cls,
        server: URLLike,
        repository: str,
        group_id: str,
        *,
        params: Params | None = None,
        name: str = "lookup",
        session: Session | None = None,
    ) -> str | None:
        """Return the newest version of a table, or the newest one with a certain row; None if there is none."""

    @classmethod
    def versions(
        cls,
        server: URLLike,
        repository: str,
        group_id: str,
        params: Params | None = None,
        *,
        name: str = "lookup",
        session: Session | None = None,
    ) -> list[str]:
        """List the versions of a table, oldest first; one request, with *params* one more for each version."""

def aql(server: URLLike, query: str | Items, *, session: Session | None = None) -> Results[Row]:
    """Run a query in Artifactory Query Language, and yield its rows as they arrive; one request."""

def checksum(path_or_url: URLLike | os.PathLike[str], type: str = "md5", *, session: Session | None = None) -> str:
    """Return the checksum of a file on the server, or of a local file; one request, no download."""

def copy(
    source: URLLike,
    target: URLLike,
    *,
    overwrite: bool = True,
    dry_run: bool = False,
    session: Session | None = None,
) -> Relocation:
    """
    Copy a file, or a folder with its content, within one server; two requests, no transfer. Needs Artifactory Pro.
    """

def copy_many(
    items: Iterable[tuple[URLLike, URLLike]] | AsyncIterable[tuple[URLLike, URLLike]],
    *,
    overwrite: bool = True,
    dry_run: bool = False,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: Session | None = None,
    progress: Progress | None = None,
) -> Report:
    """Copy many files or folders within one server, each as by `copy`. Needs Artifactory Pro."""

def delete(
    url: URLLike,
    *,
    missing_ok: bool = False,
    dry_run: bool = False,
    whole_repository: bool = False,
    session: Session | None = None,
) -> Deletion:
    """
    Delete a file, or a folder with its content; one request. The server moves it to its trash can, if it has one.
    """

def delete_many(
    items: Iterable[URLLike] | AsyncIterable[URLLike],
    *,
    missing_ok: bool = False,
    dry_run: bool = False,
    whole_repository: bool = False,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: Session | None = None,
    progress: Progress | None = None,
) -> Report:
    """Delete many files or folders, each as by `delete`; one request per item."""

def delete_properties(
    url: URLLike,
    names: str | Iterable[str],
    *,
    recursive: bool = False,
    session: Session | None = None,
) -> None:
    """Delete properties of an item; one request. Missing ones are ignored. Needs Artifactory Pro."""

def deploy(
    path: str | os.PathLike[str],
    url: URLLike,
    *,
    md5: str | None = None,
    sha1: str | None = None,
    sha256: str | None = None,
    parameters: Parameters | None = None,
    min_checksum_deploy: int | None = ...,
    session: Session | None = None,
    progress: Progress | None = None,
) -> str:
    """Upload a local file; one request, two for a large file whose bytes the server does not have yet."""

def deploy_folder(
    folder: LocalPath,
    url: URLLike,
    *,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    parameters: Parameters | None = None,
    overwrite: Overwrite = "changed",
    min_checksum_deploy: int | None = ...,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: Session | None = None,
    progress: Progress | None = None,
) -> Report:
    """Upload the files of a local folder with their subfolders: all, or those that match patterns."""

def deploy_many(
    items: Iterable[DeployItem] | AsyncIterable[DeployItem],
    url: URLLike,
    *,
    parameters: Parameters | None = None,
    overwrite: Overwrite = "changed",
    min_checksum_deploy: int | None = ...,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: Session | None = None,
    progress: Progress | None = None,
) -> Report:
    """Upload many local files, several at a time, each as by `deploy`."""

def diagnose(url: URLLike, *, session: Session | None = None) -> Diagnosis:
    """Check a server and the connection to it, and return a hint for each problem."""

def download(
    url: URLLike,
    destination: str | os.PathLike[str] = ".",
    *,
    force_download: bool = True,
    sha256: str | None = None,
    durable: bool = False,
    cache: CacheLike | None = None,
    session: Session | None = None,
    progress: Progress | None = None,
) -> str:
    """
    Download one file; one request, two if its response has no checksums, as after a redirect to storage.
    """

def download_folder(
    url: URLLike,
    destination: str | os.PathLike[str] = ".",
    *,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    overwrite: Overwrite = "changed",
    manifest: str | os.PathLike[str] | None = None,
    durable: bool = False,
    archive: bool = False,
    cache: CacheLike | None = None,
    session: Session | None = None,
    progress: Progress | None = None,
) -> Report:
    """Download the files of a folder with its subfolders: all, or those that match patterns."""

def download_many(
    items: Iterable[Item] | AsyncIterable[Item],
    destination: str | os.PathLike[str] = ".",
    *,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    overwrite: Overwrite = "changed",
    manifest: str | os.PathLike[str] | None = None,
    durable: bool = False,
    cache: CacheLike | None = None,
    session: Session | None = None,
    progress: Progress | None = None,
) -> Report:
    """Download many files, several at a time, each as by `download`."""

def exists(url: URLLike, *, session: Session | None = None) -> bool:
    """Return whether a file or a folder exists; one request."""

@overload
def glob(
    url: URLLike,
    pattern: str,
    *,
    folders: Literal[False] = False,
    exclude: str | Iterable[str] = (),
    where: Filter | None = None,
    session: Session | None = None,
) -> FileListing:
    ...
@overload
def glob(
    url: URLLike,
    pattern: str,
    *,
    folders: bool = False,
    exclude: str | Iterable[str] = (),
    where: Filter | None = None,
    session: Session | None = None,
) -> Listing:
    ...

def info(url: URLLike, *, session: Session | None = None) -> FileInfo | FolderInfo:
    """Return the info of a file or a folder; one request."""

def iter_copy_many(
    items: Iterable[tuple[URLLike, URLLike]] | AsyncIterable[tuple[URLLike, URLLike]],
    *,
    overwrite: bool = True,
    dry_run: bool = False,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: Session | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Yield the outcomes of `copy_many` as they finish."""

def iter_delete_many(
    items: Iterable[URLLike] | AsyncIterable[URLLike],
    *,
    missing_ok: bool = False,
    dry_run: bool = False,
    whole_repository: bool = False,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: Session | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Yield the outcomes of `delete_many` as they finish."""

def iter_deploy_folder(
    folder: LocalPath,
    url: URLLike,
    *,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    parameters: Parameters | None = None,
    overwrite: Overwrite = "changed",
    min_checksum_deploy: int | None = ...,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: Session | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Yield the outcomes of `deploy_folder` as they finish."""

def iter_deploy_many(
    items: Iterable[DeployItem] | AsyncIterable[DeployItem],
    url: URLLike,
    *,
    parameters: Parameters | None = None,
    overwrite: Overwrite = "changed",
    min_checksum_deploy: int | None = ...,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: Session | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Yield the outcomes of `deploy_many` as they finish."""

def iter_download_folder(
    url: URLLike,
    destination: str | os.PathLike[str] = ".",
    *,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    overwrite: Overwrite = "changed",
    manifest: str | os.PathLike[str] | None = None,
    durable: bool = False,
    archive: bool = False,
    cache: CacheLike | None = None,
    session: Session | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Yield the outcomes of `download_folder` as they finish."""

def iter_download_many(
    items: Iterable[Item] | AsyncIterable[Item],
    destination: str | os.PathLike[str] = ".",
    *,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    overwrite: Overwrite = "changed",
    manifest: str | os.PathLike[str] | None = None,
    durable: bool = False,
    cache: CacheLike | None = None,
    session: Session | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Yield the outcomes of `download_many` as they finish."""

def iter_move_many(
    items: Iterable[tuple[URLLike, URLLike]] | AsyncIterable[tuple[URLLike, URLLike]],
    *,
    overwrite: bool = True,
    dry_run: bool = False,
    whole_repository: bool = False,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: Session | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Yield the outcomes of `move_many` as they finish."""

def iter_run_sync(
    plan: SyncPlan,
    *,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    cache: CacheLike | None = None,
    session: Session | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Yield the outcomes of `run_sync` as they finish."""

def iter_sync(
    source: Folder,
    destination: Folder,
    *,
    delete: bool = False,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    manifest: str | os.PathLike[str] | None = None,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    cache: CacheLike | None = None,
    session: Session | None = None,
    progress: Progress | None = None,
) -> Outcomes:
    """Yield the outcomes of `sync` as they finish."""

def latest_version(
    server: URLLike,
    repository: str,
    group_id: str,
    name: str,
    *,
    scheme: SchemeLike = "semver",
    spec: str | None = None,
    prerelease: bool | None = None,
    where: Where | None = None,
    method: Method | Literal['server'] = "auto",
    property_name: str = "version",
    denied: Denied = "warn",
    session: Session | None = None,
) -> str | None:
    """Return the newest version of an artifact, in the order of `versions`; one request."""

def list_archive(url: URLLike, *, session: Session | None = None) -> list[ArchiveMember]:
    """List the members of a zip or tar file on the server."""

def ls(url: URLLike, *, session: Session | None = None) -> Listing:
    """List the entries of a folder, one level, as they arrive; one request."""

def maven_metadata(
    server: URLLike,
    repository: str,
    group_id: str,
    name: str,
    *,
    session: Session | None = None,
) -> MavenMetadata:
    """Read the ``maven-metadata.xml`` of an artifact; one request."""

def mkdir(url: URLLike, *, parents: bool = True, exist_ok: bool = True, session: Session | None = None) -> None:
    """Create a folder; one request, and one check each if *parents* or *exist_ok* is False."""

def move(
    source: URLLike,
    target: URLLike,
    *,
    overwrite: bool = True,
    dry_run: bool = False,
    whole_repository: bool = False,
    session: Session | None = None,
) -> Relocation:
    """Move a file, or a folder with its content, within one server; two requests. Needs Artifactory Pro."""

def move_many(
    items: Iterable[tuple[URLLike, URLLike]] | AsyncIterable[tuple[URLLike, URLLike]],
    *,
    overwrite: bool = True,
    dry_run: bool = False,
    whole_repository: bool = False,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    session: Session | None = None,
    progress: Progress | None = None,
) -> Report:
    """Move many files or folders within one server, each as by `move`. Needs Artifactory Pro."""

def open(
    url: URLLike,
    *,
    info: FileInfo | None = None,
    session: Session | None = None,
) -> AbstractContextManager[RemoteFile]:
    """Open a file for random access; one request for the first 256 KiB, and one for each further range."""

def open_session(
    server: URLLike | None = None,
    *,
    auth: Auth | Mapping[URLLike, Auth] | None = None,
    retry: RetryPolicy | None = None,
    timeouts: Timeouts | None = None,
    limits: Limits | Session | None = None,
    verify: Verify = True,
    cert: ClientCertificate | None = None,
    proxy: str | URL | None = None,
    trust_env: bool = True,
    user_agent: str | None = None,
    headers: Mapping[str, str] | None = None,
    middlewares: Iterable[Middleware] | None = None,
    trace_configs: Iterable[TraceConfig] | None = None,
    connector_options: Mapping[str, Any] | None = None,
) -> Session:
    """Open a session without a block; close it with ``session.close()``."""

def path(url: URLLike, *, session: Session | None = None) -> ArtifactoryPath:
    """Return a path object for a URL; no request."""

def ping(server: URLLike, *, session: Session | None = None) -> bool:
    """Return whether a server is up; one request, which is not retried."""

def plan_sync(
    source: Folder,
    destination: Folder,
    *,
    delete: bool = False,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    manifest: str | os.PathLike[str] | None = None,
    cache: CacheLike | None = None,
    session: Session | None = None,
) -> SyncPlan:
    """Compare two folders, and plan how to make one equal to the other; changes nothing."""

def properties(url: URLLike, *, session: Session | None = None) -> dict[str, list[str]]:
    """Return the properties of a file, a folder or a repository; one request, two if there are none."""

def read_archive_member(url: URLLike, member: str, *, max_size: int = ..., session: Session | None = None) -> bytes:
    """Read one member of a zip or tar file on the server into memory."""

def read_bytes(
    url: URLLike,
    *,
    start: int = 0,
    end: int | None = None,
    sha256: str | None = None,
    session: Session | None = None,
) -> bytes:
    """Read a file, or a part of it, into memory; one request, see `stream`."""

def remove_parts(folder: str | os.PathLike[str], *, older_than: float | None = None) -> list[str]:
    """Remove partial files of interrupted downloads in and below a folder; no request."""

def repositories(
    server: URLLike,
    *,
    kind: str | None = None,
    package_type: str | None = None,
    session: Session | None = None,
) -> list[Repository]:
    """List the repositories that the user may read; one request."""

def rest_api_get(url: URLLike, *, session: Session | None = None) -> Response:
    """Send a GET request with credentials to any URL of a server; one request."""

def run_sync(
    plan: SyncPlan,
    *,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    cache: CacheLike | None = None,
    session: Session | None = None,
    progress: Progress | None = None,
) -> Report:
    """Execute a plan."""

def search(
    server: URLLike,
    *,
    name: str | None = None,
    checksum: str | None = None,
    properties: Mapping[str, str] | None = None,
    group_id: str | None = None,
    artifact_id: str | None = None,
    version: str | None = None,
    classifier: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    modified_after: datetime | None = None,
    modified_before: datetime | None = None,
    repositories: str | Iterable[str] = (),
    session: Session | None = None,
) -> Results[Entry]:
    """Find items by one criterion; one request."""

def server_info(server: URLLike, *, session: Session | None = None) -> ServerInfo:
    """Return the version, edition and expected capabilities of a server; one request."""

def session(
    server: URLLike | None = None,
    *,
    auth: Auth | Mapping[URLLike, Auth] | None = None,
    retry: RetryPolicy | None = None,
    timeouts: Timeouts | None = None,
    limits: Limits | Session | None = None,
    verify: Verify = True,
    cert: ClientCertificate | None = None,
    proxy: str | URL | None = None,
    trust_env: bool = True,
    user_agent: str | None = None,
    headers: Mapping[str, str] | None = None,
    middlewares: Iterable[Middleware] | None = None,
    trace_configs: Iterable[TraceConfig] | None = None,
    connector_options: Mapping[str, Any] | None = None,
) -> AbstractContextManager[Session]:
    """Open a session that sends credentials to the servers that they belong to."""

def set_properties(
    url: URLLike,
    properties: Mapping[str, str | Sequence[str]],
    *,
    recursive: bool = False,
    session: Session | None = None,
) -> None:
    """Set the properties of an item, and remove all others; two requests, three if it had none."""

def stats(session: Session) -> SessionStats:
    """Return statistics of a session since it was opened; no request."""

def stream(
    url: URLLike,
    *,
    start: int = 0,
    end: int | None = None,
    sha256: str | None = None,
    if_none_match: str | None = None,
    session: Session | None = None,
) -> AbstractContextManager[FileStream]:
    """
    Read a file as a stream, without a copy on disk; one request, two if its storage reports no checksums.
    """

def sync(
    source: Folder,
    destination: Folder,
    *,
    delete: bool = False,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    manifest: str | os.PathLike[str] | None = None,
    max_concurrency: int | None = None,
    on_error: OnError = "raise",
    cache: CacheLike | None = None,
    session: Session | None = None,
    progress: Progress | None = None,
) -> Report:
    """Make one folder equal to another: `plan_sync` and `run_sync` in one call."""

def update_properties(
    url: URLLike,
    changes: Mapping[str, str | Sequence[str] | None],
    *,
    recursive: bool = False,
    session: Session | None = None,
) -> None:
    """Change some properties of an item, and keep the others; one atomic request. Needs Artifactory Pro."""

def versions(
    server: URLLike,
    repository: str,
    group_id: str,
    name: str,
    *,
    scheme: SchemeLike = "semver",
    spec: str | None = None,
    prerelease: bool | None = None,
    where: Where | None = None,
    method: Method = "auto",
    property_name: str = "version",
    denied: Denied = "warn",
    session: Session | None = None,
) -> list[str]:
    """List the versions of an artifact, oldest first; one request."""

def versions_many(
    server: URLLike,
    repository: str,
    names: Iterable[tuple[str, str]],
    *,
    scheme: SchemeLike = "semver",
    spec: str | None = None,
    prerelease: bool | None = None,
    where: Where | None = None,
    method: Literal['auto', 'folder', 'aql'] = "auto",
    max_concurrency: int | None = None,
    denied: Denied = "warn",
    on_error: Literal['raise', 'collect'] = "raise",
    session: Session | None = None,
) -> dict[tuple[str, str], ArtifactVersions]:
    """List the versions of many artifacts of a repository, as `versions` does for one."""

@overload
def walk(
    url: URLLike,
    *,
    depth: int | None = None,
    files: Literal[True] = True,
    folders: Literal[False] = False,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    where: Filter | None = None,
    session: Session | None = None,
) -> FileListing:
    ...
@overload
def walk(
    url: URLLike,
    *,
    depth: int | None = None,
    files: bool = True,
    folders: bool = False,
    include: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    where: Filter | None = None,
    session: Session | None = None,
) -> Listing:
    ...

def with_credentials(
    session: Session,
    auth: Auth | Mapping[URLLike, Auth],
    *,
    server: URLLike | None = None,
) -> Session:
    """
    Return a session with other credentials, for instance for each user of a service, over the connections of
    *session*.
    """

def write_bytes(
    url: URLLike,
    data: bytes | bytearray | memoryview,
    *,
    parameters: Parameters | None = None,
    session: Session | None = None,
) -> int:
    """Upload bytes from memory, with their SHA-256 and SHA-1; one request. Otherwise like `deploy`."""
