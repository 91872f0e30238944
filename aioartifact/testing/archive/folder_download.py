"""The administrator's settings for downloads of folders as archives."""

from dataclasses import dataclass

MEGABYTE = 1 << 20  # bytes


@dataclass(slots=True)
class FolderDownload:
    """
    What may be downloaded as an archive.

    Attributes:
        max_size: Bytes of all files together.
        max_files: How many of them.
        max_parallel: How many archives may be under way at the same time.
        anonymous: Whether requests without credentials are let in.
        running: How many are under way.
    """

    max_size: int
    max_files: int
    max_parallel: int
    anonymous: bool
    running: int = 0
