"""Converts errors of the operating system to `LocalFileError`."""

import errno
import os
import stat
from types import TracebackType

from .._errors import LocalFileError


class explained:  # noqa: N801  # it reads as a function, and a generator would cost several times as much per file
    """
    Add the operation and the path to an error of the disk in a block; an inner block has added its own.

    Raises:
        LocalFileError: If the disk failed.
    """

    __slots__ = ("_operation", "_path")

    def __init__(self, operation: str, path: str) -> None:
        self._operation = operation
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, OSError) and not isinstance(error, LocalFileError):
            raise LocalFileError.from_os_error(self._operation, self._path, error) from error


def check_regular(status: os.stat_result) -> None:
    """
    Make sure that a file is a regular file.

    Raises:
        OSError: If it is a folder, a pipe, a socket or a device.
    """
    if stat.S_ISDIR(status.st_mode):
        raise os_error(errno.EISDIR)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")


def os_error(number: int) -> OSError:
    """The error that the system itself raises for *number*."""
    return OSError(number, os.strerror(number))
