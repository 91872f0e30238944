"""Query one item, or any URL of the REST API."""

import os

import aiohttp

from .._address import URLLike, is_url, server_of, text_of_url
from .._checksums import parse_algorithm
from .._errors import IntegrityError, NotFoundError
from .._files import hash_file
from .._listing import fetch_info
from .._models import FileInfo, FolderInfo, Response
from .._options import check_path
from .._protocol import build_rest, expect_file
from .._session import send, state_of
from .._threads import run
from .session import item_of, using


async def info(url: URLLike, *, session: aiohttp.ClientSession | None = None) -> FileInfo | FolderInfo:
    """
    Return the info of a file or a folder; one request.

    Example::

        file = await aioartifact.info(f"{server}/libs-release/org/acme/app/1.0/app-1.0.jar")
        print(file.size, file.checksums.sha256)

    Args:
        url: URL of the item.
        session: Session to use; None opens one for this call.

    Returns:
        A :class:`FileInfo` with size and checksums, or a :class:`FolderInfo` with its children.

    Raises:
        InvalidURLError: If *url* is not the URL of an item.
        NotFoundError: If the item does not exist, or the user may not read it. A file of a remote repository exists
            only if it is in the cache of the repository.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "File Info" and "Folder Info".
    """
    async with using(session, "info") as opened:
        return await fetch_info(opened, item_of(opened, url))


async def exists(url: URLLike, *, session: aiohttp.ClientSession | None = None) -> bool:
    """
    Return whether a file or a folder exists; one request.

    Args:
        url: URL of the item.
        session: Session to use; None opens one for this call.

    Returns:
        False if the item does not exist, or the server hides it from the user.

    Raises:
        InvalidURLError: If *url* is not the URL of an item.
        ForbiddenError: If the user has no read permission.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "File Info" and "Folder Info".
    """
    try:
        await info(url, session=session)
    except NotFoundError:
        return False
    return True


async def checksum(
    path_or_url: URLLike | os.PathLike[str], type: str = "md5", *, session: aiohttp.ClientSession | None = None
) -> str:
    """
    Return the checksum of a file on the server, or of a local file; one request, no download.

    Args:
        path_or_url: URL of a file, or the path of a local one, which is hashed in a thread.
        type: Algorithm: ``"md5"``, ``"sha1"`` or ``"sha256"``.
        session: Session to use for a URL; None opens one for this call.

    Returns:
        Checksum in lower-case hexadecimal.

    Raises:
        InvalidArgumentError: If *type* is unknown, or *path_or_url* is empty or not a path.
        FileNotFoundError: If the file does not exist, on the server or locally; the message names it.
        NotAFileError: If the URL is that of a folder.
        LocalFileError: If the local file cannot be read.
        IntegrityError: If the server has no checksum of this type.
        InvalidURLError, ResponseError, TransportError, ProtocolError: See :func:`info`.

    See: JFrog REST API, "File Info".
    """
    algorithm = parse_algorithm(type)
    if not is_url(path_or_url):
        _, checksums = await run(hash_file, check_path("path_or_url", path_or_url), (algorithm,))
        return checksums.get(algorithm) or ""
    async with using(session, "checksum") as opened:
        item = item_of(opened, path_or_url)
        recorded = expect_file(item, await fetch_info(opened, item)).checksums.get(algorithm)
    if recorded is None:
        raise IntegrityError(f"{item}: the server has recorded no {algorithm}", algorithm=algorithm)
    return recorded


async def rest_api_get(url: URLLike, *, session: aiohttp.ClientSession | None = None) -> Response:
    """
    Send a GET request with credentials to any URL of a server; one request.

    Use it for parts of the REST API that have no function in this library. The body is held in memory; use
    :func:`download` for files. Example::

        response = await aioartifact.rest_api_get(f"{server}/api/system/version")
        print(response.json()["version"])

    Args:
        url: The URL. Percent-escapes, a query and matrix parameters are sent unchanged.
        session: Session to use; None opens one for this call.

    Returns:
        The response, also for a status of 400 and above: check ``status_code``.

    Raises:
        InvalidURLError: If *url* is not an absolute http or https URL.
        TransportError: If no response is received.
        ProtocolError: If the response is not valid HTTP, has an invalid redirect, or exceeds 64 MiB after
            decompression.
    """
    async with using(session, "rest_api_get") as opened:
        server = server_of(url, state_of(opened).servers)
        return await send(opened, build_rest(server, text_of_url(url)))
