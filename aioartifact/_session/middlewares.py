"""The middleware that attaches credentials, waits for its turn and retries, around every request, on every hop."""

from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TypeAlias

import aiohttp
import anyio

from .._bodies import codings_of, decoded_beginning
from .._credentials import Credentials
from .._models import Response
from .._protocol import is_starting, permanent_refusal
from .._retry import (
    asks_to_slow_down,
    is_explained,
    is_idempotent,
    is_login_refused,
    is_retryable_status,
    read_retry_after,
    retry_after_from_message,
)
from .attempts import Attempts, Operation
from .connections import ResponseHead
from .limits import CREDENTIAL_HEADERS, SentCredentials, credentials_in
from .payload import UploadPayload, is_replayable, upload_failure
from .renewal import RenewableCredentials
from .state import Route, SessionState
from .telemetry import log_pause, log_retry
from .translation import is_transient

Handler: TypeAlias = Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]

MAX_ERROR_BODY = 64 * 1024
# Compressed bodies grow up to a thousandfold; those of real refusals are far smaller than this allows.
_MOST_GROWTH = 16


def passing(state: SessionState) -> aiohttp.ClientMiddlewareType:
    """Return a middleware that treats users' own requests on the session like those of the library."""

    async def pass_on(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        operation = Operation(state.retry, state.clock, is_idempotent(request.method), traffic=state.traffic)
        return await AuthRetryMiddleware(state, operation, state.route_to(request.url), is_own=False)(request, handler)

    return pass_on


class AuthRetryMiddleware:
    """
    Sends one request to one server.

    It attaches credentials, unless the request has its own; retries the request if that is allowed; and holds back all
    requests to the server if the server demands it.

    Args:
        state: State of the session.
        operation: Call that the request is part of.
        route: Route to the server.
        is_own: Whether this library makes the request: then it is not sent if its credentials were refused.
        is_raw: Whether response bodies keep the content coding that they are sent with.
        has_slot: Whether the request occupies a slot of this server; after a redirect, that is one of the first server.
        sent_with: Renewable credentials with which the first attempt has already been sent, or None.
    """

    def __init__(
        self,
        state: SessionState,
        operation: Operation,
        route: Route,
        *,
        is_own: bool,
        is_raw: bool = False,
        has_slot: bool = False,
        sent_with: Credentials | None = None,
    ) -> None:
        self._state = state
        self._operation = operation
        self._route = route
        self._limits = route.limits
        self._is_own = is_own
        self._is_raw = is_raw
        self._has_slot = has_slot
        self._sent_with = sent_with
        self._renewable: RenewableCredentials | None = None
        self._attached: Credentials | None = None
        self._carried: SentCredentials = (None, None)
        self._was_renewed = False

    async def __call__(self, request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        self._carried = credentials_in(request.headers)
        if not any(self._carried):
            request.headers.update(self._route.headers)
            self._carried = credentials_in(request.headers)
            self._renewable = self._route.renewable
        for name, value in self._route.added.items():
            request.headers.setdefault(name, value)
        attempts = _RequestAttempts(self._operation, request)
        async for attempt in attempts:
            with attempt:
                response, refusal = await self._send(request, handler)
                if refusal is None:
                    self._operation.note_started()
                    return response
                if refusal.status == 401 and await self._has_renewed(request, response):
                    continue
                delay = self._delay_after(request, refusal)
                if delay is None:
                    if refusal.refuses_all_logins or (refusal.status == 401 and self._renewable is not None):
                        self._limits.breaker.refuse(self._carried, response.status)
                    return response
                response.release()
                self._schedule_retry(attempt, request, refusal, delay)
        raise attempts.failure()

    async def _send(
        self, request: aiohttp.ClientRequest, handler: Handler
    ) -> tuple[aiohttp.ClientResponse, "_Refusal | None"]:
        """Send the request once, as soon as it may be sent; return the response, and the refusal if it is one."""
        if self._renewable is not None and self._sent_with is None and not self._renewable.is_ready:
            async with self._without_slot():
                await self._renewable.ready(request.session)
        async with self._limits.turn(self._attach(request) if self._is_own else None):
            credentials = self._attach(request)  # another request may have renewed them meanwhile
            self._operation.count_request()
            sent = self._state.clock.now()
            response = await self._observed(request, handler)
            self._sent_with = None
            refusal = await self._refusal(response) if response.status >= 400 else None
            uploaded = request.body.sent_at if isinstance(request.body, UploadPayload) else None
            if refusal is None:
                self._limits.record_success(sent, self._state.clock.now(), uploaded=uploaded)
            else:
                self._limits.record_refusal(
                    response.status,
                    credentials,
                    sent,
                    uploaded=uploaded,
                    retry_after=refusal.retry_after,
                    is_login_refused=refusal.refuses_all_logins,
                    may_renew=self._renewable is not None and not self._was_renewed,
                )
        if self._renewable is not None and self._attached is not None and response.status != 401:
            self._renewable.accepted(self._attached)
        return response, refusal

    async def _observed(self, request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        traffic = self._state.traffic
        observed = traffic.start_request(request.method, request.url, self._operation.used - 1)
        try:
            response = await handler(request)
        except BaseException as error:
            if observed is not None:
                observed.end(error=error)
            raise
        traffic.answered(response.status)
        if observed is not None:
            observed.end(status=response.status)
        return response

    def _attach(self, request: aiohttp.ClientRequest) -> SentCredentials:
        """Attach the current credentials if they are renewable; return those that the request carries."""
        if self._renewable is None:
            return self._carried
        present = self._sent_with or self._renewable.current
        if present is not self._attached:
            self._attached = present
            for name in CREDENTIAL_HEADERS:
                request.headers.popall(name, None)
            request.headers.update({} if present is None else present.headers())
            self._carried = credentials_in(request.headers)
        return self._carried

    async def _has_renewed(self, request: aiohttp.ClientRequest, response: aiohttp.ClientResponse) -> bool:
        """Renew refused credentials, once; return whether to repeat the request with the new ones."""
        refused = self._attached
        if self._renewable is None or refused is None or self._was_renewed:
            return False
        self._was_renewed = True
        if await self._read_beginning(response) is not None and not response.content.at_eof():
            response.close()  # the provider may need the connection; the bytes read are kept
        async with self._without_slot():
            renewed = await self._renewable.renew(request.session, refused)
            if renewed is None:  # before others take the slot, and are refused, too
                self._limits.breaker.refuse(self._carried, response.status)
        if renewed is None or not is_replayable(request.body):
            return False
        response.release()
        self._operation.continue_attempt()
        return True

    def _without_slot(self) -> AbstractAsyncContextManager[None]:
        """Free the slot of the request inside the block, if it has one."""
        return self._limits.without_slot() if self._has_slot else nullcontext()

    async def _refusal(self, response: aiohttp.ClientResponse) -> "_Refusal":
        said = await self._explanation(response)
        retry_after = read_retry_after(response.headers, now=self._state.clock.wall())
        return _Refusal(response.status, said, retry_after)

    def _delay_after(self, request: aiohttp.ClientRequest, refusal: "_Refusal") -> float | None:
        operation = self._operation
        if not operation.repeatable or not is_replayable(request.body):
            return None
        if refusal.said is not None and is_starting(refusal.said):
            return operation.delay_at_start(refusal.retry_after)
        operation.note_started()
        if not refusal.is_transient:
            return None
        suspensions = self._limits.breaker.suspensions if refusal.refuses_all_logins else 0
        return operation.delay_after_refusal(refusal.seconds, suspensions=suspensions)

    def _schedule_retry(
        self, attempt: Attempts, request: aiohttp.ClientRequest, refusal: "_Refusal", delay: float
    ) -> None:
        """Have the next attempt wait; if the server is overloaded, all requests to it wait, each for its turn."""
        if not asks_to_slow_down(refusal.status) and not refusal.refuses_all_logins:
            attempt.schedule_retry(delay, refusal.status)
            return
        attempt.announce(delay, refusal.status)
        log_pause(request, refusal.status, delay)
        self._limits.pause(delay, alone=refusal.refuses_all_logins)  # each further login may prolong the suspension

    async def _explanation(self, response: aiohttp.ClientResponse) -> Response | None:
        """Read the text of a refusal; None if it is not needed, too long or breaks off: then the status decides."""
        if not is_explained(response.status) or not (self._is_own or self._operation.repeatable):
            return None
        content = await self._read_beginning(response)
        if content is None:
            return None
        if self._is_raw:
            content = decoded_beginning(content, codings_of(response.headers), MAX_ERROR_BODY)
        return Response(response.status, content, response.headers, "")

    async def _read_beginning(self, response: aiohttp.ClientResponse) -> bytes | None:
        """Read the beginning of an error body, which can be read again; None if that is not possible."""
        try:
            with anyio.fail_after(self._state.timeouts.stall):
                if self._is_own and isinstance(response, ResponseHead):
                    return await response.read_beginning(MAX_ERROR_BODY)
                return await response.read() if is_small(response) else None
        except (aiohttp.ClientError, TimeoutError):
            return None


class _Refusal:
    """
    The parts of an error response on which a retry depends.

    Attributes:
        status: Its status.
        said: The response with its text, if the status alone does not suffice; else None.
        retry_after: Seconds that its header fields demand, or None.
        refuses_all_logins: Whether it refuses all logins of the user.
        seconds: Seconds that its header fields or its text demand, or None.
        is_transient: Whether the same request may succeed later.
    """

    __slots__ = ("is_transient", "refuses_all_logins", "retry_after", "said", "seconds", "status")

    def __init__(self, status: int, said: Response | None, retry_after: float | None) -> None:
        self.status = status
        self.said = said
        self.retry_after = retry_after
        self.refuses_all_logins = said is not None and is_login_refused(status, said.text)
        if is_retryable_status(status):
            self.seconds, self.is_transient = retry_after, said is None or not permanent_refusal(said)
        else:
            self.seconds = None if said is None else retry_after_from_message(status, said.text)
            self.is_transient = self.seconds is not None


class _RequestAttempts(Attempts):
    """Attempts to get a response to one request."""

    __slots__ = ("_request",)

    def __init__(self, operation: Operation, request: aiohttp.ClientRequest) -> None:
        super().__init__(operation, (aiohttp.ClientError, TimeoutError))
        self._request = request

    def _delay_after(self, error: Exception) -> float | None:
        request, operation = self._request, self._operation
        if request.session.closed or not is_transient(error) or upload_failure(request.body) is not None:
            return None
        unsent = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
        if isinstance(error, TimeoutError) and not unsent:
            operation.end()  # only slow: the server may still work on it
            return None
        if not unsent and not (operation.repeatable and is_replayable(request.body)):
            return None
        is_lost = isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError) and not unsent
        return operation.delay_after_loss(was_lost=is_lost)

    def _log(self, number: int, delay: float, reason: object) -> None:
        log_retry(self._request.method, str(self._request.url), reason, number, delay)


def withholding(names: Collection[str]) -> aiohttp.ClientMiddlewareType:
    """Return a middleware that removes the header fields *names*, which the session added."""

    async def withhold(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        for name in names:
            request.headers.popall(name, None)
        return await handler(request)

    return withhold


def is_small(response: aiohttp.ClientResponse) -> bool:
    """Whether a body may be read whole; aiohttp keeps it, so it can be read once more."""
    if isinstance(response, ResponseHead) and response.has_been_read:
        return True
    most = MAX_ERROR_BODY // _MOST_GROWTH if "Content-Encoding" in response.headers else MAX_ERROR_BODY
    return response.content_length is not None and response.content_length <= most
