"""Versions of an artifact: the names of the folders below it."""

import warnings
from typing import Literal

import aiohttp

from .._address import ItemURL, parse_item_url, parse_server_url, url
from .._aql import folders_in
from .._errors import AuthenticationError, ForbiddenError, NotFoundError
from .._listing import fetch_info
from .._options import check_choice
from .._protocol import build_aql, expect_folder, read_aql
from .._session import ask, is_anonymous
from .._versions import is_semantic_version, latest, sort_versions
from .session import using

Method = Literal["auto", "folder", "aql"]
Denied = Literal["warn", "raise"]


async def versions(
    server: str,
    repository: str,
    group_id: str,
    name: str,
    *,
    method: Method = "auto",
    denied: Denied = "warn",
    session: aiohttp.ClientSession | None = None,
) -> list[str]:
    """
    List the versions of an artifact, oldest first.

    A version is a folder below ``group_id/name`` whose name is a semantic version: ``X.Y.Z`` or ``vX.Y.Z``, with
    whatever follows a ``-`` or ``+``. They are sorted by the rules of semver.org: a pre-release comes before its
    release, a leading ``v`` does not count, and ``1.0.0-3-gabc1234``, as git describe writes it, comes after
    ``1.0.0``.

    Args:
        server: Base address of the server, e.g. ``https://host/artifactory``.
        repository: Repository key.
        group_id: Group ID; its dots become slashes. May be empty.
        name: Name of the artifact.
        method: ``"folder"`` lists the folder: one request, for every user and edition. ``"aql"`` sends a query:
            one request, not for anonymous users. ``"auto"`` lists the folder, and asks AQL only where that is
            refused.
        denied: What to do if access is refused: ``"warn"`` warns and returns ``[]``, ``"raise"`` raises.
        session: Session to use; None opens one for this call.

    Returns:
        Versions as they are named; ``[]`` if the artifact does not exist.

    Raises:
        InvalidURLError: A part cannot be one of a URL.
        InvalidArgumentError: Unknown *method* or *denied*, or a name that AQL cannot express.
        NotAFolderError: The artifact is a file.
        AuthenticationError, ForbiddenError: Access is refused and *denied* is ``"raise"``.
        ServerError: The server failed; never taken for "no versions".
        TransportError: No answer came.

    See: JFrog REST API, "Folder Info" and "Artifactory Query Language (AQL)"; semver.org, section 11.
    """
    check_choice("method", method, ("auto", "folder", "aql"))
    check_choice("denied", denied, ("warn", "raise"))
    address = url(server, repository=repository, group_id=group_id, name=name)
    async with using(session) as opened:
        try:
            # The server is named here, whatever its context path; there is nothing to guess.
            names = await _list(opened, parse_item_url(address, [parse_server_url(server)]), method)
        except NotFoundError:
            return []
        except (AuthenticationError, ForbiddenError) as error:
            if denied == "raise":
                raise
            warnings.warn(f"no versions listed: {error}", UserWarning, stacklevel=2)
            return []
    return sort_versions(filter(is_semantic_version, names))


async def latest_version(
    server: str,
    repository: str,
    group_id: str,
    name: str,
    *,
    method: Method = "auto",
    denied: Denied = "warn",
    session: aiohttp.ClientSession | None = None,
) -> str | None:
    """
    The newest version of an artifact, by the order of :func:`versions`; one request.

    A pre-release counts: ``2.0.0-rc1`` is newer than ``1.9.0``.

    Args:
        server: Base address of the server.
        repository: Repository key.
        group_id: Group ID.
        name: Name of the artifact.
        method: See :func:`versions`.
        denied: See :func:`versions`.
        session: Session to use; None opens one for this call.

    Returns:
        The version, or None if there is none.

    Raises:
        ArtifactoryError: The errors of :func:`versions`, under the same conditions.
    """
    return latest(await versions(server, repository, group_id, name, method=method, denied=denied, session=session))


async def _list(session: aiohttp.ClientSession, item: ItemURL, method: Method) -> list[str]:
    if method == "aql":
        return await _by_aql(session, item)
    try:
        return await _by_folder(session, item)
    except ForbiddenError as refusal:
        # An anonymous user may never query; a refused password (401) is not tried twice.
        if method == "folder" or is_anonymous(session, item.server):
            raise
        # AQL leaves out what the user may not read, so an empty answer still means refused.
        if names := await _by_aql(session, item):
            return names
        raise refusal from None


async def _by_folder(session: aiohttp.ClientSession, item: ItemURL) -> list[str]:
    folder = expect_folder(item, await fetch_info(session, item))
    return [child.name for child in folder.children if child.folder]


async def _by_aql(session: aiohttp.ClientSession, item: ItemURL) -> list[str]:
    request = build_aql(item.server, folders_in(item.repository, item.path))
    # A virtual repository shows a folder once for each member that has it.
    return list({row["name"] for row in read_aql(request, await ask(session, request))})
