"""Responses with one long array, read as they arrive."""

import codecs
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Any, TypeAlias, TypeVar

import aiohttp
import anyio.lowlevel

from .._address import mask_url
from .._bodies import charset_of, is_html
from .._errors import ConnectionLostError, TransportError
from .._json_stream import ArrayStream
from .._protocol import Request, missing_list, not_artifactory, reported_errors
from .._session import Operation, start_operation, stream

# How many bytes can be parsed at once without blocking the event loop for more than about 2 milliseconds.
_BATCH = 1 << 13

Entries: TypeAlias = list[dict[str, Any]]
T = TypeVar("T")


class ArrayAnswer:
    """
    The objects in the array of a response, batch by batch; no more than one batch is in memory.

    Attributes:
        request: The request.
        members: The other members of the response, complete once the array is.
        count: How many objects have arrived.
    """

    def __init__(self, request: Request, key: str) -> None:
        self.request = request
        self.count = 0
        self._key = key
        self._array = ArrayStream(key)

    @property
    def members(self) -> Mapping[str, Any]:
        return self._array.members

    @property
    def has_array(self) -> bool:
        """Whether the response has the array at all."""
        return self._array.has_array

    async def batches(
        self, session: aiohttp.ClientSession, operation: Operation | None = None
    ) -> AsyncGenerator[Entries, None]:
        """
        Send the request, and yield the objects as they arrive.

        Raises:
            ResponseError: If the server refuses the request.
            TransportError: If no complete response is received.
            ProtocolError: If the response is not a JSON object, has another value for the array or reports errors
                without it, or the array has something other than objects.
            IncompleteListingError: If the response reports errors beside the array.
        """
        async with stream(session, self.request, operation) as reply:
            if reply.status >= 300:
                raise await reply.error()
            headers = reply.chain[-1]
            if is_html(headers):
                raise not_artifactory(self.request, "an HTML page")
            decoder = codecs.getincrementaldecoder(charset_of(headers.get("Content-Type", "")))()
            while chunks := await reply.next_batch(1):
                for chunk in _sliced(chunks):
                    yield self._parsed(decoder, chunk)
                    await anyio.lowlevel.checkpoint()
            self._demand_end()
            self._demand_array()

    def _parsed(self, decoder: codecs.IncrementalDecoder, chunk: bytes) -> Entries:
        try:
            entries = self._array.feed(decoder.decode(chunk))
        except ValueError as error:
            # Errors of the standard library are not quoted: they contain the text.
            reason = str(error) if type(error) is ValueError else "not the text it claims to be"
        else:
            if all(isinstance(entry, dict) for entry in entries):
                self.count += len(entries)
                return entries
            reason = f"{self._key!r} contains something other than objects"
        raise not_artifactory(self.request, f"something that is not JSON as expected: {reason}")

    def _demand_end(self) -> None:
        # A server that fails in the middle has already sent its status: only the rest of the JSON shows the failure.
        if not self._array.is_complete:
            raise ConnectionLostError(
                f"{self.request.label}: the answer ended early",
                method=self.request.method,
                url=mask_url(self.request.url),
                hint="try again",
            )

    def _demand_array(self) -> None:
        if errors := self.members.get("errors"):
            raise reported_errors(self.request, errors, has_rows=self.has_array)
        if self._key in self.members:
            raise missing_list(self.request, self._key)


def _sliced(chunks: list[bytes]) -> list[bytes]:
    return [chunk[at : at + _BATCH] for chunk in chunks for at in range(0, len(chunk), _BATCH)]


async def collect(
    session: aiohttp.ClientSession, request: Request, key: str, read: Callable[[dict[str, Any]], T]
) -> tuple[list[T], ArrayAnswer]:
    """
    Read a whole array; retry if a response breaks off.

    Args:
        session: Session to use.
        request: The request.
        key: Key of the array.
        read: Converts each object to what is kept of it.

    Raises:
        ResponseError: If the server refuses the request.
        TransportError: If no complete response is received in any attempt.
        ProtocolError: See :meth:`ArrayAnswer.batches`.
    """
    operation = start_operation(session)
    attempts = operation.attempts(TransportError)
    async for attempt in attempts:
        answer = ArrayAnswer(request, key)
        with attempt:
            async with aclosing(answer.batches(session, operation)) as batches:
                return [read(entry) async for batch in batches for entry in batch], answer
    raise attempts.failure()
