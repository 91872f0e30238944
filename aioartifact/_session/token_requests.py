"""Requests for tokens, which bypass the limits on requests, because requests in flight wait for them."""

from dataclasses import replace
from functools import partial
from math import inf

import aiohttp
import anyio.to_thread
from yarl import URL

from .._address import mask_url
from .._credentials import SendToken, TokenRequest, TokenResponse
from .._errors import CredentialsError
from .._retry import RetryPolicy, is_retryable_status, read_retry_after
from .attempts import Attempts, Operation
from .proxies import environment_proxy
from .state import SessionState, state_of
from .telemetry import log_retry
from .tls import system_context
from .translation import is_transient, reason

_POLICY = RetryPolicy(attempts=3, backoff_initial=1.0)
# A token with many groups has several kilobytes.
_MAX_BODY = 256 * 1024


def token_sender(session: aiohttp.ClientSession) -> SendToken:
    """Return the function that sends requests for tokens in *session*."""
    return partial(_send_token_request, session, state_of(session))


async def _send_token_request(
    session: aiohttp.ClientSession, state: SessionState, request: TokenRequest
) -> TokenResponse:
    """
    Send a request for a token and read its response, whatever its status; transient failures are retried twice.

    A retry waits for the ``Retry-After`` of the response. If that exceeds the time limit of providers, there is none.

    Raises:
        CredentialsError: If no response arrives, or one that is too large. The message has no query and no secret.
    """
    longest = min(_POLICY.retry_after_max, state.timeouts.credentials)
    operation = Operation(replace(_POLICY, retry_after_max=longest), state.clock)
    attempts = _TokenAttempts(operation, request)
    async for attempt in attempts:
        with attempt:
            operation.count_request()
            response, retry_after = await _send(session, state, request)
            delay = operation.delay_after_refusal(retry_after) if is_retryable_status(response.status) else None
            if delay is None:
                return response
            attempt.schedule_retry(delay, response.status)
    raise _failure(request, reason(attempts.failure()))


class _TokenAttempts(Attempts):
    """Attempts to get a response to a request for a token."""

    __slots__ = ("_request",)

    def __init__(self, operation: Operation, request: TokenRequest) -> None:
        super().__init__(operation, (aiohttp.ClientError, TimeoutError, OSError))
        self._request = request

    def _delay_after(self, error: Exception) -> float | None:
        return self._operation.delay_after_loss(was_lost=False) if is_transient(error) else None

    def announce(self, delay: float, reason: object) -> None:
        """Only log the next attempt: a session counts neither requests for tokens nor their retries."""
        self._log(self._operation.used + 1, delay, reason)

    def _log(self, number: int, delay: float, reason: object) -> None:
        log_retry(self._request.method, self._request.url, reason, number, delay)


async def _send(
    session: aiohttp.ClientSession, state: SessionState, request: TokenRequest
) -> tuple[TokenResponse, float | None]:
    """Send *request* once; return the response and the seconds of its ``Retry-After``, or None."""
    url = _url_of(request)
    silence = state.timeouts.credentials
    response = await session.request(
        request.method,
        url,
        headers={"Accept": "application/json", **request.headers},
        data=request.content,
        allow_redirects=False,
        raise_for_status=False,
        auto_decompress=True,
        timeout=aiohttp.ClientTimeout(total=None if silence == inf else silence),
        proxy=environment_proxy(url.origin()) if state.trust_env else None,
        ssl=await anyio.to_thread.run_sync(system_context) if request.is_for_issuer else True,
        middlewares=(),
    )
    async with response:
        content = await _read(response)
    if content is None:
        raise _failure(request, f"the response has more than {_MAX_BODY} bytes")
    now = state.clock.wall()
    return TokenResponse(response.status, content, now.timestamp()), read_retry_after(response.headers, now=now)


def _url_of(request: TokenRequest) -> URL:
    try:
        url = URL(request.url, encoded=True)
        url.origin()  # raises where a scheme or a host is missing
    except ValueError:
        pass
    else:
        return url
    raise CredentialsError("no token: the address to request it from is not an absolute URL")


async def _read(response: aiohttp.ClientResponse) -> bytes | None:
    content = b""
    while chunk := await response.content.readany():
        content += chunk
        if len(content) > _MAX_BODY:
            return None
    return content


def _failure(request: TokenRequest, what: str) -> CredentialsError:
    return CredentialsError(f"no token from {mask_url(request.url).partition('?')[0]}: {what}")
