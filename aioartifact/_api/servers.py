"""Requests about a server: repositories, version, availability."""

import aiohttp

from .._address import URLLike, parse_server_url
from .._errors import ServerError, TransportError
from .._models import Repository, ServerInfo
from .._options import check_choice, check_texts
from .._protocol import (
    build_ping,
    build_repositories,
    build_version,
    read_ping,
    read_repositories,
    read_version,
)
from .._session import fetch_response
from .session import using

_KINDS = ("local", "remote", "virtual", "federated")


async def repositories(
    server: URLLike,
    *,
    kind: str | None = None,
    package_type: str | None = None,
    session: aiohttp.ClientSession | None = None,
) -> list[Repository]:
    """
    List the repositories that the user may read; one request.

    Args:
        server: Base address of the server.
        kind: Return only repositories of this kind: ``"local"``, ``"remote"``, ``"virtual"`` or ``"federated"``; None
            returns all.
        package_type: Return only repositories of this package type, e.g. ``"maven"``; None returns all.
        session: Session to use; None opens one for this call.

    Returns:
        The repositories in the server's order, without the caches of remote repositories.

    Raises:
        InvalidURLError: If *server* is not an absolute http or https URL.
        InvalidArgumentError: If *kind* or *package_type* is invalid; no request was sent.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Get Repositories".
    """
    check_texts(kind=kind, package_type=package_type)
    if kind is not None:
        check_choice("kind", kind, _KINDS)
    address = parse_server_url(server)
    request = build_repositories(address, kind, package_type)
    async with using(session, "repositories") as opened:
        return read_repositories(address, request, await fetch_response(opened, request))


async def server_info(server: URLLike, *, session: aiohttp.ClientSession | None = None) -> ServerInfo:
    """
    Return the version, edition and expected capabilities of a server; one request.

    Args:
        server: Base address of the server.
        session: Session to use; None opens one for this call.

    Returns:
        Version, edition and capabilities. The edition is derived from the licence.

    Raises:
        InvalidURLError: If *server* is not an absolute http or https URL.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Version and Add-ons Information".
    """
    address = parse_server_url(server)
    request = build_version(address)
    async with using(session, "server_info") as opened:
        return read_version(address, request, await fetch_response(opened, request))


async def ping(server: URLLike, *, session: aiohttp.ClientSession | None = None) -> bool:
    """
    Return whether a server is up; one request, which is not retried.

    Wrong credentials are not detected, because recent releases accept this request without credentials.

    Args:
        server: Base address of the server.
        session: Session to use; None opens one for this call.

    Returns:
        False if the server cannot be reached, the response breaks off, or the server reports that it is starting,
        overloaded or out of order.

    Raises:
        InvalidURLError: If *server* is not an absolute http or https URL.
        AuthenticationError: If the server is up, but requires credentials for this request.
        TransportError: If the certificate of the server is not accepted.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "System Health Ping".
    """
    address = parse_server_url(server)
    request = build_ping(address)
    async with using(session, "ping") as opened:
        try:
            read_ping(request, await fetch_response(opened, request))
        except (ServerError, TransportError) as error:
            if isinstance(error, TransportError) and not error.retryable:
                raise
            return False
    return True
