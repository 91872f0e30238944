"""The queries this library sends on its own."""

from .conditions import le, match
from .criteria import Criteria, any_of, has_property, where
from .items import Items, items

LISTED = ("repo", "path", "name", "type", "size", "created", "modified", "sha256", "actual_sha1", "actual_md5")


def folders_in(repository: str, path: str) -> str:
    """
    Query for the folders directly in a folder.

    Raises:
        InvalidArgumentError: AQL cannot express repository or path.
    """
    return str(items(repo=repository, path=path or ".", type="folder").include("repo", "path", "name"))


def entries_below(repository: str, path: str, *, item_type: str, depth: int | None = None) -> Items:
    """
    Query for what lies in a folder, on every level.

    ``*`` and ``?`` in *path* also match other characters, so rows may lie elsewhere: compare their path.

    Args:
        repository: Repository key.
        path: The folder; ``""`` for the repository.
        item_type: ``"file"``, ``"folder"`` or ``"any"``.
        depth: How many levels down; None for all.

    Raises:
        InvalidArgumentError: AQL cannot express repository or path.
    """
    query = items(repo=repository, type=item_type).include(*LISTED)
    if depth is not None:
        query = query.where(depth=le(len(path.split("/")) * bool(path) + depth))
    return query.where(_below(path)) if path else query


def files_with_property(repository: str, path: str, name: str) -> str:
    """
    Query for the files in a folder, on every level, that have a property, with all properties they have.

    Only some editions would send just the one. For wildcards in *path* see :func:`entries_below`.

    Raises:
        InvalidArgumentError: AQL cannot express repository, path or name.
    """
    return str(items(has_property(name), _below(path), repo=repository).include("repo", "path", "name", "property"))


def _below(path: str) -> Criteria:
    return any_of(where(path=path), where(path=match(f"{path}/*")))
