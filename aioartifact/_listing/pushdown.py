"""What of a search AQL can do, so that less has to come; what it finds too much is left out here."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from .._aql import Criteria, any_of, ge, gt, has_property, le, lt, match, where
from .._errors import InvalidArgumentError
from .._filters import Filter
from .._patterns import Pattern
from .._scope import Scope

_MILLISECOND = timedelta(milliseconds=1)
# What ``$match`` takes for itself or, in Artifactory 6, gets wrong, and what AQL cannot spell: any text stands for it.
_NOT_PLAIN = re.compile(r"\[[!]?\]?[^\]]*\]|[^\w.,:;=@~+ -]|_|\A\s+")


def criteria(scope: Scope, wanted: Filter | None) -> Iterator[Criteria]:
    """
    Yield what no entry that is looked for fails.

    Raises:
        InvalidArgumentError: AQL cannot ask for a property, which nothing in the rows would tell.
    """
    if names := _names(scope.include):
        yield any_of(*(where(name=match(name)) for name in names))
    if wanted is not None:
        yield from _sizes(wanted)
        yield from _dates(wanted)
        yield from (_property(key, value) for key, value in wanted.properties.items())


def _names(include: Iterable[Pattern]) -> list[str]:
    """Patterns for the last segment, one of which fits; none where that could be any."""
    names = sorted({coarse(pattern.segments[-1]) for pattern in include})
    return [] if "*" in names else names


def coarse(segment: str) -> str:
    """A pattern for ``$match`` that fits whatever *segment* fits, and perhaps more."""
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
