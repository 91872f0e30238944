"""URLs and paths of the file system: ``artifactory://repository/path`` and ``artifactory+https://host/…``; no I/O."""

from yarl import URL

import aioartifact

PROTOCOLS = ("artifactory", "aioartifact", "artifactory+https", "artifactory+http")
_SHORT = ("artifactory://", "aioartifact://")
_FULL = ("artifactory+https://", "artifactory+http://")
_PREFIX = "artifactory+"


def canonical_server(server: aioartifact.URLLike) -> str:
    """
    Return the base address of a server without a final slash, with a lower-case host and no default port.

    Raises:
        InvalidURLError: If it is not an absolute http or https URL, or contains credentials.
    """
    return str(URL(aioartifact.url(server))).rstrip("/")


def server_in(text: str) -> str | None:
    """
    Return the base address of the server that a full URL names; None for other texts.

    Raises:
        InvalidURLError: If it is not a valid URL of an item.
    """
    return _split(text)[0] if text.startswith(_FULL) else None


def path_in(text: str, server: str | None = None) -> str:
    """
    Return ``repository/path``, not encoded, of a URL or a path; ``""`` for the root, which lists repositories.

    Args:
        text: Short URL or path with unencoded names, or full URL, which is percent-encoded.
        server: Server that a full URL must be on; None allows any.

    Raises:
        InvalidURLError: If a full URL is not valid.
        InvalidArgumentError: If a full URL is on another server.
    """
    for prefix in _SHORT:
        if text.startswith(prefix):
            return text.removeprefix(prefix).strip("/")
    if not text.startswith(_FULL):
        return text.strip("/")
    found, path = _split(text)
    if server is not None and found != server:
        raise aioartifact.InvalidArgumentError(f"{text}: is not on {server}", hint="open a file system for its server")
    return path


def item_url(server: str, path: str) -> str:
    """
    Return the URL of an item.

    Raises:
        NotAFileError: If *path* is the root, which is not an item.
        InvalidURLError: If Artifactory does not accept a name in *path*.
    """
    repository, _, rest = path.partition("/")
    if not repository:
        raise aioartifact.NotAFileError(
            f"{server}: is the root, whose entries are repositories", hint="give a path such as repository/folder/file"
        )
    return aioartifact.url(server, repository=repository, name=rest or None)


def parent_of(path: str) -> str:
    """Return the parent folder of *path*; that of a repository is the root, ``""``."""
    return path.rpartition("/")[0]


def _split(text: str) -> tuple[str, str]:
    # With a name appended, the address of a server can be parsed as that of an item.
    item = aioartifact.path(f"{text.removeprefix(_PREFIX).rstrip('/')}/x")
    return item.server, "/".join(item.parts[:-1])
