"""What a plan is made of."""

from dataclasses import dataclass, field
from typing import Literal

from .._checksums import Checksums

Direction = Literal["download", "upload"]
ActionKind = Literal["keep", "fetch", "send", "copy", "rename", "delete", "conflict"]


@dataclass(frozen=True, slots=True)
class SyncFile:
    """
    A file as a plan saw it.

    Attributes:
        path: Its path below the folder that is synced, raw, with slashes.
        size: Bytes.
        checksums: Those that are known; a local file is read only where its checksum decides something.
        modified_ns: When a local file was last modified, in nanoseconds since 1970; None for files of a server, which
            their checksums distinguish.
    """

    path: str
    size: int
    checksums: Checksums = field(default_factory=Checksums)
    modified_ns: int | None = None

    def has_content_of(self, other: "SyncFile") -> bool:
        """Whether both are known to hold the same bytes."""
        return self.size == other.size and self.checksums.agree_with(other.checksums)


@dataclass(frozen=True, slots=True)
class SyncAction:
    """
    What is done about one path.

    Attributes:
        kind: ``"keep"``: the destination has the content. ``"fetch"`` or ``"send"``: it is transferred. ``"copy"``,
            ``"rename"``: the destination has the content under another name, which it keeps, or loses.
            ``"delete"``: the source does not have it. ``"conflict"``: nothing can be done, see *reason*.
        path: Path below both folders, raw, with slashes.
        source: The file at the source; None for a deletion, and for a conflict about what is no file.
        target: The file at the destination, which is replaced or deleted; None where there is none.
        origin: The file at the destination that is copied or renamed.
        reason: Why nothing can be done; ``""`` except for a conflict.
    """

    kind: ActionKind
    path: str
    source: SyncFile | None = None
    target: SyncFile | None = None
    origin: SyncFile | None = None
    reason: str = ""

    @property
    def size(self) -> int:
        """Bytes of the file that this is about."""
        file = self.source or self.target
        return file.size if file else 0
