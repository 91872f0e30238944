"""
Plans of syncs, and how they are computed.

The input is the listings of source and destination, the output a plan; without I/O.
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
