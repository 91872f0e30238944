"""
Names of files that are not complete yet, beside the file they will be.

A private name is used once. A shared name is derived from the target and a key, so that
a later run finds what an earlier one has left, and beside it the record of what can be used of it.
"""

import hashlib
import os
import re
import secrets
from itertools import count

_MAX_NAME = 255  # bytes, on every common file system
_PART, _RECORD = ".part", ".journal"
_GROWTH = max(0, len(_RECORD) - len(_PART))  # what the name of a record is longer
_LEFT_BEHIND = re.compile(r"\..*\.[0-9a-f]{16}(-[0-9a-f]+-[0-9a-f]+\.part|\.part|\.journal)\Z", re.DOTALL)

_NUMBERS = count()
_OWNER = ""


def private_part(target: str) -> str:
    """A path that no other process, thread or machine gives; reading random numbers for each would cost more."""
    global _OWNER  # one draw per process, and none at import
    _OWNER = _OWNER or secrets.token_hex(8)
    return _beside(target, f".{_OWNER}-{os.getpid():x}-{next(_NUMBERS):x}{_PART}")


def shared_part(target: str, key: str) -> str:
    """The path that every run gives to what it has of *target*, if it is *key* that is fetched."""
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
    """Whether *name* is one of a record."""
    return name.endswith(_RECORD)


def is_left_behind(name: str) -> bool:
    """Whether *name* is one that this module gives."""
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
