"""Folders, and what is in them; all of it blocks."""

import errno
import os
import secrets
import shutil
import stat
import unicodedata
from contextlib import suppress
from dataclasses import dataclass

from .._errors import LocalFileError, LocalNotFoundError
from .failures import check_regular, explained, os_error


@dataclass(frozen=True, slots=True)
class TargetFile:
    """
    The file that a download writes.

    Attributes:
        path: Its path; where a symbolic link leads to it, its real path.
        status: Status of the existing file; None if there is none.
        is_link: Whether a symbolic link leads to it.
        is_writable: Whether its permissions allow writing. A rename would ignore them, so they count for links only:
            read-only files behind links usually belong to a store that others share.
    """

    path: str
    status: os.stat_result | None = None
    is_link: bool = False
    is_writable: bool = True

    def check_replaceable(self, path: str) -> None:
        """
        Make sure that this file, which *path* leads to, may get other content.

        Raises:
            LocalFileError: If *path* is a symbolic link to a read-only file.
        """
        if self.is_link and not self.is_writable:
            raise LocalFileError(
                f"write {path}: is a symbolic link to a read-only file, {self.path}",
                errno=errno.EACCES,
                filename=path,
                hint="remove the link, or make the file writable",
            )


def find_target(path: str) -> TargetFile:
    """
    Find the file that a download to *path* writes: that file, or the one a symbolic link of this name leads to; blocks.

    Raises:
        LocalFileError: If a folder, a pipe, a device or a broken symbolic link has this name, or the disk failed.
    """
    with explained("write", path):
        try:
            status = os.stat(path, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return TargetFile(path)
        if not stat.S_ISLNK(status.st_mode):
            check_regular(status)
            return TargetFile(path, status)
        return _behind_link(path)


def _behind_link(path: str) -> TargetFile:
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        # Not a FileNotFoundError: callers treat that as a file that the server does not have.
        raise LocalFileError(
            f"write {path}: is a symbolic link that leads nowhere",
            errno=errno.EEXIST,
            filename=path,
            hint="remove the link, or create the file that it leads to",
        ) from None
    check_regular(status)
    # Mode bits, too: root may write to any file.
    is_writable = bool(status.st_mode & 0o222) and os.access(path, os.W_OK)
    return TargetFile(os.path.realpath(path), status, is_link=True, is_writable=is_writable)


def check_target(path: str) -> TargetFile:
    """
    Make sure a file of this name can be written, as far as that can be determined before writing; see `find_target`.

    Raises:
        LocalNotFoundError: If its folder does not exist.
        LocalFileError: If a folder, a pipe, a device or a broken symbolic link has its name.
    """
    found = find_target(path)
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise LocalNotFoundError(
            f"write {path}: its folder does not exist",
            errno=errno.ENOENT,
            filename=path,
            hint=f"create {folder} first",
        )
    return found


def check_folder(path: str) -> None:
    """
    Make sure a folder of this name exists or could be created, as far as that is known in advance; blocks.

    Raises:
        LocalFileError: If something else has its name.
    """
    if os.path.lexists(path) and not os.path.isdir(path):
        raise LocalFileError.from_os_error("write below", path, os_error(errno.ENOTDIR))


def make_folder(path: str, *, durable: bool = False) -> None:
    """
    Create a folder and its parents; if *durable*, sync them to the disk; blocks.

    Raises:
        LocalFileError: If the disk failed, or a file is in the way.
    """
    there = existing_folder(path)
    with explained("create folder", path):
        _make_below(there, path)
    while durable and path not in (there, ""):
        path = os.path.dirname(path)
        sync_folder(path or os.curdir)


def _make_below(there: str, path: str) -> None:
    """
    Like os.makedirs, which recurses once per level: Python allows fewer levels than a path can have.

    Raises:
        OSError: If the disk failed. If the path is too long, no folder is created.
    """
    with suppress(FileNotFoundError):
        os.lstat(path)
    missing = [path]
    while (parent := os.path.dirname(missing[-1])) not in (there, "", missing[-1]):
        missing.append(parent)
    for folder in reversed(missing):
        try:
            os.mkdir(folder)
        except FileExistsError:
            if not os.path.isdir(folder):
                raise


def existing_folder(path: str) -> str:
    """*path*, or the folder above it that exists; blocks."""
    while not os.path.isdir(path) and (parent := os.path.dirname(path)) != path:
        path = parent
    return path or os.curdir


def sync_folder(path: str) -> None:
    """
    Wait until the names in a folder are on the disk itself; Windows neither supports nor needs that; blocks.

    Raises:
        LocalFileError: If the disk failed.
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
    """Free bytes for a folder, which need not exist yet; None if the disk does not report them; blocks."""
    try:
        usage = shutil.disk_usage(existing_folder(folder))
    except OSError:
        return None
    return usage.free if usage.total else None  # some network disks claim to have no size at all


def device_of(folder: str) -> int | None:
    """ID of the file system of a folder, which need not exist yet; None if unknown; blocks."""
    try:
        return os.stat(existing_folder(folder)).st_dev
    except OSError:
        return None


def no_space(folder: str, needed: int, free: int) -> LocalFileError:
    """The error for a call whose files do not fit."""
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
    Whether names in *folder* that differ only in case or in Unicode normalization are the same; blocks.

    This is tried out: it depends on the file system, and on some on the folder. False where nothing can be written.
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
    Status of a file; None if there is none; blocks.

    Raises:
        LocalFileError: If a folder, a pipe or a device has its name, or the disk failed.
    """
    with explained("write", path):
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        check_regular(status)
    return status
