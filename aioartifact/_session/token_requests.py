"""Requests for tokens: sent past the limits on requests, since requests that are in flight wait for them."""

from functools import partial
from math import inf

import aiohttp
import anyio.to_thread
from yarl import URL

from .._address import mask_url
from .._credentials import SendToken, TokenRequest, TokenResponse
from .._errors import CredentialsError
from .._retry import is_retryable_status
from .proxies import environment_proxy
from .state import SessionState, state_of
from .tls import system_context
from .translation import is_transient, reason

_ATTEMPTS = 3
_DELAY = 0.5
# A token that carries many groups has some kilobytes.
_MAX_BODY = 256 * 1024


def token_sender(session: aiohttp.ClientSession) -> SendToken:
    """Return the function that sends requests for tokens in *session*."""
    return partial(_send_token_request, session, state_of(session))


async def _send_token_request(
    session: aiohttp.ClientSession, state: SessionState, request: TokenRequest
) -> TokenResponse:
    """
    Send a request for a token and read its response, whatever its status; transient failures are retried twice.

    Raises:
        CredentialsError: If no response arrives, or one that is too large. The message has no query and no secret.
    """
    attempt = 1
    while True:
        try:
            response = await _send(session, state, request)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure, may_retry = reason(error), is_transient(error)
        else:
            if response is None:
                failure, may_retry = f"the response has more than {_MAX_BODY} bytes", False
            elif attempt == _ATTEMPTS or not is_retryable_status(response.status):
                return response
            else:
                failure, may_retry = f"status {response.status}", True
        if attempt == _ATTEMPTS or not may_retry:
            break
        await state.clock.sleep(_DELAY * 2**attempt * state.clock.draw())
        attempt += 1
    raise CredentialsError(f"no token from {_shown(request)}: {failure}")


async def _send(session: aiohttp.ClientSession, state: SessionState, request: TokenRequest) -> TokenResponse | None:
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
    return None if content is None else TokenResponse(response.status, content, state.clock.wall().timestamp())


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


def _shown(request: TokenRequest) -> str:
    return mask_url(request.url).partition("?")[0]
