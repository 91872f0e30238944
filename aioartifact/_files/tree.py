"""A tree of local files, listed before any of it is sent."""

import errno
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from .._errors import LocalFileError
from .._path_filter import ALL_FILES, PathFilter
from .failures import explained, os_error
from .manifest import Stamp


@dataclass(frozen=True, slots=True)
class TreeFile:
    """
    A file below a folder.

    Attributes:
        relative: Its path below that folder, with slashes.
        path: Its path.
        size: Bytes when it was listed; 0 if *stamp* is None.
        stamp: Its stamp then, or that of the file that a link leads to; None for what is not a regular file: a pipe, a
            link that leads nowhere, a link to a folder that is not followed.
        is_link: Whether it is a symbolic link.
    """

    relative: str
    path: str
    size: int
    stamp: Stamp | None = None
    is_link: bool = False


def list_tree(
    folder: str, path_filter: PathFilter = ALL_FILES, *, follows_links: bool = True, required: PathFilter = ALL_FILES
) -> list[TreeFile]:
    """
    List everything but folders in the folders that *path_filter* enters, sorted by path; blocks.

    Args:
        folder: Folder to list; it may be a symbolic link in any case.
        path_filter: Which folders below it are listed; files in them that do not match are listed, too.
        follows_links: Whether links to folders are followed; those to files always are.
        required: A folder that this does not enter is skipped if it cannot be read.

    Raises:
        LocalNotFoundError: If the folder does not exist.
        LocalFileError: If it is a file, it or a folder below it cannot be read, or a link below it leads back to a
            folder above the link.
    """
    files: list[TreeFile] = []
    waiting: list[tuple[str, str, _Identities]] = [(folder, "", ())]
    while waiting:
        path, prefix, above = waiting.pop()
        try:
            with explained("list", path), os.scandir(path) as entries:
                here = (*above, _identity(path, above))
                for entry in entries:
                    relative = prefix + entry.name
                    if not _is_folder(entry, follows_links):
                        files.append(_file(relative, entry))
                    elif path_filter.enters(relative):
                        waiting.append((entry.path, f"{relative}/", here))
        except LocalFileError:
            if not prefix or required.enters(prefix.removesuffix("/")):
                raise
    return sorted(files, key=lambda file: file.relative)


_Identities: TypeAlias = tuple[tuple[int, int], ...]


def _identity(folder: str, above: _Identities) -> tuple[int, int]:
    """The identity of *folder*, whatever the names that lead to it."""
    status = os.stat(folder)
    if (identity := (status.st_dev, status.st_ino)) in above:
        raise os_error(errno.ELOOP)
    return identity


def _is_folder(entry: os.DirEntry[str], follows_links: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follows_links)
    except OSError:
        return False  # a link to itself, or to a folder that cannot be entered


def _file(relative: str, entry: os.DirEntry[str]) -> TreeFile:
    # A link that leads nowhere fails when the file is read, and only if it is chosen.
    with suppress(OSError):
        status = entry.stat()
        if stat.S_ISREG(status.st_mode):
            return TreeFile(relative, entry.path, status.st_size, Stamp.of(status), entry.is_symlink())
    return TreeFile(relative, entry.path, 0, is_link=entry.is_symlink())
