"""Where on a host an Artifactory may be, and how its responses are recognised."""

from collections.abc import Iterable, Mapping

from .._address import ServerURL
from .._models import Response

_MOST = 8
_OWN_HEADERS = ("X-Artifactory-Id", "X-Artifactory-Node-Id", "X-JFrog-Version")


def address_candidates(expected: ServerURL, written: ServerURL) -> list[ServerURL]:
    """
    List the addresses at which to look for an Artifactory, the most likely one first.

    Args:
        expected: Server that the URL belongs to by the rules of the library.
        written: Server whose context path is the whole path of the URL.
    """
    path = written.context_path
    paths: list[tuple[str, ...]] = [expected.context_path, path, (*path, "artifactory"), ("artifactory",), ()]
    paths += [(*path[:length], *last) for length in range(len(path) - 1, 0, -1) for last in (("artifactory",), ())]
    return [ServerURL(written.scheme, written.host, written.port, each) for each in _unique(paths)][:_MOST]


def _unique(paths: Iterable[tuple[str, ...]]) -> Iterable[tuple[str, ...]]:
    doubled = ("artifactory", "artifactory")
    return dict.fromkeys(path for path in paths if path[-2:] != doubled)


def is_artifactory(response: Response) -> bool:
    """Whether the response to a ping is that of an Artifactory, which may require credentials for it."""
    if response.status_code == 200:
        return response.text.strip() == "OK"
    if response.status_code in (401, 403):
        return _has_own_headers(response.headers) or _has_errors(response)
    # The router of a platform sends them with 404, too.
    return response.status_code >= 500 and _has_own_headers(response.headers)


def _has_own_headers(headers: Mapping[str, str]) -> bool:
    return any(name in headers for name in _OWN_HEADERS) or headers.get("Server", "").startswith("Artifactory")


def _has_errors(response: Response) -> bool:
    try:
        document = response.json()
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and isinstance(document.get("errors"), list)
