"""The plan of a sync: its actions, as a value, as a text table, and as JSON."""

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, Self, TypeVar, get_args

from .._address import is_url, parse_item_url
from .._checksums import ALGORITHMS, Checksums, checksum_file
from .._errors import InvalidArgumentError
from .._options import check_count
from .._reprs import ShortRepr, html_size, html_table

Direction = Literal["download", "upload"]
ActionKind = Literal["keep", "fetch", "send", "copy", "rename", "delete", "conflict"]
_VERSION = 1
# In the order of the summary.
_WORDS: dict[ActionKind, str] = {
    "fetch": "to fetch",
    "send": "to send",
    "copy": "to copy",
    "rename": "to rename",
    "delete": "to delete",
    "conflict": "in conflict",
    "keep": "kept",
}
T = TypeVar("T")
# Required attributes of each kind of action.
_NEEDS: dict[ActionKind, tuple[str, ...]] = {
    "keep": ("source", "target"),
    "fetch": ("source",),
    "send": ("source",),
    "copy": ("source", "origin"),
    "rename": ("source", "origin"),
    "delete": ("target",),
    "conflict": ("reason",),
}
_FILES = ("source", "target", "origin")


@dataclass(frozen=True, slots=True)
class SyncFile:
    """
    A file at the time of the plan.

    Attributes:
        path: Path below the synced folder, not encoded, with slashes.
        size: Bytes.
        checksums: Known checksums; a local file is read only if its checksum is needed.
        modified_ns: When a local file was last modified, in nanoseconds since 1970; None for files of a server.
    """

    path: str
    size: int
    checksums: Checksums = field(default_factory=Checksums)
    modified_ns: int | None = None

    def has_content_of(self, other: "SyncFile") -> bool:
        """Return whether both are known to have the same content."""
        return self.size == other.size and self.checksums.agree_with(other.checksums)


@dataclass(frozen=True, slots=True)
class SyncAction:
    """
    The action for one path.

    Attributes:
        kind: ``"keep"``: the file is unchanged. ``"fetch"`` or ``"send"``: it is transferred. ``"copy"`` or
            ``"rename"``: the destination has the content under another name. ``"delete"``: the source does not have the
            file. ``"conflict"``: the file cannot be synced, see *reason*.
        path: Path below both folders, not encoded, with slashes.
        source: The file at the source; None for a deletion, and for a conflict about something that is not a file.
        target: The file at the destination that is replaced or deleted, or None.
        origin: The file at the destination that is copied or renamed, or None.
        reason: Reason of a conflict; otherwise ``""``.
    """

    kind: ActionKind
    path: str
    source: SyncFile | None = None
    target: SyncFile | None = None
    origin: SyncFile | None = None
    reason: str = ""

    @property
    def size(self) -> int:
        """Size of the file in bytes."""
        file = self.source or self.target
        return file.size if file else 0


@dataclass(frozen=True, slots=True, repr=False)
class SyncPlan(ShortRepr):
    """
    The actions of a sync, computed by :func:`plan_sync` and executed by :func:`run_sync`.

    ``str()`` returns a table of all changes; :meth:`to_json` serializes the plan. It contains no secrets.

    Attributes:
        source: URL or absolute path of the folder to copy from.
        destination: URL or absolute path of the folder to change.
        direction: ``"download"`` if the source is on a server, otherwise ``"upload"``.
        actions: The action for each path, sorted by path.
        is_complete: Whether the listing of the server's folder is complete; if not, nothing is deleted.
        method: The listing method: ``"file-list"``, ``"aql"`` or ``"folders"``; ``"cache"`` for an offline cache; None
            if the folder does not exist on the server yet.
        manifest: Absolute path of the file that records checksums of local files, or None.
        creates_folder: Whether an empty local folder is created, because the source is an empty folder.

    Raises:
        InvalidURLError: If the URL of a folder is not that of an item, or contains credentials.
    """

    source: str
    destination: str
    direction: Direction
    actions: tuple[SyncAction, ...] = ()
    is_complete: bool = True
    method: str | None = None
    manifest: str | None = None
    creates_folder: bool = False

    def __post_init__(self) -> None:
        for folder in filter(is_url, (self.source, self.destination)):
            parse_item_url(folder)

    def of(self, *kinds: ActionKind) -> tuple[SyncAction, ...]:
        """Return the actions of these *kinds*."""
        return tuple(action for action in self.actions if action.kind in kinds)

    @property
    def changes(self) -> tuple[SyncAction, ...]:
        """All actions that change something; empty if both sides are equal."""
        return tuple(action for action in self.actions if action.kind != "keep")

    @property
    def bytes_to_transfer(self) -> int:
        """Total size of the files to transfer in bytes."""
        return sum(action.size for action in self.of("fetch", "send"))

    def split(self, n: int) -> "SplitPlan":
        """
        Divide the transfers into *n* plans of about the same size, which may run at the same time on several machines.

        Run the last plan when all parts have succeeded; it has everything else: copies, renames, deletions, unchanged
        files, conflicts and checksum files. To run parts on several machines, they need a shared local folder, and a
        plan without *manifest*.

        Args:
            n: Number of parts. With fewer transfers, some are empty.

        Raises:
            InvalidArgumentError: If *n* is not an integer of at least 1.
        """
        check_count("n", n)
        transfers = [action for action in self.actions if _may_run_apart(action)]
        parts = [
            replace(self, actions=tuple(transfers[index] for index in part), creates_folder=False)
            for part in balanced([action.size for action in transfers], n)
        ]
        rest = tuple(action for action in self.actions if not _may_run_apart(action))
        return SplitPlan(tuple(parts), replace(self, actions=rest))

    def __str__(self) -> str:
        head = [
            f"{self.source} -> {self.destination}",
            summary(self.actions, self.bytes_to_transfer),
            f"listing: {self._listed()}",
        ]
        if self.creates_folder:
            head.append(f"create folder {self.destination}")
        return "\n".join(head + rows(self.changes))

    def _repr_html_(self) -> str:
        """Return a table for notebooks: the summary, and a row for each change."""
        counts = summary(self.actions, self.bytes_to_transfer)
        caption = f"{self.source} → {self.destination}: {counts}; listing: {self._listed()}"
        rows = [
            (action.kind, action.path, html_size(action.size), _remark(action).strip(" ()")) for action in self.changes
        ]
        return html_table(caption, ("action", "path", "size", ""), rows)

    def _listed(self) -> str:
        if self.method is None:
            return "the server has no such folder yet"
        return f"{'complete' if self.is_complete else 'incomplete'}, by {self.method}"

    def to_json(self) -> str:
        """Return the plan as JSON, for :meth:`from_json` of this release or a later one."""
        document = {
            "version": _VERSION,
            "source": self.source,
            "destination": self.destination,
            "direction": self.direction,
            "is_complete": self.is_complete,
            "method": self.method,
            "manifest": self.manifest,
            "creates_folder": self.creates_folder,
            "actions": [write_action(action) for action in self.actions],
        }
        return json.dumps(document)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """
        Read a plan from the result of :meth:`to_json`.

        Raises:
            InvalidArgumentError: If it is not a plan, or was written by a later release.
            InvalidURLError: If the URL of a folder in it is not that of an item.
        """
        document = _parsed(text)
        if (version := document.get("version")) != _VERSION:
            raise malformed("version", f"{version!r}; this release reads {_VERSION}")
        directions: tuple[Direction, ...] = get_args(Direction)
        actions: list[object] = read("plan", document, "actions", list)
        return cls(
            source=read("plan", document, "source", str),
            destination=read("plan", document, "destination", str),
            direction=read_choice("plan", document, "direction", directions),
            actions=tuple(read_action(f"actions[{number}]", action) for number, action in enumerate(actions)),
            is_complete=read("plan", document, "is_complete", bool),
            method=_text_or_none(document, "method"),
            manifest=_text_or_none(document, "manifest"),
            creates_folder="creates_folder" in document and read("plan", document, "creates_folder", bool),
        )


class SplitPlan(NamedTuple):
    """
    The parts of a plan, see :meth:`SyncPlan.split`.

    Attributes:
        parts: Plans with transfers only, which may run at the same time.
        last: The plan with all other actions, to run when all parts have succeeded.
    """

    parts: tuple[SyncPlan, ...]
    last: SyncPlan


def _may_run_apart(action: SyncAction) -> bool:
    """Return whether an action is independent of others; a checksum file must follow its file."""
    return action.kind == "fetch" or (action.kind == "send" and checksum_file(action.path) is None)


def _parsed(text: object) -> Mapping[str, Any]:
    if not isinstance(text, str | bytes):
        raise malformed("plan", f"{type(text).__name__}; expected text")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise malformed("plan", "is not JSON") from error
    return read_object("plan", document)


def _text_or_none(document: Mapping[str, Any], name: str) -> str | None:
    return None if document.get(name) is None else read("plan", document, name, str)


def summary(actions: Sequence[SyncAction], bytes_to_transfer: int) -> str:
    """Return the counts of the *actions* in one line."""
    counts = Counter(action.kind for action in actions)
    parts = [f"{counts[kind]} {words}" for kind, words in _WORDS.items() if counts[kind]]
    return f"{', '.join(parts) or 'nothing on either side'}; {bytes_to_transfer} bytes to transfer"


def rows(actions: Sequence[SyncAction]) -> list[str]:
    """Return one line for each action, with the columns kind, bytes and path."""
    width = max((len(str(action.size)) for action in actions), default=0)
    return [f"{action.kind:<8}  {action.size:>{width}}  {_shown(action.path)}{_remark(action)}" for action in actions]


def _remark(action: SyncAction) -> str:
    if action.origin:
        return f"  (from {_shown(action.origin.path)})"
    if action.reason:
        return f"  ({_shown(action.reason)})"
    return "  (replaces)" if action.source and action.target else ""


def _shown(text: str) -> str:
    """Return a name without control characters."""
    return text if text.isprintable() else ascii(text)


def balanced(weights: Sequence[float], n: int) -> list[list[int]]:
    """
    Return the sorted indexes of the items of each of *n* parts; no part exceeds the mean by more than one item.

    The largest items are assigned first, each to the smallest part.
    """
    parts: list[list[int]] = [[] for _ in range(n)]
    lightest = [(0.0, 0, number) for number in range(n)]
    for index in sorted(range(len(weights)), key=lambda index: (-weights[index], index)):
        weight, count, number = lightest[0]
        parts[number].append(index)
        heapq.heapreplace(lightest, (weight + weights[index], count + 1, number))
    return [sorted(part) for part in parts]


def write_action(action: SyncAction) -> dict[str, Any]:
    """Return an action as an object; default values are omitted."""
    files = {"source": action.source, "target": action.target, "origin": action.origin}
    document: dict[str, Any] = {"kind": action.kind, "path": action.path}
    document.update((name, _write_file(file)) for name, file in files.items() if file)
    if action.reason:
        document["reason"] = action.reason
    return document


def _write_file(file: SyncFile) -> dict[str, Any]:
    document: dict[str, Any] = {"path": file.path, "size": file.size, "modified_ns": file.modified_ns}
    document.update((name, file.checksums.get(name)) for name in ALGORITHMS)
    return {name: value for name, value in document.items() if value is not None}


def read_action(where: str, value: object) -> SyncAction:
    """
    Read an action.

    Raises:
        InvalidArgumentError: If it is not an action; the message contains *where*.
    """
    document = read_object(where, value)
    kind = read_choice(where, document, "kind", _NEEDS)
    files: dict[str, SyncFile] = {
        name: _read_file(f"{where}.{name}", document[name]) for name in _FILES if name in document
    }
    for name in _NEEDS[kind]:
        if name not in document:
            raise malformed(where, f"a {kind} without {name!r}")
    reason = read(where, document, "reason", str) if "reason" in document else ""
    path = read(where, document, "path", str)
    return SyncAction(kind, path, files.get("source"), files.get("target"), files.get("origin"), reason)


def _read_file(where: str, value: object) -> SyncFile:
    document = read_object(where, value)
    size = read(where, document, "size", int)
    if size < 0:
        raise malformed(f"{where}.size", f"{size}; expected a number of bytes")
    modified_ns = read(where, document, "modified_ns", int) if "modified_ns" in document else None
    try:
        checksums = Checksums(**{name: document.get(name) for name in ALGORITHMS})
    except InvalidArgumentError as error:
        raise malformed(where, error.message) from error
    return SyncFile(read(where, document, "path", str), size, checksums, modified_ns)


def read_object(where: str, value: object) -> Mapping[str, Any]:
    """
    Return *value* if it is an object.

    Raises:
        InvalidArgumentError: If it is not.
    """
    if not isinstance(value, dict):
        raise malformed(where, f"{type(value).__name__}; expected an object")
    return value


def read(where: str, document: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """
    Return the value of *name*, which must be of this *kind*.

    Raises:
        InvalidArgumentError: If it is missing, or of another kind.
    """
    value = document.get(name)
    # True is an int as well.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise malformed(f"{where}.{name}", f"{value!r}; expected {kind.__name__}")
    return value


def read_choice(where: str, document: Mapping[str, Any], name: str, choices: Iterable[T]) -> T:
    """
    Return the value of *name*, which is one of *choices*.

    Raises:
        InvalidArgumentError: If it is missing, or not one of them.
    """
    known = list(choices)
    for choice in known:
        if choice == document.get(name):
            return choice
    raise malformed(f"{where}.{name}", f"{document.get(name)!r}; expected one of {', '.join(map(repr, known))}")


def malformed(where: str, what: str) -> InvalidArgumentError:
    """Return the error for a document that is not a plan."""
    return InvalidArgumentError(f"sync plan: {where}: {what}", hint="use what SyncPlan.to_json() has written")
