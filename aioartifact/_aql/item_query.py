"""Queries for items: values that are built step by step, and converted to AQL."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

from .._address import expect_text
from .._errors import InvalidArgumentError
from .conditions import gt, string
from .criteria import Criteria, ItemFields, any_of, field, where

# The fields that identify an item; without them, only administrators get rows.
KEY = ("repo", "path", "name")
_FIELDS = frozenset(ItemFields.__annotations__)


@dataclass(frozen=True, slots=True)
class Items:
    """
    A query for items, returned by :func:`items`; methods return a new query, and ``str()`` returns the AQL.

    Attributes:
        criteria: Criteria of the items.
        included: Fields of each row, see :meth:`include`; ``()`` for the default ones.
        order: Fields to sort the rows by; ``()`` for no order.
        is_descending: Whether to sort in descending order.
        start: Number of rows to skip.
        most: Maximum number of rows; None for all.
    """

    criteria: Criteria
    included: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    is_descending: bool = False
    start: int = 0
    most: int | None = None

    def where(self, *criteria: Criteria, **fields: Unpack[ItemFields]) -> "Items":
        """
        Add criteria, which must be met, too.

        Raises:
            InvalidArgumentError: See :func:`where`.
        """
        return replace(self, criteria=where(self.criteria, *criteria, **fields))

    def include(self, *names: str) -> "Items":
        """
        Choose the fields of each row.

        Fields of items replace the default ones, except for repo, path and name. Other domains, such as ``"property"``,
        ``"stat"`` and ``"@key"``, are added as nested lists.

        Raises:
            InvalidArgumentError: If AQL cannot express a name.
        """
        for name in names:
            string(name)
        wanted = (*KEY, *names) if any(name in _FIELDS for name in names) else names
        return replace(self, included=tuple(dict.fromkeys((*self.included, *wanted))))

    def sort(self, *fields: str, descending: bool = False) -> "Items":
        """
        Sort the rows; needs Artifactory Pro.

        Raises:
            InvalidArgumentError: If there are no fields, or one is not that of an item.
        """
        unknown = [field for field in fields if expect_text("field", field) not in _FIELDS]
        if unknown or not fields:
            raise InvalidArgumentError(f"sort({', '.join(map(repr, unknown))}): expected fields of items")
        return replace(self, order=fields, is_descending=descending)

    def offset(self, count: int) -> "Items":
        """
        Skip rows at the beginning.

        Raises:
            InvalidArgumentError: If *count* is not an integer of at least 0.
        """
        return replace(self, start=_count("offset", count, least=0))

    def limit(self, count: int) -> "Items":
        """
        Limit the number of rows.

        Raises:
            InvalidArgumentError: If *count* is not an integer of at least 1.
        """
        return replace(self, most=_count("limit", count, least=1))

    def without(self, names: Collection[str]) -> "Items":
        """Remove included fields; others are ignored."""
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
        """Whether further requests can return the next rows if a server limits their number."""
        is_free = not (self.order or self.start or self.most is not None)
        return is_free and all(name in _FIELDS for name in self.included)

    def page(self, order: Sequence[str], last: Sequence[str] | None) -> "Items":
        """
        Return a query for the rows after *last*, in the order of these fields; all rows if *last* is None.

        It uses a key instead of an offset, so that rows added or removed in between do not shift others.

        Raises:
            InvalidArgumentError: If AQL cannot express *last*.
        """
        query = replace(self, order=tuple(order))
        return query if last is None else query.where(_behind(order, last))


def items(*criteria: Criteria, **fields: Unpack[ItemFields]) -> Items:
    """
    Find items that meet all criteria; only files, unless *type* is passed.

    ::

        items(repo="models", path=match("speech/*"), size=gt(1_000_000)).include("sha256").limit(10)

    Raises:
        InvalidArgumentError: If AQL cannot express a value, or a field is not one of :class:`ItemFields`.
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
