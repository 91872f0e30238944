"""Lists a tree by AQL, with one query or a few; not for anonymous users."""

import re
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from .._address import ItemURL
from .._aql import Criteria, any_of, entries_below, ge, gt, has_property, le, lt, match, where
from .._errors import IncompleteListingError, InvalidArgumentError
from .._filters import Filter
from .._path_filter import ALL_FILES, PathFilter, Pattern
from .._protocol import Below, Request, build_aql, is_folder_row, read_row_item, read_row_path
from .._session import Operation
from .results import Batches, Entry
from .rows import Rows

# The same path in several members of a virtual repository comes in consecutive rows.
_ORDER = ("path", "name", "repo")
# Artifactory 4 does not have this field.
_OPTIONAL = ("sha256",)
_MILLISECOND = timedelta(milliseconds=1)
# What ``$match`` interprets or, in Artifactory 6, gets wrong, and what AQL cannot express: replaced by a wildcard.
_NOT_PLAIN = re.compile(r"\[[!]?\]?[^\]]*\]|[^\w.,:;=@~+ -]|_|\A\s+")


async def list_by_aql(
    session: aiohttp.ClientSession,
    folder: ItemURL,
    path_filter: PathFilter,
    wanted: Filter | None,
    operation: Operation,
) -> Batches:
    """
    Yield the results of AQL: everything that is *wanted*, as far as AQL can decide.

    Raises:
        IncompleteListingError: If the server trimmed the rows, or returned none, which proves nothing: a remote
            repository, a missing folder and an empty one look the same.
        InvalidArgumentError: If AQL cannot express the folder, or a property.
        ResponseError, TransportError, ProtocolError: See :meth:`Rows.batches`.
    """
    asked = entries_below(folder.repository, folder.path, item_type=path_filter.item_type, depth=path_filter.levels)
    narrowing = tuple(_criteria(path_filter, wanted))
    asked = asked.where(*narrowing)
    rows = Rows(session, folder.server, asked, _ORDER, operation, _OPTIONAL)
    request, below, twins = build_aql(folder.server, str(asked)), Below(folder), Twins(folder.repository)
    found = False
    async with aclosing(rows.batches()) as batches:
        async for batch in batches:
            found = found or bool(batch)
            entries = _entries(request, below, path_filter, batch)
            yield list(twins.passed(entries, is_sorted=rows.is_sorted))
    if not found and not (narrowing and await _knows(session, folder, operation)):
        raise IncompleteListingError(f"{folder}: AQL finds nothing, which it also says of what it does not know")
    yield list(twins.rest())


async def _knows(session: aiohttp.ClientSession, folder: ItemURL, operation: Operation) -> bool:
    """Whether AQL finds any file below *folder*: only then is an empty result accepted."""
    asked = entries_below(folder.repository, folder.path, item_type="file").limit(1)
    request = build_aql(folder.server, str(asked))
    rows, below = Rows(session, folder.server, asked, operation=operation, optional=_OPTIONAL), Below(folder)
    async with aclosing(rows.batches()) as batches:
        return any([any(_entries(request, below, ALL_FILES, batch)) async for batch in batches])


def _entries(
    request: Request, below: Below, path_filter: PathFilter, rows: Iterable[dict[str, Any]]
) -> Iterator[tuple[str, Entry]]:
    """Read rows, with the repository of each; wildcards in the folder's path may add some from elsewhere."""
    for row in rows:
        path = read_row_path(request, row)
        relative = None if path == "." else below.relative(path)
        if relative and path_filter.matches(relative, is_folder=is_folder_row(request, row)):
            yield str(row.get("repo")), read_row_item(below, relative, row)


class Twins:
    """
    Passes on one entry for each path.

    A virtual repository may have a path in several members. Only a download shows which of them it serves, so
    such a file keeps no size, no checksums and no dates. In sorted rows, the entries of a path follow each other;
    otherwise, entries of members are held back until the end.
    """

    def __init__(self, repository: str) -> None:
        self._repository = repository
        self._waiting: dict[str, Entry] = {}

    def passed(self, entries: Iterable[tuple[str, Entry]], *, is_sorted: bool) -> Iterator[Entry]:
        """Yield the entries that have no further twin; hold back the others. *entries* have their repositories."""
        for repository, entry in entries:
            if repository == self._repository:
                yield entry
                continue
            if is_sorted and entry.path not in self._waiting:
                yield from self.rest()
            twin = entry.path in self._waiting
            self._waiting[entry.path] = _bare(entry) if twin else entry

    def rest(self) -> Iterator[Entry]:
        """Yield the entries that were held back."""
        yield from self._waiting.values()
        self._waiting.clear()


def _bare(entry: Entry) -> Entry:
    return type(entry)(entry.url, entry.repository, entry.path)


def _criteria(path_filter: PathFilter, wanted: Filter | None) -> Iterator[Criteria]:
    """
    Yield criteria that every wanted entry meets.

    Raises:
        InvalidArgumentError: If AQL cannot query a property, since the rows would not have it.
    """
    if names := _names(path_filter.include):
        yield any_of(*(where(name=match(name)) for name in names))
    if wanted is not None:
        yield from _sizes(wanted)
        yield from _dates(wanted)
        yield from (_property(key, value) for key, value in wanted.properties.items())


def _names(include: Iterable[Pattern]) -> list[str]:
    """Patterns for the last segment, one of which must match; empty if that can be any name."""
    names = sorted({_coarse(pattern.segments[-1]) for pattern in include})
    return [] if "*" in names else names


def _coarse(segment: str) -> str:
    """A pattern for ``$match`` that matches whatever *segment* matches, and perhaps more."""
    return re.sub(r"\*+", "*", _NOT_PLAIN.sub("*", segment))


def _sizes(wanted: Filter) -> Iterator[Criteria]:
    if wanted.min_size is not None:
        yield where(size=ge(wanted.min_size))
    if wanted.max_size is not None:
        yield where(size=le(wanted.max_size))


def _dates(wanted: Filter) -> Iterator[Criteria]:
    """The server compares milliseconds: a bound in between moves outwards."""
    if wanted.created_after is not None:
        yield where(created=gt(wanted.created_after))
    if wanted.created_before is not None:
        yield where(created=lt(_later(wanted.created_before)))
    if wanted.modified_after is not None:
        yield where(modified=gt(wanted.modified_after))
    if wanted.modified_before is not None:
        yield where(modified=lt(_later(wanted.modified_before)))


def _later(moment: datetime) -> datetime:
    return moment + _MILLISECOND if moment.microsecond % 1000 else moment


def _property(key: str, value: str) -> Criteria:
    is_pattern = "*" in value or "?" in value
    if key == "*" or (is_pattern and any(each in value for each in "%^_")):
        raise InvalidArgumentError(f"property {key!r}: AQL cannot be trusted with {value!r}")
    return has_property(key, match(value) if is_pattern and value != "*" else value)
