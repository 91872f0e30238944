"""
Matrix parameters of a download against the properties of an item; blank values do not count on either side.

``key=value`` conflicts where the item has the key with other values; ``key+=value`` also where it lacks it.
"""

from collections.abc import Iterable, Mapping, Sequence

Matrix = Sequence[tuple[str, str]]
Properties = Mapping[str, Iterable[str]]


def conflicts(matrix: Matrix, properties: Properties) -> bool:
    """Return whether an item with these *properties* may not be served."""
    has = _without_blanks(properties)
    return not all(_fits(key, values, has) for key, values in _wanted(matrix).items())


def is_exact(matrix: Matrix, properties: Properties) -> bool:
    """Return whether an item has all the values that are asked for, rather than lacking some of the keys."""
    has = _without_blanks(properties)
    return all(not values or has.get(key.removesuffix("+")) == values for key, values in _wanted(matrix).items())


def _without_blanks(properties: Properties) -> dict[str, set[str]]:
    return {key: kept for key, values in properties.items() if (kept := set(filter(None, values)))}


def _wanted(matrix: Matrix) -> dict[str, set[str]]:
    wanted: dict[str, set[str]] = {}
    for key, value in matrix:
        wanted.setdefault(key, set()).update(filter(None, (value,)))
    return wanted


def _fits(key: str, values: set[str], has: Mapping[str, set[str]]) -> bool:
    found = has.get(key.removesuffix("+"))
    if key.endswith("+"):
        return found is not None and (not values or found == values)
    return not values or found is None or found == values
