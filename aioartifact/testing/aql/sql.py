"""Pieces of SQL with their parameters, how they combine, and the range of texts that a wildcard pattern can match."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from .syntax import AQLError

Parameter = str | int | None

_CHAIN = 50  # conditions in a row
_MAX_PATTERN = 50_000  # bytes; SQLITE_LIMIT_LIKE_PATTERN_LENGTH, where SQLite gives up in the middle of the rows
_HIGHEST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class SQL:
    """A piece of SQL text and the values of its question marks, in order."""

    text: str
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """Texts from *start* up to but not including *stop*, in the order of code points (and of UTF-8)."""

    start: str
    stop: str


TRUE = SQL("1")
FALSE = SQL("0")


def every(conditions: Sequence[SQL]) -> SQL:
    """Join conditions that must all hold; none at all is true."""
    return _joined(conditions, "AND") if conditions else TRUE


def some(conditions: Sequence[SQL]) -> SQL:
    """Join conditions of which one must hold; none at all is false."""
    return _joined(conditions, "OR") if conditions else FALSE


def _joined(conditions: Sequence[SQL], word: str) -> SQL:
    # Chains of chains: the depth SQLite allows an expression is soon used up by one chain, and the depth it
    # allows for parentheses by halving.
    if len(conditions) == 1:
        return conditions[0]
    if len(conditions) > _CHAIN:
        size = max(_CHAIN, -(-len(conditions) // _CHAIN))
        parts = [conditions[start : start + size] for start in range(0, len(conditions), size)]
        return _joined([_joined(part, word) for part in parts], word)
    text = f" {word} ".join(condition.text for condition in conditions)
    return SQL(f"({text})", tuple(chain.from_iterable(condition.parameters for condition in conditions)))


def within(column: str, bounds: Bounds) -> SQL:
    """Keep a column within bounds."""
    return SQL(f"({column} >= ? AND {column} < ?)", (bounds.start, bounds.stop))


def matches(column: str, pattern: str) -> SQL:
    """
    Compare a column with a pattern, case-sensitively: ``*`` is any text, ``?`` one character.

    The literal beginning becomes a range of its own, which an index can serve.

    Raises:
        AQLError: If the pattern is longer than SQLite compares.
    """
    if literal_prefix(pattern) == pattern:
        return SQL(f"{column} = ?", (pattern,))
    glob = pattern.replace("[", "[[]")
    if len(glob.encode()) > _MAX_PATTERN:
        raise AQLError("The pattern of a match is too long")
    bounds = pattern_bounds(pattern)
    matching = SQL(f"{column} GLOB ?", (glob,))
    return every([within(column, bounds), matching]) if bounds else matching


def literal_prefix(pattern: str) -> str:
    """Cut *pattern* before its first wildcard, ``*`` or ``?``; all of it if it has none."""
    wildcards = [position for wildcard in "*?" if (position := pattern.find(wildcard)) >= 0]
    return pattern[: min(wildcards, default=len(pattern))]


def pattern_bounds(pattern: str) -> Bounds | None:
    """Bound the texts that match *pattern*; None where nothing literal starts it."""
    prefix = literal_prefix(pattern)
    if prefix == pattern:
        return Bounds(pattern, pattern + "\0")
    stem = prefix.rstrip(_HIGHEST)
    if not stem:
        return None
    following = ord(stem[-1]) + 1
    # Surrogates are no characters: the order goes on behind them.
    return Bounds(prefix, stem[:-1] + chr(0xE000 if following == 0xD800 else following))
