"""Queries for items, as values that are built step by step and printed as AQL."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

from .._address import expect_text
from .._errors import InvalidArgumentError
from .conditions import gt, string
from .criteria import Criteria, ItemFields, any_of, field, where

# The fields that identify an item; without them a server returns nothing to users who are not administrators.
KEY = ("repo", "path", "name")
_FIELDS = frozenset(ItemFields.__annotations__)


@dataclass(frozen=True, slots=True)
class Items:
    """
    A query for items; :func:`items` makes it, each method returns a new one, and ``str()`` prints it.

    Attributes:
        criteria: Which items are meant.
        included: Names to be in each row beside or instead of the default ones; ``()`` for these.
        order: Fields the rows are sorted by; ``()`` for no order.
        is_descending: Whether the last comes first.
        start: How many rows are left out at the beginning.
        most: How many rows there are at most; None for all.
    """

    criteria: Criteria
    included: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    is_descending: bool = False
    start: int = 0
    most: int | None = None

    def where(self, *criteria: Criteria, **fields: Unpack[ItemFields]) -> "Items":
        """
        Only those that meet this, too.

        Raises:
            InvalidArgumentError: See :func:`where`.
        """
        return replace(self, criteria=where(self.criteria, *criteria, **fields))

    def include(self, *names: str) -> "Items":
        """
        Have these in each row.

        Fields come instead of the default ones, together with repo, path and name; other nouns, such as
        ``"property"``, ``"stat"`` and ``"@key"``, beside them, as nested lists.

        Raises:
            InvalidArgumentError: AQL cannot express a name.
        """
        for name in names:
            string(name)
        wanted = (*KEY, *names) if any(name in _FIELDS for name in names) else names
        return replace(self, included=tuple(dict.fromkeys((*self.included, *wanted))))

    def sort(self, *fields: str, descending: bool = False) -> "Items":
        """
        Sort the rows; Artifactory's open-source edition refuses that.

        Raises:
            InvalidArgumentError: If there are no fields, or one is not that of an item.
        """
        unknown = [field for field in fields if expect_text("field", field) not in _FIELDS]
        if unknown or not fields:
            raise InvalidArgumentError(f"sort({', '.join(map(repr, unknown))}): expected fields of items")
        return replace(self, order=fields, is_descending=descending)

    def offset(self, count: int) -> "Items":
        """
        Leave rows out at the beginning.

        Raises:
            InvalidArgumentError: If *count* is not an integer of at least 0.
        """
        return replace(self, start=_count("offset", count, least=0))

    def limit(self, count: int) -> "Items":
        """
        Return no more rows than that.

        Raises:
            InvalidArgumentError: If *count* is not an integer of at least 1.
        """
        return replace(self, most=_count("limit", count, least=1))

    def without(self, names: Collection[str]) -> "Items":
        """Leave these out of each row; those that are not included do not matter."""
        return replace(self, included=tuple(name for name in self.included if name not in names))

    def __str__(self) -> str:
        query = f"items.find({self.criteria if self.criteria.filters else ''})"
        if self.included:
            query += f".include({_names(self.included)})"
        if self.order:
            query += f'.sort({{"{"$desc" if self.is_descending else "$asc"}":[{_names(self.order)}]}})'
        query += f".offset({self.start})" if self.start else ""
        return query + ("" if self.most is None else f".limit({self.most})")

    @property
    def is_pageable(self) -> bool:
        """Whether a server that trims the rows can be asked for the next ones, since the order is ours."""
        is_free = not (self.order or self.start or self.most is not None)
        return is_free and all(name in _FIELDS for name in self.included)

    def page(self, order: Sequence[str], last: Sequence[str] | None) -> "Items":
        """
        The rows behind *last*, in the order of these fields; all rows if there is none.

        A key rather than an offset: rows that come and go in between shift no others out of sight.

        Raises:
            InvalidArgumentError: AQL cannot express *last*.
        """
        query = replace(self, order=tuple(order))
        return query if last is None else query.where(_behind(order, last))


def items(*criteria: Criteria, **fields: Unpack[ItemFields]) -> Items:
    """
    Find items: those that meet all criteria; files only, unless *type* is given.

    ::

        items(repo="models", path=match("speech/*"), size=gt(1_000_000)).include("sha256").limit(10)

    Raises:
        InvalidArgumentError: AQL cannot express a value, or a field is none of :class:`ItemFields`.
    """
    return Items(where(*criteria, **fields))


def _behind(order: Sequence[str], last: Sequence[str]) -> Criteria:
    """Later in one field, and the same in those before it."""
    same = [field(name, value) for name, value in zip(order, last, strict=True)]
    later = [field(name, gt(value)) for name, value in zip(order, last, strict=True)]
    return any_of(*(where(*same[:at], later[at]) for at in range(len(later))))


def _names(names: tuple[str, ...]) -> str:
    return ",".join(map(string, names))


def _count(what: str, value: object, *, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidArgumentError(f"{what} {value!r}: expected a whole number of at least {least}")
    return value
