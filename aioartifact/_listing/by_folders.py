"""
Folder Info, of one folder or of all below it: works for every user, edition and repository.

It returns names only: no sizes, no checksums, no dates.
"""

from contextlib import aclosing
from typing import TypeAlias

import aiohttp

from .._address import ItemURL
from .._errors import NotFoundError, ProtocolError
from .._models import FileInfo, FolderInfo
from .._path_filter import PathFilter
from .._protocol import Below, build_item_info, expect_file_info, not_a_folder, read_child, read_item_info
from .._scheduler import run_many
from .._session import Operation, fetch_response, state_of
from .arrays import ArrayAnswer, collect
from .results import Batches, Entry

# How many folders each worker lists before their entries are yielded, which frees memory for more.
_LOOKS = 8
# Characters of a path below the folder; Artifactory stores up to 1024.
_LONGEST_PATH = 2048

_Child: TypeAlias = tuple[str, bool]


async def fetch_info(session: aiohttp.ClientSession, item: ItemURL) -> FileInfo | FolderInfo:
    """
    Fetch the info of one item; one request.

    Raises:
        ResponseError: If the server refuses the request.
        TransportError: If no response is received.
        ProtocolError: If the response is not Artifactory's.
    """
    request = build_item_info(item)
    return read_item_info(item, request, await fetch_response(session, request))


async def list_children(session: aiohttp.ClientSession, folder: ItemURL, operation: Operation) -> Batches:
    """
    Yield the entries of one folder as they arrive; one request.

    Raises:
        NotAFolderError: If it is a file.
        ResponseError, TransportError, ProtocolError: See :meth:`ArrayAnswer.batches`.
    """
    answer, below = ArrayAnswer(build_item_info(folder), "children"), Below(folder)
    async with aclosing(answer.batches(session, operation)) as batches:
        async for batch in batches:
            found = [read_child(answer.request, entry) for entry in batch]
            yield [_entry(below, name, is_folder=is_folder) for name, is_folder in found]
    _demand_children(folder, answer)


async def list_by_folders(session: aiohttp.ClientSession, folder: ItemURL, path_filter: PathFilter) -> Batches:
    """
    Yield the entries of *folder* and all folders below it; one request each, several at a time.

    No task runs between two batches, so the consumer may stop at any time.

    Raises:
        NotAFolderError: If *folder* is a file.
        ResponseError, TransportError, ProtocolError: If a folder cannot be listed.
    """
    workers = state_of(session).limits.max_concurrency
    below, pending = Below(folder), [""]

    async def look(relative: str) -> tuple[str, list[_Child]]:
        return relative, await _look(session, folder, relative)

    while pending:
        # From the end: deeper folders first, so that few are pending.
        jobs = [pending.pop() for _ in range(min(len(pending), workers * _LOOKS))]
        found: list[Entry] = []
        async with run_many(jobs, look, max_concurrency=workers) as looks:
            async for base, entries in looks:
                for name, is_folder in entries:
                    relative = f"{base}{name}"
                    if is_folder and path_filter.enters(relative):
                        pending.append(f"{relative}/")
                    if path_filter.matches(relative, is_folder=is_folder):
                        found.append(_entry(below, relative, is_folder=is_folder))
        yield found


async def _look(session: aiohttp.ClientSession, root: ItemURL, relative: str) -> list[_Child]:
    if len(relative) > _LONGEST_PATH:
        raise ProtocolError(
            f"{root}: has folders below folders without end",
            hint="ask the administrator of the server, or of a proxy before it, why each folder contains itself",
        )
    folder = root / relative.removesuffix("/") if relative else root
    request = build_item_info(folder)
    try:
        found, answer = await collect(session, request, "children", lambda entry: read_child(request, entry))
    except NotFoundError:
        if relative:
            return []  # deleted since its parent was listed
        raise
    _demand_children(folder, answer)
    return list(dict.fromkeys(found))  # without duplicates: what is below them would be listed again


def _demand_children(folder: ItemURL, answer: ArrayAnswer) -> None:
    """
    Make sure that *answer* describes a folder.

    Raises:
        NotAFolderError: If it describes a file.
        ProtocolError: If it describes neither.
    """
    if not answer.has_array:
        expect_file_info(answer.request, answer.members)
        raise not_a_folder(folder)


def _entry(below: Below, relative: str, *, is_folder: bool) -> Entry:
    return below.folder(relative) if is_folder else below.file(relative)
