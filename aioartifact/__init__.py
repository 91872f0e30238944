"""
Asyncio client library for JFrog Artifactory.

Every public name is reached as ``aioartifact.<name>``. Names are imported when they are first used (PEP 562),
so ``import aioartifact`` does not wait for aiohttp.
"""

from importlib import import_module
from sys import modules
from types import FunctionType

# Type checkers know this name. The module typing takes 30 times as long to import as all else here, and the command
# cannot handle Ctrl-C before it is imported.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from ._address import URLLike, group_id_to_path, path_to_group_id, url
    from ._api.aql import aql
    from ._api.archives import list_archive, read_archive_member
    from ._api.credentials import authentication, authentification, resolve_credentials
    from ._api.deploy import deploy
    from ._api.deploy_many import deploy_folder, deploy_many
    from ._api.download import download, download_folder, download_many
    from ._api.items import checksum, exists, info, rest_api_get
    from ._api.listing import glob, ls, walk
    from ._api.lookup import Lookup
    from ._api.mutations import copy, delete, mkdir, move
    from ._api.parts import remove_parts
    from ._api.path import ArtifactoryPath, path
    from ._api.properties import delete_properties, properties, set_properties, update_properties
    from ._api.reading import open, read_bytes, stream, write_bytes
    from ._api.search import search
    from ._api.servers import ping, repositories, server_info
    from ._api.session import Auth, open_session, session
    from ._api.sync import plan_sync, run_sync, sync
    from ._api.versions import latest_version, maven_metadata, versions
    from ._api.versions_many import versions_many
    from ._checksums import Checksums
    from ._credentials import Credentials
    from ._errors import (
        AlreadyExistsError,
        ArchiveError,
        ArtifactoryError,
        AuthenticationError,
        BadRequestError,
        ChangedError,
        ConfigurationError,
        ConflictError,
        ConnectError,
        ConnectionLostError,
        CredentialsError,
        FolderNotEmptyError,
        ForbiddenError,
        IncompleteListingError,
        IntegrityError,
        InvalidArgumentError,
        InvalidURLError,
        LocalFileError,
        LocalNotFoundError,
        LookupTableError,
        NotAFileError,
        NotAFolderError,
        NotFoundError,
        ProtocolError,
        RateLimitedError,
        ResponseError,
        ServerError,
        SessionError,
        StoredElsewhereError,
        TransportError,
        TransportTimeoutError,
        UnsafePathError,
        WorkerError,
    )
    from ._filters import Filter
    from ._listing.listing import Listing, Results
    from ._models import (
        ArchiveMember,
        ArtifactVersions,
        Child,
        Deletion,
        FileInfo,
        FolderInfo,
        MavenMetadata,
        Relocation,
        Repository,
        Response,
        ServerInfo,
    )
    from ._options import Limits, Timeouts
    from ._progress import Progress, ProgressSink, ProgressSnapshot, TransferEvent
    from ._reports import BatchError, Outcome, Report
    from ._retry import RetryPolicy
    from ._session import Verify
    from ._sync import SyncAction, SyncFile, SyncPlan
    from ._transfer.batch import Batch, OnError
    from ._transfer.bulk import Item
    from ._transfer.plan import Overwrite
    from ._transfer.remote_file import RemoteFile

    __version__: str

__all__ = [
    "AlreadyExistsError",
    "ArchiveError",
    "ArchiveMember",
    "ArtifactVersions",
    "ArtifactoryError",
    "ArtifactoryPath",
    "Auth",
    "AuthenticationError",
    "BadRequestError",
    "Batch",
    "BatchError",
    "ChangedError",
    "Checksums",
    "Child",
    "ConfigurationError",
    "ConflictError",
    "ConnectError",
    "ConnectionLostError",
    "Credentials",
    "CredentialsError",
    "Deletion",
    "FileInfo",
    "Filter",
    "FolderInfo",
    "FolderNotEmptyError",
    "ForbiddenError",
    "IncompleteListingError",
    "IntegrityError",
    "InvalidArgumentError",
    "InvalidURLError",
    "Item",
    "Limits",
    "Listing",
    "LocalFileError",
    "LocalNotFoundError",
    "Lookup",
    "LookupTableError",
    "MavenMetadata",
    "NotAFileError",
    "NotAFolderError",
    "NotFoundError",
    "OnError",
    "Outcome",
    "Overwrite",
    "Progress",
    "ProgressSink",
    "ProgressSnapshot",
    "ProtocolError",
    "RateLimitedError",
    "Relocation",
    "RemoteFile",
    "Report",
    "Repository",
    "Response",
    "ResponseError",
    "Results",
    "RetryPolicy",
    "ServerError",
    "ServerInfo",
    "SessionError",
    "StoredElsewhereError",
    "SyncAction",
    "SyncFile",
    "SyncPlan",
    "Timeouts",
    "TransferEvent",
    "TransportError",
    "TransportTimeoutError",
    "URLLike",
    "UnsafePathError",
    "Verify",
    "WorkerError",
    "__version__",
    "aql",
    "authentication",
    "authentification",
    "checksum",
    "copy",
    "delete",
    "delete_properties",
    "deploy",
    "deploy_folder",
    "deploy_many",
    "download",
    "download_folder",
    "download_many",
    "exists",
    "glob",
    "group_id_to_path",
    "info",
    "latest_version",
    "list_archive",
    "ls",
    "maven_metadata",
    "mkdir",
    "move",
    "open",
    "open_session",
    "path",
    "path_to_group_id",
    "ping",
    "plan_sync",
    "properties",
    "read_archive_member",
    "read_bytes",
    "remove_parts",
    "repositories",
    "resolve_credentials",
    "rest_api_get",
    "run_sync",
    "search",
    "server_info",
    "session",
    "set_properties",
    "stream",
    "sync",
    "update_properties",
    "url",
    "versions",
    "versions_many",
    "walk",
    "write_bytes",
]

_HOMES = {
    "_address": (
        "URLLike",
        "group_id_to_path",
        "path_to_group_id",
        "url",
    ),
    "_api.aql": ("aql",),
    "_api.archives": (
        "list_archive",
        "read_archive_member",
    ),
    "_api.credentials": (
        "authentication",
        "authentification",
        "resolve_credentials",
    ),
    "_api.deploy": ("deploy",),
    "_api.deploy_many": (
        "deploy_folder",
        "deploy_many",
    ),
    "_api.download": (
        "download",
        "download_folder",
        "download_many",
    ),
    "_api.items": (
        "checksum",
        "exists",
        "info",
        "rest_api_get",
    ),
    "_api.listing": (
        "glob",
        "ls",
        "walk",
    ),
    "_api.lookup": ("Lookup",),
    "_api.mutations": (
        "copy",
        "delete",
        "mkdir",
        "move",
    ),
    "_api.parts": ("remove_parts",),
    "_api.path": (
        "ArtifactoryPath",
        "path",
    ),
    "_api.properties": (
        "delete_properties",
        "properties",
        "set_properties",
        "update_properties",
    ),
    "_api.reading": (
        "open",
        "read_bytes",
        "stream",
        "write_bytes",
    ),
    "_api.search": ("search",),
    "_api.servers": (
        "ping",
        "repositories",
        "server_info",
    ),
    "_api.session": (
        "Auth",
        "open_session",
        "session",
    ),
    "_api.sync": (
        "plan_sync",
        "run_sync",
        "sync",
    ),
    "_api.versions": (
        "latest_version",
        "maven_metadata",
        "versions",
    ),
    "_api.versions_many": ("versions_many",),
    "_checksums": ("Checksums",),
    "_credentials": ("Credentials",),
    "_errors": (
        "AlreadyExistsError",
        "ArchiveError",
        "ArtifactoryError",
        "AuthenticationError",
        "BadRequestError",
        "ChangedError",
        "ConfigurationError",
        "ConflictError",
        "ConnectError",
        "ConnectionLostError",
        "CredentialsError",
        "FolderNotEmptyError",
        "ForbiddenError",
        "IncompleteListingError",
        "IntegrityError",
        "InvalidArgumentError",
        "InvalidURLError",
        "LocalFileError",
        "LocalNotFoundError",
        "LookupTableError",
        "NotAFileError",
        "NotAFolderError",
        "NotFoundError",
        "ProtocolError",
        "RateLimitedError",
        "ResponseError",
        "ServerError",
        "SessionError",
        "StoredElsewhereError",
        "TransportError",
        "TransportTimeoutError",
        "UnsafePathError",
        "WorkerError",
    ),
    "_filters": ("Filter",),
    "_listing.listing": (
        "Listing",
        "Results",
    ),
    "_models": (
        "ArchiveMember",
        "ArtifactVersions",
        "Child",
        "Deletion",
        "FileInfo",
        "FolderInfo",
        "MavenMetadata",
        "Relocation",
        "Repository",
        "Response",
        "ServerInfo",
    ),
    "_options": (
        "Limits",
        "Timeouts",
    ),
    "_progress": (
        "Progress",
        "ProgressSink",
        "ProgressSnapshot",
        "TransferEvent",
    ),
    "_reports": (
        "BatchError",
        "Outcome",
        "Report",
    ),
    "_retry": ("RetryPolicy",),
    "_session": ("Verify",),
    "_sync": (
        "SyncAction",
        "SyncFile",
        "SyncPlan",
    ),
    "_transfer.batch": (
        "Batch",
        "OnError",
    ),
    "_transfer.bulk": ("Item",),
    "_transfer.plan": ("Overwrite",),
    "_transfer.remote_file": ("RemoteFile",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def _resolve(name: str) -> object:
    if name == "__version__":
        value: object = _installed_version()
    elif home := _HOME_OF.get(name):
        value = getattr(import_module(f".{home}", __name__), name)
        _show_public_names()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def _installed_version() -> str:
    from importlib.metadata import version  # costs more to import than everything else here

    return version(__name__)


def _show_public_names() -> None:
    """Let reprs, tracebacks and pickles of what is loaded name ``aioartifact``, not private modules."""
    for home, names in _HOMES.items():
        if module := modules.get(f"{__name__}.{home}"):
            # .get: another thread may be halfway through importing that module
            for value in (vars(module).get(name) for name in names):
                if isinstance(value, type | FunctionType):
                    value.__module__ = __name__


def __dir__() -> list[str]:
    return list(__all__)


if not TYPE_CHECKING:  # type checkers know every name from the imports above, and flag any other
    __getattr__ = _resolve
