"""Actions of a plan to and from JSON."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from .._checksums import ALGORITHMS, Checksums
from .._errors import InvalidArgumentError
from .values import ActionKind, SyncAction, SyncFile

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
