"""The client middlewares: what aiohttp runs around every request, on every hop."""

from collections.abc import Awaitable, Callable, Collection
from typing import TypeAlias

import aiohttp
import anyio

from .._codings import codings_of, decoded_beginning
from .._models import Response
from .._protocol import is_starting, permanent_refusal
from .._retry import (
    is_idempotent,
    is_login_refused,
    is_retryable_status,
    read_retry_after,
    retry_after_from_message,
)
from .connections import ResponseHead
from .logs import log_pause, log_retry
from .payload import UploadPayload, is_replayable, upload_failure
from .refusals import EVERYONE, CredentialsRefused, SentCredentials, credentials_in
from .state import Operation, Route, SessionState
from .translation import may_pass

Handler: TypeAlias = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]

# What the server says of itself, and not of one request (RFC 6585 section 4, RFC 9110 section 15.6.4).
_SLOW_DOWN = frozenset({429, 503})
# Whether these pass is only in their text: requests to wait, refusals for good, a server that is starting up.
_EXPLAINED = frozenset({400, 403, 500, 503})
MAX_ERROR_BODY = 64 * 1024
# Compressed bodies grow up to a thousandfold; those of real refusals are far smaller than this allows.
_MOST_GROWTH = 16


def passing(state: SessionState) -> aiohttp.ClientMiddlewareType:
    """Treat requests that users make on the session itself as those of the library are treated."""

    async def pass_on(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        operation = Operation(is_idempotent(request.method), state.clock.now())
        return await Passage(state, operation, state.route_to(request.url), is_own=False)(request, handler)

    return pass_on


class Passage:
    """
    The way of one request to one server, as a middleware.

    It attaches credentials, unless the request brings its own; repeats what may be repeated; and makes all requests
    to a server wait when it asks for that.

    Args:
        state: State of the session.
        operation: Call that the request is part of.
        route: Way to the server.
        is_own: Whether this library makes the request: then it is not sent where its credentials were refused.
        is_raw: Whether response bodies keep the content coding that they are sent with.
    """

    def __init__(
        self,
        state: SessionState,
        operation: Operation,
        route: Route,
        *,
        is_own: bool,
        is_raw: bool = False,
    ) -> None:
        self._state = state
        self._operation = operation
        self._route = route
        self._is_own = is_own
        self._is_raw = is_raw

    async def __call__(self, request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        state, operation, route = self._state, self._operation, self._route
        if route.headers and not any(credentials_in(request.headers)):
            request.headers.update(route.headers)
        credentials = credentials_in(request.headers)
        while True:
            self._demand_not_refused(credentials)
            operation.attempts += 1
            await state.request_rate.take(1)
            await route.gate.wait()
            try:
                self._demand_not_refused(credentials)
                sent = state.clock.now()
                response = await handler(request)
                said = await self._explanation(response)
                self._heed(request, response, said, sent, credentials)
            except (aiohttp.ClientError, TimeoutError) as error:
                delay = _delay_after_error(state, operation, request, error)
                if delay is None:
                    raise
                operation.tell_retry()
                log_retry(request, type(error).__name__, operation.attempts + 1, delay)
                await state.clock.sleep(delay)
                continue
            finally:
                route.gate.passed()
            if response.status < 400:
                operation.starting_since = None
                return response
            if not await self._repeats(request, response, said):
                if _is_login_refused(said):
                    route.breaker.refuse(credentials, response.status)
                return response

    def _demand_not_refused(self, credentials: SentCredentials) -> None:
        if self._is_own and (status := self._route.breaker.refusal(credentials)):
            raise CredentialsRefused(status)

    def _heed(
        self,
        request: aiohttp.ClientRequest,
        response: aiohttp.ClientResponse,
        said: Response | None,
        sent: float,
        credentials: SentCredentials,
    ) -> None:
        """Learn from an answer how many requests the server can take, and whether it accepts the credentials."""
        lane, now = self._route.lane, self._state.clock.now()
        if response.status == 401:
            self._route.breaker.refuse(credentials, response.status)
        self._route.breaker.answered(sent, is_suspended=_is_login_refused(said))
        if response.status in _SLOW_DOWN:
            lane.pace.refused(sent, now)
            # Other requests wait as long as the server demands, even if this one is not repeated.
            demanded = read_retry_after(response.headers, now=self._state.clock.wall())
            if demanded is not None and demanded <= self._state.retry.retry_after_max:
                self._route.gate.pause(demanded)
            elif demanded is not None:
                self._route.breaker.refuse(EVERYONE, response.status, demanded)
        else:
            uploaded = request.body.sent_at if isinstance(request.body, UploadPayload) else None
            lane.pace.answered(uploaded or sent, now)
            lane.let_in()

    async def _repeats(
        self, request: aiohttp.ClientRequest, response: aiohttp.ClientResponse, said: Response | None
    ) -> bool:
        """Wait as long as the server asks or the policy says; False for an answer that stays."""
        delay = self._delay_after_refusal(request, response, said)
        if delay is None:
            return False
        response.release()
        if self._operation.starting_since is not None:
            self._operation.attempts -= 1  # nothing has failed: the server is not ready yet
        self._operation.tell_retry()
        log_retry(request, response.status, self._operation.attempts + 1, delay)
        if response.status in _SLOW_DOWN or _is_login_refused(said):
            log_pause(request, response.status, delay)
            self._route.gate.pause(delay)
            if _is_login_refused(said):  # each further login may prolong it
                self._route.gate.start_over()
        else:
            await self._state.clock.sleep(delay)
        return True

    def _delay_after_refusal(
        self, request: aiohttp.ClientRequest, response: aiohttp.ClientResponse, said: Response | None
    ) -> float | None:
        operation, policy, clock = self._operation, self._state.retry, self._state.clock
        if not operation.repeatable or not is_replayable(request.body):
            return None
        asked = read_retry_after(response.headers, now=clock.wall())
        if said is not None and is_starting(said):
            now = clock.now()
            operation.starting_since = now if operation.starting_since is None else operation.starting_since
            return policy.delay_at_start(now - operation.starting_since, draw=clock.draw(), retry_after=asked)
        operation.starting_since = None
        if not is_retryable_status(response.status):
            asked = None if said is None else retry_after_from_message(response.status, said.text)
            if asked is None:
                return None
        elif said is not None and permanent_refusal(said):
            return None
        failures = self._route.breaker.suspensions if _is_login_refused(said) else 0
        return policy.next_delay(max(operation.attempts, failures), draw=clock.draw(), retry_after=asked)

    async def _explanation(self, response: aiohttp.ClientResponse) -> Response | None:
        """Read the text of a refusal; None if there is too much of it or it breaks off: then the status holds."""
        if response.status not in _EXPLAINED or not (self._is_own or self._operation.repeatable):
            return None
        try:
            with anyio.fail_after(self._state.timeouts.stall):
                if self._is_own and isinstance(response, ResponseHead):
                    content = await response.read_beginning(MAX_ERROR_BODY)
                elif is_small(response):
                    content = await response.read()
                else:
                    return None
        except (aiohttp.ClientError, TimeoutError):
            return None
        if self._is_raw:
            content = decoded_beginning(content, codings_of(response.headers), MAX_ERROR_BODY)
        return Response(response.status, content, response.headers, "")


def _is_login_refused(said: Response | None) -> bool:
    return said is not None and is_login_refused(said.status_code, said.text)


def withholding(names: Collection[str]) -> aiohttp.ClientMiddlewareType:
    """Take off the header fields *names*, which the session added."""

    async def withhold(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        for name in names:
            request.headers.popall(name, None)
        return await handler(request)

    return withhold


def _delay_after_error(
    state: SessionState, operation: Operation, request: aiohttp.ClientRequest, error: Exception
) -> float | None:
    if request.session.closed or not may_pass(error) or upload_failure(request.body) is not None:
        return None
    unsent = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    if isinstance(error, TimeoutError) and not unsent:
        operation.is_over = True  # only slow: the server may still work on it
        return None
    if not unsent and not (operation.repeatable and is_replayable(request.body)):
        return None
    delay = state.retry.next_delay(operation.attempts, draw=state.clock.draw())
    lost = isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError) and not unsent
    if delay is not None and lost and operation.lost == 0:
        # Most often an idle connection that the server had just closed: a fresh one will do.
        operation.lost += 1
        return 0.0
    return delay


def is_small(response: aiohttp.ClientResponse) -> bool:
    """Whether a body may be read whole; aiohttp keeps it, so it can be read once more."""
    if isinstance(response, ResponseHead) and response.has_been_read:
        return True
    most = MAX_ERROR_BODY // _MOST_GROWTH if "Content-Encoding" in response.headers else MAX_ERROR_BODY
    return response.content_length is not None and response.content_length <= most
