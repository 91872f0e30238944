"""Decisions of the engine, as pure functions: where a file goes, what to check, whether to fetch it."""

import os
from typing import Literal, TypeAlias

from .._address import ItemURL, check_name, has_surrogates
from .._checksums import Checksums
from .._errors import IntegrityError, LocalFileError, NotFoundError, ProtocolError, UnsafePathError
from .._models import FileInfo
from .._options import check_choice
from .journal import WORTH_KEEPING
from .names import windows_name

Overwrite: TypeAlias = Literal["changed", "always", "never"]
"""What a bulk download does about files that exist, see `download_many`."""
_NO_NAMES = frozenset({"", ".", ".."})
Decision: TypeAlias = Literal["fetch", "keep", "read", "ask"]


def check_overwrite(overwrite: Overwrite) -> None:
    """
    Make sure *overwrite* is one of its values.

    Raises:
        InvalidArgumentError: It is not.
    """
    check_choice("overwrite", overwrite, ("changed", "always", "never"))


def local_path(root: str, relative: str | os.PathLike[str]) -> str:
    """
    Where a file of a listing goes below *root*; on Windows under names that it can hold.

    Raises:
        UnsafePathError: The name is absolute, empty, has a part that would lead elsewhere, or one that no file
            name can be.
    """
    parts = _safe_parts(root, relative)
    return os.path.join(root, *map(local_name, parts)) if os.name == "nt" else os.path.join(root, relative)


def path_below(root: str, relative: str) -> str:
    """
    The path of a local file below *root*, which is named as it is there.

    Raises:
        UnsafePathError: See :func:`local_path`.
    """
    return os.path.join(root, *_safe_parts(root, relative))


def _safe_parts(root: str, relative: str | os.PathLike[str]) -> list[str]:
    text = os.fspath(relative)
    parts = text.split("/")
    if not text.isascii():
        try:
            os.fsencode(text)
        except UnicodeEncodeError as error:
            raise UnsafePathError(f"{text!r}: the file system cannot express this name; refused") from error
    if "\0" in text or not _NO_NAMES.isdisjoint(parts):
        raise UnsafePathError(f"{text!r}: would be written outside {root}, or has no proper name; refused")
    return parts


def local_name(name: str) -> str:
    """What a file of this *name* is called here: the same, except where Windows cannot hold it."""
    return windows_name(name) if os.name == "nt" else name


def check_inside(root: str, folder: str) -> None:
    """
    Make sure a resolved *folder* lies in the resolved *root*.

    Raises:
        UnsafePathError: A symbolic link leads out of it.
    """
    if os.path.commonpath([root, folder]) != root:
        raise UnsafePathError(f"{folder}: lies outside {root}, a symbolic link leads there; refused")


def relative_path(base: str, path: str) -> str:
    """Path of a listed file below the listed folder *base*, both raw."""
    return path.removeprefix(f"{base}/") if base else path


def decide(overwrite: Overwrite, size: int | None, listed: FileInfo | None, known: Checksums) -> Decision:
    """
    What to do about an item whose target has *size* bytes (None: there is no such file).

    Args:
        overwrite: What the caller wants.
        size: Bytes of the local file, or None.
        listed: What a listing said of the item, or None.
        known: Checksums of the local file, as far as they are known without reading it.

    Returns:
        ``"fetch"``; ``"keep"``; ``"read"`` where only the bytes of the local file can tell; ``"ask"`` where nothing is
        known of the server's file: its SHA-1 is also its ETag, so one request can tell.
    """
    if size is None or overwrite == "always":
        return "fetch"
    if overwrite == "never":
        return "keep"
    if listed is not None and listed.size not in (None, size):
        return "fetch"
    strongest = listed.checksums.strongest() if listed else None
    if strongest is None:
        return "ask"
    algorithm, expected = strongest
    found = known.get(algorithm)
    if found is None:
        return "read"
    return "keep" if found == expected else "fetch"


def is_worth_leaving(kept: int, error: BaseException) -> bool:
    """Whether a later run can make use of *kept* bytes of a file whose transfer ended with *error*."""
    lost = isinstance(error, IntegrityError | LocalFileError | NotFoundError | ProtocolError)
    return kept >= WORTH_KEEPING and not lost


def item_below(folder: ItemURL, relative: str) -> ItemURL:
    """
    Where a local file goes below *folder*.

    Raises:
        InvalidURLError: The path is absolute, or one of its names is none that Artifactory can hold.
    """
    for name in relative.split("/"):
        check_name(name)
    return folder / relative


def listed_below(folder: ItemURL, relative: str) -> ItemURL:
    """
    The item that a listing of *folder* names; what cannot be a local file is refused where it is written.

    Raises:
        InvalidURLError: UTF-8 cannot express the path, and so no URL.
    """
    return item_below(folder, relative) if has_surrogates(relative) else folder / relative


def has_content(recorded: FileInfo, checksums: Checksums) -> bool:
    """Whether a file that the server has recorded has *checksums*, by the strongest that it tells."""
    return recorded.checksums.agree_with(checksums)


def is_worth_offering(size: int, least: int | None) -> bool:
    """Whether a file is so large that asking for its bytes first may save time."""
    return least is not None and size >= max(least, 1)
