"""The action for each path, computed from two listings."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .._checksums import ALGORITHMS, Algorithm, checksum_file
from .sync_plan import Direction, SyncAction, SyncFile


@dataclass(frozen=True, slots=True)
class Sides:
    """
    Both sides of a sync. Keys are paths as the destination's file system distinguishes them.

    Attributes:
        wanted: Files of the source.
        found: Files of the destination.
        obstacles: Other entries of the destination, such as links, with their descriptions.
        unfit: Files of the source that the destination cannot store, by path, with the reasons.
        linked: Those of *found* that are symbolic links or their targets. Only transfers may write to them, and nothing
            is copied from them, because they change together.
    """

    wanted: Mapping[str, SyncFile]
    found: Mapping[str, SyncFile]
    obstacles: Mapping[str, str] = field(default_factory=dict)
    unfit: Mapping[str, str] = field(default_factory=dict)
    linked: frozenset[str] = frozenset()


def has_twins(keys: Iterable[str], paths: Iterable[str]) -> bool:
    """Return whether different *paths* have equal keys; *keys* has the same order."""
    first: dict[str, str] = {}
    return any(first.setdefault(key, path) != path for key, path in zip(keys, paths, strict=True))


def needed_digests(
    local: Mapping[str, SyncFile], remote: Mapping[str, SyncFile], direction: Direction
) -> dict[str, frozenset[Algorithm]]:
    """
    Return which checksums of which local files are needed, by key.

    They are those of files with the same path and size on both sides, and, to detect renamed files, those with the size
    of a file to transfer.
    """
    movable = _movable(local, remote, direction)
    needed: dict[str, frozenset[Algorithm]] = {}
    for key, file in local.items():
        other = remote.get(key)
        if other is not None and other.size == file.size:
            algorithms = _told(other)
        else:
            algorithms = frozenset(movable.get(file.size, ()))
        if algorithms:
            needed[key] = algorithms
    return needed


def _told(file: SyncFile) -> frozenset[Algorithm]:
    strongest = file.checksums.strongest()
    return frozenset(strongest[:1]) if strongest else frozenset()


def _movable(
    local: Mapping[str, SyncFile], remote: Mapping[str, SyncFile], direction: Direction
) -> dict[int, set[Algorithm]]:
    """Return the checksums of files on the server whose content may be under another name, too, by size."""
    movable: dict[int, set[Algorithm]] = defaultdict(set)
    for key, file in remote.items():
        same = local.get(key)
        # An upload may find its content under any name on the server. A download searches for missing content only.
        if file.size and (direction == "upload" or same is None or same.size != file.size):
            movable[file.size] |= _told(file)
    return movable


def decide(sides: Sides, direction: Direction, *, delete: bool) -> tuple[SyncAction, ...]:
    """
    Return the action for each path, sorted by path.

    Content is only copied from files that are not replaced: unchanged ones, and those that the source does not have.
    """
    kept = {key for key, file in sides.wanted.items() if _is_kept(file, sides.found.get(key))}
    lasting = {
        key: file
        for key, file in sides.found.items()
        if (key in kept or key not in sides.wanted) and key not in sides.linked
    }
    spare = {key: file for key, file in lasting.items() if delete and key not in sides.wanted}
    matcher = _Matcher(sides, direction, kept, _Contents(lasting), spare)
    actions = [SyncAction("conflict", path, reason=reason) for path, reason in sides.unfit.items()]
    actions += [matcher.decide(key) for key in sorted(sides.wanted)]
    actions += [SyncAction("delete", file.path, target=file) for file in spare.values()]
    return tuple(sorted(actions, key=lambda action: action.path))


def _is_kept(wanted: SyncFile, found: SyncFile | None) -> bool:
    return found is not None and found.has_content_of(wanted)


class _Contents:
    """Files by content."""

    def __init__(self, files: Mapping[str, SyncFile]) -> None:
        self._keys: dict[tuple[str, str], str] = {}
        for key, file in files.items():
            # Creating an empty file is as fast as copying one.
            for content in _contents(file) if file.size else ():
                self._keys.setdefault(content, key)

    def find(self, wanted: SyncFile) -> str | None:
        """Return the key of a file with the content of *wanted*."""
        return next((self._keys[content] for content in _contents(wanted) if content in self._keys), None)


def _contents(file: SyncFile) -> Iterator[tuple[str, str]]:
    for algorithm in ALGORITHMS:
        if value := file.checksums.get(algorithm):
            yield algorithm, value


class _Matcher:
    """Decides on one path after the other; renames a file only once."""

    def __init__(
        self,
        sides: Sides,
        direction: Direction,
        kept: set[str],
        contents: _Contents,
        spare: dict[str, SyncFile],
    ) -> None:
        self._sides = sides
        self._direction = direction
        self._kept = kept
        self._contents = contents
        self._spare = spare
        self._folders = {folder for key in (*sides.found, *sides.obstacles) for folder in _folders_of(key)}

    def decide(self, key: str) -> SyncAction:
        source, target = self._sides.wanted[key], self._sides.found.get(key)
        path = source.path
        if key in self._kept:
            return SyncAction("keep", path, source, target)
        if reason := self._in_the_way(key):
            return SyncAction("conflict", path, source, target, reason=reason)
        # Servers do not store checksum files, so they cannot be copied by content.
        is_claim = self._direction == "upload" and checksum_file(path) is not None
        # A rename would replace the link.
        origin_key = None if is_claim or key in self._sides.linked else self._contents.find(source)
        if origin_key is None:
            return SyncAction("fetch" if self._direction == "download" else "send", path, source, target)
        if origin_key in self._spare:
            return SyncAction("rename", path, source, target, self._spare.pop(origin_key))
        return SyncAction("copy", path, source, target, self._sides.found[origin_key])

    def _in_the_way(self, key: str) -> str:
        """Return why a file cannot be written to this path; ``""`` if it can."""
        if key in self._folders:
            return "a folder of this name is in the way"
        if key in self._sides.obstacles:
            return f"{self._sides.obstacles[key]} of this name is in the way"
        for folder in _folders_of(key):
            what = "a file" if folder in self._sides.found else self._sides.obstacles.get(folder)
            if what:
                return f"{what} is in the way: {folder}"
        return ""


def _folders_of(key: str) -> Iterator[str]:
    while "/" in key:
        key = key.rpartition("/")[0]
        yield key
