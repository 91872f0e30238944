"""File Info and Folder Info: the descriptions of one item."""

import re
from collections.abc import Mapping
from typing import Any

from .._address import ItemURL
from .._bodies import size_of
from .._checksums import checksums_of
from .._errors import NotAFileError, NotAFolderError
from .._models import Child, FileInfo, FolderInfo, Response
from .error_responses import raise_for_status
from .json_values import (
    date_of,
    missing_list,
    name_of,
    objects_of,
    parse_object,
    read_object,
    text_of,
)
from .listing_messages import read_child
from .request import Request

_OF_A_FILE = frozenset({"checksums", "downloadUri", "mimeType", "originalChecksums", "size"})


def build_item_info(item: ItemURL) -> Request:
    """Request File Info or Folder Info, depending on the item."""
    return Request("GET", f"{item.server}/api/storage/{item.location}", item.server)


def read_item_info(item: ItemURL, request: Request, response: Response) -> FileInfo | FolderInfo:
    """
    Read File Info or Folder Info; a folder is recognized by its ``children``.

    Raises:
        ResponseError: If the server refuses the request.
        ProtocolError: If the response is not that of the storage API.
    """
    return read_item(item, request, read_object(request, response))


def read_item(item: ItemURL, request: Request, document: Mapping[str, Any]) -> FileInfo | FolderInfo:
    """
    Read File Info or Folder Info that has been parsed.

    Raises:
        ProtocolError: If it is neither: it has no children, and no field that only a file has.
    """
    common: dict[str, Any] = {
        "url": str(item),
        "repository": name_of(request, document, "repo"),
        "path": name_of(request, document, "path").strip("/"),
        "created": date_of(document.get("created")),
        "modified": date_of(document.get("lastModified")),
        "created_by": text_of(document.get("createdBy")),
        "modified_by": text_of(document.get("modifiedBy")),
    }
    if "children" in document:
        children = tuple(Child(*read_child(request, entry)) for entry in objects_of(request, document, "children"))
        return FolderInfo(**common, children=children)
    expect_file_info(request, document)
    return FileInfo(
        **common,
        size=size_of(document.get("size")),
        checksums=checksums_of(document.get("checksums")),
        mime_type=text_of(document.get("mimeType")),
    )


def read_folder_names(item: ItemURL, request: Request, response: Response) -> list[str]:
    """
    Read only the names of the subfolders from a Folder Info, in any order.

    Raises:
        ResponseError: If the server refuses the request.
        NotAFolderError: If it is a file.
        ProtocolError: If the response is not that of the storage API.
    """
    raise_for_status(request, response)
    names, rest = take_child_folders(response.text)
    document = parse_object(request, response, rest)
    if "children" not in document:
        expect_file_info(request, document)
        raise not_a_folder(item)
    children = [read_child(request, entry) for entry in objects_of(request, document, "children")]
    return [*names, *(name for name, is_folder in children if is_folder)]


def expect_file_info(request: Request, document: Mapping[str, Any]) -> None:
    """
    Check that *document*, which has no children, describes a file: it may be an incomplete Folder Info.

    Raises:
        ProtocolError: If it does not.
    """
    if _OF_A_FILE.isdisjoint(document):
        raise missing_list(request, "children")


def expect_folder(item: ItemURL, info: FileInfo | FolderInfo) -> FolderInfo:
    """
    Return *info* if it describes a folder.

    Raises:
        NotAFolderError: If it describes a file.
    """
    if isinstance(info, FolderInfo):
        return info
    raise not_a_folder(item)


def expect_file(item: ItemURL, info: FileInfo | FolderInfo) -> FileInfo:
    """
    Return *info* if it describes a file.

    Raises:
        NotAFileError: If it describes a folder.
    """
    if isinstance(info, FileInfo):
        return info
    raise not_a_file(item)


def not_a_folder(item: ItemURL) -> NotAFolderError:
    """Return the error for a file where a folder is needed."""
    return NotAFolderError(f"{item}: is a file, expected a folder", hint="leave the file name out of the URL")


def not_a_file(item: ItemURL) -> NotAFileError:
    """Return the error for a folder where a file is needed."""
    return NotAFileError(f"{item}: is a folder, expected a file", hint="use download_folder() for a whole folder")


_BLANK = r"[ \t\n\r]*+"
_SEAM = re.compile(
    rf'"{_BLANK},{_BLANK}"folder"{_BLANK}:{_BLANK}true{_BLANK}\}}{_BLANK},{_BLANK}\{{{_BLANK}"uri"{_BLANK}:{_BLANK}"/'
)
_NOT_NAMES = {"", ".", ".."}


def take_child_folders(text: str) -> tuple[list[str], str]:
    """
    Split the text of a Folder Info into the names of subfolders and the text without their entries.

    A server formats all entries alike, so the text between the names of two folders is always the same: splitting there
    costs a fraction of creating objects. The remaining text is left to the JSON parser.

    The children in the remaining text, together with the names, are those of the whole text; if the remaining text is
    not JSON, neither is the whole text. Names are split off only if that is certain: they contain no quote and no
    backslash, so that a separator outside an array of objects leaves invalid JSON, and there is only one array.
    """
    found = _SEAM.search(text)
    if not found:
        return [], text
    # str.split() would prepare the search for such a long separator again after each match.
    first, *names, last = re.split(re.escape(found[0]), text)
    others: list[str] = []
    if '"' in "".join(names):
        others = [other for other in names if '"' in other]
        names = [name for name in names if '"' not in name]
    rest = found[0].join([first, *others, last])
    is_certain = rest.count("[") == 1 and _are_names(names)
    return (names, rest) if is_certain else ([], text)


def _are_names(names: list[str]) -> bool:
    """Whether all *names* are unescaped single segments of a path; also False for some unusual ones that are."""
    joined = "".join(names)
    return joined.isprintable() and "\\" not in joined and "/" not in joined and _NOT_NAMES.isdisjoint(names)
