"""
Maven metadata that the server computes: when a pom or a snapshot with a timestamp comes, and when something goes.

See: Artifactory's ``MavenMetadataCalculationInterceptor``
"""

from collections.abc import Iterable

from ..layouts import maven_metadata, names
from ..layouts.maven_metadata import Metadata
from ..protocol.formats import at
from ..repositories.definitions import Repository
from ..storage.store import Checksums, Deployment, Item, Store, join_path

_SYSTEM = "_system_"
_PACKAGE_TYPES = {"gradle", "ivy", "maven", "sbt"}


def after_deploy(repository: Repository, path: str) -> set[str]:
    """Return the folders whose metadata a new file at *path* changes."""
    folder = _parent(path)
    if not _is_computed_in(repository, folder) or maven_metadata.module_of(path) is None:
        return set()
    is_pom, is_snapshot = maven_metadata.is_pom(path), maven_metadata.is_snapshot(folder)
    changed = {folder} if maven_metadata.is_unique_snapshot(path) or (is_pom and is_snapshot) else set()
    return changed | {_parent(folder)} if is_pom else changed


def after_delete(repository: Repository, path: str) -> set[str]:
    """Return the folders whose metadata changes when the file at *path* goes, or a folder as a whole."""
    folder = _parent(path)
    if not folder or not _is_computed_in(repository, folder):
        return set()
    return {folder, _parent(folder)} if maven_metadata.is_pom(path) else {folder}


def before_delete(store: Store, repository: Repository, item: Item) -> set[str]:
    """Return the folders whose metadata changes when *item* goes, or as much of it as may."""
    poms = store.files(item, "*.pom") if item.is_folder else []
    inside = (after_deploy(repository, each) for each in poms)
    return after_delete(repository, item.path).union(*inside)


def _is_computed_in(repository: Repository, folder: str) -> bool:
    if repository.kind != "local":
        return False
    if repository.package_type not in _PACKAGE_TYPES and repository.layout != "maven-2-default":
        return False
    return repository.snapshot_behavior != "deployer" or not maven_metadata.is_snapshot(folder)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def recompute(store: Store, repository: Repository, folders: Iterable[str], now: int) -> None:
    """
    Compute the metadata of *folders* anew, or delete it where there is nothing to describe.

    Args:
        store: Where the files are; all changes are one transaction, or part of the one that runs.
        repository: The local repository of the folders.
        folders: Paths of artifacts and of snapshots; what is no folder is left out.
        now: Epoch milliseconds.
    """
    with store.transaction():
        for path in sorted(folders):
            folder = store.get(repository.key, path) if path else None
            old = store.get(repository.key, join_path(path, names.METADATA)) if folder else None
            if folder is None or not folder.is_folder or (old and old.is_folder):
                continue
            metadata = _computed(store, repository, folder, f"{at(now):%Y%m%d%H%M%S}")
            if metadata:
                _save(store, folder, maven_metadata.document(metadata), now)
            elif old and not _is_misplaced(store, old):
                store.delete(old)


def _computed(store: Store, repository: Repository, folder: Item, updated: str) -> Metadata | None:
    path = folder.path
    if maven_metadata.is_snapshot(path):
        files = [each.path for each in store.children(folder) if not each.is_folder]
        is_unique = repository.snapshot_behavior == "unique"
        return maven_metadata.of_snapshot(path, files, updated, is_unique=is_unique)
    folders = store.folders_with(folder, "*.pom")
    return maven_metadata.of_versions(path, (each.removeprefix(f"{path}/") for each in folders), updated)


def _save(store: Store, folder: Item, data: bytes, now: int) -> None:
    content = store.blobs.add(data)
    original = Checksums(content.sha1, content.md5, content.sha256)
    deployment = Deployment(by=_SYSTEM, now=now, original=original)
    store.put(folder.repo, join_path(folder.path, names.METADATA), content, deployment)


def _is_misplaced(store: Store, item: Item) -> bool:
    """Return whether this is the metadata of a snapshot in the folder of none, as Maven 2 deploys it: that stays."""
    metadata = maven_metadata.parse(store.blob_of(item).read_bytes())
    return metadata is not None and bool(metadata.files) and not maven_metadata.is_snapshot(_parent(item.path))
