"""Parts: what interrupted downloads have left."""

import os

from .._errors import InvalidArgumentError
from .._files import remove_left_behind
from .._options import check_path
from .._threads import run


async def remove_parts(folder: str | os.PathLike[str], *, older_than: float | None = None) -> list[str]:
    """
    Remove what interrupted downloads have left in and below a folder; no request.

    A large file that is interrupted leaves a part and its journal beside the target, so that a later call can go on;
    they are named ``.<target>.<16 digits>.part`` and ``.journal``. A process that was killed may have left others.
    Who will not come back for them removes them with this call. What a transfer is at work on, in this process or
    another, is not touched, nor is any file of another name.

    Args:
        folder: Folder to look into. Symbolic links in it are not followed.
        older_than: Remove only what was last written to so many seconds ago; None for any age. On a file system
            without locks nobody can tell what is in use: there a part is only removed for its age.

    Returns:
        Paths of the files that were removed.

    Raises:
        InvalidArgumentError: *folder* is empty or no path, or *older_than* is not a number of at least 0.
        LocalNotFoundError: There is no such folder.
        LocalFileError: The disk refused to list it.
    """
    if older_than is not None and not (_is_number(older_than) and older_than >= 0):
        raise InvalidArgumentError(f"older_than={older_than!r}: expected seconds, at least 0, or None")
    return await run(remove_left_behind, check_path("folder", folder, is_folder=True), older_than)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
