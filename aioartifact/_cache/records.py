"""The cache's records of items and folders, as JSON; without I/O."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._address import has_surrogates
from .._checksums import ALGORITHMS, Checksums
from .._errors import InvalidArgumentError
from .._models import FileInfo
from .._path_filter import PathFilter


@dataclass(frozen=True, slots=True)
class KnownFile:
    """
    A file of a server as it was when it was last downloaded or listed.

    Attributes:
        size: Bytes, or None.
        checksums: Its checksums.
        is_recorded: Whether this comes from a record, not from a server. Other users may have written it, and the
            server may have confirmed another checksum than the SHA-256, so all checksums are verified.
    """

    size: int | None
    checksums: Checksums
    is_recorded: bool = False


def key_of_item(url: str) -> str:
    """Return the key of the record of an item."""
    return _digest(url)


def key_of_listing(url: str, path_filter: PathFilter) -> str:
    """Return the key of the record of a folder, as *path_filter* selects its files."""
    patterns = [[pattern.text for pattern in patterns] for patterns in (path_filter.include, path_filter.exclude)]
    return _digest(json.dumps([url, *patterns]))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def write_item(url: str, known: KnownFile) -> bytes:
    """Return the record of the item at *url*."""
    return json.dumps({"url": url, **_fields(known.size, known.checksums)}).encode()


def read_item(url: str, record: bytes) -> KnownFile | None:
    """Return the item at *url* from its record; None if it is damaged, or about another item."""
    document = _parsed(record)
    if document is None or document.get("url") != url or (known := _known(document)) is None:
        return None
    return replace(known, is_recorded=True)


def write_listing(url: str, files: Iterable[FileInfo]) -> bytes:
    """Return the record of the *files* below the folder at *url*."""
    rows = [{"repository": file.repository, "path": file.path, **_fields(file.size, file.checksums)} for file in files]
    return json.dumps({"url": url, "files": rows}).encode()


def read_listing(url: str, record: bytes) -> list[tuple[str, str, KnownFile]] | None:
    """Return repository, path and content of each file below the folder at *url*; None if the record is damaged."""
    document = _parsed(record)
    if document is None or document.get("url") != url or not isinstance(document.get("files"), list):
        return None
    files = [_row(row) for row in document["files"]]
    known = [file for file in files if file is not None]
    return known if len(known) == len(files) else None


def _row(row: object) -> tuple[str, str, KnownFile] | None:
    if not isinstance(row, dict) or (known := _known(row)) is None:
        return None
    repository, path = row.get("repository"), row.get("path")
    if not isinstance(repository, str) or not isinstance(path, str) or has_surrogates(path):
        return None
    return repository, path, known


def _fields(size: int | None, checksums: Checksums) -> dict[str, Any]:
    values: dict[str, Any] = {"size": size, **{name: checksums.get(name) for name in ALGORITHMS}}
    return {name: value for name, value in values.items() if value is not None}


def _known(document: Mapping[str, Any]) -> KnownFile | None:
    size = document.get("size")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        return None
    try:
        return KnownFile(size, Checksums(**{name: document.get(name) for name in ALGORITHMS}))
    except InvalidArgumentError:
        return None


def _parsed(record: bytes) -> Mapping[str, Any] | None:
    try:
        document = json.loads(record)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def least_recently_used(sizes: Sequence[tuple[int, int]], max_bytes: int) -> int:
    """
    Return how many entries to remove so that the others fit into *max_bytes*.

    Args:
        sizes: When each entry was last used, and its bytes; the least recently used first.
        max_bytes: Maximum total size of the others.
    """
    total = sum(size for _, size in sizes)
    for count, (_, size) in enumerate(sizes):
        if total <= max_bytes:
            return count
        total -= size
    return len(sizes)
