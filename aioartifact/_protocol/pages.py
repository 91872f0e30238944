"""Web pages that come from Artifactory, or from the Tomcat in which it runs, and not from a proxy before it."""

import re
from html import unescape

_TOMCAT = re.compile(r"\bApache Tomcat/\d")
# Until 8.0, the title is that of Tomcat; later, that of the status. Only the message says what happened.
_TOMCAT_MESSAGE = re.compile(r"<b>message</b>(.*?)</p>", re.IGNORECASE | re.DOTALL)
_TOMCAT_HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r"<(title|message)[^>]*>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_STARTING = re.compile(r"\bartifactory\b.{0,40}\bstarting\b", re.IGNORECASE | re.DOTALL)


def is_markup(text: str, content_type: str) -> bool:
    """Whether *text* is HTML or XML."""
    return "html" in content_type or text[:1] == "<"


def is_tomcat_page(text: str) -> bool:
    """Whether *text* is an error page of Tomcat."""
    return text[:1] == "<" and _TOMCAT.search(text) is not None


def is_start_message(words: str) -> bool:
    """Whether *words*, a title or a message, say that Artifactory is starting up."""
    return _STARTING.search(words) is not None


def words_of_markup(text: str) -> str:
    """What a page of HTML or an error in XML says; ``""`` if it has no title and no message."""
    if is_tomcat_page(text):
        found = (pattern.search(text) for pattern in (_TOMCAT_MESSAGE, _TOMCAT_HEADING))
        texts = (_TAG.sub("", match[1]) for match in found if match)
        return unescape(next(filter(str.strip, texts), "")).strip()
    match = _TITLE.search(text)
    return unescape(match[2]) if match else ""
