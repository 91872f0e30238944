"""
The links to files on a page of a simple index.

See: PEP 503
"""

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urljoin, urlsplit


@dataclass(frozen=True, slots=True)
class PackageLink:
    """
    One file of a project.

    Attributes:
        name: Name of the file.
        url: Where it is, without fragment.
        fragment: The digest, such as ``sha256=...``; ``""`` for none.
        requires_python: Which versions of Python it is for; ``""`` for all.
    """

    name: str
    url: str
    fragment: str
    requires_python: str

    def path_below(self, base: str) -> str | None:
        """Return the path of the file below the URL *base*; None where it is elsewhere, or needs a query."""
        start = f"{base.rstrip('/')}/"
        if not self.url.startswith(start) or urlsplit(self.url).query:
            return None
        return unquote(self.url.removeprefix(start))


def links(document: str, page: str) -> list[PackageLink]:
    """Return the links in the HTML of a *page*, named by its URL; those to other schemes than HTTP are left out."""
    parser = _Parser(page)
    parser.feed(document)
    parser.close()
    return parser.found


class _Parser(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self._page = page
        self.found: list[PackageLink] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        href = values.get("href")
        if tag != "a" or not href:
            return
        try:
            url, fragment = urldefrag(urljoin(self._page, href))
            scheme, path = urlsplit(url).scheme, urlsplit(url).path
        except ValueError:  # not a URL
            return
        name = unquote(path.rpartition("/")[2])
        if scheme in ("http", "https") and name:
            self.found.append(PackageLink(name, url, fragment, values.get("data-requires-python") or ""))
