"""
Addresses: servers, items and their URLs.

Inside the library, names are not encoded. Each path segment is decoded once when a URL is parsed, and percent-encoded
once when a URL is built, so that every name that Artifactory accepts is preserved.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias, TypeGuard
from urllib.parse import SplitResult, parse_qs, quote, unquote, unquote_to_bytes, urlsplit

from yarl import URL

from ._errors import InvalidArgumentError, InvalidURLError

# RFC 3986 pchar, without ';' (Artifactory's matrix parameters start there) and '+' (some proxies and S3
# read it as a space; Artifactory decodes %2B to the same name).
_SAFE = "!$&'()*,=:@"
# What stays as it is: with the unreserved characters of RFC 3986 (2.3).
_PLAIN = re.compile(r"[\w.~!$&'()*,=:@/-]*", re.ASCII)
# Files of one folder are usually parsed together: the part before their names is parsed once.
_FOLDERS = 256
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Not allowed in hosts by RFC 3986 (3.2.2); urlsplit accepts it, and it would fail only when it is sent.
_NOT_IN_HOST = re.compile(r"[ \"%<>\\^`{|}]")
# RFC 3986 (2): neither reserved nor unreserved; what servers nevertheless use ("|", "{", "}", "^", "\\") stays.
_NOT_IN_URL = re.compile(rb"""[^!#-;=?-_a-~]""")
_AUTHORITY = re.compile(r"(?:[^:/?#]*:)?//[^/?#]*")
_LONE_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
# A password given raw may hold any delimiter. What stands where a port should and is none is taken for one, and
# all up to the last "@" is hidden: too much at worst.
_USER_INFO = re.compile(
    r"^((?:[^:/?#]*:)?//)?(?=[^/?#]*@|[^/?#\[\]]*:(?![0-9]*(?:[/?#]|\Z))).*@",
    re.DOTALL,
)
_PARAMETERS = re.compile(r";[^/]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# What ends or interrupts the path of a URL.
_RESERVED = {"?": "starts a query", "#": "starts a fragment", ";": "starts matrix parameters"}
_EXAMPLE = "expected an absolute URL such as https://host/artifactory/repository/path"


class Locator:
    """Base class of values that stand for a URL, which is their ``str()``, on a server."""

    __slots__ = ()

    @property
    def server(self) -> str:
        """Base address of the server."""
        raise NotImplementedError

    @property
    def target_url(self) -> str:
        """The URL as the target of a file, with the slash that it was given with."""
        return str(self)


URLLike: TypeAlias = str | URL | Locator
"""A URL as every function takes it: a text, a ``yarl.URL``, or an :class:`ArtifactoryPath`."""


@dataclass(frozen=True, slots=True)
class ServerURL:
    """
    Base address of an Artifactory, to which credentials, back-off and capabilities belong.

    Attributes:
        scheme: ``"http"`` or ``"https"``.
        host: Lower-case host name, in ASCII.
        port: Port number; the default of the scheme if not in the URL.
        context_path: Decoded path segments before the repository, usually ``("artifactory",)``.
    """

    scheme: str
    host: str
    port: int
    context_path: tuple[str, ...] = ()
    _text: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_text", "/".join([self.origin, *map(quote_segment, self.context_path)]))

    @property
    def origin(self) -> str:
        """Scheme, host and port, without the port where it is the scheme's default (RFC 6454)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}")

    def __str__(self) -> str:
        return self._text

    def contains(self, scheme: str, host: str, port: int | None, segments: tuple[str, ...]) -> bool:
        """Whether an address lies on this server: same origin, and below the context path by whole segments."""
        return (scheme, host, port) == (self.scheme, self.host, self.port) and (
            segments[: len(self.context_path)] == self.context_path
        )

    def is_below(self, other: "ServerURL") -> bool:
        """Whether the address of this server lies on *other*, or is the same."""
        return other.contains(self.scheme, self.host, self.port, self.context_path)

    def upgrades_to(self, scheme: str, host: str, port: int | None, segments: tuple[str, ...]) -> bool:
        """Whether an address is on this server once it redirects from http to https, both at their default ports."""
        return is_upgrade((self.scheme, self.host, self.port), (scheme, host, port)) and (
            segments[: len(self.context_path)] == self.context_path
        )


def is_upgrade(origin: tuple[str, str, int | None], target: tuple[str, str, int | None]) -> bool:
    """Whether *target* is *origin* over TLS: the same host, both at the default ports of http and https."""
    return (origin[0], origin[2]) == ("http", 80) and target == ("https", origin[1], 443)


@dataclass(frozen=True, slots=True)
class ItemURL:
    """
    Address of an item: a repository (empty path), a folder or a file.

    Attributes:
        server: The server that has it.
        repository: Repository key, not encoded.
        path: Path inside the repository, not encoded, without leading and trailing slashes; ``""`` for the repository.
    """

    server: ServerURL
    repository: str
    path: str = ""
    _text: str = field(default="", init=False, repr=False, compare=False)

    @property
    def name(self) -> str:
        """Last segment of the path; the repository key for the repository itself."""
        return self.path.rpartition("/")[2] or self.repository

    @property
    def parent(self) -> "ItemURL":
        """The folder around it; the repository itself for what is right below, and for the repository."""
        return ItemURL(self.server, self.repository, self.path.rpartition("/")[0])

    @property
    def location(self) -> str:
        """``repository/path``, percent-encoded: what follows the base address in every URL of this item."""
        return quote_path(f"{self.repository}/{self.path}" if self.path else self.repository)

    def __hash__(self) -> int:
        return hash((self.repository, self.path))  # that of the server would be computed anew each time

    def __str__(self) -> str:
        if not self._text:  # used several times for each file
            object.__setattr__(self, "_text", f"{self.server}/{self.location}")
        return self._text

    def __truediv__(self, path: str) -> "ItemURL":
        return ItemURL(self.server, self.repository, f"{self.path}/{path}" if self.path else path)


def quote_segment(segment: str) -> str:
    """Percent-encode one raw path segment (RFC 3986); the result never contains ``/``, ``;``, ``?`` or ``#``."""
    return quote(segment, safe=_SAFE)


def quote_path(path: str) -> str:
    """Percent-encode a raw path, keeping the slashes between its segments."""
    return path if _PLAIN.fullmatch(path) else quote(path, safe=_SAFE + "/")


def quote_location(location: str) -> str:
    """
    Percent-encode what no URL can contain in a ``Location``: blanks, and raw UTF-8 or Latin-1.

    Everything else stays, since the signature of a URL is about its exact text. A host name becomes ASCII (IDNA).

    Args:
        location: Header field as aiohttp decodes it: bytes that are not UTF-8 are lone surrogates.

    Raises:
        ValueError: If the host is not valid.
    """
    match = _AUTHORITY.match(location)
    authority = match[0] if match else ""
    if " " in authority:
        raise ValueError("blank in the host")
    rest = location[len(authority) :].encode("utf-8", "surrogateescape")
    quoted = _NOT_IN_URL.sub(lambda match: b"%%%02X" % match[0][0], rest).decode("ascii")
    return (authority if authority.isascii() else str(URL(authority))) + quoted


def is_host(host: str) -> bool:
    """Whether *host* can be looked up: the codec of the resolver (IDNA) accepts each of its labels."""
    try:
        host.encode("idna").decode("idna")
    except UnicodeError:
        return False
    return True


def has_surrogates(text: str) -> bool:
    """Whether *text* has halves of surrogate pairs: Python and JSON can spell them, UTF-8 and so URLs cannot."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def check_name(name: str, what: str = "name") -> str:
    """
    Return *name* if Artifactory accepts it as a path segment.

    Raises:
        InvalidURLError: If it is empty, ``.`` or ``..``, contains a slash or a control character, or cannot be encoded
            in UTF-8.
    """
    if not name:
        raise InvalidURLError(f"{what} is empty; expected at least one character between slashes")
    if name in (".", ".."):
        raise InvalidURLError(f"{what} {name!r}: servers resolve it to another path; give the real name")
    if "/" in name:
        raise InvalidURLError(f"{what} {name!r}: a name cannot contain a slash")
    if _CONTROL.search(name):
        raise InvalidURLError(f"{what} {name!r}: contains a control character")
    if has_surrogates(name):
        raise InvalidURLError(f"{what} {name!r}: UTF-8 cannot express it")
    return name


def text_of_url(url: URLLike) -> str:
    """
    Return *url* as text.

    Raises:
        InvalidURLError: If it is of another type.
    """
    if isinstance(url, str):
        return url
    if isinstance(url, Locator):
        return url.target_url
    if isinstance(url, URL):
        return str(url)
    raise InvalidURLError(f"URL is a {type(url).__name__}; expected str, yarl.URL or ArtifactoryPath")


def text_of_server(server: URLLike) -> str:
    """
    Return the base address *server* as text; of a path, that of its server.

    Raises:
        InvalidURLError: If it is of another type.
    """
    return server.server if isinstance(server, Locator) else text_of_url(server)


def parse_server_url(server: URLLike) -> ServerURL:
    """
    Read the base address of a server; all of its path is the context path.

    Raises:
        InvalidURLError: If it is not an absolute http or https URL, or contains credentials or a query.
    """
    text = text_of_server(server)
    parts = _split(text)
    _refuse_page(parts, text, (), is_server=True)
    _refuse_reserved(parts, text, parse_server_url)
    return ServerURL(*_origin(parts, text), _segments(parts.path, text))


def parse_item_url(url: URLLike, servers: Iterable[ServerURL] = ()) -> ItemURL:
    """
    Read the URL of an item.

    The base address is the first of these that applies: the longest of *servers* that contains the URL; the URL up to
    the first path segment ``artifactory``, which must follow the host if one of *servers* is that host; the host.

    Args:
        url: The URL. Percent-escapes are decoded; characters that are not allowed in URLs are accepted unescaped, too.
        servers: Servers whose context path is known.

    Raises:
        InvalidURLError: See :func:`parse_server_url`; or if there is no repository, or one of ``?``, ``#`` and ``;``,
            which must be written %3F, %23 and %3B in names.
    """
    text = url if isinstance(url, str) else text_of_url(url)
    _check_text(text)
    known = tuple(servers)
    folder, _, name = text.rpartition("/")
    if _is_plain_name(name, known) and (parent := _parse_folder(folder, known)):
        return parent / name
    return _parse_item_url(text, known)


def _is_plain_name(name: str, servers: Iterable[ServerURL]) -> bool:
    """Whether *name*, as the last segment of a URL, is sure to mean itself: an item, and no part of a server."""
    return (
        name not in ("", ".", "..", "artifactory")
        and _PLAIN.fullmatch(name) is not None
        and not any(server.context_path[-1:] == (name,) for server in servers)
    )


@lru_cache(_FOLDERS)
def _parse_folder(text: str, servers: tuple[ServerURL, ...]) -> ItemURL | None:
    """The same as `parse_item_url`, cached; None if it is not an item, for an error with the whole URL."""
    try:
        return _parse_item_url(text, servers)
    except InvalidURLError:
        return None


def _parse_item_url(text: str, servers: Iterable[ServerURL]) -> ItemURL:
    parts = _split(text)
    known = tuple(servers)
    _refuse_page(parts, text, known)
    _refuse_reserved(parts, text, lambda quoted: _parse_item_url(quoted, known))
    origin, segments = _origin(parts, text), _segments(parts.path, text)
    length = _context_length(origin, segments, known)
    server = ServerURL(*origin, segments[:length])
    if len(segments) == length:
        raise InvalidURLError(f"{mask_url(text)}: names no repository; {_EXAMPLE}")
    if segments[length] == "api":
        raise InvalidURLError(
            f"{mask_url(text)}: is a URL of the REST API",
            hint="give the URL of the item itself, or use rest_api_get()",
        )
    return ItemURL(server, segments[length], "/".join(segments[length + 1 :]))


def server_of(url: URLLike, servers: Iterable[ServerURL] = ()) -> ServerURL:
    """
    Find the server that a URL of any kind (item, REST API) belongs to; its query is ignored.

    Raises:
        InvalidURLError: If it is not an absolute http or https URL, or contains credentials.
    """
    text = text_of_url(url)
    _check_text(text)
    # A semicolon starts parameters in a path only: what it cuts off a host would be another host's credentials.
    parts = _split(re.split(r"[?#]", text, maxsplit=1)[0])
    origin, segments = _origin(parts, text), _segments(_PARAMETERS.sub("", parts.path), text)
    return ServerURL(*origin, segments[: _context_length(origin, segments, servers)])


def _context_length(origin: tuple[str, str, int], segments: tuple[str, ...], servers: Iterable[ServerURL]) -> int:
    known = max((len(server.context_path) for server in servers if server.contains(*origin, segments)), default=None)
    if known:
        return known
    # A server that is known by its host alone may be meant as the platform, with Artifactory below it.
    places = segments[:1] if known == 0 else segments
    return places.index("artifactory") + 1 if "artifactory" in places else 0


def _check_text(text: str) -> None:
    # urlsplit drops tabs and newlines silently; a URL with them is a mistake.
    if _CONTROL.search(text):
        raise InvalidURLError(f"{mask_url(text)!r}: contains a control character")
    if has_surrogates(text):
        raise InvalidURLError(f"{mask_url(text)!r}: UTF-8 cannot express it")


def _split(text: str) -> SplitResult:
    _check_text(text)
    parts = _urlsplit(text)
    if parts is None:
        # What looks like a bad port may be a password with a slash in it: do not quote the text.
        raise InvalidURLError(f"host or port is not valid; {_EXAMPLE}")
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise InvalidURLError(f"{mask_url(text)!r}: {_EXAMPLE}")
    if "@" in parts.netloc:
        raise InvalidURLError(
            f"{mask_url(text)}: contains credentials",
            hint="leave them out of URLs; pass auth=(user, password) to session(), or set the environment variables",
        )
    return parts


def _refuse_page(parts: SplitResult, text: str, servers: Iterable[ServerURL], *, is_server: bool = False) -> None:
    """
    Refuse the URL of a page of the web interface, unless a server is known by its host alone, where /ui may be an item.

    Raises:
        InvalidURLError: If it is one; the hint has the URL of the item that the page shows, or of the server.
    """
    location = _read_page(parts.path, parts.query, parts.fragment)
    if location is None:
        return
    origin = _origin(parts, text)
    bases = [server for server in servers if (server.scheme, server.host, server.port) == origin]
    if any(not server.context_path for server in bases) and not (parts.query or parts.fragment):
        return
    base = bases[0] if bases else ServerURL(*origin, ("artifactory",))
    hint = f"use {base}" if is_server else _hint_for_page(base, location)
    raise InvalidURLError(f"{mask_url(text)}: is a page of the web interface, copied from a browser", hint=hint)


# Artifactory 7: "native" is the tree without tabs, "tree" the one with a tab such as "General".
_PAGES_OF_7 = re.compile(r"/ui(?:/|\Z)")
_ITEM_OF_7 = re.compile(r"/ui/(?:native|repos/(?:tree|simple)/[^/]+)/(.+)")
# Until 6, "/webapp/" with a fragment, or with the item in the query.
_PAGES_OF_6 = re.compile(r"(?:/[^/]+)?/webapp(?:/|\Z)")
_ITEM_OF_6 = re.compile(r"/*artifacts/browse/(?:tree|simple)/[^/]+/(.+)")
# The plain listings, which the tree links to.
_LISTING = re.compile(r"/artifactory/(?:list|simple)/(.+)")


def _read_page(path: str, query: str, fragment: str) -> str | None:
    """
    The item that a page of the web interface shows: its raw location, ``repository/path``.

    Args:
        path: Path of a URL, as all of these percent-encoded.
        query: Query, without its question mark.
        fragment: Fragment, without its hash.

    Returns:
        The location, with lone surrogates for bytes that are not UTF-8, ``""`` for a page that shows no item; or None
        if the URL is not one of a page.
    """
    if _PAGES_OF_7.match(path):
        found = _ITEM_OF_7.match(path)
        return _location_in(found[1] if found else "")
    if _PAGES_OF_6.match(path) and (query or fragment):
        found = _ITEM_OF_6.match(fragment)
        named = "".join(parse_qs(query, errors="surrogateescape").get("pathId", ())[:1]).replace(":", "/", 1)
        return _location_in(found[1] if found else "") or named
    listing = _LISTING.match(path)
    return _location_in(listing[1]) if listing else None


def _location_in(text: str) -> str:
    return unquote(text.partition("?")[0], errors="surrogateescape").strip("/")


def _hint_for_page(base: ServerURL, location: str) -> str:
    repository, _, path = location.partition("/")
    item = ItemURL(base, repository, path)
    try:
        is_item = not has_surrogates(location) and _parse_item_url(str(item), [base]) == item
    except InvalidURLError:
        is_item = False
    return f"use {item}" if is_item else f"use the URL of an item below {base}"


def _refuse_reserved(parts: SplitResult, text: str, read: Callable[[str], object]) -> None:
    """
    Refuse a query, a fragment and matrix parameters.

    Raises:
        InvalidURLError: If there is one; the hint says how to spell a name that has such characters, if *read* accepts
            it.
    """
    behind_host = text.partition(parts.netloc)[2]
    if found := [character for character in _RESERVED if character in behind_host]:
        raise InvalidURLError(
            f"{mask_url(text)}: {found[0]!r} {_RESERVED[found[0]]}", hint=_hint_for_reserved(text, found, read)
        )


def _hint_for_reserved(text: str, found: list[str], read: Callable[[str], object]) -> str | None:
    for character in found:
        text = text.replace(character, _escaped(character))
    try:
        read(text)
    except InvalidURLError as error:
        return error.hint
    escapes = " and ".join(map(_escaped, found))
    return f"write {escapes} if {'it belongs' if len(found) == 1 else 'they belong'} to a name"


def _escaped(character: str) -> str:
    return f"%{ord(character):02X}"


def _urlsplit(text: str) -> SplitResult | None:
    """None where host or port are malformed; the error of the standard library would quote them."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _origin(parts: SplitResult, text: str) -> tuple[str, str, int]:
    host = parts.hostname or ""
    if not is_host(host) or (":" not in host and _NOT_IN_HOST.search(host)):
        raise InvalidURLError(f"{mask_url(text)}: its host is not a valid name")
    host = host if host.isascii() else host.encode("idna").decode()
    return parts.scheme, host, _DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port


def _segments(path: str, text: str) -> tuple[str, ...]:
    """Decode a URL path; empty segments are dropped, as no stored path has one."""
    return tuple(check_name(_decode(segment, text)) for segment in path.split("/") if segment)


def _decode(segment: str, text: str) -> str:
    try:
        return unquote_to_bytes(_LONE_PERCENT.sub("%25", segment)).decode()
    except UnicodeDecodeError as error:
        raise InvalidURLError(f"{mask_url(text)}: its percent-escapes are not UTF-8") from error


def is_url(value: object) -> TypeGuard[URLLike]:
    """Return whether *value* is meant as a URL, valid or not, and not as a path."""
    if isinstance(value, str):
        return value.lower().startswith(("http://", "https://"))
    return isinstance(value, URL | Locator)


def names_folder(url: object) -> bool:
    """Return whether *url* has a final slash: as the target of a file, it is the parent folder."""
    return str(url.target_url if isinstance(url, Locator) else url).endswith("/")


def mask_url(text: str) -> str:
    """Return a URL for messages and logs: without user info, query and fragment, which may contain secrets."""
    head, *rest = re.split(r"[?#]", _USER_INFO.sub(r"\1***@", text), maxsplit=1)
    return f"{head}?***" if rest else head


def group_id_to_path(group_id: str) -> str:
    """
    Convert a group ID to the path of its folder: ``com.acme.data`` to ``com/acme/data``.

    Args:
        group_id: Group ID, with dots between its parts.

    Raises:
        InvalidArgumentError: If it is not a str.
    """
    return expect_text("group_id", group_id).replace(".", "/")


def path_to_group_id(path: str) -> str:
    """
    Convert the path of a folder to a group ID: ``com/acme/data`` to ``com.acme.data``.

    Args:
        path: Path, with slashes between its parts.

    Raises:
        InvalidArgumentError: If it is not a str.
    """
    return expect_text("path", path).replace("/", ".")


def expect_text(what: str, value: object) -> str:
    """
    Return *value* if it is a text.

    Raises:
        InvalidArgumentError: If it is not.
    """
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{what} is a {type(value).__name__}; expected a text")
    return value


def url(
    server: URLLike,
    *,
    repository: str | None = None,
    group_id: str | None = None,
    name: str | None = None,
    version: str | None = None,
) -> str:
    """
    Build the URL of a repository, a group, an artifact or one of its versions.

    Pass names without percent-encoding; each path segment is encoded once (RFC 3986). Parts that are None or empty are
    left out; without *repository*, the base address is returned unchanged.

    Args:
        server: Base address of the server, with or without a trailing slash.
        repository: Repository key.
        group_id: Group ID; its dots become slashes.
        name: Name of the artifact; may contain slashes.
        version: Version; may contain slashes.

    Raises:
        InvalidURLError: If *server* is not an absolute http or https URL, or a part is ``.`` or ``..``, or contains an
            empty segment or a control character.
        InvalidArgumentError: If a part is not a str.
    """
    parse_server_url(server)
    base = text_of_server(server)
    if not repository:
        return base
    parts = {
        "repository": repository,
        "group_id": group_id and group_id_to_path(group_id),
        "name": name,
        "version": version,
    }
    given = {what: expect_text(what, part) for what, part in parts.items() if part}
    segments = [check_name(segment, what) for what, part in given.items() for segment in part.split("/")]
    return "/".join([base.rstrip("/"), *map(quote_segment, segments)])
