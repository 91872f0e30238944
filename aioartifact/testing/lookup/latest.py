"""
The latest of a module in place of a token: ``[RELEASE]``, ``[INTEGRATION]``, or ``SNAPSHOT`` without timestamp (Pro).

The path is read by the layout of the repository; candidates are files of the same module, extension and classifier
that the user may read and whose properties do not conflict with the matrix parameters.

See: artifactory-http.md, 5.10, after ``LocalLatestVersionResolver``
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ..layouts import names
from ..layouts.layout import LAYOUTS, Layout, ModuleInfo
from ..layouts.maven_order import MavenKey, maven_key
from ..protocol import matrix
from ..repositories.definitions import Repository
from ..storage import searches
from ..storage.store import Item
from ..wire.exchange import Exchange

_RELEASE = "[RELEASE]"
_INTEGRATION = "[INTEGRATION]"
_SNAPSHOT = "SNAPSHOT"
_TOKENS = r"|\[INTEGRATION\]|\[RELEASE\]"


@dataclass(frozen=True, slots=True)
class _Candidate:
    item: Item
    module: ModuleInfo
    version: MavenKey


def translated(exchange: Exchange) -> str:
    """Return the path of the file the request means; its own path where that has no token, or none is there."""
    asked = exchange.target.item_path
    path, checksum = names.split_checksum(asked)
    if exchange.instance.edition == "oss" or not _has_token(path):
        return asked
    return _with_checksum(_latest(exchange, path) or path, checksum)


def of_snapshot(exchange: Exchange) -> str:
    """Return the path under which the newest ``...-SNAPSHOT`` of the request was stored; in every edition."""
    path, checksum = names.split_checksum(exchange.target.item_path)
    found = _latest(exchange, path) if _is_snapshot(path) else None
    return _with_checksum(found or path, checksum)


def _with_checksum(path: str, checksum: str) -> str:
    return f"{path}.{checksum}" if checksum else path


def _has_token(path: str) -> bool:
    """Return whether there is something to translate; the two tokens do not go together."""
    if (_RELEASE in path) != (_INTEGRATION in path):
        return True
    return _is_snapshot(path) and _RELEASE not in path


def _is_snapshot(path: str) -> bool:
    return f"-{_SNAPSHOT}" in path.rpartition("/")[2]


def _latest(exchange: Exchange, path: str) -> str | None:
    candidates = list(_candidates(exchange, path))
    if not candidates:
        return None
    if _RELEASE in path:
        return _latest_release(path, candidates)
    if _INTEGRATION in path:
        return max(candidates, key=lambda each: (each.item.created, each.version)).item.path
    repository = exchange.instance.repositories[candidates[0].item.repo]
    if repository.snapshot_behavior == "deployer":
        return max(candidates, key=lambda each: (each.item.modified, each.version)).item.path
    return max(candidates, key=lambda each: each.version).item.path


def _latest_release(path: str, candidates: Iterable[_Candidate]) -> str:
    """Return the file of the highest release, that with the very path asked for if several are."""
    best = max(candidates, key=lambda each: (each.version, each.item.path == _filled(path, each), each.item.path))
    return best.item.path


def _filled(path: str, candidate: _Candidate) -> str:
    return path.replace(_RELEASE, candidate.module.base_revision)


def _candidates(exchange: Exchange, path: str) -> Iterator[_Candidate]:
    for repository in exchange.instance.storing(exchange.target.repository):
        layout = LAYOUTS.get(repository.layout)
        wanted = _with_tokens(layout).parse(path) if layout else None
        if layout and wanted:
            for item in _files_beside(exchange, repository, path):
                module = layout.parse(item.path)
                if module and _is_candidate(wanted, module) and _may_be_served(exchange, item):
                    yield _Candidate(item, module, maven_key(layout.version(module)))


def _with_tokens(layout: Layout) -> Layout:
    """Return a layout that reads the tokens as integration revisions, too."""
    return replace(
        layout,
        folder_integration=layout.folder_integration + _TOKENS,
        file_integration=layout.file_integration + _TOKENS,
    )


def _files_beside(exchange: Exchange, repository: Repository, path: str) -> list[Item]:
    """Return the files with the same extension below the last folder of *path* that is free of tokens."""
    folders = path.split("/")[:-1]
    fixed = next((index for index, each in enumerate(folders) if "[" in each), len(folders))
    pattern = "/".join([*folders[:fixed], "*." + path.rpartition(".")[2]])
    with exchange.instance.store.reader() as connection:
        found = searches.find(connection, [searches.FILES, searches.at([repository.key], pattern)])
        return [item for item, _ in found]


def _is_candidate(wanted: ModuleInfo, module: ModuleInfo) -> bool:
    if _identity(wanted) != _identity(module):
        return False
    revision = wanted.base_revision
    if _RELEASE in revision:
        return not module.is_integration
    if _INTEGRATION not in revision and revision != module.base_revision:
        return False
    is_unique = module.file_integration not in ("", _SNAPSHOT)
    return module.is_integration if wanted.file_integration != _SNAPSHOT else is_unique


def _identity(module: ModuleInfo) -> tuple[str, ...]:
    return module.organization, module.module, module.ext, module.classifier


def _may_be_served(exchange: Exchange, item: Item) -> bool:
    if not exchange.instance.accounts.can(exchange.user, "r", item.repo, item.path):
        return False
    asked = exchange.target.matrix
    return not asked or not matrix.conflicts(asked, exchange.instance.store.properties(item))
