"""A file is stored, together with what the server makes of it."""

from dataclasses import replace

from ..protocol import build_info
from ..repositories.definitions import BUILD_INFO_TYPE, Repository
from ..storage import builds
from ..storage.blobs import Content
from ..storage.store import Deployment, Item, Store
from . import computed_metadata, python_packages


def store_file(store: Store, repository: Repository, path: str, content: Content, deployment: Deployment) -> Item:
    """
    Record a file whose blob is stored already, in one transaction with the metadata that it changes.

    It reads a Python package for the properties that the index needs, and build info for what it describes, so call it
    in a thread for these. Build info that is not where it belongs is a file like any other.

    Raises:
        BuildInfoError: If the repository is for build info, and the file is something else.
        NotAFileError: If *path* is a folder.
        NotAFolderError: If one of its parents is a file.
    """
    if python_packages.is_indexed(repository, path):
        found = python_packages.properties_of_file(store.blobs.path(content.sha256), path.rpartition("/")[2])
        deployment = replace(deployment, properties={**(deployment.properties or {}), **found})
    with store.transaction():
        item = store.put(repository.key, path, content, deployment)
        if repository.package_type == BUILD_INFO_TYPE:
            document = build_info.parse_document(store.blob_of(item).read_bytes())
            if build_info.run_of(document).path == path:
                builds.record(store, item, document)
        folders = computed_metadata.after_deploy(repository, path)
        computed_metadata.recompute(store, repository, folders, deployment.now)
    return item
