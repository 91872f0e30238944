"""Several files on one command line: arguments, lines of stdin, and where each file goes; errors name the line."""

import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import aioartifact

T = TypeVar("T")

# That of UTF-8; the same read as Latin-1, and as ASCII.
_BYTE_ORDER_MARKS = ("\ufeff", "\u00ef\u00bb\u00bf", "\udcef\udcbb\udcbf")
_NO_NAMES = frozenset({"", ".", ".."})


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One of several files.

    Attributes:
        text: URL or local path.
        line: Number of the line in the list on stdin; None for an argument.
        path: In a list of URLs, what follows after a tab: the local path below the destination; or None.
    """

    text: str
    line: int | None = None
    path: str | None = None

    @property
    def prefix(self) -> str:
        """Prefix of an error message."""
        return f"line {self.line} of the list: " if self.line else ""

    @property
    def label(self) -> str:
        """Name of this entry in an error about several."""
        return f"line {self.line} ({self.text})" if self.line else self.text

    def error(self, problem: str, hint: str | None = None) -> aioartifact.InvalidArgumentError:
        """Return the error for an invalid entry."""
        return aioartifact.InvalidArgumentError(f"{self.prefix}{problem}", hint=hint)


def read_urls(words: Iterable[str], expand: Callable[[str], str]) -> list[Entry]:
    """
    Replace ``-`` by the lines of stdin, each a URL of an item, optionally with a tab and a local path.

    Lines that begin with ``#`` are comments. *expand* returns the URL of an item, which may lack its server.

    Raises:
        InvalidArgumentError: If a line has another form.
    """
    entries = (entry for entry in _entries(words) if not (entry.line and entry.text.startswith("#")))
    return [_checked_url(entry, expand) for entry in entries]


def read_files(words: Iterable[str]) -> list[str]:
    """
    Replace ``-`` by the lines of stdin; all must be files, with different names.

    Raises:
        InvalidArgumentError: If one is a folder or does not exist, or two have the same name.
        LocalFileError: If the disk failed.
    """
    files = dict[str, Entry]()
    for entry in _entries(words):
        _check_file(entry)
        name = Path(entry.text).name
        first = files.setdefault(name, entry)
        if first is not entry and Path(first.text).resolve() != Path(entry.text).resolve():
            raise _clash(first.label, entry.label, name, "deploy the folder that has both")
    return [entry.text for entry in files.values()]


def _entries(words: Iterable[str]) -> Iterator[Entry]:
    for word in words:
        if word == "-":
            yield from _lines(sys.stdin)
        else:
            yield Entry(word)


def _lines(file: Iterable[str]) -> Iterator[Entry]:
    """The lines of *file*, stripped, without a byte order mark and empty lines."""
    for number, line in enumerate(file, 1):
        text = (_without_mark(line) if number == 1 else line).strip()
        if text:
            yield Entry(text, number)


def _without_mark(line: str) -> str:
    for mark in _BYTE_ORDER_MARKS:
        line = line.removeprefix(mark)
    return line


def _checked_url(entry: Entry, expand: Callable[[str], str]) -> Entry:
    url, path = entry.text, entry.path
    if entry.line:
        url, *paths = entry.text.split("\t")
        if len(paths) > 1:
            raise entry.error("has more than one tab", "expected URL, or URL<TAB>PATH")
        url, path = url.rstrip(), paths[0].lstrip() if paths else None
    entry = Entry(_parsed(Entry(url, entry.line), expand), entry.line, path)
    _parsed(entry, aioartifact.path)
    return entry


def _parsed(entry: Entry, parse: Callable[[str], T]) -> T:
    try:
        return parse(entry.text)
    except aioartifact.InvalidURLError as error:
        raise entry.error(error.message, error.hint) from None


def _check_file(entry: Entry) -> None:
    path = os.path.expanduser(entry.text)  # noqa: PTH111  # leaves an unknown user unchanged
    try:
        status = os.stat(path)  # noqa: PTH116  # Path.is_dir() raises some errors and hides others
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise entry.error(f"{entry.text!r} does not exist") from None
    except OSError as error:
        raise aioartifact.LocalFileError.from_os_error(f"{entry.prefix}read", path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise entry.error(f"{entry.text!r} is a folder; a folder is deployed alone")


def _clash(first: str, second: str, target: str, hint: str) -> aioartifact.InvalidArgumentError:
    return aioartifact.InvalidArgumentError(f"{first} and {second} both go to {target}", hint=hint)


# Downloads


def items_of(
    entries: Iterable[Entry], destination: str, parse: Callable[[str], "aioartifact.ArtifactoryPath"], *, tree: bool
) -> list["aioartifact.Item"]:
    """
    Assign a local path to each of *entries*; repeated entries are downloaded once.

    Args:
        entries: The files.
        destination: Folder to write to.
        parse: Parses a URL, as the session does.
        tree: Whether files without a path keep their path in the repository.

    Raises:
        InvalidArgumentError: If two files have the same path, or a path is not below the destination.
    """
    items, taken = list["aioartifact.Item"](), dict[str, tuple[Entry, str]]()
    for entry in entries:
        url = _parsed(entry, parse)
        path = _path_of(entry, url, destination, tree=tree)
        target = _target_of(url, path, destination)
        first, first_url = taken.setdefault(target, (entry, str(url)))
        if first is entry:
            items.append((str(url), path) if path else str(url))
        elif first_url != str(url):
            hint = "lines of the form URL<TAB>PATH name the path of each"
            in_tree = [
                _target_of(each, _path_of(one, each, destination, tree=True), destination)
                for one, each in ((first, parse(first_url)), (entry, url))
            ]
            if not tree and in_tree[0] != in_tree[1]:
                hint = f"--tree keeps the folders of the repository; {hint}"
            raise _clash(first.label, entry.label, target, hint)
    return items


def _path_of(entry: Entry, url: "aioartifact.ArtifactoryPath", destination: str, *, tree: bool) -> str:
    """Path of *entry* below the destination; ``""`` if it is the name of the file."""
    return _checked_path(entry, destination) or (url.path if tree else "")


def _target_of(url: "aioartifact.ArtifactoryPath", path: str, destination: str) -> str:
    return str(Path(destination, path, url.name) if path.endswith("/") or not path else Path(destination, path))


def _checked_path(entry: Entry, destination: str) -> str | None:
    """The path of *entry* below the destination, if it has one."""
    if not entry.path:
        return None
    path = entry.path.replace(os.sep, "/")
    for folder in (Path(destination).absolute(), Path(destination).resolve()):
        path = path.removeprefix(f"{folder.as_posix()}/")
    if not _NO_NAMES.isdisjoint(path.removesuffix("/").split("/")):
        raise entry.error(f"{entry.path!r} is not a path below {destination}")
    return path


def folder_below(destination: str, folder: "aioartifact.ArtifactoryPath") -> str:
    """
    Return the local folder for a folder that keeps its path in the repository.

    Raises:
        InvalidArgumentError: If that is not a valid local path.
    """
    names = folder.path.split("/") if folder.path else []
    for name in names:
        if Path(name).name != name:  # on Windows, backslash and colon are separators
            raise aioartifact.InvalidArgumentError(f"{folder}: no local folder can have the name {name!r}")
    return str(Path(destination, *names))
