"""Decisions of the engine, as pure functions: where a file goes, what to check, whether to fetch it."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

from .._address import ItemURL, check_name
from .._checksums import Algorithm, Checksums
from .._errors import IntegrityError, LocalFileError, NotFoundError, ProtocolError, UnsafePathError
from .._models import FileInfo
from .._protocol import Promise
from .journal import WORTH_KEEPING
from .names import windows_name
from .ranges import Range, Ranges

WHOLE = Range(0, sys.maxsize)

Overwrite: TypeAlias = Literal["changed", "always", "never"]
"""What a bulk download does about files that exist, see `download_many`."""
_NO_NAMES = frozenset({"", ".", ".."})
Decision: TypeAlias = Literal["fetch", "keep", "read", "ask"]


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
    strongest = listed.checksums.strongest() if listed else None
    if listed is None or strongest is None:
        return "ask"
    if listed.size not in (None, size):
        return "fetch"
    algorithm, expected = strongest
    found = known.get(algorithm)
    if found is None:
        return "read"
    return "keep" if found == expected else "fetch"


def algorithms_for(promise: Checksums) -> Sequence[Algorithm]:
    """Which digest to compute: of the strongest checksum promised; none where there is nothing to compare with."""
    strongest = promise.strongest()
    return (strongest[0],) if strongest else ()


def complete_promise(promise: Promise, listed: FileInfo | None) -> Promise:
    """
    Fill in from a listing what the answer itself does not promise.

    The answer's own words win: the file may have been replaced since it was listed.
    """
    if listed is None or promise.checksums:
        return promise
    return replace(promise, checksums=listed.checksums, size=listed.size if promise.size is None else promise.size)


def continues(pinned: Promise, asked: Range, promise: Promise) -> bool:
    """Whether an answer is just the part of the *pinned* content that was *asked* for."""
    end = pinned.size or promise.size or asked.stop
    return (
        promise.start == asked.start
        and promise.stop == min(asked.stop, end)
        and (promise.size == pinned.size or None in (promise.size, pinned.size))
        and promise.etag == pinned.etag
        and (not promise.checksums or promise.checksums == pinned.checksums)
    )


def first_missing(pinned: Promise, kept: Ranges) -> Range | None:
    """What to ask for next of a file of which some bytes are here; None if that is all of it."""
    if not (kept.total and pinned.etag):
        return WHOLE
    if pinned.size is None:
        return Range(kept.reach(), WHOLE.stop)
    return next(iter(kept.missing(pinned.size)), None)


def is_worth_leaving(kept: int, error: BaseException) -> bool:
    """Whether a later run can make use of *kept* bytes of a file whose transfer ended with *error*."""
    lost = isinstance(error, IntegrityError | LocalFileError | NotFoundError | ProtocolError)
    return kept >= WORTH_KEEPING and not lost


def check_received(item: ItemURL, promise: Promise, size: int, checksums: Checksums) -> None:
    """
    Compare what arrived with what was promised.

    Raises:
        IntegrityError: Size or checksum differs.
    """
    if promise.size is not None and size != promise.size:
        raise IntegrityError(
            f"GET {item}: {size} bytes arrived of {promise.size}; nothing was written",
            algorithm="size",
            expected=str(promise.size),
            actual=str(size),
            hint="try again; a proxy may cut long answers",
        )
    strongest = promise.checksums.strongest()
    if strongest is None:
        if promise.size is None and promise.is_open_ended:
            raise IntegrityError(
                f"GET {item}: {size} bytes arrived, and nothing tells whether that is all; nothing was written",
                algorithm="size",
                actual=str(size),
                hint="try again; a proxy drops the length, and this user may not read the checksums",
            )
        return
    algorithm, expected = strongest
    actual = checksums.get(algorithm) or ""
    if actual != expected:
        raise IntegrityError(
            f"GET {item}: {algorithm} is {actual}, server recorded {expected}; nothing was written",
            algorithm=algorithm,
            expected=expected,
            actual=actual,
            hint="try again; if it stays, a proxy changes the bytes or the stored file is damaged",
        )


def item_below(folder: ItemURL, relative: str) -> ItemURL:
    """
    Where a local file goes below *folder*.

    Raises:
        InvalidURLError: The path is absolute, or one of its names is none that Artifactory can hold.
    """
    for name in relative.split("/"):
        check_name(name)
    return folder / relative


def has_content(recorded: FileInfo, checksums: Checksums) -> bool:
    """Whether a file that the server has recorded has *checksums*, by the strongest that it tells."""
    return recorded.checksums.agree_with(checksums)


def is_worth_offering(size: int, least: int | None) -> bool:
    """Whether a file is so large that asking for its bytes first may save time."""
    return least is not None and size >= max(least, 1)
