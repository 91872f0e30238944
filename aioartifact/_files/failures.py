"""The seam where an operating system's refusals become errors of ours."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from .._errors import LocalFileError


@contextmanager
def explained(operation: str, path: str) -> Iterator[None]:
    """Name the *operation* and the *path* in what the disk raises in this block."""
    try:
        yield
    except OSError as error:
        raise LocalFileError.from_os_error(operation, path, error) from error


def os_error(number: int) -> OSError:
    """The error that the system itself raises for *number*."""
    return OSError(number, os.strerror(number))
