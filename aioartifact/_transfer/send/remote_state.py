"""What the server already has, found with as few requests as possible."""

from collections.abc import Mapping

import aiohttp
import anyio

from ..._address import ItemURL
from ..._checksums import Algorithm
from ..._errors import NotFoundError
from ..._models import FileInfo, FolderInfo
from ..._protocol import build_item_info, read_item_info
from ..._session import fetch_response


class RemoteState:
    """
    Which of the files to deploy the server already has.

    Without a listing, names are requested once per folder: most files of a first run do not exist yet, and need no
    request of their own.

    Args:
        session: Session to use.
        listed: Every file of the tree, by its path in the repository, or None if it was not listed.
    """

    def __init__(self, session: aiohttp.ClientSession, listed: Mapping[str, FileInfo] | None = None) -> None:
        self._session = session
        self._listed = listed
        self._names: dict[ItemURL, frozenset[str]] = {}
        self._asking: dict[ItemURL, anyio.Lock] = {}

    async def has(self, item: ItemURL) -> bool:
        """
        Return whether the server has a file or folder at the path of *item*.

        Raises:
            ResponseError: If the server refuses the request.
            TransportError: If no response is received.
        """
        if self._listed is not None:
            return item.path in self._listed
        folder = item.parent
        async with self._asking.setdefault(folder, anyio.Lock()):
            if folder not in self._names:
                self._names[folder] = await self._children(folder)
        return item.name in self._names[folder]

    def is_known_absent(self, item: ItemURL) -> bool:
        """Whether `has` returns False for *item* without a request."""
        if self._listed is not None:
            return item.path not in self._listed
        names = self._names.get(item.parent)
        return names is not None and item.name not in names

    async def find(self, item: ItemURL) -> FileInfo | None:
        """
        Describe the file *item*; None if there is none.

        Raises:
            ResponseError: If the server refuses the request.
            TransportError: If no response is received.
        """
        if not await self.has(item):
            return None
        listed = self._listed.get(item.path) if self._listed else None
        if listed is not None and listed.checksums:
            return listed
        info = await self._ask(item)
        return info if isinstance(info, FileInfo) else None

    async def checksum(self, item: ItemURL, algorithm: Algorithm) -> str | None:
        """
        The checksum that the server has recorded for the file *item*; None if it has no such file or checksum.

        Raises:
            ResponseError: If the server refuses the request.
            TransportError: If no response is received.
        """
        found = await self.find(item)
        if found is not None and found.checksums.get(algorithm) is None:
            info = await self._ask(item)
            found = info if isinstance(info, FileInfo) else None
        return found.checksums.get(algorithm) if found else None

    async def _children(self, folder: ItemURL) -> frozenset[str]:
        info = await self._ask(folder)
        return frozenset(child.name for child in info.children) if isinstance(info, FolderInfo) else frozenset()

    async def _ask(self, item: ItemURL) -> FileInfo | FolderInfo | None:
        request = build_item_info(item)
        try:
            return read_item_info(item, request, await fetch_response(self._session, request))
        except NotFoundError:
            return None
