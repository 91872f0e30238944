"""How far transfers are: counted as they go, told to whoever listens, looked at by whoever asks."""

from .counting import Finish, Progress, ProgressSnapshot
from .events import EventKind, ProgressSink, TransferEvent
from .files import FileProgress

__all__ = [
    "EventKind",
    "FileProgress",
    "Finish",
    "Progress",
    "ProgressSink",
    "ProgressSnapshot",
    "TransferEvent",
]
