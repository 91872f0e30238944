"""Results on stdout: plain lines for people and pipes, one JSON object per line for programs."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

import click

import aioartifact

from . import units


def emit(plain: str, record: Mapping[str, object], *, as_json: bool) -> None:
    """Write one result."""
    click.echo(json.dumps(record, default=_text_of_time) if as_json else _for_people(plain))


def _text_of_time(value: object) -> str:
    assert isinstance(value, datetime), value
    return value.isoformat()


def _for_people(line: str) -> str:
    """Keep what a terminal would obey out of it; a pipe gets names as they are."""
    return units.printable(line) if sys.stdout.isatty() else line


def version(name: str, *, as_json: bool) -> None:
    """Write one version."""
    emit(name, {"version": name}, as_json=as_json)


def item(info: aioartifact.FileInfo | aioartifact.FolderInfo, *, as_json: bool) -> None:
    """Write a file, or what is in a folder."""
    if isinstance(info, aioartifact.FolderInfo):
        for child in info.children:
            name = f"{child.name}/" if child.folder else child.name
            emit(name, {"name": child.name, "folder": child.folder}, as_json=as_json)
    elif sys.stdout.isatty() and not as_json:
        _table(info)
    else:
        emit(f"{info.name}\t{info.size}", _file(info), as_json=as_json)


def _file(info: aioartifact.FileInfo) -> dict[str, object]:
    fields = asdict(info)
    return {"name": info.name, "folder": False, **fields.pop("checksums"), **fields}


def _table(info: aioartifact.FileInfo) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in _file(info).items():
        if value is not None and name != "folder":
            table.add_row(Text(name, style="dim"), Text(units.printable(str(value)), overflow="fold"))
    Console().print(table)


def outcome(done: aioartifact.Outcome, *, as_json: bool) -> None:
    """
    Write what became of one file.

    Plain, that is the path of a file that is there, for a pipe to go on with; a terminal is told by the progress
    display and the summary instead.
    """
    if as_json:
        emit("", _outcome(done), as_json=True)
    elif done.path and not done.error and not sys.stdout.isatty():
        click.echo(done.path)


def _outcome(done: aioartifact.Outcome) -> dict[str, object]:
    return {
        "url": done.url,
        "path": done.path,
        "status": done.status,
        "size": done.size,
        "sha256": done.sha256,
        "seconds": round(done.seconds, 6),
        "error": done.error and _error(done.error),
    }


def _error(error: aioartifact.ArtifactoryError) -> dict[str, object]:
    return {"type": type(error).__name__, "message": error.message, "hint": error.hint}
