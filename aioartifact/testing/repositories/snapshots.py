"""Names under which snapshots are stored: with a timestamp or without, as the repository wants it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import attrgetter

from ..layouts.layout import LAYOUTS, ModuleInfo
from ..protocol.formats import at
from .definitions import Repository

_SNAPSHOT = "SNAPSHOT"


@dataclass(frozen=True, slots=True)
class _Build:
    """A deployed snapshot: its number, and its revision, timestamp and number, in file names."""

    number: int
    revision: str


def stored_path(repository: Repository, path: str, siblings: Callable[[], Iterable[str]], now_ms: int) -> str:
    """
    Return where a file deployed at *path* is stored.

    A repository for unique snapshots gives ``app-1.0-SNAPSHOT.jar`` the revision of the newest build in the folder,
    as long as that build has no such file yet, else that of a new build. [U] The real server looks into its metadata
    for the newest build.

    Args:
        repository: Its layout defines what a snapshot is, and its settings how it is stored.
        path: Path in the request.
        siblings: Returns the paths of the files in the same folder.
        now_ms: Epoch milliseconds, for the timestamp.
    """
    layout = LAYOUTS.get(repository.layout)
    module = layout.parse(path) if layout else None
    if layout is None or module is None or module.folder_integration != _SNAPSHOT or not module.file_integration:
        return path
    is_unique = module.file_integration != _SNAPSHOT
    if repository.snapshot_behavior == "non-unique" and is_unique:
        return _renamed(path, module, _SNAPSHOT)
    if repository.snapshot_behavior == "unique" and not is_unique:
        found = (layout.parse(each) for each in siblings())
        return _renamed(path, module, _revision(module, [each for each in found if each], now_ms))
    return path


def _renamed(path: str, module: ModuleInfo, revision: str) -> str:
    folder, _, name = path.rpartition("/")
    start = f"{module.module}-{module.base_revision}-"
    rest = name.removeprefix(start).removeprefix(module.file_integration)
    return f"{folder}/{start}{revision}{rest}"


def _revision(module: ModuleInfo, there: list[ModuleInfo], now_ms: int) -> str:
    newest = max(
        (_build(each) for each in there if each.file_integration != _SNAPSHOT), key=attrgetter("number"), default=None
    )
    taken = {(each.file_integration, each.classifier, each.ext) for each in there}
    if newest and (newest.revision, module.classifier, module.ext) not in taken:
        return newest.revision
    return f"{at(now_ms):%Y%m%d.%H%M%S}-{newest.number + 1 if newest else 1}"


def _build(module: ModuleInfo) -> _Build:
    return _Build(int(module.file_integration.rpartition("-")[2]), module.file_integration)
