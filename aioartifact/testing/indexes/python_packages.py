"""
What wheels and source distributions say of themselves, as the properties by which ``api/pypi`` finds them.

See: PyPA, "Core metadata specifications"; PEP 503
"""

import re
from collections.abc import Mapping, Sequence
from email.parser import HeaderParser
from pathlib import Path

from ..archive import unpacking
from ..archive.unpacking import Archive, BrokenArchiveError, Entry
from ..repositories.definitions import Repository

NAME = "pypi.normalized.name"
REQUIRES_PYTHON = "pypi.requires.python"

_EXTENSIONS = (".whl", ".egg", ".tar.gz", ".zip")
_DOCUMENT = re.compile(r"(?:[^/]+\.dist-info/METADATA|EGG-INFO/PKG-INFO|[^/]+/PKG-INFO)")
_LIMIT = 1 << 20  # bytes of a metadata document
_SEPARATORS = re.compile(r"[-_.]+")


def normalized(name: str) -> str:
    """Spell the name of a project as PEP 503 does: in lower case, with one hyphen between words."""
    return _SEPARATORS.sub("-", name).lower()


def is_indexed(repository: Repository, path: str) -> bool:
    """Return whether the index of *repository* lists a file, by its name."""
    return repository.package_type == "pypi" and path.endswith(_EXTENSIONS)


def properties(metadata: Mapping[str, str | None]) -> dict[str, Sequence[str]]:
    """Return the properties for *metadata*, the headers of the document; none where name or version is missing."""
    name, version = metadata.get("Name"), metadata.get("Version")
    if not name or not version:
        return {}
    found = {
        "pypi.name": name,
        NAME: normalized(name),
        "pypi.version": version,
        "pypi.summary": metadata.get("Summary"),
        REQUIRES_PYTHON: metadata.get("Requires-Python"),
    }
    return {key: [value] for key, value in found.items() if value}


def properties_of_file(file: Path, name: str) -> dict[str, Sequence[str]]:
    """Return the properties of the package in *file*, called *name*; none where it cannot be read as one."""
    try:
        with unpacking.opened(file, name) as archive:
            return _properties_in(archive)
    except BrokenArchiveError:
        return {}


def _properties_in(archive: Archive) -> dict[str, Sequence[str]]:
    for entry in archive.entries():
        if _DOCUMENT.fullmatch(entry.path) and (found := properties(_headers(archive, entry))):
            return found
    return {}


def _headers(archive: Archive, entry: Entry) -> dict[str, str | None]:
    with archive.open(entry) as file:
        message = HeaderParser().parsestr(file.read(_LIMIT).decode("utf-8", "replace"))
    return {name: message[name] for name in ("Name", "Version", "Summary", "Requires-Python")}
