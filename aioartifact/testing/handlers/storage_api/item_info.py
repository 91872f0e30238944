"""``GET /api/storage/{repository}/{path}``: file info, folder info, file list, statistics."""

from collections.abc import Sequence

from ...lookup import views
from ...protocol import jackson, media
from ...protocol.replies import VENDOR, Reply, json_reply, refuse
from ...storage.store import Item
from ...wire.exchange import Exchange
from ..request_checks import negotiated
from . import aspects, filelist, properties

_FILE_INFO = f"{VENDOR}storage.FileInfo+json"
_FOLDER_INFO = f"{VENDOR}storage.FolderInfo+json"
_STATS = f"{VENDOR}storage.StatsInfo+json"
_NOT_FOUND = "Unable to find item"


async def get(exchange: Exchange) -> Reply:
    """Answer what is asked for, in its media type only."""
    views.enter_cache(exchange)
    reply = await _answer(exchange)
    negotiated(exchange, reply.headers["Content-Type"])
    return reply


async def _answer(exchange: Exchange) -> Reply:
    """Answer by the first of these query parameters that is present, whatever its value."""
    query = exchange.target.query
    if "list" in query:
        return await filelist.get(exchange)
    if "storageinfo" in query:
        return _info(exchange)
    if "stats" in query:
        return _stats(exchange)
    if "lastModified" in query:
        aspects.demand_local(exchange)
        return await aspects.last_modified(exchange, find_readable(exchange, _NOT_FOUND))
    if "properties" in query:
        return properties.of_storage(exchange)
    if "propertiesXml" in query:
        return properties.xml_of_storage(exchange)
    if "permissions" in query:
        aspects.demand_local(exchange)
        return aspects.permissions(exchange, find_readable(exchange, _NOT_FOUND))
    return _info(exchange)


def _info(exchange: Exchange) -> Reply:
    item = find_readable(exchange, "Not Found" if views.is_virtual(exchange) else _NOT_FOUND)
    return _folder_info(exchange, item) if item.is_folder else json_reply(_file_document(exchange, item), _FILE_INFO)


def find_readable(exchange: Exchange, missing: str) -> Item:
    """
    Return the item of the path; permission is checked before existence.

    In a virtual repository, it is that of the first member; members that the user may not read do not count.

    Raises:
        RefusalError: 401, 403 or 404 by the rules for reading; 404 with *missing* where there is none.
    """
    found = views.visible(exchange)
    if not found and not views.is_virtual(exchange) and not exchange.can("r"):
        message = f"Request for '{exchange.address}' is forbidden for user: '{exchange.user.name}'."
        exchange.deny_read(message, servlet=False)
    return views.shown(exchange, found[0]) if found else refuse(404, missing)


def checksums_of(item: Item) -> dict[str, str]:
    """Return the actual checksums, as every document prints them."""
    return _present({"sha1": item.sha1, "md5": item.md5, "sha256": item.sha256})


def original_checksums_of(item: Item) -> dict[str, str]:
    """Return what the client supplied; the SHA-256 is always the actual one here."""
    return _present({"sha1": item.original.sha1, "md5": item.original.md5, "sha256": item.sha256})


def _present(values: dict[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value is not None}


def _common(exchange: Exchange, item: Item) -> dict[str, jackson.JSON]:
    iso = exchange.instance.iso
    by = _present({"createdBy": item.created_by})
    changed_by = _present({"modifiedBy": item.modified_by})
    return {
        "repo": item.repo,
        "path": f"/{item.path}",
        "created": iso(item.created),
        **by,
        "lastModified": iso(item.modified),
        **changed_by,
        "lastUpdated": iso(item.updated),
    }


def search_document(exchange: Exchange, item: Item) -> dict[str, jackson.JSON]:
    """Return the file or folder info as searches print it: of a file, every checksum the client supplied."""
    if item.is_folder:
        return _folder_document(exchange, item, [item])
    original = item.original
    supplied = _present({"sha1": original.sha1, "md5": original.md5, "sha256": original.sha256})
    return _file_document(exchange, item) | {"originalChecksums": supplied}


def _file_document(exchange: Exchange, item: Item) -> dict[str, jackson.JSON]:
    return _common(exchange, item) | {
        "downloadUri": exchange.link(item.repo, item.path),
        **_remote_url(exchange, item),
        "mimeType": media.content_type(item.name),
        "size": str(item.size),
        "checksums": checksums_of(item),
        "originalChecksums": original_checksums_of(item),
        "uri": exchange.link("api/storage", item.repo, item.path),
    }


def _remote_url(exchange: Exchange, item: Item) -> dict[str, str]:
    """Return the origin of a cached file."""
    repository = exchange.instance.repositories[item.repo]
    return {"remoteUrl": f"{repository.url.rstrip('/')}/{item.path}"} if repository.kind == "cache" else {}


def _folder_document(exchange: Exchange, item: Item, folders: Sequence[Item]) -> dict[str, jackson.JSON]:
    children = views.children(exchange, folders)
    return _common(exchange, item) | {
        "children": [{"uri": f"/{child.name}", "folder": child.is_folder} for child in children],
        "uri": exchange.link("api/storage", item.repo, item.path),
    }


def _folder_info(exchange: Exchange, item: Item) -> Reply:
    folders = [each for each in views.visible(exchange) if each.is_folder]
    return json_reply(_folder_document(exchange, item, folders), _FOLDER_INFO, headers={"Cache-Control": "no-store"})


def _stats(exchange: Exchange) -> Reply:
    item = find_readable(exchange, "Unable to find item path")
    stats = exchange.instance.store.stats(item)
    document: dict[str, jackson.JSON] = {
        "uri": exchange.link(item.repo, item.path),
        "downloadCount": stats.downloads,
        "lastDownloaded": stats.downloaded or 0,
        **_present({"lastDownloadedBy": stats.downloaded_by}),
        "remoteDownloadCount": 0,
        "remoteLastDownloaded": 0,
    }
    return json_reply(document, _STATS)
