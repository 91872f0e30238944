"""Sources of versions: folders, AQL, properties, Maven's metadata."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import aiohttp

from .._address import ItemURL, ServerURL
from .._aql import files_with_property, folders_in, folders_in_each
from .._errors import AuthenticationError, ForbiddenError, IncompleteListingError
from .._models import MavenMetadata
from .._protocol import (
    build_aql,
    build_item_info,
    build_maven_metadata,
    objects_of,
    read_aql,
    read_folder_names,
    read_maven_metadata,
)
from .._session import fetch_response, is_anonymous

Method: TypeAlias = Literal["auto", "folder", "aql", "properties", "maven-metadata"]
METHODS = ("auto", "folder", "aql", "properties", "maven-metadata")
REFUSALS = (AuthenticationError, ForbiddenError)


async def list_names(session: aiohttp.ClientSession, item: ItemURL, method: Method, property_name: str) -> list[str]:
    """
    Return names that may be versions of the artifact *item*.

    Raises:
        ResponseError: If the server refuses the request; 404 may mean that the artifact does not exist.
        TransportError: If no response is received.
        InvalidArgumentError: If AQL cannot express a name.
        IncompleteListingError: If the server limits the number of rows.
    """
    match method:
        case "folder":
            return await by_folder(session, item)
        case "aql":
            return await _by_aql(session, item)
        case "properties":
            return await _by_properties(session, item, property_name)
        case "maven-metadata":
            return list((await fetch_maven_metadata(session, item)).versions)
        case _:
            return await _by_folder_or_aql(session, item)


async def _by_folder_or_aql(session: aiohttp.ClientSession, item: ItemURL) -> list[str]:
    try:
        return await by_folder(session, item)
    except ForbiddenError as refusal:
        # Anonymous users may never query; refused credentials (401) are not sent twice.
        if is_anonymous(session, item.server):
            raise
        # AQL leaves out items that the user may not read, so an empty result still means refused.
        if names := await _by_aql(session, item):
            return names
        raise refusal from None


async def by_folder(session: aiohttp.ClientSession, item: ItemURL) -> list[str]:
    """
    Return the names of the folders in *item*.

    Raises:
        NotFoundError: If the folder does not exist.
        NotAFolderError: If it is a file.
        ResponseError: If the server refuses the request.
        TransportError: If no response is received.
    """
    request = build_item_info(item)
    return read_folder_names(item, request, await fetch_response(session, request))


async def _by_aql(session: aiohttp.ClientSession, item: ItemURL) -> list[str]:
    request = build_aql(item.server, folders_in(item.repository, item.path))
    # A virtual repository shows a folder once for each member that has it.
    return list({row["name"] for row in read_aql(request, await fetch_response(session, request))})


async def _by_properties(session: aiohttp.ClientSession, item: ItemURL, name: str) -> list[str]:
    request = build_aql(item.server, files_with_property(item.repository, item.path, name))
    rows = read_aql(request, await fetch_response(session, request))
    # A wildcard in the path also matches other characters.
    inside = [row for row in rows if f"{row['path']}/".startswith(f"{item.path}/")]
    pairs = [pair for row in inside for pair in objects_of(request, row, "properties")]
    return list({str(pair.get("value", "")) for pair in pairs if pair.get("key") == name})


async def fetch_maven_metadata(session: aiohttp.ClientSession, artifact: ItemURL) -> MavenMetadata:
    """
    Request the Maven metadata of *artifact*; one request.

    Raises:
        NotFoundError: If there is no such file.
        ResponseError: If the server refuses the request.
        TransportError: If no response is received.
        ProtocolError: If the response is not such metadata.
    """
    request = build_maven_metadata(artifact)
    return read_maven_metadata(request, await fetch_response(session, request))


async def by_aql_each(
    session: aiohttp.ClientSession, server: ServerURL, repository: str, paths: Sequence[str]
) -> dict[str, set[str]]:
    """
    Return the names of the folders in each of *paths*, with few queries.

    If the server limits the number of rows, half as many paths are queried at a time.

    Raises:
        IncompleteListingError: If the rows for a single path exceed the limit.
        InvalidArgumentError: If AQL cannot express a name.
        ResponseError: If the server refuses the request.
        TransportError: If no response is received.
    """
    found: dict[str, set[str]] = {path: set() for path in paths}
    halves = [list(found)]
    while halves:
        asked = halves.pop()
        try:
            rows = [
                row
                for query in folders_in_each(repository, asked)
                for row in await _rows(session, server, query)
                if row["path"] in found
            ]
        except IncompleteListingError:
            if len(asked) == 1:
                raise
            middle = len(asked) // 2
            halves += [asked[:middle], asked[middle:]]
        else:
            for row in rows:
                found[row["path"]].add(row["name"])
    return found


async def _rows(session: aiohttp.ClientSession, server: ServerURL, query: str) -> list[dict[str, str]]:
    request = build_aql(server, query)
    return read_aql(request, await fetch_response(session, request))
