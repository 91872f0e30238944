"""Properties of files and folders."""

from collections.abc import Iterable, Mapping, Sequence

import aiohttp

from .._address import ItemURL, URLLike
from .._errors import BadRequestError, InvalidArgumentError, NotFoundError, ResponseError
from .._listing import fetch_info
from .._protocol import (
    build_delete_properties,
    build_merge_properties,
    build_properties,
    build_set_properties,
    property_names,
    property_values,
    read_properties,
)
from .._session import fetch_response, state_of
from .session import item_of, using

# Remembered by the session: the server is older than 6.1, or a proxy does not support PATCH.
_MERGE = "patch-metadata"
# Statuses of servers that do not support properties in a URL, or not in a URL of that length.
_NOT_BY_URL = frozenset({404, 405, 414, 501})


async def properties(url: URLLike, *, session: aiohttp.ClientSession | None = None) -> dict[str, list[str]]:
    """
    Return the properties of a file, a folder or a repository; one request, two if there are none.

    The server sends the same response for a missing item and for an item without properties; the second request
    distinguishes them.

    Args:
        url: URL of the item.
        session: Session to use; None opens one for this call.

    Returns:
        The values of each property, sorted by name; the order of values has no meaning. Empty without properties.

    Raises:
        InvalidURLError: If *url* is not the URL of an item.
        NotFoundError: If the item does not exist, or the user may not read it.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Item Properties".
    """
    async with using(session, "properties") as opened:
        return await _fetch(opened, item_of(opened, url))


async def set_properties(
    url: URLLike,
    properties: Mapping[str, str | Sequence[str]],
    *,
    recursive: bool = False,
    session: aiohttp.ClientSession | None = None,
) -> None:
    """
    Set the properties of an item, and remove all others; two requests, three if it had none.

    The existing properties are read, then replaced in one request. A property that another client sets in between is
    kept. Needs Artifactory Pro. Before release 6.1, setting and deleting take one request each. Example::

        await aioartifact.set_properties(url, {"stage": "released", "language": ["de", "en"]})

    Args:
        url: URL of a file, a folder or a repository.
        properties: Values of each property: a str or several. Empty deletes all properties.
        recursive: Whether to set the same properties on everything below a folder. Other properties of the items below
            are kept, unless the folder has them, too.
        session: Session to use; None opens one for this call.

    Raises:
        InvalidArgumentError: If Artifactory does not accept a name, a property has no value, or a value is not a str or
            contains a NUL or half of a surrogate pair. No request was sent.
        InvalidURLError: If *url* is not the URL of an item.
        NotFoundError: If the item does not exist, or the user may not read it.
        ForbiddenError: If the user may not set properties of the item.
        BadRequestError: If the server is not Artifactory Pro.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Update Item Properties".
    """
    wanted = property_values(properties, may_delete=False)
    async with using(session, "set_properties") as opened:
        item = item_of(opened, url)
        gone = dict.fromkeys(await _fetch(opened, item))
        if gone or wanted:
            await _merge(opened, item, gone | wanted, recursive=recursive)


async def update_properties(
    url: URLLike,
    changes: Mapping[str, str | Sequence[str] | None],
    *,
    recursive: bool = False,
    session: aiohttp.ClientSession | None = None,
) -> None:
    """
    Change some properties of an item, and keep the others; one atomic request. Needs Artifactory Pro.

    With *recursive*, and before Artifactory 6.1, setting and deleting take one request each. (The atomic request would
    copy all properties of the folder to the items below.)

    Args:
        url: URL of a file, a folder or a repository.
        changes: New values of each property: a str, several, or None to delete it.
        recursive: Whether to change everything below a folder, too. Then the changes are in the URL, whose length
            servers limit to a few kilobytes.
        session: Session to use; None opens one for this call.

    Raises:
        InvalidArgumentError: If Artifactory does not accept a name, a property has no value, or a value is not a str or
            contains a NUL or half of a surrogate pair; with *recursive*, also if a value ends with a backslash or
            contains a control character. No request was sent.
        InvalidURLError: If *url* is not the URL of an item.
        NotFoundError: If the item does not exist, or the user may not read it.
        ForbiddenError: If the user may not set properties of the item.
        BadRequestError: If the server is not Artifactory Pro.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Update Item Properties", "Set Item Properties" and "Delete Item Properties".
    """
    wanted = property_values(changes)
    async with using(session, "update_properties") as opened:
        item = item_of(opened, url)
        if recursive:
            await _spread(opened, item, wanted, recursive=True)
        elif wanted:
            await _merge(opened, item, wanted, recursive=False)


async def delete_properties(
    url: URLLike,
    names: str | Iterable[str],
    *,
    recursive: bool = False,
    session: aiohttp.ClientSession | None = None,
) -> None:
    """
    Delete properties of an item; one request. Missing ones are ignored. Needs Artifactory Pro.

    Args:
        url: URL of a file, a folder or a repository.
        names: Name of a property, or several.
        recursive: Whether to change everything below a folder, too.
        session: Session to use; None opens one for this call.

    Raises:
        InvalidArgumentError: If *names* is empty, or Artifactory does not accept a name; no request was sent.
        InvalidURLError: If *url* is not the URL of an item.
        NotFoundError: If the item does not exist, or the user may not read it.
        ForbiddenError: If the user may not set properties of the item.
        BadRequestError: If the server is not Artifactory Pro.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Delete Item Properties".
    """
    unwanted = property_names(names)
    async with using(session, "delete_properties") as opened:
        await fetch_response(opened, build_delete_properties(item_of(opened, url), unwanted, recursive=recursive))


async def _fetch(session: aiohttp.ClientSession, item: ItemURL) -> dict[str, list[str]]:
    request = build_properties(item)
    try:
        return read_properties(request, await fetch_response(session, request))
    except NotFoundError:
        await fetch_info(session, item)
        return {}


async def _merge(
    session: aiohttp.ClientSession, item: ItemURL, changes: Mapping[str, Sequence[str] | None], *, recursive: bool
) -> None:
    refused = state_of(session).refused[item.server]
    if _MERGE in refused:
        await _merge_by_two(session, item, changes, recursive=recursive)
        return
    try:
        await fetch_response(session, build_merge_properties(item, changes, recursive=recursive))
    except BadRequestError as error:
        # Artifactory 6 responds with this for a missing item, too: the error of the check is clearer.
        if "Failed to set properties" in error.server_message:
            await fetch_info(session, item)
        raise
    except ResponseError as error:
        if not isinstance(error, NotFoundError) and error.status not in (405, 501):
            raise
        await fetch_info(session, item)  # if it exists, the server does not support the method
        await _merge_by_two(session, item, changes, recursive=recursive)
        refused.add(_MERGE)


async def _merge_by_two(
    session: aiohttp.ClientSession, item: ItemURL, changes: Mapping[str, Sequence[str] | None], *, recursive: bool
) -> None:
    try:
        await _spread(session, item, changes, recursive=recursive)
    except (InvalidArgumentError, ResponseError) as error:
        if isinstance(error, InvalidArgumentError) or error.status in _NOT_BY_URL:
            error.hint = "the server or a proxy does not support PATCH api/metadata (Artifactory does since 6.1)"
        raise


async def _spread(
    session: aiohttp.ClientSession, item: ItemURL, changes: Mapping[str, Sequence[str] | None], *, recursive: bool
) -> None:
    values = {name: each for name, each in changes.items() if each is not None}
    unwanted = [name for name, each in changes.items() if each is None]
    requests = [build_set_properties(item, values, recursive=recursive)] if values else []
    if unwanted:
        requests.append(build_delete_properties(item, unwanted, recursive=recursive))
    for request in requests:
        await fetch_response(session, request)
