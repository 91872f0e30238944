"""
The grammar of request paths: raw request target to repository, item path and matrix parameters.

Artifactory decodes in an order of its own (``;`` splits before percent-decoding, ``+`` is literal in a path and a
space in a matrix value), so this reads the target exactly as it stood on the request line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, unquote, unquote_plus

# Tomcat refuses these unencoded, and a percent sign that starts no escape, before Artifactory sees the request.
_REFUSED = re.compile(r"""["<>\\^`{|}\x00-\x20]|%(?![0-9A-Fa-f]{2})""")


class BadPathError(ValueError):
    """The request target cannot be a path; the server answers 400 with this text."""


@dataclass(frozen=True, slots=True)
class Target:
    """
    A request target, taken apart.

    Attributes:
        path: Decoded path below the context path, no slash at either end; for logs and patterns.
        segments: The same, split at the slashes that stay after decoding.
        is_folder: The path ended in a slash.
        matrix: Matrix parameters in order, keys as sent (``+`` at the end of a key marks a mandatory one).
        query: Query parameters; the last of a repeated one.
        raw_query: The query as sent.
    """

    path: str
    segments: tuple[str, ...]
    is_folder: bool
    matrix: tuple[tuple[str, str], ...]
    query: dict[str, str]
    raw_query: str

    @property
    def repository(self) -> str:
        """The repository key: the first segment, ``""`` for the server's root."""
        return self.segments[0] if self.segments else ""

    @property
    def item_path(self) -> str:
        """The path inside the repository, ``""`` for its root."""
        return "/".join(self.segments[1:])

    def below(self, count: int) -> "Target":
        """Drop the first *count* segments, for ``api/storage/<repository>/<path>`` and ``list/<repository>``."""
        segments = self.segments[count:]
        return Target("/".join(segments), segments, self.is_folder, self.matrix, self.query, self.raw_query)

    def in_repository(self, key: str) -> "Target":
        """Change the repository, and leave the path inside it."""
        segments = (key, *self.segments[1:])
        return replace(self, path="/".join(segments), segments=segments)

    def elsewhere(self, repository: str, item_path: str) -> "Target":
        """Change the repository and the path inside it."""
        return replace(self, segments=(repository,)).at(item_path)

    def at(self, item_path: str) -> "Target":
        """Change the path inside the repository."""
        segments = (self.repository, *filter(None, item_path.split("/")))
        return replace(self, path="/".join(segments), segments=segments)

    def without_trailing_blanks(self) -> "Target":
        """Trim the name, as deploys do; a name of nothing but blanks stays, and is refused as invalid."""
        name = self.item_path.rpartition("/")[2]
        return self.at(self.item_path.rstrip(" ")) if name.strip(" ") else self


def split_target(target: str, context_path: str) -> tuple[str, str] | None:
    """Split a request target into raw path below *context_path* and raw query; None where it lies outside."""
    raw_path, _, raw_query = target.partition("?")
    if raw_path != context_path and not raw_path.startswith(context_path + "/"):
        return None
    return raw_path[len(context_path) :], raw_query


def parse_target(raw_path: str, raw_query: str) -> Target:
    """
    Take apart a raw path below the context path.

    Raises:
        BadPathError: A character Tomcat refuses, a stray percent sign, or a ``..`` segment.
    """
    if _REFUSED.search(raw_path):
        raise BadPathError("Invalid character found in the request target")
    if not raw_path.isascii():  # bytes sent raw; those that are not UTF-8 arrive as surrogates
        raw_path = raw_path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    path, matrix = _split_matrix(raw_path)
    decoded = decode_path(path)
    segments = tuple(_segments(decoded))
    query = dict(parse_qsl(raw_query, keep_blank_values=True))
    is_folder = decoded.endswith("/") or (bool(matrix) and raw_path.endswith("/"))
    return Target("/".join(segments), segments, is_folder, matrix, query, raw_query)


def decode_path(path: str) -> str:
    """Percent-decode a path: ``+`` and ``%2B`` are both a plus, and so is ``%252B`` (a quirk of 6.20)."""
    return unquote(path, errors="replace").replace("%2B", "+")


def _segments(path: str) -> Iterator[str]:
    for segment in path.split("/"):
        if segment == "..":
            raise BadPathError("Invalid path: parent references are not allowed")
        if segment and segment != ".":
            yield segment


def _split_matrix(raw_path: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """
    Split at the first ``;`` of the path below the repository key; one inside the key ends with the key.

    A slash at the end belongs to the path, not to the last value.
    """
    key, slash, rest = raw_path.lstrip("/").partition("/")
    key, _, of_key = key.partition(";")
    rest, _, of_path = rest.partition(";")
    return key + slash + rest, (*_parameters(of_key), *_parameters(of_path.rstrip("/")))


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    for parameter in filter(None, text.split(";")):
        key, _, value = parameter.partition("=")
        yield key, unquote_plus(value)
