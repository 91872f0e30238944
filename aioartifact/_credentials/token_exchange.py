"""Requests that exchange one token for another, and their responses (RFC 8693, RFC 6749)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from .._address import ServerURL
from .._errors import CredentialsError
from .provider import TokenRequest, TokenResponse
from .value import Credentials

_EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
}
_MOST_QUOTED = 200


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """
    A token from a server.

    Attributes:
        access: The access token.
        refresh: The refresh token issued with it; empty if there is none.
        expires_at: When it expires, by the clock of the session; None if the server does not say.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime | None

    def credentials(self, source: str) -> Credentials:
        """Return it as credentials."""
        return Credentials.bearer(self.access, source=source, expires_at=self.expires_at)


def platform_url(server: ServerURL) -> str:
    """Return the address of the platform, where Access responds: that of Artifactory without ``artifactory``."""
    path = server.context_path[:-1] if server.context_path[-1:] == ("artifactory",) else server.context_path
    return str(ServerURL(server.scheme, server.host, server.port, path))


def exchange_request(server: ServerURL, provider_name: str, id_token: str, options: Mapping[str, str]) -> TokenRequest:
    """
    Request an access token in exchange for an identity token.

    See: https://docs.jfrog.com/administration/reference/oidctokenexchange
    """
    body = {**_EXCHANGE, "subject_token": id_token, "provider_name": provider_name, **options}
    return _post_json(f"{platform_url(server)}/access/api/v1/oidc/token", body)


def github_request(environ: Mapping[str, str], audience: str | None) -> TokenRequest | None:
    """
    Request the identity token of a job of GitHub Actions; None outside of such a job.

    See: https://docs.github.com/actions/reference/security/oidc
    """
    url, token = (environ.get(f"ACTIONS_ID_TOKEN_REQUEST_{name}", "") for name in ("URL", "TOKEN"))
    if not url or not token:
        return None
    if audience:
        url += f"{'&' if '?' in url else '?'}audience={quote(audience, safe='')}"
    return TokenRequest("GET", url, {"Authorization": f"Bearer {token}"}, is_for_issuer=True)


def read_github_token(response: TokenResponse) -> str:
    """
    Return the identity token that GitHub has issued.

    Raises:
        CredentialsError: If there is none in the response.
    """
    token = _object_in(response).get("value")
    if response.status != 200 or not isinstance(token, str) or not token:
        raise CredentialsError(
            f"GitHub issued no identity token: status {response.status}",
            hint="the job needs `permissions: id-token: write`",
        )
    return token


def access_refresh_request(server: ServerURL, access: str, refresh: str) -> TokenRequest:
    """Request the next token from Access (7.x), with the token to replace as credentials."""
    body = {"grant_type": "refresh_token", "refresh_token": refresh}
    return _post_json(f"{platform_url(server)}/access/api/v1/tokens", body, {"Authorization": f"Bearer {access}"})


def artifactory_refresh_request(server: ServerURL, access: str, refresh: str) -> TokenRequest:
    """Request the next token from Artifactory itself, as before 7.x; such a request needs no credentials."""
    form = urlencode({"grant_type": "refresh_token", "refresh_token": refresh, "access_token": access})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return TokenRequest("POST", f"{server}/api/security/token", headers, form.encode())


def read_token(response: TokenResponse, what: str, secrets: Iterable[str]) -> IssuedToken:
    """
    Return the token in a response.

    Args:
        response: The response.
        what: What was requested, for the message.
        secrets: Secrets of the request, which the message must not show.

    Raises:
        CredentialsError: If there is no token.
    """
    document = _object_in(response)
    access, refresh = document.get("access_token"), document.get("refresh_token")
    if response.status not in (200, 201) or not isinstance(access, str) or not access:
        reason = _masked(_message_in(document), secrets)
        raise CredentialsError(f"{what}: status {response.status}{reason and f', {reason}'}")
    return IssuedToken(access, refresh if isinstance(refresh, str) else "", _expiry(document, response.received))


def _post_json(url: str, body: Mapping[str, str], headers: Mapping[str, str] | None = None) -> TokenRequest:
    return TokenRequest("POST", url, {"Content-Type": "application/json", **(headers or {})}, json.dumps(body).encode())


def _object_in(response: TokenResponse) -> Mapping[str, Any]:
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _expiry(document: Mapping[str, Any], received: float) -> datetime | None:
    seconds = document.get("expires_in")
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 < seconds < 1e10:
        return None
    return datetime.fromtimestamp(received + seconds, UTC)


def _message_in(document: Mapping[str, Any]) -> str:
    """Return the message of an error of Access or OAuth."""
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else document
    found = first.get("message") or first.get("error_description") or first.get("error") or ""
    return " ".join(found.split()) if isinstance(found, str) else ""


def _masked(message: str, secrets: Iterable[str]) -> str:
    for secret in filter(None, secrets):
        message = message.replace(secret, "***")
    return message[:_MOST_QUOTED]
