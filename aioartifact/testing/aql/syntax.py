"""What a query says, as values: the tree between the parser and the compiler; and the error of one that is refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from .fields import Field, PropertyKey, Selection


class AQLError(Exception):
    """
    The query is refused.

    Attributes:
        message: Text of the answer, as the server words it; sent bare, not as JSON.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Operator(Enum):
    """Comparison of a field with a value, by its spelling."""

    EQ = "$eq"
    NE = "$ne"
    GT = "$gt"
    GTE = "$gte"
    LT = "$lt"
    LTE = "$lte"
    MATCH = "$match"
    NMATCH = "$nmatch"
    LAST = "$last"
    BEFORE = "$before"


class Junction(Enum):
    """How the criteria of a group are taken together, by its spelling."""

    AND = "$and"
    OR = "$or"
    SAME_PROPERTY = "$msp"
    RESULT_FILTER = "$rf"


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    One field or property against one value.

    Attributes:
        subject: What is compared; a PropertyKey stands for the values of that property.
        operator: How.
        value: Text as written, numbers included; None for ``null``.
    """

    subject: Field | PropertyKey
    operator: Operator
    value: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Criteria taken together."""

    junction: Junction
    criteria: "tuple[Criterion, ...]"

    def comparisons(self) -> Iterator[Comparison]:
        """Yield every comparison in the group, on every level."""
        for criterion in self.criteria:
            if isinstance(criterion, Group):
                yield from criterion.comparisons()
            else:
                yield criterion

    def groups(self, junction: Junction) -> "Iterator[Group]":
        """Yield the groups with *junction* in this one, on every level but not within each other."""
        for criterion in self.criteria:
            if isinstance(criterion, Group):
                found = criterion.junction is junction
                yield from (criterion,) if found else criterion.groups(junction)


Criterion = Comparison | Group


@dataclass(frozen=True, slots=True)
class Sort:
    """Order of the rows: one direction for all fields."""

    descending: bool
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """
    A query as written.

    Attributes:
        domain: Domain searched, in the singular: ``"item"`` for ``items.find``.
        criteria: What rows must satisfy; an empty group accepts all.
        include: Entries of the include section; none when it is missing.
        sort: Order of the rows, or None.
        offset: Rows skipped; 0 by default.
        limit: Most rows wanted, or None for all.
        distinct: Equal rows are given once; True by default.
        transitive: Remote repositories are to be asked as well; accepted, without effect.
    """

    domain: str
    criteria: Group
    include: tuple[Selection, ...] = ()
    sort: Sort | None = None
    offset: int = 0
    limit: int | None = None
    distinct: bool = True
    transitive: bool = False
