"""What a repository of any kind shows to readers: its own items, its cache's, its members' as one tree."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from heapq import merge

from ..storage.store import Item, walk
from ..wire.exchange import Exchange


def enter_cache(exchange: Exchange) -> None:
    """Let the cache answer for a remote repository, under its own name."""
    repository = exchange.instance.repositories.get(exchange.target.repository)
    if repository and repository.kind == "remote":
        exchange.target = exchange.target.in_repository(repository.cache.key)


def is_virtual(exchange: Exchange) -> bool:
    """Return whether the path names a virtual repository."""
    repository = exchange.instance.repositories.get(exchange.target.repository)
    return repository is not None and repository.kind == "virtual"


def stored(exchange: Exchange, path: str | None = None) -> list[Item]:
    """Return every item at *path*, by default that of the request; that of the member searched first in front."""
    target, store = exchange.target, exchange.instance.store
    path = target.item_path if path is None else path
    found = (store.get(each.key, path) for each in exchange.instance.storing(target.repository))
    return [item for item in found if item]


def visible(exchange: Exchange) -> list[Item]:
    """Return those of the items at the path that the user may know of."""
    return [item for item in stored(exchange) if exchange.can_see(item)]


def shown(exchange: Exchange, item: Item) -> Item:
    """Return *item* as one of the repository that was asked."""
    return replace(item, repo=exchange.target.repository)


def children(exchange: Exchange, folders: Sequence[Item]) -> list[Item]:
    """Return what the user can see directly in *folders*, of one name the first: folders first, then by name."""
    found: dict[str, Item] = {}
    for folder in folders:
        for child in exchange.instance.store.children(folder):
            if exchange.can_see(child):
                found.setdefault(child.name, child)
    return sorted(found.values(), key=lambda child: (not child.is_folder, child.name))


def walk_all(exchange: Exchange, connection: sqlite3.Connection, folders: Sequence[Item]) -> Iterator[Item]:
    """Yield what the user can see anywhere below *folders*, of one path the first, in the order of the paths."""
    last = None
    for item in merge(*(walk(connection, folder) for folder in folders), key=_place):
        if _place(item) != last and exchange.can_see(item):
            last = _place(item)
            yield item


def _place(item: Item) -> tuple[str, str]:
    return item.parent, item.name
