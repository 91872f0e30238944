"""List the versions of many artifacts with few requests."""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import aiohttp

from .._address import ItemURL, URLLike
from .._errors import (
    ArtifactoryError,
    AuthenticationError,
    BadRequestError,
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
)
from .._models import ArtifactVersions
from .._options import check_choice, check_count, check_several
from .._scheduler import run_many
from .._session import is_anonymous, state_of
from .._versions import SchemeLike, Selection, Where, selection_of
from .session import using
from .version_sources import REFUSALS, by_aql_each, by_folder
from .versions import Denied, artifact_of

Name: TypeAlias = tuple[str, str]
Names: TypeAlias = list[str] | ArtifactoryError

# AQL is not available here; other errors mean that the server fails.
_NO_QUERY = (BadRequestError, ForbiddenError, InvalidArgumentError)


async def versions_many(
    server: URLLike,
    repository: str,
    names: Iterable[tuple[str, str]],
    *,
    scheme: SchemeLike = "semver",
    spec: str | None = None,
    prerelease: bool | None = None,
    where: Where | None = None,
    method: Literal["auto", "folder", "aql"] = "auto",
    max_concurrency: int | None = None,
    denied: Denied = "warn",
    on_error: Literal["raise", "collect"] = "raise",
    session: aiohttp.ClientSession | None = None,
) -> dict[tuple[str, str], ArtifactVersions]:
    """
    List the versions of many artifacts of a repository, as :func:`versions` does for one.

    The artifacts are found by a few AQL queries, for instance three for 500 artifacts. If the server refuses queries of
    this user, or returns no rows (as for a remote repository), the folder of each artifact is listed: one request per
    artifact, several at a time.

    AQL omits items that the user may not read: such an artifact has no versions, like a missing one.

    Args:
        server: Base address of the server.
        repository: Repository key.
        names: ``(group_id, name)`` pairs; duplicates are queried once.
        scheme: See :func:`versions`.
        spec: See :func:`versions`.
        prerelease: See :func:`versions`.
        where: See :func:`versions`.
        method: ``"aql"`` or ``"folder"``; ``"auto"`` prefers AQL.
        max_concurrency: Folders listed at a time; None takes it from the session's :class:`Limits`.
        denied: What to do if access is refused: ``"warn"`` issues one warning and stores the error in each result,
            ``"raise"`` raises.
        on_error: What to do if an artifact fails for another reason: ``"raise"`` raises its error, ``"collect"`` stores
            it in the result.
        session: Session to use; None opens one for this call.

    Returns:
        The result of each artifact by ``(group_id, name)``, in the order of *names*. A missing artifact has no
        versions.

    Raises:
        InvalidURLError: If an argument cannot be a part of a URL.
        InvalidArgumentError: If an option has an invalid value, or *names* are not pairs.
        ConfigurationError: If the extra of the scheme is not installed.
        NotAFolderError: If an artifact is a file; not detected by AQL.
        AuthenticationError, ForbiddenError: If access is refused and *denied* is ``"raise"``.
        ServerError: If the server fails.
        IncompleteListingError: If the rows for a single artifact exceed the limit of the server.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Artifactory Query Language (AQL)" and "Folder Info".
    """
    selection = selection_of(scheme, spec, prerelease, where)
    check_choice("method", method, ("auto", "folder", "aql"))
    check_choice("denied", denied, ("warn", "raise"))
    check_choice("on_error", on_error, ("raise", "collect"))
    if max_concurrency is not None:
        check_count("max_concurrency", max_concurrency)
    check_several("names", names)
    items = {pair: artifact_of(server, repository, *pair) for pair in map(_checked, names)}
    if not items:
        return {}

    def keeps(error: ArtifactoryError) -> bool:
        return denied == "warn" if isinstance(error, REFUSALS) else on_error == "collect"

    async with using(session, "versions_many") as opened:
        concurrency = max_concurrency or state_of(opened).limits.max_concurrency
        search = _Search(opened, list(items.values()), keeps, concurrency)
        ways = {"auto": search.by_aql_or_folder, "aql": search.by_aql, "folder": search.by_folder}
        listed = await ways[method]()
    _warn_of_refusals(listed)
    return {pair: _result(pair, listed[item.path], selection) for pair, item in items.items()}


def _checked(pair: object) -> Name:
    match pair:
        case (str(group_id), str(name)):
            return group_id, name
    raise InvalidArgumentError(f"{pair!r} is not an artifact", hint="name each by a pair: (group_id, name)")


def _result(pair: Name, listed: Names, selection: Selection) -> ArtifactVersions:
    if isinstance(listed, ArtifactoryError):
        return ArtifactVersions(*pair, error=listed)
    versions = selection.pick(listed)
    return ArtifactVersions(*pair, tuple(versions), latest=selection.newest_of(versions))


def _warn_of_refusals(listed: Mapping[str, Names]) -> None:
    refusals = [names for names in listed.values() if isinstance(names, REFUSALS)]
    if refusals:
        message = f"no versions listed of {len(refusals)} of {len(listed)} artifacts: {refusals[0]}"
        warnings.warn(message, UserWarning, stacklevel=3)


@dataclass(frozen=True, slots=True)
class _Search:
    """
    One call of `versions_many`.

    Attributes:
        session: The session.
        items: The artifacts, at least one, all of one repository.
        keeps: Whether an error becomes part of a result; other errors end the search.
        concurrency: Folders listed at a time.
    """

    session: aiohttp.ClientSession
    items: Sequence[ItemURL]
    keeps: Callable[[ArtifactoryError], bool]
    concurrency: int

    async def by_aql_or_folder(self) -> dict[str, Names]:
        if is_anonymous(self.session, self.items[0].server):
            return await self.by_folder()
        try:
            found = await self._query()
        except AuthenticationError as error:
            # More requests with refused credentials could lock the account.
            return self._all(error)
        except _NO_QUERY:
            return await self.by_folder()
        # An empty result is ambiguous: it is the same for a remote repository and a missing one.
        return found if any(found.values()) else await self.by_folder()

    async def by_aql(self) -> dict[str, Names]:
        try:
            return await self._query()
        except REFUSALS as error:
            return self._all(error)

    def _all(self, error: ArtifactoryError) -> dict[str, Names]:
        if self.keeps(error):
            return {item.path: error for item in self.items}
        raise error

    async def _query(self) -> dict[str, Names]:
        server, repository = self.items[0].server, self.items[0].repository
        found = await by_aql_each(self.session, server, repository, [item.path for item in self.items])
        return {path: list(names) for path, names in found.items()}

    async def by_folder(self) -> dict[str, Names]:
        async with run_many(self.items, self._one, max_concurrency=self.concurrency) as results:
            return {path: names async for path, names in results}

    async def _one(self, item: ItemURL) -> tuple[str, Names]:
        try:
            return item.path, await by_folder(self.session, item)
        except NotFoundError:
            return item.path, []
        except ArtifactoryError as error:
            if self.keeps(error):
                return item.path, error
            raise
