"""List the versions of an artifact, and find the newest."""

import warnings
from collections.abc import Collection, Coroutine
from typing import Literal

import aiohttp

from .._address import ItemURL, URLLike, parse_item_url, parse_server_url, url
from .._errors import InvalidArgumentError, NotFoundError
from .._models import MavenMetadata
from .._options import check_choice
from .._protocol import build_latest_version, read_latest_version
from .._session import fetch_response
from .._versions import SchemeLike, Selection, Where, base_version, selection_of
from .session import using
from .version_sources import METHODS, REFUSALS, Method, fetch_maven_metadata, list_names

Denied = Literal["warn", "raise"]


async def versions(
    server: URLLike,
    repository: str,
    group_id: str,
    name: str,
    *,
    scheme: SchemeLike = "semver",
    spec: str | None = None,
    prerelease: bool | None = None,
    where: Where | None = None,
    method: Method = "auto",
    property_name: str = "version",
    denied: Denied = "warn",
    session: aiohttp.ClientSession | None = None,
) -> list[str]:
    """
    List the versions of an artifact, oldest first; one request.

    A version is a folder below ``group_id/name`` whose name is a semantic version: ``X.Y.Z`` or ``vX.Y.Z``, with any
    suffix after ``-`` or ``+``. Versions are sorted by the rules of semver.org: a pre-release comes before its release,
    and a leading ``v`` is ignored. As an exception, ``1.0.0-3-gabc1234``, the output of git describe, comes after
    ``1.0.0``. *scheme* chooses other kinds of versions, *method* another way to find them. Example::

        await aioartifact.versions(server, "libs-release", "org.acme", "app", spec=">=1.2,<2")

    Args:
        server: Base address of the server, e.g. ``https://host/artifactory``.
        repository: Repository key.
        group_id: Group ID; its dots become slashes. May be empty.
        name: Name of the artifact.
        scheme: ``"semver"``: as above. ``"maven"``: names that contain a digit, in Maven's order. ``"pep440"``:
            versions of Python packages; needs the extra ``pep440``. ``"natural"``: all names, sorted with digits as
            numbers. A function: all names, sorted by the key that it returns for a name.
        spec: Conditions that versions must meet, such as ``>=1.2,<2``, ``~=1.4``, ``==1.*`` or ``!=1.3.0``, in the
            order of *scheme*; with ``"maven"`` also ranges such as ``[1.0,2.0)``. As in Python, pre-releases are left
            out if a release matches, unless a condition names a pre-release: ``>=1.0.0-0``.
        prerelease: True returns only pre-releases, False only releases, None both, subject to *spec*. Snapshots are
            pre-releases.
        where: Regular expression that must match the whole name, or function that returns True for the names to return.
        method: ``"folder"`` lists the folder, for every user and edition. ``"aql"`` sends a query, which anonymous
            users may not. ``"auto"`` lists the folder, and falls back to AQL if that is refused. ``"properties"``
            returns the values of a property of the files below, by AQL. ``"maven-metadata"`` reads the
            ``maven-metadata.xml`` of the artifact.
        property_name: Name of the property for ``method="properties"``.
        denied: What to do if access is refused: ``"warn"`` issues a warning and returns ``[]``, ``"raise"`` raises.
        session: Session to use; None opens one for this call.

    Returns:
        Names of the versions; ``[]`` if the artifact does not exist. With ``scheme="maven"`` and
        ``method="properties"``, timestamped snapshots are returned once, as their base version.

    Raises:
        InvalidURLError: If an argument cannot be a part of a URL.
        InvalidArgumentError: If an option has an invalid value, or AQL cannot express a name.
        ConfigurationError: If the extra of the scheme is not installed.
        NotAFolderError: If the artifact is a file; not detected with AQL and Maven's metadata.
        AuthenticationError, ForbiddenError: If access is refused, and *denied* is ``"raise"`` or the server redirected
            the request.
        ServerError: If the server fails; the result is never empty because of that.
        IncompleteListingError: If the server limits the number of rows.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Folder Info" and "Artifactory Query Language (AQL)"; semver.org, section 11.
    """
    selection = selection_of(scheme, spec, prerelease, where)
    check_choice("method", method, METHODS)
    check_choice("denied", denied, ("warn", "raise"))
    item = artifact_of(server, repository, group_id, name)
    return selection.pick(await _allowed(_list_names(item, selection, method, property_name, session), denied))


async def _list_names(
    item: ItemURL, selection: Selection, method: Method, property_name: str, session: aiohttp.ClientSession | None
) -> Collection[str]:
    async with using(session) as opened:
        names = await list_names(opened, item, method, property_name)
    return _based(names, selection) if method == "properties" else names


async def _allowed(listing: Coroutine[object, object, Collection[str]], denied: Denied) -> Collection[str]:
    """Return no names if the artifact is missing; if access is refused, warn unless *denied* is ``"raise"``."""
    try:
        return await listing
    except NotFoundError:
        return []
    except REFUSALS as error:
        if denied == "raise" or error.redirected:  # a login page or another server proves nothing
            raise
        warnings.warn(f"no versions listed: {error}", UserWarning, stacklevel=3)
        return []


def artifact_of(server: URLLike, repository: str, group_id: str, name: str) -> ItemURL:
    """
    Return the address of an artifact.

    Raises:
        InvalidURLError: If an argument cannot be a part of a URL.
    """
    address = url(server, repository=repository, group_id=group_id, name=name)
    # The server is an argument, so its context path need not be guessed.
    return parse_item_url(address, [parse_server_url(server)])


def _based(names: Collection[str], selection: Selection) -> set[str]:
    return set(map(base_version, names)) if selection.scheme.name == "maven" else set(names)


async def latest_version(
    server: URLLike,
    repository: str,
    group_id: str,
    name: str,
    *,
    scheme: SchemeLike = "semver",
    spec: str | None = None,
    prerelease: bool | None = None,
    where: Where | None = None,
    method: Method | Literal["server"] = "auto",
    property_name: str = "version",
    denied: Denied = "warn",
    session: aiohttp.ClientSession | None = None,
) -> str | None:
    """
    Return the newest version of an artifact, in the order of :func:`versions`; one request.

    As in Python, a pre-release is returned only if no release matches, or if a condition of *spec* names a pre-release:
    of ``1.9.0`` and ``2.0.0-rc1``, the result is ``1.9.0``. With *prerelease* True, only pre-releases are considered.
    Example::

        await aioartifact.latest_version(server, "libs-release", "org.acme", "app", spec="<2")

    Args:
        server: Base address of the server.
        repository: Repository key.
        group_id: Group ID.
        name: Name of the artifact.
        scheme: See :func:`versions`.
        spec: See :func:`versions`.
        prerelease: See :func:`versions`.
        where: See :func:`versions`.
        method: See :func:`versions`. With ``"server"``, the server selects the newest release by the layout of the
            repository, in an order similar to Maven's; needs Artifactory Pro.
        property_name: See :func:`versions`.
        denied: See :func:`versions`.
        session: Session to use; None opens one for this call.

    Returns:
        The version; None if no version matches.

    Raises:
        InvalidArgumentError: If ``method="server"`` does not support an option.
        BadRequestError: If the server is not Artifactory Pro, with ``method="server"``.
        ArtifactoryError: The errors of :func:`versions`, under the same conditions.

    See: JFrog REST API, "Artifact Latest Version Search Based on Layout".
    """
    check_choice("denied", denied, ("warn", "raise"))
    if method == "server":
        if (scheme, spec, prerelease, where) != ("semver", None, None, None):
            raise InvalidArgumentError(
                "method='server' lets the server decide; it supports no scheme, spec, prerelease or where"
            )
        item = artifact_of(server, repository, group_id, name)
        return next(iter(await _allowed(_ask_server(item, group_id, name, session), denied)), None)
    selection = selection_of(scheme, spec, prerelease, where)
    check_choice("method", method, METHODS)
    item = artifact_of(server, repository, group_id, name)
    return selection.newest(await _allowed(_list_names(item, selection, method, property_name, session), denied))


async def _ask_server(
    item: ItemURL, group_id: str, name: str, session: aiohttp.ClientSession | None
) -> Collection[str]:
    request = build_latest_version(item.server, item.repository, group_id, name)
    async with using(session) as opened:
        return [read_latest_version(request, await fetch_response(opened, request))]


async def maven_metadata(
    server: URLLike,
    repository: str,
    group_id: str,
    name: str,
    *,
    session: aiohttp.ClientSession | None = None,
) -> MavenMetadata:
    """
    Read the ``maven-metadata.xml`` of an artifact; one request.

    Artifactory updates the file some time after a deployment. A virtual repository merges the files of its members.

    Args:
        server: Base address of the server.
        repository: Repository key, of a Maven repository.
        group_id: Group ID; its dots become slashes.
        name: Name of the artifact.
        session: Session to use; None opens one for this call.

    Returns:
        The newest version, the newest release, and all versions.

    Raises:
        InvalidURLError: If an argument cannot be a part of a URL.
        NotFoundError: If the file does not exist, or the user may not read it.
        AuthenticationError, ForbiddenError: If access is refused.
        ProtocolError: If the response is not Maven metadata, or contains a document type declaration.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: https://maven.apache.org/repositories/metadata.html
    """
    item = artifact_of(server, repository, group_id, name)
    async with using(session, "maven_metadata") as opened:
        return await fetch_maven_metadata(opened, item)
