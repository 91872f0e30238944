"""Translate aiohttp's exceptions into this library's; the repr of some contains the Authorization header."""

import os
import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import aiohttp
from aiohttp.http_exceptions import BadHttpMessage, ContentEncodingError, LineTooLong
from yarl import URL

from .._address import is_upgrade, mask_url
from .._errors import (
    ArtifactoryError,
    ConnectError,
    ConnectionLostError,
    ProtocolError,
    TransportError,
    TransportTimeoutError,
)
from .._protocol import OTHER_HOST_HINT, PROXY_LOGIN_HINT, Request, Upload
from .._retry import is_retryable_status
from .attempts import Operation
from .connections import StalledAfterInterim
from .payload import upload_failure
from .state import SessionState

# TLS errors are configuration errors: retries do not help.
_TLS = (
    aiohttp.ClientSSLError,
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ServerFingerprintMismatch,
)
_NOT_HTTP = (aiohttp.InvalidURL, aiohttp.ClientResponseError, aiohttp.NonHttpUrlClientError)
FOREIGN = (aiohttp.ClientError, TimeoutError, OSError)
_HEADER_HINT = "ask the administrator of the server, or of a proxy before it, what makes the headers so large"
_FOREIGN_HEADER_HINT = "open the aiohttp.ClientSession with larger max_line_size, max_field_size and max_headers"
_PROXY_HINT = "check the URL of the proxy, and whether it allows this host; NO_PROXY lists hosts to reach without it"
_STALL_HINT = "increase Timeouts.stall if the server is slow"
_REPLY_HINT = "increase Timeouts.reply if the server needs longer for a request"
_TLS_HINT = "check that the port serves HTTPS, and whether the server requires a client certificate (cert=)"
_CA_HINT = (
    "give the CA certificates of the server in verify= (--ca on the command line) or, without it, in SSL_CERT_FILE; "
    "REQUESTS_CA_BUNDLE is not read"
)
_FOREIGN_CA_HINT = "open the aiohttp.ClientSession with a connector whose ssl= trusts the CA certificates of the server"
_HOSTNAME_HINT = "the certificate is for another host name; use the name in the certificate"
_VALIDITY_HINT = "a certificate of the server is not valid at this time; renew it, or check the clock of this machine"
_CERTIFICATE_HINT = "ask the administrator of the server to replace its certificate"
# X509_V_ERR_*: not yet valid, expired; host name, IP address mismatch; issuer not found, self-signed, not trusted.
_VALIDITY_CODES, _HOSTNAME_CODES = frozenset({9, 10}), frozenset({62, 64})
_CA_CODES = frozenset({2, 18, 19, 20, 21, 27})
_REACH_HINT = "check the host name, the port, and whether a proxy is needed"


def _is_same_host(url: URL, target: URL) -> bool:
    """Whether a redirect from *url* to *target* stays on the same origin, or only changes from http to https."""
    return url.origin() == target.origin() or is_upgrade(
        (url.scheme, url.host or "", url.port), (target.scheme, target.host or "", target.port)
    )


def is_transient(error: Exception) -> bool:
    """Whether an error of aiohttp is transient; for the refusal of a proxy, the status decides."""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return is_retryable_status(error.status)
    return not isinstance(error, _TLS)


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request in flight: how errors name it, and which secret they must not show."""

    request: Request
    state: SessionState
    operation: Operation

    @property
    def url(self) -> str:
        return mask_url(self.request.url)

    def redirected(self, url: URL) -> Self:
        """Return the context of the same request after a redirect to *url*."""
        host = None if _is_same_host(URL(self.request.url, encoded=True), url) else url.host_port_subcomponent
        return replace(self, request=replace(self.request, is_redirected=True, redirected_to=host))

    def masked_body(self, content: bytes) -> bytes:
        """Mask secrets in an error body: some servers quote the credentials that they refuse."""
        for secret in self._secrets():
            content = content.replace(secret.encode(), b"***")
        return content

    def masked(self, words: str) -> str:
        """Mask secrets in the decoded text of a refusal, in whatever way the body escapes it."""
        for secret in self._secrets():
            words = words.replace(secret, "***")
        return words

    def _secrets(self) -> list[str]:
        known = [credentials for credentials in self.state.secrets(self.request.server) if credentials.secret]
        # The secret as it was sent: a password is sent in base64, together with the user name.
        sent = [value.split()[-1] for credentials in known for value in credentials.headers().values()]
        return [*(credentials.secret for credentials in known), *sent]

    def translated(self, error: Exception, payload: object = None, *, is_body: bool = False) -> ArtifactoryError:
        """
        Return this library's error for an exception of aiohttp.

        Raise it outside the except block: its context would be aiohttp's exception, which contains the headers.
        """
        return self._translate(upload_failure(payload) or error, is_body=is_body)

    def _translate(self, error: Exception, *, is_body: bool) -> ArtifactoryError:
        if fault := header_fault(error):
            too_large_hint = _FOREIGN_HEADER_HINT if self.state.foreign else _HEADER_HINT
            return ProtocolError(f"{self.request.label}: {fault}", hint=too_large_hint)
        if isinstance(error, _NOT_HTTP) and not isinstance(error, aiohttp.ClientHttpProxyError):
            own_hint = f"check http or https and the port; is {self.request.server} the base URL of an Artifactory?"
            return ProtocolError(
                f"{self.request.label}: the answer is not valid HTTP: {type(error).__name__}",
                hint=OTHER_HOST_HINT if self.request.redirected_to else own_hint,
            )
        if isinstance(error, ArtifactoryError) and not isinstance(error, TransportError):
            return error
        kind, what, hint = self._judge(error, is_body=is_body)
        translated = kind(
            f"{self.request.label}: {what}",
            method=self.request.method,
            url=self.url,
            attempts=self.operation.number,
            elapsed=self.operation.elapsed,
            hint=hint,
        )
        translated.retryable = is_transient(error)
        return translated

    def _judge(self, error: Exception, *, is_body: bool) -> tuple[type[TransportError], str, str | None]:
        limits = self.state.timeouts
        if isinstance(error, TransportError):
            return type(error), error.message, error.hint
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return TransportTimeoutError, f"no connection within {limits.connect:g} s", _REACH_HINT
        if isinstance(error, StalledAfterInterim):
            what = f"no final response within {limits.stall:g} s of an interim one"
            return TransportTimeoutError, what, _STALL_HINT
        if isinstance(error, TimeoutError) and is_body:
            hint = _STALL_HINT if self.request.is_for_file else _REPLY_HINT
            return TransportTimeoutError, f"stalled: no byte for {self.state.body_silence(self.request):g} s", hint
        if isinstance(error, TimeoutError):
            what = "no answer to the upload" if isinstance(self.request.body, Upload) else "no answer"
            return TransportTimeoutError, f"{what} within {limits.reply:g} s", _REPLY_HINT
        if isinstance(error, aiohttp.ClientHttpProxyError):
            return (
                ConnectError,
                f"the proxy refused: {error.status}",
                PROXY_LOGIN_HINT if error.status == 407 else _PROXY_HINT,
            )
        if isinstance(error, _TLS):
            return ConnectError, f"TLS refused: {reason(error)}", tls_hint(error, is_foreign=self.state.foreign)
        if isinstance(error, aiohttp.ClientConnectorError):
            if self._is_of_the_proxy(error):
                return ConnectError, f"cannot connect to the proxy: {reason(error)}", _PROXY_HINT
            return ConnectError, f"cannot connect: {reason(error)}", _REACH_HINT
        return ConnectionLostError, f"connection lost: {reason(error)}", "try again"

    def _is_of_the_proxy(self, error: aiohttp.ClientConnectorError) -> bool:
        """Whether the host that cannot be reached is the proxy."""
        # If a name is not found, aiohttp does not report whether it was that of the proxy.
        hosts = (URL(self.request.url, encoded=True).host, (self.request.redirected_to or "").partition(":")[0])
        is_unknown = isinstance(error, aiohttp.ClientConnectorDNSError) and error.host not in hosts
        return isinstance(error, aiohttp.ClientProxyConnectionError) or is_unknown


def tls_hint(error: Exception, *, is_foreign: bool) -> str:
    cause = getattr(error, "certificate_error", error)
    if not isinstance(cause, ssl.SSLCertVerificationError):
        return _TLS_HINT
    if cause.verify_code in _HOSTNAME_CODES:
        return _HOSTNAME_HINT
    if cause.verify_code in _VALIDITY_CODES:
        return _VALIDITY_HINT
    if cause.verify_code not in _CA_CODES:
        return _CERTIFICATE_HINT
    if is_foreign:
        return _FOREIGN_CA_HINT
    file = os.environ.get("SSL_CERT_FILE")
    missing = f"; SSL_CERT_FILE names {file}, which does not exist" if file and not Path(file).exists() else ""
    return _CA_HINT + missing


def header_fault(error: BaseException | None) -> str:
    """Return what is too large in a response head; empty for other faults."""
    while error is not None:
        if isinstance(error, LineTooLong):
            _, limit, _ = error.args
            return f"a response header has more than {limit} bytes"
        # This error has nothing but its text. Only the exact class is checked, since subclasses quote the server.
        if type(error) is BadHttpMessage and "Too many headers" in error.message:
            return "too many response headers"
        error = error.__cause__
    return ""


def reason(error: Exception) -> str:
    """Return what went wrong, without the text of aiohttp's exceptions: it may contain headers or passwords."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "host name not found"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return reason(error.certificate_error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    cause = getattr(error, "os_error", error)
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed it before it answered"
    if isinstance(error, aiohttp.ClientPayloadError):
        is_undecodable = isinstance(error.__cause__, ContentEncodingError)
        return "the body is not what its Content-Encoding says" if is_undecodable else "the body ended early"
    return type(cause).__name__
