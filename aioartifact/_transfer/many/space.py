"""Whether what is to be fetched fits on the disk."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from ..._errors import ArtifactoryError
from ..._files import device_of, file_status, free_space, no_space
from ..._models import FileInfo
from ..overwrite import Overwrite, additional_bytes

T = TypeVar("T")


def check_space(
    items: Sequence[T], place_of: Callable[[T], tuple[str, FileInfo | None]], overwrite: Overwrite, root: str
) -> None:
    """
    Make sure that *items* fit, as far as their sizes are listed; blocks.

    Local files are looked at only if the sum of all sizes is more than is free.

    Raises:
        LocalFileError: If they do not (ENOSPC).
    """
    free = free_space(root)
    total = sum(listed.size or 0 for listed in items if isinstance(listed, FileInfo))
    if free is None or total <= free:
        return
    for folder, needed in _needed(_placed(items, place_of), overwrite).values():
        free = free_space(folder)
        if free is not None and needed > free:
            raise no_space(folder, needed, free)


def _placed(
    items: Iterable[T], place_of: Callable[[T], tuple[str, FileInfo | None]]
) -> Iterable[tuple[str, FileInfo | None]]:
    for item in items:
        try:
            yield place_of(item)
        except ArtifactoryError:  # its outcome reports the error
            continue


def _needed(placed: Iterable[tuple[str, FileInfo | None]], overwrite: Overwrite) -> dict[int | None, tuple[str, int]]:
    """A folder and the bytes that are needed below it, for each file system."""
    folders: dict[str, int] = defaultdict(int)
    for path, listed in placed:
        folders[os.path.dirname(path)] += additional_bytes(overwrite, _size(path), listed)
    needed: dict[int | None, tuple[str, int]] = {}
    for folder, size in folders.items():
        device = device_of(folder)
        first, before = needed.get(device, (folder, 0))
        needed[device] = (first, before + size)
    return needed


def _size(path: str) -> int | None:
    try:
        status = file_status(path)
    except ArtifactoryError:
        return None
    return status.st_size if status else None
