"""Folders, and what is in them; all of it blocks."""

import errno
import os

from .._errors import LocalFileError, LocalNotFoundError
from .failures import explained, os_error


def check_target(path: str) -> None:
    """
    Make sure a file of this name can be written, as far as that can be told before writing.

    Raises:
        LocalNotFoundError: Its folder does not exist.
        LocalFileError: A folder has its name.
    """
    if os.path.isdir(path):
        raise LocalFileError.from_os_error("write", path, os_error(errno.EISDIR))
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise LocalNotFoundError(
            f"write {path}: its folder does not exist",
            errno=errno.ENOENT,
            filename=path,
            hint=f"create {folder} first",
        )


def make_folder(path: str) -> None:
    """
    Create a folder and its parents; blocks.

    Raises:
        LocalFileError: The disk refused, or a file is in the way.
    """
    with explained("create folder", path):
        os.makedirs(path, exist_ok=True)


def resolve_folder(path: str) -> str:
    """The real path of a folder, all symbolic links followed; blocks."""
    return os.path.realpath(path)


def list_names(folder: str) -> frozenset[str]:
    """
    Names of the entries of a folder; blocks.

    Raises:
        LocalFileError: The disk refused to tell.
    """
    with explained("list", folder):
        return frozenset(os.listdir(folder))


def is_folder(path: str) -> bool:
    """Whether *path* is an existing folder; blocks."""
    return os.path.isdir(path)


def is_file(path: str) -> bool:
    """Whether *path* is an existing regular file; blocks."""
    return os.path.isfile(path)
