"""A tree by AQL: what one query, or a few, find below a folder; not for anonymous users."""

from collections.abc import Iterable, Iterator
from contextlib import aclosing
from typing import Any

import aiohttp

from .._address import ItemURL
from .._aql import entries_below
from .._errors import IncompleteListingError
from .._filters import Filter
from .._protocol import Below, Request, build_aql, is_folder_row, read_row_item, read_row_path
from .._scope import ALL_FILES, Scope
from .._session import Operation
from .listing import Batches, Entry
from .pushdown import criteria
from .rows import Rows

# The same path in several members of a virtual repository comes in consecutive rows.
_ORDER = ("path", "name", "repo")
# Artifactory 4 does not know it.
_OPTIONAL = ("sha256",)


async def query(
    session: aiohttp.ClientSession, folder: ItemURL, scope: Scope, wanted: Filter | None, operation: Operation
) -> Batches:
    """
    Yield what AQL finds: everything that is *wanted*, as far as AQL can tell.

    Raises:
        IncompleteListingError: The server trimmed the rows; or it knows none, which proves nothing: a remote
            repository, a missing folder and an empty one look the same.
        InvalidArgumentError: AQL cannot express the folder, or a property.
        ResponseError, TransportError, ProtocolError: See :meth:`Rows.batches`.
    """
    asked = entries_below(folder.repository, folder.path, item_type=scope.item_type, depth=scope.levels)
    narrowing = tuple(criteria(scope, wanted))
    asked = asked.where(*narrowing)
    rows = Rows(session, folder.server, asked, _ORDER, operation, _OPTIONAL)
    request, below, twins = build_aql(folder.server, str(asked)), Below(folder), Twins(folder.repository)
    found = False
    async with aclosing(rows.batches()) as batches:
        async for batch in batches:
            found = found or bool(batch)
            entries = _entries(request, below, scope, batch)
            yield list(twins.passed(entries, is_sorted=rows.is_sorted))
    if not found and not (narrowing and await _knows(session, folder, operation)):
        raise IncompleteListingError(f"{folder}: AQL finds nothing, which it also says of what it does not know")
    yield list(twins.rest())


async def _knows(session: aiohttp.ClientSession, folder: ItemURL, operation: Operation) -> bool:
    """Whether AQL finds any file below *folder*: then it can be believed that what is looked for is not there."""
    asked = entries_below(folder.repository, folder.path, item_type="file").limit(1)
    request = build_aql(folder.server, str(asked))
    rows, below = Rows(session, folder.server, asked, operation=operation, optional=_OPTIONAL), Below(folder)
    async with aclosing(rows.batches()) as batches:
        return any([any(_entries(request, below, ALL_FILES, batch)) async for batch in batches])


def _entries(
    request: Request, below: Below, scope: Scope, rows: Iterable[dict[str, Any]]
) -> Iterator[tuple[str, Entry]]:
    """Read rows, with the repository of each; wildcards in the folder's path may add some from elsewhere."""
    for row in rows:
        path = read_row_path(request, row)
        relative = None if path == "." else below.relative(path)
        if relative and scope.shows(relative, is_folder=is_folder_row(request, row)):
            yield str(row.get("repo")), read_row_item(below, relative, row)


class Twins:
    """
    Lets one entry pass for each path.

    A virtual repository may have a path in several members. Which of them it serves only a download tells, so
    such a file keeps no size, no checksums and no dates. In an order they follow each other; without one, what
    comes from members has to wait for the end.
    """

    def __init__(self, repository: str) -> None:
        self._repository = repository
        self._waiting: dict[str, Entry] = {}

    def passed(self, entries: Iterable[tuple[str, Entry]], *, is_sorted: bool) -> Iterator[Entry]:
        """Yield those of *entries*, each with the repository it is in, that have no twin, and note the others."""
        for repository, entry in entries:
            if repository == self._repository:
                yield entry
                continue
            if is_sorted and entry.path not in self._waiting:
                yield from self.rest()
            twin = entry.path in self._waiting
            self._waiting[entry.path] = _bare(entry) if twin else entry

    def rest(self) -> Iterator[Entry]:
        """Yield what waits."""
        yield from self._waiting.values()
        self._waiting.clear()


def _bare(entry: Entry) -> Entry:
    return type(entry)(entry.url, entry.repository, entry.path)
