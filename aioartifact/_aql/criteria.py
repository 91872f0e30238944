"""Which items are meant: fields with conditions, and groups of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypedDict, Unpack

from .._address import expect_text
from .._errors import InvalidArgumentError
from .conditions import Condition, Value, string

Text: TypeAlias = str | Condition | None
Number: TypeAlias = int | Condition | None
Date: TypeAlias = datetime | Condition | None

_FIELD = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*|([a-z_]+\.)*@[^\s\"]+")


class ItemFields(TypedDict, total=False):
    """
    Fields of items that a query can ask for.

    Attributes:
        repo: Repository key; that of a virtual repository stands for its members.
        path: Folder the item lies in, without slashes at its ends; ``"."`` for the root of the repository.
        name: Last segment.
        type: ``"file"``, ``"folder"`` or ``"any"``; files if left out.
        size: Bytes.
        depth: Levels below the repository: 1 for what lies in its root.
        created: When it was deployed here.
        modified: When its content was last modified.
        updated: When anything about it last changed.
        created_by: User who deployed it.
        modified_by: User who last modified it.
        sha256: Checksum in lower-case hexadecimal.
        actual_sha1: Likewise.
        actual_md5: Likewise.
        original_sha1: As the client that deployed it said.
        original_md5: Likewise.
    """

    repo: Text
    path: Text
    name: Text
    type: str
    size: Number
    depth: Number
    created: Date
    modified: Date
    updated: Date
    created_by: Text
    modified_by: Text
    sha256: Text
    actual_sha1: Text
    actual_md5: Text
    original_sha1: Text
    original_md5: Text


@dataclass(frozen=True, slots=True)
class Criteria:
    """Conditions that all hold together; made by :func:`where`, :func:`any_of` and their like."""

    filters: tuple[str, ...]

    def __str__(self) -> str:
        return "{" + ",".join(self.filters) + "}"


def where(*criteria: Criteria, **fields: Unpack[ItemFields]) -> Criteria:
    """
    All of these: other criteria, and fields with a value or a condition.

    Raises:
        InvalidArgumentError: AQL cannot express a value, or a field is none of :class:`ItemFields`.
    """
    filters = [each for group in criteria for each in _checked(group).filters]
    return Criteria((*filters, *_fields(fields)))


def _fields(fields: ItemFields) -> Iterator[str]:
    known: dict[str, Any] = {**fields}
    for name, value in known.items():
        if name not in ItemFields.__annotations__:
            hint = "field() takes those of other nouns" if _FIELD.fullmatch(name) else None
            raise InvalidArgumentError(f"{name!r}: items have no such field", hint=hint)
        yield from field(name, value).filters


def field(name: str, value: Value | Condition) -> Criteria:
    """
    One field by its name in AQL, also of another noun: ``field("stat.downloads", gt(0))``.

    Raises:
        InvalidArgumentError: If *name* cannot be a field, or AQL cannot express *value*.
    """
    if not _FIELD.fullmatch(expect_text("field", name)):
        raise InvalidArgumentError(f"{name!r}: cannot be a field; expected a name such as 'stat.downloads'")
    condition = value if isinstance(value, Condition) else Condition("$eq", value)
    return Criteria((f'"{name}":{condition}',))


def has_property(key: str, value: str | Condition = "*") -> Criteria:
    """
    A property of the item, with any value, or with one that fits.

    Args:
        key: Its key.
        value: Text, in which ``*`` and ``?`` are wildcards here, or a condition.

    Raises:
        InvalidArgumentError: No property can have that key, or AQL cannot express the value.
    """
    string(key)
    return field(f"@{key}", value)


def any_of(*criteria: Criteria) -> Criteria:
    """
    At least one of these.

    Raises:
        InvalidArgumentError: If there are none, or one has no conditions.
    """
    return _group("$or", criteria)


def all_of(*criteria: Criteria) -> Criteria:
    """
    Each of these, as one group.

    Raises:
        InvalidArgumentError: If there are none, or one has no conditions.
    """
    return _group("$and", criteria)


def _group(operator: str, criteria: tuple[Criteria, ...]) -> Criteria:
    if not criteria or not all(_checked(each).filters for each in criteria):
        raise InvalidArgumentError(f"{operator} of nothing; expected criteria with at least one condition each")
    return Criteria((f'"{operator}":[{",".join(map(str, criteria))}]',))


def _checked(criteria: Criteria) -> Criteria:
    if not isinstance(criteria, Criteria):
        raise InvalidArgumentError(f"{criteria!r}: expected criteria, as where() and any_of() make them")
    return criteria
