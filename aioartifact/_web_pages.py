"""Addresses of Artifactory's web interface, which people copy from their browser."""

import re
from urllib.parse import parse_qs, unquote

# Artifactory 7: "native" is the tree without tabs, "tree" the one with a tab such as "General".
_PAGES_OF_7 = re.compile(r"/ui(?:/|\Z)")
_ITEM_OF_7 = re.compile(r"/ui/(?:native|repos/(?:tree|simple)/[^/]+)/(.+)")
# Until 6, "/webapp/" with a fragment, or with the item in the query.
_PAGES_OF_6 = re.compile(r"(?:/[^/]+)?/webapp(?:/|\Z)")
_ITEM_OF_6 = re.compile(r"/*artifacts/browse/(?:tree|simple)/[^/]+/(.+)")

# The plain listings, which the tree links to.
_LISTING = re.compile(r"/artifactory/(?:list|simple)/(.+)")


def read_page(path: str, query: str, fragment: str) -> str | None:
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
        return _location(found[1] if found else "")
    if _PAGES_OF_6.match(path) and (query or fragment):
        found = _ITEM_OF_6.match(fragment)
        named = "".join(parse_qs(query, errors="surrogateescape").get("pathId", ())[:1]).replace(":", "/", 1)
        return _location(found[1] if found else "") or named
    listing = _LISTING.match(path)
    return _location(listing[1]) if listing else None


def _location(text: str) -> str:
    return unquote(text.partition("?")[0], errors="surrogateescape").strip("/")
