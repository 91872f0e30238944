"""Wildcard patterns, and the range of texts they can match."""

from dataclasses import dataclass

_HIGHEST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Texts from *start* up to but not including *stop*, in the order of code points (and of UTF-8)."""

    start: str
    stop: str


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
