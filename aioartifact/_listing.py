"""
All files of a tree, from whatever the server, its edition and the user allow.

A ladder of three rungs: File List (one request; Pro, not for anonymous users), AQL (one request; not for anonymous
users), Folder Info of every folder (works everywhere). A rung that cannot answer for certain passes to the next.
"""

from collections.abc import Iterable

import aiohttp

from ._address import ItemURL
from ._aql import files_below
from ._errors import (
    AuthenticationError,
    BadRequestError,
    ForbiddenError,
    IncompleteListingError,
    InvalidArgumentError,
    ProtocolError,
)
from ._models import FileInfo, FolderInfo
from ._protocol import (
    build_aql,
    build_file_list,
    build_item_info,
    expect_folder,
    read_aql,
    read_aql_files,
    read_file_list,
    read_item_info,
)
from ._scheduler import run_many
from ._session import ask, is_anonymous, state_of

# What says "not by this way" rather than "no": the licence, the user, or the query stands in between.
_NEXT_RUNG = (
    BadRequestError,
    ForbiddenError,
    IncompleteListingError,
    InvalidArgumentError,
    ProtocolError,
)


async def fetch_info(session: aiohttp.ClientSession, item: ItemURL) -> FileInfo | FolderInfo:
    """
    Ask for one item; one request.

    Raises:
        ResponseError: The server said no.
        TransportError: No answer came.
        ProtocolError: Something that is not Artifactory answered.
    """
    request = build_item_info(item)
    return read_item_info(item, request, await ask(session, request))


async def list_files(session: aiohttp.ClientSession, folder: ItemURL) -> list[FileInfo]:
    """
    List every file below *folder*; sizes and checksums are there unless only the last rung could answer.

    Raises:
        NotFoundError: There is no such folder.
        NotAFolderError: It is a file.
        ResponseError: The server said no.
        TransportError: No answer came.
    """
    for rung in (_by_file_list, _by_aql):
        try:
            files = await rung(session, folder)
        except AuthenticationError:
            # Asking on with refused credentials would have the server lock the user out.
            if not is_anonymous(session, folder.server):
                raise
        except _NEXT_RUNG:
            continue
        else:
            if files is not None:
                return files
    return await _by_walk(session, folder)


async def _by_file_list(session: aiohttp.ClientSession, folder: ItemURL) -> list[FileInfo] | None:
    request = build_file_list(folder)
    return list(read_file_list(folder, request, await ask(session, request)))


async def _by_aql(session: aiohttp.ClientSession, folder: ItemURL) -> list[FileInfo] | None:
    """Ask AQL; no rows prove nothing: a remote repository, a missing folder and an empty one look the same."""
    request = build_aql(folder.server, files_below(folder.repository, folder.path))
    rows = read_aql(request, await ask(session, request))
    return _without_twins(read_aql_files(folder, rows)) or None


def _without_twins(files: Iterable[FileInfo]) -> list[FileInfo]:
    """
    One file per path.

    A virtual repository may have a path in several members. Which of them it serves only a download tells, so
    such a file keeps no size and no checksums.
    """
    by_path: dict[str, FileInfo] = {}
    for file in files:
        twin = file.path in by_path
        by_path[file.path] = FileInfo(file.url, file.repository, file.path) if twin else file
    return list(by_path.values())


async def _by_walk(session: aiohttp.ClientSession, folder: ItemURL) -> list[FileInfo]:
    """Ask for every folder, level by level; the folders of one level are asked for together."""

    async def look(item: ItemURL) -> tuple[ItemURL, FolderInfo]:
        return item, expect_folder(item, await fetch_info(session, item))

    files: list[FileInfo] = []
    level = [folder]
    while level:
        below: list[ItemURL] = []
        async with run_many(level, look, max_concurrency=state_of(session).limits.max_concurrency) as looks:
            async for item, info in looks:
                below += [item / child.name for child in info.children if child.folder]
                found = [item / child.name for child in info.children if not child.folder]
                files += [FileInfo(str(file), file.repository, file.path) for file in found]
        level = below
    return files
