"""Changes to the files of a folder: one that differs from what was seen before is not touched; all of it blocks."""

import os
import stat
from contextlib import suppress

from .._checksums import Checksums, Digests
from .._errors import ChangedError, LocalNotFoundError, UnsafePathError
from .failures import explained
from .folders import make_folder
from .source import blocks_of, opened
from .staging import Staging

_TRIES = 5


def check_seen(
    path: str, seen: tuple[int, int | None] | None, *, follows_links: bool = False, may_be_gone: bool = False
) -> None:
    """
    Make sure that a file is unchanged: it has the same size and modification time.

    Args:
        path: The file.
        seen: Its size, and when it was last modified in nanoseconds; None if there was no such file.
        follows_links: Whether symbolic links are followed.
        may_be_gone: Whether the file may be missing now.

    Raises:
        ChangedError: If it is not.
        LocalFileError: If the disk failed.
    """
    found = _look(path, follows_links)
    if found is None:
        if seen is not None and not may_be_gone:
            raise _changed(path, "is there no more")
    elif seen is None:
        raise _changed(path, "was not there before")
    elif not stat.S_ISREG(found.st_mode) or (found.st_size, found.st_mtime_ns) != seen:
        raise _changed(path, "is another one than before")


def check_reachable(root: str, path: str) -> None:
    """
    Make sure that *path* below *root* can be checked, symbolic links being followed.

    Raises:
        ChangedError: If a link above it leads nowhere, perhaps to a disk that is not mounted.
    """
    folder = os.path.dirname(path)
    while len(folder) > len(root):
        if os.path.islink(folder) and not os.path.exists(folder):
            raise ChangedError(
                f"{path}: cannot be checked: {folder} is a symbolic link that leads nowhere",
                hint="mend or remove the link",
            )
        folder = os.path.dirname(folder)


def _look(path: str, follows_links: bool) -> os.stat_result | None:
    with explained("look at", path):
        try:
            return os.stat(path, follow_symlinks=follows_links)
        except (FileNotFoundError, NotADirectoryError):
            return None


def _changed(path: str, how: str) -> ChangedError:
    return ChangedError(f"{path}: {how}; it was left alone", hint="make a new plan")


def check_no_link(root: str, path: str) -> None:
    """
    Make sure that no symbolic link lies between *root*, a resolved folder, and *path* below it.

    Raises:
        UnsafePathError: If there is one.
    """
    folder = os.path.dirname(path)
    if os.path.realpath(folder) != folder:
        raise UnsafePathError(f"{path}: a symbolic link below {root} leads there; refused")


def copy_file(root: str, origin: str, target: str, expected: Checksums) -> os.stat_result:
    """
    Copy *origin* to *target*, both below *root*, in one step, if its bytes are the *expected* ones.

    Returns:
        Status of the copy right before it was renamed onto the target.

    Raises:
        ChangedError: If they are not; nothing was written.
        UnsafePathError: If a symbolic link leads to one of the names.
        LocalFileError: If the disk failed.
    """
    check_no_link(root, origin)
    check_no_link(root, target)
    make_folder(os.path.dirname(target))
    staging = Staging(target)
    try:
        digests, offset = Digests(expected.known()), 0
        with opened(origin) as file:
            for block in blocks_of(file):
                digests.update(block)
                staging.write(offset, [block])
                offset += len(block)
        if not digests.checksums().agree_with(expected):
            raise _changed(origin, "has another content than before")
        return staging.commit()
    finally:
        staging.discard()


def rename_file(root: str, origin: str, target: str) -> os.stat_result:
    """
    Give a file below *root* another name there, and remove the folders that it leaves empty.

    Returns:
        Status of the renamed file.

    Raises:
        UnsafePathError: If a symbolic link leads to one of the names.
        LocalFileError: If the disk failed.
    """
    check_no_link(root, origin)
    check_no_link(root, target)
    status = _move(origin, target, _TRIES)
    _remove_empty_folders(root, os.path.dirname(origin))
    return status


def _move(origin: str, target: str, tries: int) -> os.stat_result:
    """Make a folder and rename; retry, as another rename may find that folder empty at any moment, and remove it."""
    try:
        make_folder(os.path.dirname(target))
        with explained("rename", origin):
            os.replace(origin, target)
            return os.stat(target)
    except LocalNotFoundError:
        if tries == 1 or not os.path.lexists(origin):
            raise
    return _move(origin, target, tries - 1)


def delete_file(root: str, path: str) -> None:
    """
    Delete a file below *root*, if it is there, and the folders that it leaves empty.

    Raises:
        UnsafePathError: If a symbolic link leads there.
        LocalFileError: If the disk failed.
    """
    check_no_link(root, path)
    with explained("delete", path), suppress(FileNotFoundError):
        os.unlink(path)
    _remove_empty_folders(root, os.path.dirname(path))


def _remove_empty_folders(root: str, folder: str) -> None:
    """Remove *folder* and those above it up to *root*, which stays, as far as they are empty."""
    with suppress(OSError):  # not empty, or it cannot be removed: then it stays
        while folder != root:
            os.rmdir(folder)
            folder = os.path.dirname(folder)
