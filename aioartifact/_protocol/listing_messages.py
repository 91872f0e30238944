"""The entries of listings: File List, children of a folder, rows of AQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .._address import ItemURL, quote_path
from .._bodies import size_of
from .._checksums import NO_CHECKSUMS, Checksums, checksums_of
from .._models import FileInfo, FolderInfo
from .json_values import date_of, flag_of, is_true, name_of, not_artifactory
from .request import Request


class Below:
    """Describes the entries below one folder; computes their common parts once, as there may be millions."""

    def __init__(self, folder: ItemURL) -> None:
        self._url = f"{folder}/"
        self._repository = folder.repository
        self._path = f"{folder.path}/" if folder.path else ""

    def file(
        self,
        relative: str,
        size: int | None = None,
        checksums: Checksums = NO_CHECKSUMS,
        *,
        created: datetime | None = None,
        modified: datetime | None = None,
    ) -> FileInfo:
        """Return a file at *relative*, a raw path."""
        url, path = self._url + quote_path(relative), self._path + relative
        return FileInfo(url, self._repository, path, size, checksums, created, modified)

    def folder(self, relative: str, *, created: datetime | None = None, modified: datetime | None = None) -> FolderInfo:
        """Return a folder at *relative*, a raw path."""
        url, path = self._url + quote_path(relative), self._path + relative
        return FolderInfo(url, self._repository, path, created=created, modified=modified)

    def relative(self, path: str) -> str | None:
        """Return *path*, which is inside the repository, relative to the folder; None if it is not below it."""
        return path[len(self._path) :] or None if path.startswith(self._path) else None


def build_file_list(item: ItemURL, *, depth: int | None = None, folders: bool = False) -> Request:
    """
    Request everything below a folder in one response (Pro, not for anonymous users).

    Args:
        item: The folder.
        depth: How many levels; None for all.
        folders: Whether folders are listed, too.

    See: JFrog REST API, "File List".
    """
    query = f"?list&deep=1&listFolders={int(folders)}" + ("" if depth is None else f"&depth={depth}")
    return Request("GET", f"{item.server}/api/storage/{item.location}{query}", item.server)


def read_listed(request: Request, entry: Mapping[str, Any]) -> tuple[str, bool]:
    """
    Read the path of a File List entry, relative to the listed folder, and whether the entry is a folder.

    Raises:
        ProtocolError: If it has no name, or is neither file nor folder.
    """
    return name_of(request, entry, "uri").lstrip("/"), flag_of(request, entry, "folder")


def read_listed_item(below: Below, relative: str, entry: Mapping[str, Any]) -> FileInfo | FolderInfo:
    """Read an entry of a File List."""
    modified = date_of(entry.get("lastModified"))
    if is_true(entry.get("folder")):
        return below.folder(relative, modified=modified)
    checksums = checksums_of({"sha256": entry.get("sha2"), "sha1": entry.get("sha1")})
    return below.file(relative, size_of(entry.get("size")), checksums, modified=modified)


def read_child(request: Request, entry: Mapping[str, Any]) -> tuple[str, bool]:
    """
    Read the name of a child of a folder, and whether it is a folder.

    Raises:
        ProtocolError: If it has no name, or one that would lead a walk out of its folder or into a cycle.
    """
    name = name_of(request, entry, "uri").removeprefix("/")
    if name in ("", ".", "..") or "/" in name:
        raise not_artifactory(request, f"a child {name!r} that is neither file nor folder")
    return name, flag_of(request, entry, "folder")
