"""Folders, and what is in them; all of it blocks."""

import errno
import os
import secrets
import stat
import unicodedata

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


def check_folder(path: str) -> None:
    """
    Make sure a folder of this name is there or could be made, as far as that can be told before; blocks.

    Raises:
        LocalFileError: Something else has its name.
    """
    if os.path.lexists(path) and not os.path.isdir(path):
        raise LocalFileError.from_os_error("write below", path, os_error(errno.ENOTDIR))


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


def folds_names(folder: str) -> bool:
    """
    Whether names in *folder* that differ in case, or in how an accent is written, are one; blocks.

    The disk is asked: it depends on the file system, and on some on the folder. False where nothing can be written.
    """
    probe = f".probe-é-{secrets.token_hex(8)}"
    path = os.path.join(folder, probe)
    try:
        os.mkdir(path)
    except OSError:
        return False
    try:
        return any(os.path.lexists(os.path.join(folder, twin)) for twin in (probe.upper(), _decomposed(probe)))
    finally:
        os.rmdir(path)


def _decomposed(name: str) -> str:
    return unicodedata.normalize("NFD", name)


def is_folder(path: str) -> bool:
    """Whether *path* is an existing folder; blocks."""
    return os.path.isdir(path)


def is_file(path: str) -> bool:
    """Whether *path* is an existing regular file; blocks."""
    return os.path.isfile(path)


def file_status(path: str) -> os.stat_result | None:
    """
    What the disk knows of a file; None if there is none; blocks.

    Raises:
        LocalFileError: A folder has its name, or the disk refused to tell.
    """
    with explained("write", path):
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISDIR(status.st_mode):
            raise os_error(errno.EISDIR)
        return status
