"""A file is stored, together with what the server makes of it."""

from dataclasses import replace

from ..repositories.definitions import Repository
from ..storage.blobs import Content
from ..storage.store import Deployment, Item, Store
from . import computed_metadata, python_packages


def store_file(store: Store, repository: Repository, path: str, content: Content, deployment: Deployment) -> Item:
    """
    Record a file whose blob is stored already, in one transaction with the metadata that it changes.

    It reads a Python package for the properties that the index needs, so call it in a thread for one.

    Raises:
        NotAFileError: If *path* is a folder.
        NotAFolderError: If one of its parents is a file.
    """
    if python_packages.is_indexed(repository, path):
        found = python_packages.properties_of_file(store.blobs.path(content.sha256), path.rpartition("/")[2])
        deployment = replace(deployment, properties={**(deployment.properties or {}), **found})
    with store.transaction():
        item = store.put(repository.key, path, content, deployment)
        folders = computed_metadata.after_deploy(repository, path)
        computed_metadata.recompute(store, repository, folders, deployment.now)
    return item
