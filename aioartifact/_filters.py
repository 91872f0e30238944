"""Conditions on entries of a listing, in addition to patterns of paths."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime

from ._errors import InvalidArgumentError
from ._models import FileInfo, FolderInfo

_DATES = ("created_after", "created_before", "modified_after", "modified_before")


@dataclass(frozen=True, slots=True)
class Filter:
    """
    Conditions on entries of a listing; all of them must be met. Folders have no size.

    Attributes:
        min_size: Minimum size in bytes.
        max_size: Maximum size in bytes.
        created_after: Deployed after this date; all dates need a time zone.
        created_before: Deployed before this date.
        modified_after: Last modified after this date.
        modified_before: Last modified before this date.
        properties: Values by key; ``*`` matches any text and ``?`` any character, so ``"*"`` matches every value.

    Raises:
        InvalidArgumentError: If a size is not an integer, a date has no time zone, *properties* is not a mapping, or a
            key or value in it is empty.
    """

    min_size: int | None = None
    max_size: int | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    modified_after: datetime | None = None
    modified_before: datetime | None = None
    properties: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("min_size", "max_size"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
                raise InvalidArgumentError(f"{name}={value!r}: expected a number of bytes")
        for name in _DATES:
            value = getattr(self, name)
            if value is not None and (not isinstance(value, datetime) or value.utcoffset() is None):
                raise InvalidArgumentError(f"{name}={value!r}: expected a datetime with a time zone")
        _check_properties(self.properties)

    @property
    def is_empty(self) -> bool:
        """Whether there are no conditions."""
        return all(getattr(self, each.name) in (None, {}) for each in fields(self))

    def lacks(self, entry: FileInfo | FolderInfo) -> bool:
        """Return whether *entry* lacks a required value: a listing may omit sizes and dates."""
        needs_size = (self.min_size is not None or self.max_size is not None) and isinstance(entry, FileInfo)
        needs_created = self.created_after is not None or self.created_before is not None
        needs_modified = self.modified_after is not None or self.modified_before is not None
        return (
            (needs_size and isinstance(entry, FileInfo) and entry.size is None)
            or (needs_created and entry.created is None)
            or (needs_modified and entry.modified is None)
        )

    def admits(self, entry: FileInfo | FolderInfo) -> bool:
        """Return whether size and dates of *entry* match; a missing value does not."""
        size = entry.size if isinstance(entry, FileInfo) else None
        return (
            _is_between(size, self.min_size, self.max_size)
            and _is_inside(entry.created, self.created_after, self.created_before)
            and _is_inside(entry.modified, self.modified_after, self.modified_before)
        )

    def admits_properties(self, properties: Mapping[str, Sequence[str]]) -> bool:
        """Return whether *properties* match."""
        return all(
            any(_wildcards(wanted).fullmatch(value) for value in properties.get(key, ()))
            for key, wanted in self.properties.items()
        )


def _check_properties(properties: object) -> None:
    if not isinstance(properties, Mapping):
        raise InvalidArgumentError(f"properties is a {type(properties).__name__}; expected values by key")
    for key, wanted in properties.items():
        _check_property(key, wanted)


def _check_property(key: object, wanted: object) -> None:
    if not isinstance(key, str) or not key or not isinstance(wanted, str):
        raise InvalidArgumentError(f"properties: {key!r}: {wanted!r}: expected a key and a text")


def _is_between(value: int | None, least: int | None, most: int | None) -> bool:
    if least is None and most is None:
        return True
    return value is not None and (least is None or value >= least) and (most is None or value <= most)


def _is_inside(value: datetime | None, after: datetime | None, before: datetime | None) -> bool:
    if after is None and before is None:
        return True
    return value is not None and (after is None or value > after) and (before is None or value < before)


def _wildcards(text: str) -> re.Pattern[str]:
    written = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in text)
    return re.compile(written, re.DOTALL)
