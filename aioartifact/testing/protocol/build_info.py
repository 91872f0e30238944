"""
Build info as clients publish it: what identifies a build run, where its document is stored, what is in its modules.

See: JFrog, "Build Info" (the schema of github.com/jfrog/build-info-go).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, NoReturn

from . import formats

Document = Mapping[str, Any]

_STARTED = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)[.,](\d{1,9})(?:(Z)|([+-])(\d\d):?(\d\d))", flags=re.ASCII
)
_ESCAPED = {character: f"%{ord(character):02X}" for character in '%\\|*?":;'}
_END_OF_TIME = 253_402_300_800_000  # year 10000, in epoch milliseconds
_EDGES = re.compile("(?<=/) | (?=/)|(?<=/)[.&](?=/)")


class BuildInfoError(ValueError):
    """A document is not build info; the text says why."""


@dataclass(frozen=True, slots=True)
class Run:
    """
    One run of a build.

    Attributes:
        name: Name of the build.
        number: Number of the run, any text.
        started: When it started, in epoch milliseconds.
    """

    name: str
    number: str
    started: int

    @property
    def path(self) -> str:
        """Path of the document in the repository for build info."""
        return f"{folder_of(self.name)}/{_encoded(self.number, end='/')}-{self.started}.json"


@dataclass(frozen=True, slots=True)
class Produced:
    """
    A file that a module of a build consists of, or depends on.

    Attributes:
        name: Name of an artifact, or the identifier of a dependency.
        type: Kind of file, ``""`` if not given.
        sha1: In hex, ``""`` if not given; so is *md5*.
        scopes: Scopes of a dependency.
    """

    name: str
    type: str
    sha1: str
    md5: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Module:
    """A module of a build, such as an artifact of Maven with its files."""

    name: str
    properties: Mapping[str, str]
    artifacts: tuple[Produced, ...]
    dependencies: tuple[Produced, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """
    A status that a promotion gave to a run.

    Attributes:
        status: The status.
        comment: What was said about it, ``""`` for nothing, as for the texts that follow.
        repository: Repository that the files were promoted to.
        user: Who promoted the run, as the server knows its users.
        ci_user: The same, as the CI server does.
        time: When, in epoch milliseconds.
    """

    status: str
    comment: str
    repository: str
    user: str
    ci_user: str
    time: int


def parse_json(content: bytes) -> Any:
    """
    Read JSON that a client sent, without members that are null; half a surrogate pair becomes a question mark.

    Raises:
        BuildInfoError: If it is not JSON, or nested more deeply than the parser can follow.
    """
    try:
        sent = json.loads(content, parse_constant=_refuse_constant)
        return json.loads(json.dumps(_without_nulls(sent), ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise BuildInfoError("Error parsing json body") from None


def parse_document(content: bytes) -> dict[str, Any]:
    """
    Read a document that describes a run.

    Raises:
        BuildInfoError: If it is not a JSON object, or a part of it has another type than it should have.
    """
    document = parse_json(content)
    if not isinstance(document, dict):
        raise BuildInfoError("Error parsing json body")
    for part_of in (run_of, url_of, modules_of, properties_of, statuses_of, issues_of):
        part_of(document)
    return document


def folder_of(name: str) -> str:
    """Return the folder of the documents of all runs of a build."""
    return _encoded(name, end="")


def parse_started(text: str) -> int:
    """
    Read the start of a build as epoch milliseconds: ``2024-06-30T12:00:00.000+0200``.

    Raises:
        BuildInfoError: If it is something else.
    """
    found = _STARTED.fullmatch(text)
    if found is None:
        raise BuildInfoError(f'Invalid format: "{text}"')
    *moment, fraction, _, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        year, month, day, hour, minute, second = map(int, moment)
        milliseconds = int(fraction[:3].ljust(3, "0"))
        return formats.to_ms(datetime(year, month, day, hour, minute, second, 1000 * milliseconds, zone))
    except (ValueError, OverflowError):
        raise BuildInfoError(f'Invalid format: "{text}"') from None


def run_of(document: Document) -> Run:
    """
    Return what identifies the run that a document describes.

    Raises:
        BuildInfoError: If name, number or start are missing or are not text.
    """
    name, number, started = (_text(document, field) for field in ("name", "number", "started"))
    if not (name.strip() and number.strip() and started.strip()):
        raise BuildInfoError("Build name, number or start date cannot be empty or null!")
    if name.lstrip().startswith("."):
        raise BuildInfoError("Build name must not start with '.'")
    if number.lstrip().startswith("."):
        raise BuildInfoError("Build number must not start with '.'")
    return Run(name, number, parse_started(started))


def modules_of(document: Document) -> tuple[Module, ...]:
    """
    Return the modules of a build.

    Raises:
        BuildInfoError: If a part of them has another type than it should have.
    """
    return tuple(
        Module(
            _text(each, "id"),
            properties_of(each),
            tuple(_produced(each, "artifacts", "name")),
            tuple(_produced(each, "dependencies", "id")),
        )
        for each in _objects(document, "modules")
    )


def properties_of(document: Document) -> Mapping[str, str]:
    """
    Return the properties of a build or of a module.

    Raises:
        BuildInfoError: If they are not an object.
    """
    found = document.get("properties") or {}
    if not isinstance(found, dict):
        raise BuildInfoError("'properties' is not an object")
    return {key: value if isinstance(value, str) else str(value) for key, value in found.items() if value is not None}


def url_of(document: Document) -> str:
    """
    Return the address of a run at the CI server, ``""`` if not given.

    Raises:
        BuildInfoError: If it is not text.
    """
    return _text(document, "url")


def statuses_of(document: Document) -> tuple[Status, ...]:
    """
    Return the promotions of a run, in the order in which they were recorded.

    Raises:
        BuildInfoError: If a part of them has another type than it should have.
    """
    return tuple(
        Status(
            _text(each, "status"),
            _text(each, "comment"),
            _text(each, "repository"),
            _text(each, "user"),
            _text(each, "ciUser"),
            _time(each.get("timestampDate", each.get("timestamp", 0))),
        )
        for each in _objects(document, "statuses")
    )


def issues_of(document: Document) -> list[Document]:
    """
    Return the issues that a run is about.

    Raises:
        BuildInfoError: If they are not a list of objects.
    """
    issues = document.get("issues") or {}
    if not isinstance(issues, dict):
        raise BuildInfoError("'issues' is not an object")
    return _objects(issues, "affectedIssues")


def _time(value: object) -> int:
    """Return a time in epoch milliseconds, given so or as text."""
    if isinstance(value, str):
        return parse_started(value)
    if isinstance(value, int) and abs(value) < _END_OF_TIME:
        return int(value)
    raise BuildInfoError(f"{json.dumps(value)[:40]} is not a time")


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(text)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def order_of(runs: Sequence[Run]) -> list[Run]:
    """Return *runs* in the order of their numbers: by value if all are numeric, else as text; then by start."""
    is_numeric = all(run.number.isdecimal() for run in runs)
    return sorted(runs, key=lambda run: (int(run.number) if is_numeric else 0, run.number, run.started))


def _produced(module: Document, field: str, name: str) -> Iterator[Produced]:
    for each in _objects(module, field):
        scopes = each.get("scopes") or ()
        if not isinstance(scopes, list | tuple) or not all(isinstance(scope, str) for scope in scopes):
            raise BuildInfoError("'scopes' is not a list of text")
        checksums = (_text(each, "sha1").lower(), _text(each, "md5").lower())
        yield Produced(_text(each, name), _text(each, "type"), *checksums, tuple(scopes))


def _objects(document: Document, field: str) -> list[Document]:
    found = document.get(field) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BuildInfoError(f"'{field}' is not a list of objects")
    return found


def _text(document: Document, field: str) -> str:
    value = document.get(field)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise BuildInfoError(f"'{field}' is not text")


def _encoded(text: str, *, end: str) -> str:
    """
    Escape what a path cannot have; blanks only beside a slash, and a dot or ampersand only between two.

    Args:
        text: Name or number of a build.
        end: A slash if blanks are escaped at the end as well, else ``""``.
    """
    characters = (" " if each.isspace() else _ESCAPED.get(each, each) for each in text)
    escaped = _EDGES.sub(lambda found: f"%{ord(found[0]):02X}", f"/{''.join(characters)}{end}")
    return escaped[1 : len(escaped) - len(end)].replace("/", "%2F")
