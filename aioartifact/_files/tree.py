"""A tree of local files, listed before any of it is sent."""

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from .._scope import ALL_FILES, Scope
from .failures import explained, os_error
from .manifest import Stamp


@dataclass(frozen=True, slots=True)
class TreeFile:
    """
    A file below a folder.

    Attributes:
        relative: Its path below that folder, with slashes.
        path: Its path.
        size: Bytes when it was listed; 0 for what cannot be looked at.
        stamp: How it looked then; None for what is no regular file: a pipe, a link that leads nowhere or is not
            followed.
    """

    relative: str
    path: str
    size: int
    stamp: Stamp | None = None


def list_tree(folder: str, scope: Scope = ALL_FILES, *, follows_links: bool = True) -> list[TreeFile]:
    """
    List all that is no folder in the folders that *scope* enters, sorted by path; blocks.

    Args:
        folder: Folder to look into; it may be a symbolic link in any case.
        scope: Which folders below it are looked into; what it does not show of their files is listed, too.
        follows_links: Whether a symbolic link is what it leads to.

    Raises:
        LocalNotFoundError: There is no such folder.
        LocalFileError: It is a file, cannot be read, or a link below it leads back to a folder above the link.
    """
    files: list[TreeFile] = []
    waiting: list[tuple[str, str, _Identities]] = [(folder, "", ())]
    while waiting:
        path, prefix, above = waiting.pop()
        with explained("list", path), os.scandir(path) as entries:
            here = (*above, _identity(path, above))
            for entry in entries:
                relative = prefix + entry.name
                if entry.is_dir(follow_symlinks=follows_links):
                    if scope.enters(relative):
                        waiting.append((entry.path, f"{relative}/", here))
                else:
                    files.append(_file(relative, entry, follows_links))
    return sorted(files, key=lambda file: file.relative)


_Identities: TypeAlias = tuple[tuple[int, int], ...]


def _identity(folder: str, above: _Identities) -> tuple[int, int]:
    """What tells *folder* from every other one, whatever the names that lead to it."""
    status = os.stat(folder)
    if (identity := (status.st_dev, status.st_ino)) in above:
        raise os_error(errno.ELOOP)
    return identity


def _file(relative: str, entry: os.DirEntry[str], follows_links: bool) -> TreeFile:
    # A link that leads nowhere is told when it is its turn, and does not end the others.
    with suppress(OSError):
        status = entry.stat(follow_symlinks=follows_links)
        if stat.S_ISREG(status.st_mode):
            return TreeFile(relative, entry.path, status.st_size, Stamp.of(status))
    return TreeFile(relative, entry.path, 0)
