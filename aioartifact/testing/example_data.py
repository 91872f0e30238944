"""The data that the examples of the documentation use."""

from .control import Control

REPOSITORY = "data-public"
_VERSIONS = ("1.0.0", "1.1.0", "1.1.1")
_NAMES = ("a.wav", "b.wav", "c.wav")


def store_example_data(server: Control) -> None:
    """
    Store three versions of a small dataset, ``emodb/db`` in the repository ``data-public``.

    Each has an archive and a folder ``media`` with three files. In a folder of data that has them already, they are
    stored again.
    """
    if not server.has_repository(REPOSITORY):
        server.create_repository(REPOSITORY)
    for version in _VERSIONS:
        folder = f"{REPOSITORY}/emodb/db/{version}"
        server.put(f"{folder}/db-{version}.zip", f"archive {version}".encode())
        for name in _NAMES:
            server.put(f"{folder}/media/{name}", f"{name} of {version}".encode())
