"""Which entries of a tree match: by level, kind and patterns."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ._patterns import Pattern, parse_patterns


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
