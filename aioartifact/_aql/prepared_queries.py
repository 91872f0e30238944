"""The queries that this library sends for its own calls."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from .conditions import le, match
from .criteria import Criteria, any_of, has_property, where
from .item_query import KEY, Items, items

LISTED = ("repo", "path", "name", "type", "size", "created", "modified", "sha256", "actual_sha1", "actual_md5")
# `aql.search.query.size.limit` of Artifactory 7 is 6,000 characters; the rest of a query takes about a hundred.
_MAX_CRITERIA = 5_700
_FEW_QUERIES = 3


def folders_in(repository: str, path: str) -> str:
    """
    Query for the folders directly in a folder.

    Raises:
        InvalidArgumentError: If AQL cannot express repository or path.
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
        InvalidArgumentError: If AQL cannot express repository or path.
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


def folders_in_each(repository: str, paths: Iterable[str]) -> Iterator[str]:
    """
    Few queries for the folders directly in each of many folders.

    Where naming every path would take more than three queries, folders that hold many of them are asked for as a
    whole, so rows may lie elsewhere: compare their path.

    Raises:
        InvalidArgumentError: If AQL cannot express repository or path.
    """
    criteria = {path: where(path=path) for path in paths}
    _share(criteria, sum(map(_size, criteria.values())) - _FEW_QUERIES * _MAX_CRITERIA)
    for alternatives in _packed(dict.fromkeys(criteria.values())):
        yield str(items(any_of(*alternatives), repo=repository, type="folder").include(*KEY))


def _share(criteria: dict[str, Criteria], excess: int) -> None:
    """Put one criterion in the place of those of many neighbours, until *excess* characters are saved."""
    neighbours: dict[str, list[str]] = defaultdict(list)
    for path in criteria:
        parent, slash, _ = path.rpartition("/")
        if slash:
            neighbours[parent].append(path)
    for parent, paths in sorted(neighbours.items(), key=lambda each: -len(each[1])):
        depth = parent.count("/") + 3  # of what is in a folder in *parent*; 1 is that of a name in the root
        shared = where(path=match(f"{parent}/*"), depth=depth)
        saved = sum(_size(criteria[path]) for path in paths) - _size(shared)
        if excess > 0 and saved > 0:
            criteria.update(dict.fromkeys(paths, shared))
            excess -= saved


def _packed(criteria: Iterable[Criteria]) -> Iterator[list[Criteria]]:
    """Put *criteria* together that fit into one query."""
    packed: list[Criteria] = []
    size = 0
    for each in criteria:
        if packed and size + _size(each) > _MAX_CRITERIA:
            yield packed
            packed, size = [], 0
        packed.append(each)
        size += _size(each)
    yield packed


def _size(criteria: Criteria) -> int:
    return len(str(criteria)) + len(",")
