"""Rows of an answer, one at a time, and the bytes they are sent as."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from ..protocol.jackson import dumps
from .compiler import Branch, Shown, print_position
from .fields import Field, Kind, Route
from .tables import TABLES, table_at

Scalar = str | int
Row = dict[str, "Scalar | list[Row] | list[str]"]
_Columns = Sequence[Scalar | None]

_TRIMMED = "AQL query reached the search hard limit, results are trimmed."
_BATCH_SIZE = 65_536


@dataclass(frozen=True, slots=True)
class Viewer:
    """
    Who asks.

    Attributes:
        admin: May read everything.
        can_read: Decides for everyone else, by repository key and path of the item below it (``""`` is the
            root); rows that may not be read are left out.
    """

    admin: bool
    can_read: Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Page:
    """
    Bounds of an answer.

    Attributes:
        offset: Rows skipped.
        limit: Most rows, as the answer states it; None leaves it unsaid.
        trimmed_at: Rows after which the server cuts the answer off and says so; None where it does not.
    """

    offset: int
    limit: int | None
    trimmed_at: int | None


@dataclass(frozen=True, slots=True)
class Printing:
    """
    How stored values are shown.

    Attributes:
        format_date: Writes epoch milliseconds.
        virtuals_of: Virtual repositories that a repository belongs to.
    """

    format_date: Callable[[int], str]
    virtuals_of: Callable[[str], Sequence[str]]


class Result:
    """
    The rows of an answer, read from the database as they are iterated over; once only.

    Each row is a dict in printing order. Values that are not there (NULL, no date, empty property) have no key.
    """

    def __init__(self, cursor: sqlite3.Cursor, shown: Shown, *, viewer: Viewer, page: Page, printing: Printing) -> None:
        self._cursor = cursor
        self._viewer = viewer
        self._page = page
        self._layout = _Layout(shown, printing)
        self._printed = 0
        self._trimmed = False
        self._exhausted = False

    def __iter__(self) -> Iterator[Row]:
        for row in map(self._layout.row, self._items()):
            if self._readable(row):
                self._printed += 1
                yield row
        self._exhausted = True
        self.close()

    def _items(self) -> Iterator[list[_Columns]]:
        if self._layout.is_nested:
            return (list(lines) for _, lines in groupby(self._read(), key=itemgetter(0)))
        return ([line] for line in self._read())

    def _read(self) -> Iterator[_Columns]:
        for count, columns in enumerate(self._cursor):
            if count == self._page.trimmed_at:
                self._trimmed = True
                return
            yield columns

    def _readable(self, row: Row) -> bool:
        if self._viewer.admin:
            return True
        repository, path, name = (str(row[field]) for field in ("repo", "path", "name"))
        return self._viewer.can_read(repository, _item_path(path, name))

    @property
    def range(self) -> dict[str, int | str]:
        """
        What the answer says about itself: ``total`` is the number of rows printed, not of rows that exist.

        Raises:
            RuntimeError: Rows have not all been read yet.
        """
        if not self._exhausted:
            raise RuntimeError("the range of an answer is known only after its last row")
        known: dict[str, int | str] = {
            "start_pos": self._page.offset,
            "end_pos": self._printed,
            "total": self._printed,
        }
        if self._page.limit is not None:
            known["limit"] = self._page.limit
        if self._trimmed:
            known["notification"] = _TRIMMED
        return known

    def close(self) -> None:
        """Let go of the database, read to the end or not."""
        self._cursor.close()


def frame(result: Result, *, batch_size: int = _BATCH_SIZE) -> Iterator[bytes]:
    """
    Write an answer as the server sends it.

    Args:
        result: The rows; read as the bytes are asked for.
        batch_size: Bytes to gather before they are given out; a single row may be longer.
    """
    batch, size = [b'\n{\n"results" : [ '], 0
    for number, row in enumerate(result):
        batch.append((("," if number else "") + dumps(row)).encode())
        size += len(batch[-1])
        if size >= batch_size:
            yield b"".join(batch)
            batch, size = [], 0
    batch.append(f' ],\n"range" : {dumps(result.range)}\n}}\n'.encode())
    yield b"".join(batch)


class _Layout:
    """What becomes of the columns of the lines that a row of the answer is made of."""

    def __init__(self, shown: Shown, printing: Printing) -> None:
        self.is_nested = shown.is_nested
        self._virtuals_of = printing.virtuals_of if "virtual_repos" in shown.names else None
        prefix = TABLES[shown.domain].prefix if shown.domain in TABLES else ""
        printed = [(index, field) for index, field in enumerate(shown.main, start=1) if field.name != "id"]
        self._main = _Printer(printed, printing, prefix)
        self._branches: list[_BranchLayout] = []
        known: dict[Route, _BranchLayout] = {}
        index, is_alone = 1 + len(shown.main), len(shown.branches) == 1
        for branch in shown.branches:
            known[branch.route] = layout = _BranchLayout(shown.domain, branch, index, printing, is_alone=is_alone)
            before = known.get(branch.route[:-1])
            (before.branches if before else self._branches).append(layout)
            index += 1 + len(branch.fields)

    def row(self, lines: Sequence[_Columns]) -> Row:
        """Merge the lines of what is searched."""
        row = self._main.values(lines[0])
        if self._virtuals_of:
            _set_unless_empty(row, "virtual_repos", list(self._virtuals_of(str(row["repo"]))))
        if not self.is_nested:
            return row
        return _with_branches(row, self._branches, lines)


class _BranchLayout:
    """
    What becomes of the columns of a branch, and of those that continue it.

    Args:
        domain: Domain searched.
        branch: The branch.
        index: Number of its first column.
        printing: How values are shown.
        is_alone: There is no other branch, so every line is a row of this one.
    """

    def __init__(self, domain: str, branch: Branch, index: int, printing: Printing, *, is_alone: bool) -> None:
        table = table_at(domain, branch.route)
        self.array: str = table.array
        self.branches: list[_BranchLayout] = []
        self._id = index
        self._columns = slice(index, index + 1 + len(branch.fields))
        self._printer = _Printer(enumerate(branch.fields, start=index + 1), printing, table.prefix)
        self._omits_empty = branch.is_of_properties
        self._is_alone = is_alone

    def entries(self, lines: Sequence[_Columns]) -> list[Row]:
        """Merge the lines of each row, and leave out rows of which nothing is printed."""
        if self._is_alone:
            return [entry for line in lines if (entry := self._values(line))]
        grouped: dict[object, list[_Columns]] = {}
        for line in lines:
            columns = tuple(line[self._columns])
            if any(value is not None for value in columns):
                grouped.setdefault(columns if columns[0] is None else columns[0], []).append(line)
        return [entry for each in grouped.values() if (entry := self._entry(each))]

    def _entry(self, lines: Sequence[_Columns]) -> Row:
        values = self._values(lines[0])
        return _with_branches(values, self.branches, lines) if self.branches else values

    def _values(self, line: _Columns) -> Row:
        values: Row = self._printer.values(line)
        if self._omits_empty and "" in values.values():
            return {name: value for name, value in values.items() if value != ""}
        return values


def _with_branches(row: Row, branches: Iterable[_BranchLayout], lines: Sequence[_Columns]) -> Row:
    for branch in branches:
        _set_unless_empty(row, branch.array, branch.entries(lines))
    return {name: row[name] for name in sorted(row, key=print_position)}


class _Printer:
    """Printed fields of one table: by column, its name and what its values become."""

    def __init__(self, columns: Iterable[tuple[int, Field]], printing: Printing, prefix: str = "") -> None:
        def date(value: Scalar) -> Scalar | None:
            return printing.format_date(int(value)) if value else None

        self._fields = [
            (index, prefix + field.name, date if field.kind is Kind.DATE else _unchanged) for index, field in columns
        ]

    def values(self, line: _Columns) -> Row:
        """Print the values that are there."""
        found: Row = {}
        for index, name, shown_as in self._fields:
            stored = line[index]
            value = None if stored is None else shown_as(stored)
            if value is not None:
                found[name] = value
        return found


def _unchanged(value: Scalar) -> Scalar:
    return value


def _set_unless_empty(row: Row, name: str, value: list[Row] | list[str]) -> None:
    if value:
        row[name] = value


def _item_path(path: str, name: str) -> str:
    if path != ".":
        return f"{path}/{name}"
    return "" if name == "." else name
