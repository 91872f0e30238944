"""Folders, and what is in them; all of it blocks."""

import errno
import os
import secrets
import shutil
import unicodedata

from .._errors import LocalFileError, LocalNotFoundError
from .failures import check_regular, explained, os_error


def check_target(path: str) -> None:
    """
    Make sure a file of this name can be written, as far as that can be told before writing.

    Raises:
        LocalNotFoundError: Its folder does not exist.
        LocalFileError: A folder, a pipe or a device has its name: a rename would take its place.
    """
    file_status(path)
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


def make_folder(path: str, *, durable: bool = False) -> None:
    """
    Create a folder and its parents; where they must be *durable*, they are on the disk itself at the end; blocks.

    Raises:
        LocalFileError: The disk refused, or a file is in the way.
    """
    there = existing_folder(path)
    with explained("create folder", path):
        os.makedirs(path, exist_ok=True)
    while durable and path not in (there, ""):
        path = os.path.dirname(path)
        sync_folder(path or os.curdir)


def existing_folder(path: str) -> str:
    """*path*, or the folder above it that exists; blocks."""
    while not os.path.isdir(path) and (parent := os.path.dirname(path)) != path:
        path = parent
    return path or os.curdir


def sync_folder(path: str) -> None:
    """
    Wait until the names in a folder are on the disk itself; Windows has nothing of the kind, nor need; blocks.

    Raises:
        LocalFileError: The disk refused.
    """
    if os.name == "nt":
        return
    with explained("sync folder", path):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def free_space(folder: str) -> int | None:
    """Bytes that may still be written below a folder, or what will be one; None if the disk does not tell; blocks."""
    try:
        usage = shutil.disk_usage(existing_folder(folder))
    except OSError:
        return None
    return usage.free if usage.total else None  # some network disks claim to have no size at all


def device_of(folder: str) -> int | None:
    """A number for the file system that holds a folder, or will hold it; None where that cannot be told; blocks."""
    try:
        return os.stat(existing_folder(folder)).st_dev
    except OSError:
        return None


def no_space(folder: str, needed: int, free: int) -> LocalFileError:
    """The error for a call that cannot fit."""
    return LocalFileError(
        f"write below {folder}: {needed} bytes are needed, {free} are free",
        errno=errno.ENOSPC,
        filename=folder,
        hint="free space on that file system, or choose another destination",
    )


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
        LocalFileError: A folder, a pipe or a device has its name, or the disk refused to tell.
    """
    with explained("write", path):
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        check_regular(status)
    return status
