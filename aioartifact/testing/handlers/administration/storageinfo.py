"""``api/storageinfo``: the storage summary, which is calculated on request and kept until the next calculation."""

import shutil
from functools import partial
from pathlib import Path

from ...protocol import jackson
from ...protocol.formats import human, percentage
from ...protocol.replies import Reply, json_reply
from ...repositories.definitions import Repository
from ...storage.storage_summary import Held, Summary, summarize
from ...wire.exchange import Exchange

_CONTENT_TYPE = "application/json"


async def get(exchange: Exchange) -> Reply:
    """Answer with the latest summary; the first request calculates one."""
    exchange.demand_admin()
    summary = exchange.instance.storage_summary or await _calculate(exchange)
    return json_reply(_document(exchange, summary), _CONTENT_TYPE)


async def calculate(exchange: Exchange) -> Reply:
    """Calculate the summary anew; this is complete when the server answers, which a real one does not promise."""
    exchange.demand_admin()
    await _calculate(exchange)
    message = "Calculating storage summary scheduled to run successfully"
    return json_reply({"info": message}, _CONTENT_TYPE, status=202)


async def _calculate(exchange: Exchange) -> Summary:
    instance = exchange.instance
    with instance.store.reader() as connection:
        summary = instance.storage_summary = await instance.in_thread(partial(summarize, connection))
    return summary


def _document(exchange: Exchange, summary: Summary) -> jackson.JSON:
    total = summary.total
    return {
        "binariesSummary": {
            "binariesCount": f"{summary.binaries:,}",
            "binariesSize": human(summary.binaries_size),
            "artifactsSize": human(total.size),
            "optimization": percentage(summary.binaries_size, total.size),
            "itemsCount": f"{total.items:,}",
            "artifactsCount": f"{total.files:,}",
        },
        "fileStoreSummary": _file_store(exchange.instance.store.blobs.folder),
        "repositoriesSummaryList": [
            *(_repository(exchange, each, summary) for each in exchange.instance.repositories.values()),
            {"repoKey": "TOTAL", "repoType": "NA", **_held(exchange, total)},
        ],
    }


def _file_store(folder: Path) -> jackson.JSON:
    disk = shutil.disk_usage(folder)
    return {
        "storageType": "filesystem",
        "storageDirectory": str(folder),
        "totalSpace": human(disk.total),
        "usedSpace": f"{human(disk.used)} ({percentage(disk.used, disk.total)})",
        "freeSpace": f"{human(disk.free)} ({percentage(disk.free, disk.total)})",
    }


def _repository(exchange: Exchange, repository: Repository, summary: Summary) -> jackson.JSON:
    held = summary.by_repository.get(repository.key, Held())
    is_platform = exchange.instance.profile.is_platform
    return {
        "repoKey": repository.key,
        "repoType": repository.kind.upper(),
        **_held(exchange, held),
        "packageType": repository.package_type.capitalize(),
        **({"projectKey": "default"} if is_platform else {}),
        "percentage": percentage(held.size, summary.total.size) if summary.total.size else "0%",
    }


def _held(exchange: Exchange, held: Held) -> dict[str, jackson.JSON]:
    in_bytes = {"usedSpaceInBytes": held.size} if exchange.instance.profile.is_platform else {}
    return {
        "foldersCount": held.folders,
        "filesCount": held.files,
        "usedSpace": human(held.size),
        **in_bytes,
        "itemsCount": held.items,
    }
