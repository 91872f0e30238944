"""Whether an existing file is replaced: the argument *overwrite*, decided from sizes and checksums."""

from typing import Literal, TypeAlias

from .._checksums import Checksums
from .._models import FileInfo
from .._options import check_choice

Overwrite: TypeAlias = Literal["changed", "always", "never"]
"""What a bulk download does about files that exist, see `download_many`."""
Decision: TypeAlias = Literal["fetch", "keep", "read", "ask"]


def check_overwrite(overwrite: Overwrite) -> None:
    """
    Make sure *overwrite* is one of its values.

    Raises:
        InvalidArgumentError: If it is not.
    """
    check_choice("overwrite", overwrite, ("changed", "always", "never"))


def decide(overwrite: Overwrite, size: int | None, listed: FileInfo | None, known: Checksums) -> Decision:
    """
    What to do about an item whose target has *size* bytes (None: there is no such file).

    Args:
        overwrite: What the caller wants.
        size: Bytes of the local file, or None.
        listed: What a listing said of the item, or None.
        known: Checksums of the local file, as far as they are known without reading it.

    Returns:
        ``"fetch"``; ``"keep"``; ``"read"`` if the bytes of the local file must be read; ``"ask"`` if nothing is
        known of the server's file: its SHA-1 is also its ETag, so one request decides.
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


def additional_bytes(overwrite: Overwrite, size: int | None, listed: FileInfo | None) -> int:
    """
    By how many bytes a target of *size* bytes (None: there is no such file) certainly grows.

    A file that may turn out to be unchanged counts as unchanged: its content has the same size in any case.
    """
    if listed is None or listed.size is None or decide(overwrite, size, listed, Checksums()) != "fetch":
        return 0
    return listed.size - (size or 0)


def has_content(recorded: FileInfo, checksums: Checksums) -> bool:
    """Whether a file on the server has *checksums*, by the strongest that it reports."""
    return recorded.checksums.agree_with(checksums)
