"""The File List: a whole tree in one answer; Pro, and not for anonymous users."""

from contextlib import aclosing

import aiohttp

from .._address import ItemURL
from .._protocol import Below, build_file_list, missing_list, read_listed, read_listed_item
from .._scope import Scope
from .._session import Operation
from .arrays import ArrayAnswer
from .listing import Batches


async def file_list(session: aiohttp.ClientSession, folder: ItemURL, scope: Scope, operation: Operation) -> Batches:
    """
    Yield what the File List shows, as it arrives; one request.

    Raises:
        ResponseError: The server said no; 400 where it has no Pro licence or *folder* is a file.
        TransportError: No answer came, or not all of it.
        ProtocolError: The answer is not a File List.
    """
    request = build_file_list(folder, depth=scope.levels, folders=scope.folders)
    answer, below = ArrayAnswer(request, "files"), Below(folder)
    async with aclosing(answer.batches(session, operation)) as batches:
        async for batch in batches:
            located = [(*read_listed(request, entry), entry) for entry in batch]
            yield [
                read_listed_item(below, relative, entry)
                for relative, is_folder, entry in located
                if scope.shows(relative, is_folder=is_folder)
            ]
    if not answer.has_array:
        raise missing_list(request, "files")
