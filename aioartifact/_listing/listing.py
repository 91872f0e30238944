"""What users hold of a listing: entries as they come, and what vouches for them."""

from collections.abc import AsyncGenerator, Callable, Iterator
from types import TracebackType
from typing import Literal, Self, TypeAlias

from .._models import FileInfo, FolderInfo

Entry: TypeAlias = FileInfo | FolderInfo
Method = Literal["file-list", "aql", "folders"]
Batches: TypeAlias = AsyncGenerator[list[Entry], None]


class Listing:
    """
    The entries of a tree, as they arrive: iterate over it with ``async for``.

    Nothing is asked before the first entry is wanted. Open it with ``async with`` to leave early: the connection
    it reads from is closed at the end of the block, and no later than when the listing is dropped otherwise.

    Attributes:
        method: How the server is being asked: ``"file-list"``, ``"aql"``, or ``"folders"``, one by one; None before
            the first answer.
        is_complete: Whether every entry has come that this user may see. False until the end is reached, and for
            good after an error.
    """

    def __init__(self, start: Callable[["Listing"], Batches]) -> None:
        self.method: Method | None = None
        self.is_complete = False
        self._batches = start(self)
        self._batch: Iterator[Entry] = iter(())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Entry:
        """
        Wait for the next entry.

        Raises:
            ArtifactoryError: The errors of the function that made this listing.
            StopAsyncIteration: There are no more.
        """
        while (entry := next(self._batch, None)) is None:
            self._batch = iter(await anext(self._batches))
        return entry

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End it: no more entries come, and its connection is closed."""
        self._batch = iter(())
        await self._batches.aclose()
