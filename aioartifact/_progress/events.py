"""What is told of a transfer while it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

EventKind: TypeAlias = Literal["planned", "started", "advanced", "retrying", "finished", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class TransferEvent:
    """
    Something that happened to a transfer.

    Each file that is begun is ``"started"`` once and ends with one of ``"finished"``, ``"failed"`` and ``"skipped"``,
    unless the call is cancelled. A file that needed no more than a look is ``"skipped"``, or has ``"failed"``, without
    a start. In between it has ``"advanced"``, at most ten times a second, also backwards when bytes are lost, and is
    ``"retrying"`` before each further attempt. ``"planned"`` tells of files that became known.

    Attributes:
        kind: What happened.
        key: URL of the file, without secrets; ``""`` for ``"planned"``.
        bytes: Bytes of the file that were transferred and kept.
        total: Bytes of the file that are to be transferred, or None where that is not known.
        attempt: Number of the attempt that begins; 1 in other events.
        files_finished: Files of the whole transfer that are done, skipped or failed.
        files_total: Files that are known so far.
        bytes_done: Bytes of the whole transfer that were transferred and kept.
        bytes_total: Bytes to transfer, as far as known.
    """

    kind: EventKind
    key: str
    bytes: int
    total: int | None
    attempt: int
    files_finished: int
    files_total: int
    bytes_done: int
    bytes_total: int


ProgressSink: TypeAlias = Callable[[TransferEvent], object]
"""What takes events: called in the thread of the event loop, so it must not block; its result is not looked at."""
