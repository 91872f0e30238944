"""Results on stdout: plain lines, or one JSON object per line; and colours, readable on dark and on light ground."""

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TextIO, TypeAlias

import aioartifact

from . import units

# Codes of ECMA-48; red is bold, as it is hard to read otherwise.
RED, GREEN, YELLOW, BLUE, CYAN, DIM = "1;31", "32", "33", "34", "36", "2"


def painted(text: str, colour: str, stream: TextIO) -> str:
    """Return *text* in a colour if *stream* is a terminal that shows colours, and ``NO_COLOR`` is not set."""
    return f"\x1b[{colour}m{text}\x1b[0m" if text and has_colours(stream) else text


def has_colours(stream: TextIO) -> bool:
    """Whether *stream* is a terminal, and nothing in the environment objects."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


_SYNC_COLOURS = {"deleted": RED, "renamed": YELLOW, "failed": RED}
Entry: TypeAlias = aioartifact.FileInfo | aioartifact.FolderInfo


def emit(plain: str, record: Mapping[str, object], *, as_json: bool) -> None:
    """Write one result, at once."""
    row(plain, record, as_json=as_json)
    sys.stdout.flush()


def row(plain: str, record: Mapping[str, object], *, as_json: bool) -> None:
    """Write one result of very many; buffered, since one write to a pipe for each would dominate the time."""
    sys.stdout.write(f"{json.dumps(record, default=_text_of_time) if as_json else _for_people(plain)}\n")


def coloured(
    prefix: str, text: str, colour: str, rest: str = "", *, as_json: bool, record: Mapping[str, object]
) -> None:
    """Write one result, of which *text* has a colour on a terminal."""
    if as_json or not sys.stdout.isatty():
        row(f"{prefix}{text}{rest}", record, as_json=as_json)
    else:
        styled([(prefix, ""), (text, colour), (rest, "")])


def styled(parts: Iterable[tuple[str, str]]) -> None:
    """Write texts, each in a colour if it has one."""
    texts = ((_printable_lines(text), colour) for text, colour in parts)
    sys.stdout.write("".join(painted(text, colour, sys.stdout) if colour else text for text, colour in texts) + "\n")


def _printable_lines(text: str) -> str:
    return re.sub(r"[^\t\n]+", lambda found: units.printable(found[0]), text)


def _text_of_time(value: object) -> str:
    assert isinstance(value, datetime), value
    return value.isoformat()


def _for_people(line: str) -> str:
    """Replace control characters except tabs on a terminal; a pipe gets names as they are."""
    return "\t".join(map(units.printable, line.split("\t"))) if sys.stdout.isatty() else line


def version(name: str, *, as_json: bool) -> None:
    """Write one version."""
    emit(name, {"version": name}, as_json=as_json)


def describe(entry: Entry) -> dict[str, object]:
    """Fields of a file or a folder, with the same keys for both; null if unknown."""
    file = entry if isinstance(entry, aioartifact.FileInfo) else None
    return {
        "name": entry.name,
        "folder": file is None,
        "url": entry.url,
        "repository": entry.repository,
        "path": entry.path,
        "size": file and file.size,
        **asdict(file.checksums if file else aioartifact.Checksums()),
        "created": entry.created,
        "modified": entry.modified,
        "created_by": entry.created_by,
        "modified_by": entry.modified_by,
        "mime_type": file and file.mime_type,
    }


def details(record: Mapping[str, object], *, as_json: bool) -> None:
    """Write fields: a table on a terminal, otherwise a line for each, with a tab after its name."""
    if as_json:
        emit("", record, as_json=True)
        return
    known = {name: value for name, value in record.items() if value is not None}
    if sys.stdout.isatty():
        _table({name.replace("_", " "): _readable(name, value) for name, value in known.items()})
    else:
        for name, value in known.items():
            row(f"{name}\t{_in_words(value)}", {}, as_json=False)


def _readable(name: str, value: object) -> str:
    """Text for a terminal: a size also in binary units, a time in the local time zone."""
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M:%S %z}"
    if name == "size" and isinstance(value, int) and value >= 1024:
        return f"{value} ({units.size(value)})"
    return _in_words(value)


def _in_words(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat()
        case list() | tuple():
            return ", ".join(value)
        case _:
            return str(value)


def _table(known: Mapping[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in known.items():
        table.add_row(Text(name, style="dim"), Text(units.printable(value), overflow="fold"))
    Console().print(table)


def outcome(done: aioartifact.Outcome, *, as_json: bool) -> None:
    """
    Write the outcome of one file.

    As text, that is the path of a complete file, for use in a pipe; a terminal has the progress display and the
    summary instead.
    """
    if as_json:
        emit("", _outcome(done), as_json=True)
    elif done.path and not done.error and not sys.stdout.isatty():
        emit(done.path, {}, as_json=False)


def deployed(done: aioartifact.Outcome, *, as_json: bool) -> None:
    """Write the outcome of one local file: as text, its URL, if the server has it."""
    if as_json or not done.error:
        emit(done.url, _outcome(done), as_json=as_json)


def relocated(done: aioartifact.Outcome, *, as_json: bool) -> None:
    """Write the outcome of one of several sources: as text, its new URL, if it has one."""
    if as_json or not done.error:
        record = {"source": done.source or done.url, "url": done.url, "dry_run": done.status == "planned"}
        error = done.error and _error(done.error)
        emit(done.url, {**record, "status": done.status, "error": error}, as_json=as_json)


def synced(done: aioartifact.Outcome, *, as_json: bool) -> None:
    """Write the outcome of one path of a sync: as text, action and path, unless it was unchanged."""
    if as_json or done.status not in ("unchanged", "failed"):
        colour = _SYNC_COLOURS.get(done.status, GREEN)
        coloured("", done.status, colour, f"\t{done.path or done.url}", record=_outcome(done), as_json=as_json)
        sys.stdout.flush()


def plan(made: aioartifact.SyncPlan, *, as_json: bool) -> None:
    """Write the plan of a sync: a table, or an object for each action."""
    if not as_json:
        for line in str(made).splitlines():
            row(line, {}, as_json=False)
        return
    for action in made.changes:
        origin = action.origin and action.origin.path
        record = {"action": action.kind, "path": action.path, "size": action.size, "from": origin}
        row("", {**record, "reason": action.reason or None}, as_json=True)


def _outcome(done: aioartifact.Outcome) -> dict[str, object]:
    return {
        "url": done.url,
        "path": done.path,
        "status": done.status,
        "size": done.size,
        "sha256": done.sha256,
        "seconds": round(done.seconds, 6),
        "was_replaced": done.was_replaced,
        "from_cache": done.from_cache,
        "error": done.error and _error(done.error),
    }


def _error(error: aioartifact.ArtifactoryError) -> dict[str, object]:
    return {
        "type": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "status": error.status if isinstance(error, aioartifact.ResponseError) else None,
        "retryable": error.retryable,
    }
