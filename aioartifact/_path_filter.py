"""
Which entries of a tree match: by level, kind and patterns.

Patterns are those of pathlib and gitignore, matched segment by segment. ``*`` is any run of characters, ``?`` one,
``[abc]``, ``[a-z]`` and ``[!abc]`` one of some; none of them crosses a slash. ``**`` as a whole segment is any number
of segments, at the end at least one. Upper and lower case differ, a leading dot is a character like others, and
``[*]`` is the star itself.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from typing import TypeAlias

from ._errors import InvalidArgumentError

_MAGIC = re.compile(r"[*?[]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_DEEP = "**"

# One segment of a pattern, as a predicate of names; None is ``**``.
_Part: TypeAlias = Callable[[str], object] | None


@dataclass(frozen=True, slots=True)
class Pattern:
    """
    A pattern for paths below a folder.

    Attributes:
        text: As it was given.
    """

    text: str
    _parts: tuple[_Part, ...] = field(repr=False, compare=False)

    def matches(self, path: str) -> bool:
        """Whether the whole of *path*, relative and raw, fits."""
        return _fits(self._parts, path.split("/"))

    def leads_below(self, folder: str) -> bool:
        """Whether anything below *folder* may fit."""
        names = folder.split("/")
        for part, name in zip(self._parts, names, strict=False):
            if part is None:
                return True
            if not part(name):
                return False
        return len(self._parts) > len(names)

    def covers_below(self, folder: str) -> bool:
        """Whether everything directly below *folder* fits, whatever its name."""
        return self._parts[-1] is _always and _fits(self._parts[:-1], folder.split("/"))

    @property
    def segments(self) -> list[str]:
        """The pattern between its slashes."""
        return self.text.split("/")

    @property
    def folder(self) -> str:
        """The folder that every match lies in, as far as the pattern names it; ``""`` for none."""
        names: list[str] = []
        for segment in self.segments[:-1]:
            if _MAGIC.search(segment):
                break
            names.append(segment)
        return "/".join(names)

    @property
    def depth(self) -> int | None:
        """How many levels down a match lies; None for any number."""
        segments = self.segments
        return None if _DEEP in segments else len(segments)


def parse_pattern(text: str) -> Pattern:
    """
    Read a pattern.

    Raises:
        InvalidArgumentError: If it is not a str, is empty, starts or ends with a slash, or has a segment that is empty,
            ``.`` or ``..``: no path has one.
    """
    segments = _checked(text).split("/")
    for segment in segments:
        if segment in ("", ".", ".."):
            raise InvalidArgumentError(
                f"pattern {text!r}: no path has a segment {segment!r}",
                hint="patterns are relative to a folder, with no slash at either end",
            )
    if segments[-1] == _DEEP:
        segments.append("*")  # everything inside, not the folder itself
    return Pattern(text, tuple(map(_part, segments)))


def _checked(text: object) -> str:
    if not isinstance(text, str) or not text:
        raise InvalidArgumentError(f"pattern {text!r}: expected a text such as '**/*.bin'")
    if _SURROGATE.search(text):
        raise InvalidArgumentError(f"pattern {text!r}: UTF-8 cannot express it, and so no path has it")
    return text


def parse_patterns(patterns: str | Iterable[str]) -> tuple[Pattern, ...]:
    """
    Read one pattern or several.

    Raises:
        InvalidArgumentError: See :func:`parse_pattern`.
    """
    if isinstance(patterns, str):
        return (parse_pattern(patterns),)
    if not isinstance(patterns, Iterable):
        raise InvalidArgumentError(f"patterns {patterns!r}: expected a text or several")
    return tuple(map(parse_pattern, patterns))


def _part(segment: str) -> _Part:
    if segment == _DEEP:
        return None
    if not _MAGIC.search(segment):
        return segment.__eq__
    return _always if not segment.strip("*") else re.compile(translate(segment)).match


def _always(_: str) -> bool:
    return True


def _fits(parts: Sequence[_Part], names: Sequence[str]) -> bool:
    """Match by going back to the last ``**`` only: what one before it could take, the last can take, too."""
    part = name = 0
    deep, tried = -1, 0
    while name < len(names):
        expected = parts[part] if part < len(parts) else _never
        if expected is None:
            deep, tried = part, name
            part += 1
        elif expected(names[name]):
            part, name = part + 1, name + 1
        elif deep >= 0:
            tried += 1
            part, name = deep + 1, tried
        else:
            return False
    return all(each is None for each in parts[part:])


def _never(_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class PathFilter:
    """
    Part of a tree, selected by the paths of entries.

    Attributes:
        depth: How many levels are shown; None for all.
        files: Whether files are shown.
        folders: Whether folders are shown.
        include: Patterns of which an entry must match one, if there are any.
        exclude: Patterns that neither an entry nor a folder above it may match.
        base: Where the folder that is listed lies below the one that depth and patterns count from, with a slash at
            its end; ``""`` where they are the same.
    """

    depth: int | None = None
    files: bool = True
    folders: bool = False
    include: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()
    base: str = ""

    @property
    def item_type(self) -> str:
        """What is shown, as AQL calls it: ``"file"``, ``"folder"`` or ``"any"``."""
        return "any" if self.files and self.folders else "folder" if self.folders else "file"

    @property
    def has_patterns(self) -> bool:
        """Whether patterns may leave something out."""
        return bool(self.include or self.exclude)

    @property
    def levels(self) -> int | None:
        """How many levels below the folder that is listed are shown; None for all."""
        return None if self.depth is None else self.depth - self.base.count("/")

    def matches(self, path: str, *, is_folder: bool) -> bool:
        """Whether the entry at *path*, raw and relative to the folder that is listed, matches."""
        path = self.base + path
        if not (self.folders if is_folder else self.files) or not self._is_near(path):
            return False
        return (not self.include or any(each.matches(path) for each in self.include)) and not self._is_excluded(path)

    def enters(self, path: str) -> bool:
        """Whether anything below the folder at *path* may be shown."""
        path = self.base + path
        if not self._is_near(f"{path}/") or self._is_excluded(path):
            return False
        if any(each.covers_below(path) for each in self.exclude):
            return False
        return not self.include or any(each.leads_below(path) for each in self.include)

    def _is_near(self, path: str) -> bool:
        return self.depth is None or path.count("/") < self.depth

    def _is_excluded(self, path: str) -> bool:
        return bool(self.exclude) and any(each.matches(part) for part in _upwards(path) for each in self.exclude)


ALL_FILES = PathFilter()


def files_matching(include: str | Iterable[str], exclude: str | Iterable[str]) -> PathFilter:
    """
    Part of a tree that are its files with these patterns.

    Raises:
        InvalidArgumentError: If a pattern is none.
    """
    return PathFilter(include=parse_patterns(include), exclude=parse_patterns(exclude))


def _upwards(path: str) -> Iterator[str]:
    yield path
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
