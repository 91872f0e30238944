"""The client middlewares: what aiohttp runs around every request, on every hop."""

from collections.abc import Awaitable, Callable, Collection
from typing import TypeAlias

import aiohttp

from .._models import decode_text
from .._retry import is_idempotent, is_retryable_status, parse_retry_after, retry_after_from_message
from .payload import is_replayable, upload_failure
from .state import OPERATION, Operation, SessionState
from .translation import may_pass

Handler: TypeAlias = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]

# What the server says of itself, and not of one request (RFC 6585 section 4, RFC 9110 section 15.6.4).
_SLOW_DOWN = frozenset({429, 503})
MAX_ERROR_BODY = 64 * 1024


def authorizing(state: SessionState) -> aiohttp.ClientMiddlewareType:
    """Attach credentials to requests for their own server, unless the request brings its own."""

    async def authorize(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        server = state.owner(request.url)
        if server is not None and not any(name in request.headers for name in ("Authorization", "X-JFrog-Art-Api")):
            request.headers.update(state.credentials[server].headers())
        return await handler(request)

    return authorize


def withholding(names: Collection[str]) -> aiohttp.ClientMiddlewareType:
    """Take off the header fields *names*, which the session added."""

    async def withhold(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        for name in names:
            request.headers.popall(name, None)
        return await handler(request)

    return withhold


def retrying(state: SessionState) -> aiohttp.ClientMiddlewareType:
    """Repeat what may be repeated, and make all requests to a server wait when it asks for that."""

    async def retry(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        gate = state.gate(request.url)
        operation = OPERATION.get() or Operation(is_idempotent(request.method), state.clock.now())
        while True:
            operation.attempts += 1
            try:
                response = await gate.pass_through(lambda: handler(request))
            except (aiohttp.ClientError, TimeoutError) as error:
                delay = _delay_after_error(state, operation, request, error)
                if delay is None:
                    raise
                await state.clock.sleep(delay)
            else:
                delay = await _delay_after_response(state, operation, request, response)
                if delay is None:
                    return response
                response.release()
                if response.status in _SLOW_DOWN:
                    gate.pause(delay)
                else:
                    await state.clock.sleep(delay)

    return retry


def _delay_after_error(
    state: SessionState, operation: Operation, request: aiohttp.ClientRequest, error: Exception
) -> float | None:
    if not may_pass(error) or upload_failure(request.body) is not None:
        return None
    unsent = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    if not unsent and not (operation.repeatable and is_replayable(request.body)):
        return None
    delay = state.retry.next_delay(operation.attempts, draw=state.clock.draw())
    if delay is not None and isinstance(error, aiohttp.ServerDisconnectedError) and operation.lost == 0:
        # Most often an idle connection that the server had just closed: a fresh one will do.
        operation.lost += 1
        return 0.0
    return delay


async def _delay_after_response(
    state: SessionState,
    operation: Operation,
    request: aiohttp.ClientRequest,
    response: aiohttp.ClientResponse,
) -> float | None:
    if response.status < 400 or not operation.repeatable or not is_replayable(request.body):
        return None
    asked = parse_retry_after(response.headers.get("Retry-After"), now=state.clock.wall())
    if not is_retryable_status(response.status):
        if response.status not in (400, 403) or not is_small(response):
            return None
        # Two refusals are really requests to wait, told apart by their text alone.
        words = decode_text(await response.read(), response.headers.get("Content-Type", ""))
        asked = retry_after_from_message(response.status, words)
        if asked is None:
            return None
    return state.retry.next_delay(operation.attempts, draw=state.clock.draw(), retry_after=asked)


def is_small(response: aiohttp.ClientResponse) -> bool:
    """Whether a body may be read whole; aiohttp keeps it, so it can be read once more."""
    return response.content_length is not None and response.content_length <= MAX_ERROR_BODY
