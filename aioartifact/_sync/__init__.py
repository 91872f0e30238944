"""
What a sync would do, as a value; and how that is decided.

Two listings come in, one of what is wanted and one of what is there; a plan comes out. Nothing here looks at a disk
or a server.
"""

from .matching import Sides, decide, has_twins, needed_digests
from .sync_plan import ActionKind, Direction, SplitPlan, SyncAction, SyncFile, SyncPlan

__all__ = [
    "ActionKind",
    "Direction",
    "Sides",
    "SplitPlan",
    "SyncAction",
    "SyncFile",
    "SyncPlan",
    "decide",
    "has_twins",
    "needed_digests",
]
