"""
Partial files: their names, beside their targets, and the removal of those left behind.

A private name is used once. A shared name is derived from the target and a key, so that a later run finds the part
that an earlier one has left, and beside it the record of its usable bytes.
"""

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

from .._threads import check_wanted
from .failures import explained
from .open_files import is_still, lock

_MAX_NAME = 255  # bytes, on every common file system
_PART, _RECORD = ".part", ".journal"
_GROWTH = max(0, len(_RECORD) - len(_PART))  # by how much the name of a record is longer
_LEFT_BEHIND = re.compile(r"\..*\.[0-9a-f]{16}(-[0-9a-f]+-[0-9a-f]+\.part|\.part|\.journal)\Z", re.DOTALL)

_NUMBERS = count()
_OWNER = ""
_FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def private_part(target: str) -> str:
    """A path that no other process, thread or machine uses; reading random numbers for each would cost more."""
    global _OWNER  # one draw per process, and none at import
    _OWNER = _OWNER or secrets.token_hex(8)
    return _beside(target, f".{_OWNER}-{os.getpid():x}-{next(_NUMBERS):x}{_PART}")


def shared_part(target: str, key: str) -> str:
    """The path of the part in every run that fetches *key* to *target*."""
    # The stem may be truncated: the digest distinguishes targets, too.
    seed = os.fsencode(f"{os.path.basename(target)}\n{key}")
    return _beside(target, f".{hashlib.sha256(seed).hexdigest()[:16]}{_PART}")


def record_of(part: str) -> str:
    """The path of the record of a shared part."""
    return part.removesuffix(_PART) + _RECORD


def part_of(path: str) -> str:
    """The path of the part that *path* belongs to: itself, or the part of a record."""
    return path.removesuffix(_RECORD) + _PART if path.endswith(_RECORD) else path


def is_record(name: str) -> bool:
    """Whether *name* is that of a record."""
    return name.endswith(_RECORD)


def is_left_behind(name: str) -> bool:
    """Whether *name* is one that this module creates."""
    return _LEFT_BEHIND.match(name) is not None


def _beside(target: str, suffix: str) -> str:
    name = os.path.basename(target)
    folder = target[: len(target) - len(name)]
    return f"{folder}.{_stem(name, _MAX_NAME - len(suffix) - _GROWTH - 1)}{suffix}"


def _stem(name: str, room: int) -> str:
    """As much of *name* as takes *room* bytes."""
    if name.isascii() and len(name) <= room:
        return name
    return os.fsencode(name)[:room].decode(errors="ignore")


def remove_left_behind(folder: str, older_than: float | None) -> list[str]:
    """
    Remove parts and their records in and below *folder*, unless they are in use; blocks.

    Args:
        folder: Folder to search; symbolic links in it are not followed.
        older_than: Only what was not written to for this number of seconds; None for any age.

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
        # The record of a part is removed with the part. A record without a part is useless.
        if not os.path.lexists(part) and _is_old(path, newest):
            yield from _unlinked(path)
        return
    try:
        descriptor = os.open(part, _FLAGS)
    except OSError:
        return
    try:
        if _is_old(part, newest) and lock(descriptor) and is_still(descriptor, part):
            # The record first: it must never list bytes that do not exist.
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
