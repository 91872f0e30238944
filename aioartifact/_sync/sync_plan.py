"""The plan of a sync: its actions, as a value, as a table for people to read, and as JSON."""

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
# What each kind of action cannot do without.
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


@dataclass(frozen=True, slots=True, repr=False)
class SyncPlan(ShortRepr):
    """
    What a sync would do, made by :func:`plan_sync` and done by :func:`run_sync`.

    ``str()`` of it is a table of all that would change; :meth:`to_json` keeps it for later. It holds no secrets.

    Attributes:
        source: URL or absolute path of the folder that is the model.
        destination: URL or absolute path of the folder that becomes like it.
        direction: ``"download"`` where the source is on a server, else ``"upload"``.
        actions: What is done about each path, sorted by path.
        is_complete: Whether the server's folder was listed to its end; else nothing is deleted.
        method: How the server was asked: ``"file-list"``, ``"aql"`` or ``"folders"``; ``"cache"`` if an offline cache
            was used instead; None where it has no such folder yet.
        manifest: Absolute path of the file in which is recorded what local files hold, or None.
        creates_folder: Whether the local folder is created although nothing is fetched: the source is an empty folder.

    Raises:
        InvalidURLError: A folder's URL is not that of an item; one that holds credentials is not.
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
        """The actions of these *kinds*."""
        return tuple(action for action in self.actions if action.kind in kinds)

    @property
    def changes(self) -> tuple[SyncAction, ...]:
        """All actions but those that keep what is there; none at all where both sides are in sync."""
        return tuple(action for action in self.actions if action.kind != "keep")

    @property
    def bytes_to_transfer(self) -> int:
        """Bytes of all files that are to be fetched or sent."""
        return sum(action.size for action in self.of("fetch", "send"))

    def split(self, n: int) -> "SplitPlan":
        """
        Divide the transfers into *n* plans of about the same number of bytes, to be run anywhere, at the same time.

        Everything else is in a last plan, to be run when all parts have succeeded: copies, renames and deletions, files
        that are kept, conflicts, and checksum files, which follow the files that they belong to. Parts on several
        machines need a local folder that all of them share, and a plan without *manifest*.

        Args:
            n: Number of parts. With fewer transfers, some are empty.

        Raises:
            InvalidArgumentError: If *n* is not a whole number of at least 1.
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
        """Return what a notebook shows: the summary, and a row for each change."""
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
        """The plan as JSON, for :meth:`from_json` of this release and later ones."""
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
        Read a plan that :meth:`to_json` has written.

        Raises:
            InvalidArgumentError: If it is not one, or of a later release.
            InvalidURLError: A folder's URL in it is not that of an item.
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
        parts: Plans with transfers only; they may be run at the same time.
        last: What is left, to be run when all parts have succeeded.
    """

    parts: tuple[SyncPlan, ...]
    last: SyncPlan


def _may_run_apart(action: SyncAction) -> bool:
    """Whether an action depends on no other one; a checksum file must follow the file that it belongs to."""
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
    """Counts of the *actions*, in one line."""
    counts = Counter(action.kind for action in actions)
    parts = [f"{counts[kind]} {words}" for kind, words in _WORDS.items() if counts[kind]]
    return f"{', '.join(parts) or 'nothing on either side'}; {bytes_to_transfer} bytes to transfer"


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


def balanced(weights: Sequence[float], n: int) -> list[list[int]]:
    """
    Return the indexes of the items of each of *n* parts, sorted; none is heavier than the mean and one item more.

    The heaviest item comes first, and each goes to the lightest part.
    """
    parts: list[list[int]] = [[] for _ in range(n)]
    lightest = [(0.0, 0, number) for number in range(n)]
    for index in sorted(range(len(weights)), key=lambda index: (-weights[index], index)):
        weight, count, number = lightest[0]
        parts[number].append(index)
        heapq.heapreplace(lightest, (weight + weights[index], count + 1, number))
    return [sorted(part) for part in parts]


def write_action(action: SyncAction) -> dict[str, Any]:
    """An action as an object; what says nothing is left out."""
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
        InvalidArgumentError: If it is not one; *where* it stands is in the message.
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
    Return the value of *name*, which is of this *kind*.

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
        InvalidArgumentError: If it is missing, or none of them.
    """
    known = list(choices)
    for choice in known:
        if choice == document.get(name):
            return choice
    raise malformed(f"{where}.{name}", f"{document.get(name)!r}; expected one of {', '.join(map(repr, known))}")


def malformed(where: str, what: str) -> InvalidArgumentError:
    """The error for a document that is no plan."""
    return InvalidArgumentError(f"sync plan: {where}: {what}", hint="use what SyncPlan.to_json() has written")
