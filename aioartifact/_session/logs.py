"""
What the session logs: each request at DEBUG, what delays it and renewed credentials at INFO.

Messages have the method, the URL without query and credentials, the status, and the type of an error, whose text may
quote what a server echoed. A level that is off costs one comparison.
"""

import logging
from time import monotonic

import aiohttp

from .._address import mask_url

_HTTP = logging.getLogger("aioartifact.http")
_RETRY = logging.getLogger("aioartifact.retry")
_CREDENTIALS = logging.getLogger("aioartifact.credentials")


def log_response(response: aiohttp.ClientResponse, received: int, started: float) -> None:
    """Log one response that has been read as far as it will be: *received* bytes since *started*."""
    if _HTTP.isEnabledFor(logging.DEBUG):
        elapsed = (monotonic() - started) * 1000
        url = mask_url(str(response.url))
        _HTTP.debug("%s %s: %d, %d bytes, %.0f ms", response.method, url, response.status, received, elapsed)


def log_failure(method: str, url: str, error: Exception, started: float) -> None:
    """Log a request that got no response."""
    if _HTTP.isEnabledFor(logging.DEBUG):
        elapsed = (monotonic() - started) * 1000
        _HTTP.debug("%s %s: %s, %.0f ms", method, mask_url(url), type(error).__name__, elapsed)


def log_retry(request: aiohttp.ClientRequest, reason: object, attempt: int, delay: float) -> None:
    """Log that a request is sent again, as its *attempt*-th time, after *delay* seconds."""
    if _RETRY.isEnabledFor(logging.INFO):
        _RETRY.info(
            "%s %s: %s; attempt %d in %.1f s", request.method, mask_url(str(request.url)), reason, attempt, delay
        )


def log_pause(request: aiohttp.ClientRequest, status: int, delay: float) -> None:
    """Log that all requests to a server wait."""
    if _RETRY.isEnabledFor(logging.INFO):
        _RETRY.info("%s: %d; all requests to it pause for %.1f s", request.url.origin(), status, delay)


def log_resume(attempt: int, delay: float, *, progressed: bool) -> None:
    """Log that an operation whose response broke off is resumed, or repeated where nothing new had arrived."""
    if _RETRY.isEnabledFor(logging.INFO):
        what = "resumed" if progressed else "repeated"
        _RETRY.info("response broke off; %s as attempt %d in %.1f s", what, attempt, delay)


def log_renewal(provider: str, server: str) -> None:
    """Log that a provider has returned credentials."""
    _CREDENTIALS.info("%s: credentials from %s", server, provider)


def log_renewal_failure(provider: str, server: str, failure: str) -> None:
    """Log that a provider has not returned credentials; the present ones are used while they are valid."""
    _CREDENTIALS.warning("%s: no credentials from %s: %s", server, provider, failure)
