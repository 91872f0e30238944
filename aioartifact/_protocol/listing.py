"""The File List of a folder."""

from collections.abc import Iterator
from datetime import datetime

from .._address import ItemURL
from .._checksums import Checksums
from .._models import FileInfo, Response
from .reading import checksums_of, date_of, is_true, name_of, objects_of, read_object, size_of
from .request import Request


def build_file_list(item: ItemURL) -> Request:
    """
    Ask for all files below a folder in one answer (Pro, not for anonymous users).

    See: JFrog REST API, "File List".
    """
    return Request("GET", f"{item.server}/api/storage/{item.location}?list&deep=1&listFolders=0", item.server)


def read_file_list(item: ItemURL, request: Request, response: Response) -> Iterator[FileInfo]:
    """
    Read a File List.

    Raises:
        ResponseError: The server said no; 400 where it has no Pro licence or *item* is a file.
        ProtocolError: The answer is not a File List.
    """
    document = read_object(request, response)
    for entry in objects_of(request, document, "files"):
        if not is_true(entry.get("folder")):
            relative = name_of(request, entry, "uri").lstrip("/")
            checksums = checksums_of({"sha256": entry.get("sha2"), "sha1": entry.get("sha1")})
            modified = date_of(entry.get("lastModified"))
            yield listed_file(item, relative, size_of(entry.get("size")), checksums, modified)


def listed_file(
    folder: ItemURL, relative: str, size: int | None, checksums: Checksums, modified: datetime | None
) -> FileInfo:
    item = folder / relative
    return FileInfo(str(item), item.repository, item.path, size, checksums, modified=modified)
