"""A plan for people to read."""

from collections import Counter
from collections.abc import Sequence

from .values import ActionKind, SyncAction

# In the order in which they are told.
_WORDS: dict[ActionKind, str] = {
    "fetch": "to fetch",
    "send": "to send",
    "copy": "to copy",
    "rename": "to rename",
    "delete": "to delete",
    "conflict": "in conflict",
    "keep": "kept",
}


def summary(actions: Sequence[SyncAction], bytes_to_transfer: int) -> str:
    """Counts of the *actions*, in one line."""
    counts = Counter(action.kind for action in actions)
    told = [f"{counts[kind]} {words}" for kind, words in _WORDS.items() if counts[kind]]
    return f"{', '.join(told) or 'nothing on either side'}; {bytes_to_transfer} bytes to transfer"


def rows(actions: Sequence[SyncAction]) -> list[str]:
    """One line for each action, in columns: kind, bytes, path."""
    width = max((len(str(action.size)) for action in actions), default=0)
    return [f"{action.kind:<8}  {action.size:>{width}}  {_shown(action.path)}{_remark(action)}" for action in actions]


def _remark(action: SyncAction) -> str:
    if action.origin:
        return f"  (from {_shown(action.origin.path)})"
    if action.reason:
        return f"  ({_shown(action.reason)})"
    return "  (replaces)" if action.source and action.target else ""


def _shown(text: str) -> str:
    """A name that cannot move the cursor of a terminal, or break the line."""
    return text if text.isprintable() else ascii(text)
