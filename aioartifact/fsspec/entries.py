"""Infos of items as fsspec's dicts; no I/O."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import aioartifact

Entry: TypeAlias = dict[str, Any]


def entry_of(path: str, info: aioartifact.FileInfo | aioartifact.FolderInfo) -> Entry:
    """Return the entry of an item; *path* is the requested one, since a virtual repository reports another."""
    if isinstance(info, aioartifact.FolderInfo):
        return {**folder_entry(path), **_times(info)}
    checksums = info.checksums
    return {
        "name": path,
        "type": "file",
        "size": info.size,
        **_times(info),
        "sha256": checksums.sha256,
        "sha1": checksums.sha1,
        "md5": checksums.md5,
        "mimetype": info.mime_type,
    }


def info_of(url: str, entry: Mapping[str, Any]) -> aioartifact.FileInfo | None:
    """Return the info of a file from an entry that identifies its content; None for other entries."""
    checksums = aioartifact.Checksums(**{name: entry.get(name) for name in ("sha256", "sha1", "md5")})
    if is_folder(entry) or entry["size"] is None or not checksums:
        return None
    repository, _, path = entry["name"].partition("/")
    return aioartifact.FileInfo(
        url,
        repository,
        path,
        entry["size"],
        checksums,
        created=entry["created"],
        modified=entry["modified"],
        mime_type=entry["mimetype"],
    )


def folder_entry(path: str) -> Entry:
    """Return the entry of a folder without attributes."""
    return {"name": path, "type": "directory", "size": 0}


def _times(info: aioartifact.FileInfo | aioartifact.FolderInfo) -> Entry:
    return {
        "created": info.created,
        "modified": info.modified,
        "mtime": None if info.modified is None else info.modified.timestamp(),
    }


def is_folder(entry: Mapping[str, Any]) -> bool:
    """Return whether *entry* is that of a folder."""
    return bool(entry["type"] == "directory")


def by_folder(root: str, entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Group the entries of a tree by parent folder; every folder has a list, even if it is empty."""
    folders: dict[str, list[Entry]] = {root: []}
    for entry in entries:
        name = entry["name"]
        if is_folder(entry):
            folders.setdefault(name, [])
        folders.setdefault(name.rpartition("/")[0], []).append(entry)
    return folders
