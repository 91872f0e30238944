"""
Lookup tables: flavours of an artifact as rows of a CSV file, in the format of audfactory.

The first column is ``id``, the others are sorted. A value is a flag, a number, a text or nothing, and is read back as
what its text looks like; texts that look like something else are refused. Two values are the same if they are written
alike, so ``1``, ``1.0`` and ``True`` are three.

See: https://audeering.github.io/audfactory/, "Lookup"
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import md5
from typing import TypeAlias

from .._errors import InvalidArgumentError, LookupTableError

Value: TypeAlias = bool | int | float | str | None
Params: TypeAlias = Mapping[str, Value]

_SURROGATES = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Row:
    """
    One flavour.

    Attributes:
        uid: Its ID.
        values: Its values, in the order of the columns.
    """

    uid: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """
    Columns, without ``id``, and rows; every change makes a new table.

    Attributes:
        columns: Names of the columns.
        rows: The rows.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()

    def as_lists(self) -> list[list[Value]]:
        """Header and rows as lists, the first of each the ID."""
        return [["id", *self.columns], *([row.uid, *row.values] for row in self.rows)]

    def encode(self) -> bytes:
        """The file."""
        buffer = io.StringIO(newline="")
        csv.writer(buffer).writerows(self.as_lists())
        return buffer.getvalue().encode()

    def find(self, params: Params) -> str | None:
        """ID of the row with just these values, or None."""
        if set(params) != set(self.columns):
            return None
        wanted = [_written(params[name]) for name in self.columns]
        return next((row.uid for row in self.rows if list(map(_written, row.values)) == wanted), None)

    def row(self, uid: str) -> dict[str, Value]:
        """Values of a row by column; empty if there is no such row."""
        found = next((row.values for row in self.rows if row.uid == uid), ())
        return dict(zip(self.columns, found, strict=bool(found)))

    def with_row(self, uid: str, params: Params) -> "Table":
        """
        Add a row.

        Raises:
            LookupTableError: It exists, or *params* are not the columns.
        """
        shown = dict(sorted(params.items()))
        if self.find(params) is not None:
            raise LookupTableError(f"Entry for '{shown}' already exists.")
        if set(params) != set(self.columns):
            raise LookupTableError(f"Table columns '{list(self.columns)}' do not match parameters '{shown}'")
        return replace(self, rows=(*self.rows, Row(uid, tuple(params[name] for name in self.columns))))

    def without_row(self, uid: str) -> "Table":
        """Remove the first row with this ID."""
        at = next(index for index, row in enumerate(self.rows) if row.uid == uid)
        return replace(self, rows=self.rows[:at] + self.rows[at + 1 :])

    def with_columns(self, params: Params, make_uid: Callable[[Params], str]) -> "Table":
        """
        Add columns with one value for all rows; those that exist stay as they are.

        A table without rows gets its first one if one of the values is not None. Its ID is made of what the row was
        when it came to be, the first of those values included.
        """
        table = self
        for name, value in params.items():
            if name in table.columns:
                continue
            rows = tuple(replace(row, values=(*row.values, value)) for row in table.rows)
            if not rows and value is not None:
                values = (*(None for _ in table.columns), value)
                rows = (Row(make_uid(dict(zip((*table.columns, name), values, strict=True))), values),)
            table = Table((*table.columns, name), rows)
        return table._sorted()

    def _sorted(self) -> "Table":
        order = sorted(range(len(self.columns)), key=self.columns.__getitem__)
        rows = (replace(row, values=tuple(row.values[at] for at in order)) for row in self.rows)
        return Table(tuple(self.columns[at] for at in order), tuple(rows))

    def render(self) -> str:
        """The table as text: columns padded to their longest value, and two blanks between them."""
        texts = [[str(value) for value in row] for row in self.as_lists()]
        widths = [max(map(len, column)) + 2 for column in zip(*texts, strict=True)]
        widths[-1] -= 2
        return "\n".join("".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in texts)


def read_table(content: bytes, where: str) -> Table:
    """
    Read the file.

    Args:
        content: Its bytes.
        where: What to call it in messages.

    Raises:
        LookupTableError: If it is not a such table.
    """
    try:
        lines = [line for line in csv.reader(io.StringIO(content.decode(), newline="")) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise LookupTableError(f"{where}: is not a lookup table: {error}") from None
    if not lines or lines[0][0] != "id":
        raise LookupTableError(f"{where}: is not a lookup table: its first column is not 'id'")
    header, *rows = lines
    if odd := next((row for row in rows if len(row) != len(header)), None):
        raise LookupTableError(
            f"{where}: is not a lookup table: row {odd[0]!r} has {len(odd)} of {len(header)} columns"
        )
    return Table(tuple(header[1:]), tuple(Row(row[0], tuple(map(_read, row[1:]))) for row in rows))


_WORDS: Mapping[str, Value] = {"": None, "True": True, "False": False}


def _read(text: str) -> Value:
    if text in _WORDS:
        return _WORDS[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _written(value: Value) -> str:
    return "" if value is None else str(value)


def check_params(params: object) -> dict[str, Value]:
    """
    Return *params* as a dictionary that is sorted by name.

    Raises:
        InvalidArgumentError: If a value would be read back as something else, or a name would.
    """
    given = check_mapping(params)
    for name, value in given.items():
        check_column(name)
        _check_value(value)
    return dict(sorted(given.items()))


def check_mapping(params: object) -> dict[str, Value]:
    """
    Return *params* as a dictionary.

    Raises:
        InvalidArgumentError: If it is not a mapping.
    """
    if not isinstance(params, Mapping):
        raise InvalidArgumentError(f"params is a {type(params).__name__}; expected a mapping of columns to values")
    return dict(params)


def check_columns(names: object) -> list[str]:
    """
    Return *names* sorted.

    Raises:
        InvalidArgumentError: If they are no names, or one cannot be that of a column or comes twice.
    """
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise InvalidArgumentError(f"params is a {type(names).__name__}; expected names of columns")
    columns = [check_column(name) for name in names]
    if len(set(columns)) != len(columns):
        raise InvalidArgumentError(f"params={columns!r}: a column comes twice")
    return sorted(columns)


def check_column(name: object) -> str:
    """
    Return *name* if it can be that of a column.

    Raises:
        InvalidArgumentError: If it cannot.
    """
    if not isinstance(name, str) or name in {"", "id"}:
        raise InvalidArgumentError(f"{name!r} cannot be a column; expected a text other than '' and 'id'")
    _check_value(name)
    return name


def _check_value(value: object) -> None:
    # Subclasses, such as numpy's numbers, would be written in ways of their own.
    if type(value) not in {bool, float, int, type(None), str}:
        raise InvalidArgumentError(
            f"'params' can only contain values of type: bool, float, int, NoneType, str. Yours includes {type(value)}"
        )
    if isinstance(value, str):
        _check_text(value)


def _check_text(value: str) -> None:
    read = _read(value) if value != "None" else None
    if not isinstance(read, str):
        raise InvalidArgumentError(f"'{value}' is forbidden, use the {type(read).__name__} {value} instead")
    if value.splitlines() != [value]:
        raise InvalidArgumentError(f"{value!r} is forbidden: other readers of the table split it at line breaks")
    if _SURROGATES.search(value) or len(value) > csv.field_size_limit():
        raise InvalidArgumentError(f"{value[:20]!r} is forbidden: it cannot be written, or not be read back")


def uid_of(text: str) -> str:
    """A hash of *text* in the shape of a UUID: 32 hexadecimal digits in five groups."""
    digits = md5(text.encode(), usedforsecurity=False).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
