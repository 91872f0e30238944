"""
From the path of a download to the file that is served: in a local repository, a cache, from afar, in a virtual one.

Settings of the repository come first, then permission, then existence, then matrix parameters, as in the real
server; so that items of other users stay hidden.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..layouts import maven_metadata, names
from ..layouts.maven_metadata import Metadata
from ..protocol import matrix
from ..protocol.replies import RefusalError, Reply, refuse
from ..repositories.definitions import Repository
from ..storage.store import Item
from ..wire.exchange import Exchange
from ..wire.upstream import ORIGINATED, Order, Page, UpstreamError

_FORBIDDEN = (401, 403)
_BROKEN = 500


@dataclass(frozen=True, slots=True)
class Found:
    """
    What a download is answered with.

    Attributes:
        repository: The local repository, cache or remote repository that serves it.
        item: A file, or a folder for which the client has to add a slash.
        checksum: Extension if a checksum of the file was asked for instead of the file, else ``""``.
        is_exact: Whether the item has every property that matrix parameters ask for.
    """

    repository: Repository
    item: Item
    checksum: str = ""
    is_exact: bool = True

    @property
    def is_stored(self) -> bool:
        """Whether the item can be looked up; one that is merged cannot, nor one that its remote repository drops."""
        if self.repository.kind == "virtual":
            return False
        return self.repository.kind != "remote" or self.repository.store_locally


async def find(exchange: Exchange, repository: Repository, path: str) -> Found:
    """
    Find what a download of *path* from *repository* is answered with.

    Raises:
        RefusalError: If it is not to be had, or not for this user.
    """
    if exchange.instance.origin in _origins(exchange):
        address = f"{repository.key}:{path}"
        refuse(404, f"Recursive call detected for '{address}'. Returning nothing.", servlet=True)
    if (
        repository.kind == "virtual"
        and names.is_metadata(path)
        and (found := await _merged(exchange, repository, path))
    ):
        return found
    if repository.kind == "virtual":
        return await _find_in_members(exchange, repository, path)
    return await _find_in(exchange, repository, path)


def demand_allowed(repository: Repository, path: str, *, is_deploy: bool = False) -> None:
    """
    Let through what the settings of *repository* do not keep from being served or deployed.

    Raises:
        RefusalError: 404 or 409 with the reason.
    """
    if rejected := repository.rejection(path, is_deploy=is_deploy):
        status, message = rejected
        refuse(status, message, servlet=True)


async def _find_in_members(exchange: Exchange, virtual: Repository, path: str) -> Found:
    """
    Search the members; one that has what matrix parameters ask for wins over one that has no such property.

    Raises:
        RefusalError: No member has the file; 401 or 403 if one that may not be read could.
    """
    demand_allowed(virtual, path)
    refused: Reply | None = None
    found: Found | None = None
    for member in _search_order(exchange, virtual):
        if found and member.kind == "remote":
            break  # nothing is fetched while something is here
        try:
            candidate = await _find_in(exchange, member, path)
        except RefusalError as refusal:
            if refusal.reply.status == _BROKEN:
                raise
            refused = refused or (refusal.reply if refusal.reply.status in _FORBIDDEN else None)
            continue
        if member.kind == "cache" and not exchange.upstream.is_fresh(member, candidate.item):
            continue  # its remote repository comes later, and may have newer
        if candidate.is_exact:
            return candidate
        found = found or candidate
    if found:
        return found
    if refused:
        raise RefusalError(refused)
    return refuse(404, "Could not find resource", servlet=True)


async def _merged(exchange: Exchange, virtual: Repository, path: str) -> Found | None:
    """
    Merge the metadata of all members into one document, in a blob of no item; None where fewer than two have some.

    Raises:
        RefusalError: The settings of *virtual* keep it from being served, or a member fails hard.
    """
    demand_allowed(virtual, path)
    target, checksum = names.split_checksum(path)
    documents: list[tuple[Item, Metadata]] = []
    for member in _searched_for_metadata(exchange, virtual):
        item = await _metadata_in(exchange, member, target)
        metadata = maven_metadata.parse(exchange.instance.store.blob_of(item).read_bytes()) if item else None
        if item and metadata:
            documents.append((item, metadata))
    if len(documents) < 2:  # nothing to merge
        return None
    content = exchange.instance.store.blobs.add(
        maven_metadata.document(maven_metadata.merged(metadata for _, metadata in documents))
    )
    newest = max((item for item, _ in documents), key=lambda item: item.modified)
    item = replace(
        newest,
        id=0,
        repo=virtual.key,
        size=content.size,
        sha1=content.sha1,
        md5=content.md5,
        sha256=content.sha256,
    )
    return Found(virtual, item, checksum)


def _searched_for_metadata(exchange: Exchange, virtual: Repository) -> list[Repository]:
    """Return the members in their order, without the caches of remote ones that are searched as well."""
    members = list(_search_order(exchange, virtual))
    caches = {each.cache.key for each in members if each.kind == "remote"}
    return [each for each in members if each.key not in caches]


async def _metadata_in(exchange: Exchange, member: Repository, path: str) -> Item | None:
    try:
        item = (await _find_in(exchange, member, path)).item
    except RefusalError as refusal:
        if refusal.reply.status == _BROKEN:
            raise
        return None
    return None if item.is_folder or not _has_blob(exchange, item) else item


def _has_blob(exchange: Exchange, item: Item) -> bool:
    """Return whether the bytes are here: those of a file that is not kept are fetched for GET only."""
    return item.sha256 is not None and exchange.instance.store.blob_of(item).exists()


async def pages(exchange: Exchange, repository: Repository, path: str) -> list[tuple[Repository, Page]]:
    """
    Fetch a document of every remote repository behind *repository*; those that do not have it are left out.

    Raises:
        RefusalError: 500, one of them fails hard.
    """
    found = []
    for remote in _remotes(exchange, repository):
        try:
            order = Order(remote, path, exchange.user.name, _origins(exchange))
            found.append((remote, await exchange.upstream.page(order)))
        except UpstreamError as error:
            if error.status == _BROKEN:
                refuse(error.status, str(error), servlet=True)
    return found


def _search_order(exchange: Exchange, virtual: Repository) -> Iterator[Repository]:
    """Yield local repositories, then caches, then remote ones, each in the order of the members."""
    yield from exchange.instance.storing(virtual.key)
    yield from _remotes(exchange, virtual)


def _remotes(exchange: Exchange, repository: Repository) -> list[Repository]:
    """Return the remote repositories that may be asked for a request to *repository*."""
    if repository.kind == "remote":
        return [repository]
    if repository.kind != "virtual" or (_origins(exchange) and not repository.retrieves_for_servers):
        return []
    return [each for each in exchange.instance.real_members(repository) if each.kind == "remote"]


async def _find_in(exchange: Exchange, repository: Repository, path: str) -> Found:
    demand_allowed(repository, path)
    demand_read(exchange, repository, path)
    found = _stored(exchange, repository, path) or await _fetched(exchange, repository, path)
    if found.item.is_folder or not exchange.target.matrix:
        return found
    properties = exchange.instance.store.properties(found.item)
    if matrix.conflicts(exchange.target.matrix, properties):
        message = f"File '{repository.key}:{path}' was found, but mandatory properties do not match."
        refuse(404, message, servlet=True)
    is_exact = matrix.is_exact(exchange.target.matrix, properties)
    return Found(repository, found.item, found.checksum, is_exact)


def demand_read(exchange: Exchange, repository: Repository, path: str) -> None:
    """
    Let only readers of the path through; for folders also those who may read something inside.

    Raises:
        RefusalError: 401, 403 or 404 by the rules for reading.
    """
    instance, user = exchange.instance, exchange.user
    if user.admin:
        return
    keys = [each.key for each in instance.storing(repository.key)]
    if any(instance.accounts.can(user, "r", key, path) for key in keys):
        return
    items = (instance.store.get(key, path) for key in keys)
    if any(item and exchange.can_see(item) for item in items):
        return
    message = f"Download request for repo:path '{repository.key}:{path}' is forbidden for user: '{user.name}'."
    exchange.deny_read(message, servlet=True)


def _stored(exchange: Exchange, repository: Repository, path: str) -> Found | None:
    """Look where nothing has to be fetched; a checksum is there where its file is."""
    key = repository.storage_key or repository.key
    item = exchange.instance.store.get(key, path)
    if item and _is_fresh(exchange, repository, item):
        return Found(repository, item)
    target, checksum = names.split_checksum(path)
    item = exchange.instance.store.get(key, target) if checksum else None
    if item and not item.is_folder and _is_fresh(exchange, repository, item):
        return Found(repository, item, checksum)
    return None


def _is_fresh(exchange: Exchange, repository: Repository, item: Item) -> bool:
    return repository.kind != "remote" or exchange.upstream.is_fresh(repository, item)


async def _fetched(exchange: Exchange, repository: Repository, path: str) -> Found:
    if repository.kind != "remote":
        refuse(404, "File not found.", servlet=True)
    target, checksum = names.split_checksum(path)
    order = Order(repository, target, exchange.user.name, _origins(exchange))
    try:
        if repository.store_locally:
            item = await exchange.upstream.keep(order)
        else:
            only_look = exchange.request.method == "HEAD"
            item = await exchange.upstream.pass_through(order, only_look=only_look)
    except UpstreamError as error:
        refuse(error.status, str(error), servlet=True)
    return Found(repository, item, checksum)


def _origins(exchange: Exchange) -> tuple[str, ...]:
    return tuple(exchange.request.headers.getall(ORIGINATED, ()))
