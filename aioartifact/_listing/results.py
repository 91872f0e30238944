"""The results of a listing or a search as they arrive, and whether they are complete."""

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Literal, Self, TypeAlias, TypeVar

from .._models import FileInfo, FolderInfo
from .._reprs import html_table
from .._session import TELEMETRY, ObservedOperation, Observer

T = TypeVar("T")
Entry: TypeAlias = FileInfo | FolderInfo
Method = Literal["file-list", "aql", "folders"]
Batches: TypeAlias = AsyncGenerator[list[Entry], None]


@dataclass(slots=True)
class ListingStatus:
    """
    Status of results, written by the generator that yields them.

    It is separate from the results, to avoid a reference cycle between them and the generator: if results were dropped
    early, the garbage collector would make the loop close all generators at once.

    Attributes:
        method: The listing method in use.
        is_doubtful: Whether the server may have omitted results without notice.
    """

    method: Method | None = None
    is_doubtful: bool = False


class Results(Generic[T]):
    """
    Results as they arrive: iterate over them with ``async for``.

    No request is sent before the first result is requested. To stop early, use ``async with``: the connection is closed
    at the end of the block. Without a block, it is closed when the object is garbage-collected.

    Attributes:
        is_complete: Whether all results that the user may see have arrived. False until the end is reached, after an
            error, and if *is_doubtful*.
    """

    __module__ = "aioartifact"  # set here: Results[Row] in a signature copies it when the signature is read

    def __init__(self, start: Callable[[ListingStatus], AsyncGenerator[list[T], None]], operation: str = "") -> None:
        self.is_complete: bool = False
        self._operation = operation
        self._observed: ObservedOperation | None = None
        self._status = ListingStatus()
        self._batches = start(self._status)
        self._batch: Iterator[T] = iter(())
        self._is_over = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}(is_complete={self.is_complete}, is_doubtful={self.is_doubtful})"

    @property
    def is_doubtful(self) -> bool:
        """Whether the server may have omitted results without notice."""
        return self._status.is_doubtful

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """
        Wait for the next result.

        Raises:
            ArtifactoryError: The errors of the function that returned this object.
            StopAsyncIteration: If there are no more.
        """
        while (result := next(self._batch, None)) is None:
            self._batch = iter(await self._next_batch())
        return result

    async def _next_results(self) -> list[T]:
        """Wait for the next results, and return them; none at the end."""
        try:
            return [await anext(self), *self._batch]
        except StopAsyncIteration:
            return []

    async def _next_batch(self) -> list[T]:
        try:
            if TELEMETRY.observer is None or not self._operation:
                return await anext(self._batches)
            return await self._observed_batch(TELEMETRY.observer)
        except BaseException as end:
            if isinstance(end, StopAsyncIteration) and not self._is_over:
                self.is_complete = not self.is_doubtful
            self._is_over = True
            raise

    async def _observed_batch(self, observer: Observer) -> list[T]:
        if self._observed is None and not self._is_over:
            self._observed = observer.start_operation(self._operation)
        try:
            # Not longer: the caller's work between two batches is not part of this operation.
            with nullcontext() if self._observed is None else self._observed.active():
                return await anext(self._batches)
        except BaseException as error:
            self._end_observed(None if isinstance(error, StopAsyncIteration) else error)
            raise

    def _end_observed(self, error: BaseException | None) -> None:
        if self._observed is not None:
            self._observed.end(error)
            self._observed = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the iteration, and close its connection."""
        self._is_over = True
        self._batch = iter(())
        await self._batches.aclose()
        self._end_observed(None)


class Listing(Results[Entry]):
    """The entries of a tree, :class:`FileInfo` and :class:`FolderInfo`, as they arrive; see :class:`Results`."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(method={self.method!r}, is_complete={self.is_complete})"

    @property
    def method(self) -> Method | None:
        """
        The listing method; None before the first entry is requested.

        One of ``"file-list"``, ``"aql"`` and ``"folders"``.
        """
        return self._status.method

    def _repr_html_(self) -> str:
        """Return the state of the listing for notebooks; entries are read with ``async for``."""
        method = self.method or "not started"
        state = "complete" if self.is_complete else "may have gaps" if self.is_doubtful else "not at its end"
        hint = "use `async for entry in listing` or `[entry async for entry in listing]`"
        return html_table(f"{type(self).__name__}: {hint}", ("method", "state"), [(method, state)])


class FileListing(Listing):
    """The files of a tree as they arrive: a :class:`Listing` of :class:`FileInfo` only, for type checkers."""

    if TYPE_CHECKING:

        async def __anext__(self) -> FileInfo: ...
