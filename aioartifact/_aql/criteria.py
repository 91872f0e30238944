"""Criteria: fields with conditions, and groups of them."""

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
    Fields of items that a query can compare.

    Attributes:
        repo: Repository key; that of a virtual repository means its members.
        path: Parent folder of the item, without leading and trailing slashes; ``"."`` for the root of the repository.
        name: Last segment.
        type: ``"file"``, ``"folder"`` or ``"any"``; ``"file"`` by default.
        size: Size in bytes.
        depth: Levels below the repository; 1 for items in its root.
        created: When the item was deployed.
        modified: When its content was last modified.
        updated: When the content or the metadata last changed.
        created_by: User who deployed it.
        modified_by: User who last modified it.
        sha256: SHA-256 in lower-case hexadecimal.
        actual_sha1: SHA-1 in lower-case hexadecimal.
        actual_md5: MD5 in lower-case hexadecimal.
        original_sha1: SHA-1 that the client sent with the deployment.
        original_md5: MD5 that the client sent with the deployment.
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
    """Conditions that are all met; returned by :func:`where`, :func:`any_of` and similar functions."""

    filters: tuple[str, ...]

    def __str__(self) -> str:
        return "{" + ",".join(self.filters) + "}"


def where(*criteria: Criteria, **fields: Unpack[ItemFields]) -> Criteria:
    """
    Match items that meet all criteria, and whose fields meet all conditions.

    Raises:
        InvalidArgumentError: If AQL cannot express a value, or a field is not one of :class:`ItemFields`.
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
    Match a field by its name in AQL, also one of another domain: ``field("stat.downloads", gt(0))``.

    Raises:
        InvalidArgumentError: If *name* cannot be a field, or AQL cannot express *value*.
    """
    if not _FIELD.fullmatch(expect_text("field", name)):
        raise InvalidArgumentError(f"{name!r}: cannot be a field; expected a name such as 'stat.downloads'")
    condition = value if isinstance(value, Condition) else Condition("$eq", value)
    return Criteria((f'"{name}":{condition}',))


def has_property(key: str, value: str | Condition = "*") -> Criteria:
    """
    Match items with a property, of any value or of a matching one.

    Args:
        key: Its key.
        value: str, with the wildcards ``*`` and ``?``, or a condition.

    Raises:
        InvalidArgumentError: If *key* cannot be the key of a property, or AQL cannot express the value.
    """
    string(key)
    return field(f"@{key}", value)


def any_of(*criteria: Criteria) -> Criteria:
    """
    Match items that meet at least one of the criteria.

    Raises:
        InvalidArgumentError: If there are no criteria, or one has no conditions.
    """
    return _group("$or", criteria)


def all_of(*criteria: Criteria) -> Criteria:
    """
    Match items that meet all criteria, as a group.

    Raises:
        InvalidArgumentError: If there are no criteria, or one has no conditions.
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
