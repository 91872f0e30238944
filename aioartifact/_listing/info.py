"""One item."""

import aiohttp

from .._address import ItemURL
from .._models import FileInfo, FolderInfo
from .._protocol import build_item_info, read_item_info
from .._session import ask


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
