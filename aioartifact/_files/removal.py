"""Clearing up what interrupted runs have left."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress

from .._threads import check_wanted
from .failures import explained
from .locks import is_still, lock
from .part_names import is_left_behind, part_of, record_of

_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def remove_left_behind(folder: str, older_than: float | None) -> list[str]:
    """
    Remove parts and their records in and below *folder*, unless they are in use; blocks.

    Args:
        folder: Folder to look into; symbolic links in it are not followed.
        older_than: Only what was last written to so many seconds ago; None for any age.

    Returns:
        Paths of what was removed.

    Raises:
        LocalNotFoundError: If the folder does not exist.
        LocalFileError: If the disk failed.
    """
    with explained("list", folder):
        newest = None if older_than is None else time.time() - older_than
        return [removed for path in _left_behind(folder) for removed in _remove(path, newest)]


def _left_behind(folder: str) -> Iterator[str]:
    def fail(error: OSError) -> None:
        if error.filename == folder:
            raise error

    for place, _, names in os.walk(folder, onerror=fail):
        check_wanted()
        yield from (os.path.join(place, name) for name in sorted(names) if is_left_behind(name))


def _remove(path: str, newest: float | None) -> Iterator[str]:
    part = part_of(path)
    if part != path:
        # The record of a part goes with it. One without a part is of no use to anybody.
        if not os.path.lexists(part) and _is_old(path, newest):
            yield from _unlinked(path)
        return
    try:
        descriptor = os.open(part, _FLAGS)
    except OSError:
        return
    try:
        if _is_old(part, newest) and lock(descriptor) and is_still(descriptor, part):
            # The record first: it must never speak of bytes that are not there.
            yield from _unlinked(record_of(part))
            yield from _unlinked(part)
    except OSError:
        # Without locks it is unknown whether a part is in use, unless it was not written to for long.
        if newest is not None:
            yield from _unlinked(part)
    finally:
        os.close(descriptor)


def _is_old(path: str, newest: float | None) -> bool:
    with suppress(OSError):
        return newest is None or os.stat(path, follow_symlinks=False).st_mtime <= newest
    return False


def _unlinked(path: str) -> Iterator[str]:
    with suppress(OSError):
        os.unlink(path)
        yield path
