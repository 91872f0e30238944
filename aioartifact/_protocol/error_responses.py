"""Refusals: the error for each, with the server's message, from error bodies of any form."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from http import HTTPStatus
from typing import Any

from .._address import mask_url
from .._bodies import is_html, parse_json, readable_text
from .._errors import (
    ArtifactoryError,
    ConflictError,
    InvalidURLError,
    NotAFileError,
    ProtocolError,
    ResponseError,
    ServerError,
    error_for_status,
)
from .._models import Response
from .._retry import is_login_refused, is_retryable_status
from .request import Request

_MAX_WORDS = 300


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    One kind of permanent refusal.

    Attributes:
        words: What its message contains.
        kind: The error for it.
        hint: What to try.
    """

    words: re.Pattern[str]
    kind: type[ArtifactoryError]
    hint: str


_PARENT_HINT = "a file has the name of a folder in this path; delete it or use another path"
# Exceptions of the server without a defined status, seen in 4.7.4 and in the sources of 6.20.
_REFUSALS = (
    Refusal(
        re.compile(r"Expected a file but found a folder"),
        NotAFileError,
        "a folder has this name; use another one, or end the URL given to deploy() with a slash to put a file into it",
    ),
    Refusal(re.compile(r"Expected a folder but found a file"), ConflictError, _PARENT_HINT),
    Refusal(re.compile(r"\bParent .* must be a folder", re.DOTALL), ConflictError, _PARENT_HINT),
    Refusal(
        re.compile(r"Invalid path\b|is not a valid name character|\bPath (?:element )?cannot "),
        InvalidURLError,
        "Artifactory does not accept this name; choose another one",
    ),
    Refusal(
        re.compile(r"\bRepository '[^']*' is not a local repository"),
        ServerError,
        "use the URL of the local repository that contains it",
    ),
)


def raise_for_status(request: Request, response: Response, *, attempts: int = 1) -> None:
    """
    Do nothing for a success.

    Raises:
        ResponseError: If the server refuses the request: the class for the status, with the server's message.
        NotAFileError, InvalidURLError: See :func:`read_error`.
    """
    if response.status_code >= 300:
        raise read_error(request, response, attempts=attempts)


def read_error(
    request: Request,
    response: Response,
    *,
    mask: Callable[[str], str] = lambda words: words,
    attempts: int = 1,
    retry_after: float | None = None,
    waited: float = 0.0,
) -> ArtifactoryError:
    """
    Return the error for a refusal, whose body may be JSON of several forms, text, HTML or XML.

    It is a ResponseError, except if Artifactory responds with 500 although the URL is the cause.

    Args:
        request: The request.
        response: The refusal.
        mask: Masks secrets in its message.
        attempts: How many times the request was sent.
        retry_after: Seconds that the server demands to wait.
        waited: Seconds spent waiting for a server that was starting up.
    """
    text = mask(_unfolded_words(response))
    words = shortened(text)
    message = f"{request.label}: {_status_text(response.status_code)}" + (f": {words}" if words else "")
    refusal = None if request.redirected_to else permanent_refusal(response)
    if refusal is not None and not issubclass(refusal.kind, ResponseError):
        return refusal.kind(message, hint=refusal.hint)
    error = _error_class(request, response, words, refusal)(
        message,
        method=request.method,
        url=mask_url(request.url),
        status=response.status_code,
        server_message=words,
        request_id=response.headers.get("X-Request-Id"),
        attempts=attempts,
        retry_after=retry_after,
        hint=request.locate(text) or (refusal and refusal.hint) or _hint(request, response, words, waited),
    )
    error.redirected = request.is_redirected
    error.retryable = refusal is None and is_retryable_status(response.status_code)
    return error


def _error_class(request: Request, response: Response, words: str, refusal: Refusal | None) -> type[ResponseError]:
    if refusal is not None and issubclass(refusal.kind, ResponseError):
        return refusal.kind
    # A 404 from a host in front of Artifactory says nothing about the item, nor does a 401 from another host about
    # permissions.
    is_other = _is_of_a_router(response, words) or (request.redirected_to and response.status_code == 401)
    return ResponseError if is_other else error_for_status(response.status_code)


def not_sent(request: Request, status: int, *, login_hint: str) -> ResponseError:
    """Return the error for a request that is not sent because the server has refused similar ones."""
    reason, hint = _REASONS_NOT_TO_SEND.get(status, ("the server asked for a longer pause than allowed", _PAUSE_HINT))
    return error_for_status(status)(
        f"{request.label}: not requested: {reason} before ({status})",
        method=request.method,
        url=mask_url(request.url),
        status=status,
        attempts=0,
        hint=hint or login_hint,
    )


def too_large(request: Request, limit: int) -> ProtocolError:
    """Return the error for a response that must be read as a whole, but has more than *limit* bytes."""
    return ProtocolError(
        f"{request.label}: answered with more than {limit // 1024**2} MiB, decompressed",
        hint="request less, or read it in chunks with session.get()",
    )


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _is_of_a_router(response: Response, words: str) -> bool:
    """Whether a 404 comes from JFrog's router or a web server instead of Artifactory."""
    return response.status_code == 404 and (is_html(response.headers) or words.startswith("404 page not found"))


def is_starting(response: Response) -> bool:
    """Whether *response* says that Artifactory, or the Tomcat in which it runs, is not ready yet."""
    if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        return False
    return is_start_message(_unfolded_words(response)) or is_tomcat_page(
        readable_text(response.content, response.headers)
    )


def _hint(request: Request, response: Response, words: str, waited: float) -> str | None:
    status = response.status_code
    html = is_html(response.headers) and not is_tomcat_page(readable_text(response.content, response.headers))
    if request.redirected_to and status != 429:
        return _LATER if status >= 500 else OTHER_HOST_HINT
    if status == 407:
        return PROXY_LOGIN_HINT
    if is_starting(response):
        what = f"still starting up after {waited:.0f} s" if waited >= 1 else "starting up"
        return f"Artifactory is {what}; try again later"
    if status == 401:
        return response.login_hint or _HINTS[401]
    if _is_of_a_router(response, words):
        is_tomcat = is_tomcat_page(readable_text(response.content, response.headers))
        who = "Tomcat, in which Artifactory runs," if is_tomcat else "a router before Artifactory"
        return f"{who} does not know this path; is {request.server} the base URL of an Artifactory?"
    if is_login_refused(status, readable_text(response.content, response.headers)):
        return _LOCKED_HINT
    if html and status >= 500:
        return "a proxy before Artifactory answered; try again later"
    if html:
        return f"the response is a web page; is {request.server} the base URL of an Artifactory?"
    if 300 <= status < 400:
        return "the server redirects this request; use the URL it redirects to (https instead of http?)"
    if status == 403:
        # Artifactory 4 responds without a message if the repository does not exist.
        hint = _FORBIDDEN_OR_MISSING if request.method == "PUT" and not words else _HINTS[403]
        return f"{hint}; {response.login_hint}" if response.login_hint else hint
    return _HINTS.get(status) or (_LATER if is_retryable_status(status) else "check the server's log for this request")


_LATER = "try again later"
PROXY_LOGIN_HINT = (
    "the proxy requires a login, or refused it: use http://user:password@host:port; "
    "only Basic authentication is supported"
)
OTHER_HOST_HINT = (
    "the host that the server redirects to cannot answer this request; ask the administrator of the server"
)
_LOCKED_HINT = (
    "logins have failed too often, also with right credentials: wait, or have an administrator unlock the user; "
    "check the credentials first"
)
_PAUSE_HINT = "try again later, or allow a longer pause by RetryPolicy.retry_after_max"
_REASONS_NOT_TO_SEND = {
    401: ("the credentials were refused", None),
    403: ("logins of this user were refused", _LOCKED_HINT),
}
_FORBIDDEN_OR_MISSING = (
    "either there is no such repository, or this user may not deploy to it: check its key, then permissions"
)
_HINTS = {
    400: "check the names and values in the call: the server does not accept them",
    401: "check user and password, API key or token for this server; without credentials, requests are anonymous",
    403: "ask for permission on this path, or use another user",
    404: "check repository, path and upper or lower case; Artifactory also answers 404 for items you may not read",
    405: "the repository does not exist, or accepts no uploads",
    409: "the bytes or the path conflict with what the server expects",
    413: "the storage quota or a proxy's limit for bodies is reached",
    429: "lower max_concurrency, or try again later",
    507: "the storage of the server is full; ask its administrator",
}


def server_words(response: Response) -> str:
    """Return the server's message in an error body, in one line, shortened, with echoed secrets masked."""
    return shortened(_unfolded_words(response))


def _unfolded_words(response: Response) -> str:
    text = readable_text(response.content, response.headers)
    if is_markup(text, response.headers.get("Content-Type", "")):
        return words_of_markup(text)
    try:
        document = parse_json(text)
    except ValueError:
        return text
    return _json_words(document) if isinstance(document, dict) else text


def _json_words(document: Mapping[str, Any]) -> str:
    """Return the message in any of the error formats of Artifactory and its companion services."""
    for key in ("errors", "messages"):
        if isinstance(entries := document.get(key), list) and entries:
            return "; ".join(_texts(*(entry.get("message") for entry in entries if isinstance(entry, dict))))
    return ": ".join(_texts(*map(document.get, ("error", "error_description", "message"))))


def words_of_errors(errors: object) -> str:
    """Return the messages in *errors*, which a response reports."""
    return shortened(_json_words({"errors": errors}) if isinstance(errors, list) else str(errors)) or "no reason"


def _texts(*values: object) -> Iterator[str]:
    return (value for value in values if isinstance(value, str) and value)


# Artifactory 6.20 repeats the credentials it refuses: "Bad props auth token: apiKey=<key>".
_ECHOED_SECRET = re.compile(
    r"(?i)\b((?:apikey|\w*token|password|signature|sig)[\"']?\s*[=:]\s*|with token )\S+"
    r"|(\b)(?:eyJ[\w-]+\.[\w.-]+|AKC\w{20,})"
)


# Control characters, halves of surrogate pairs, and noncharacters.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def shortened(text: str) -> str:
    """Fold *text* into one line that can be printed, shorten it, and mask echoed secrets."""
    line = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", " ".join(_ECHOED_SECRET.sub(r"\1\2***", text).split()))
    return line if len(line) <= _MAX_WORDS else f"{line[:_MAX_WORDS]}…"


_TOMCAT = re.compile(r"\bApache Tomcat/\d")
# Until Tomcat 8.0, the title names Tomcat; later, the status. Only the message says what happened.
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
    """Return the message of an HTML page or an XML error; ``""`` if it has no title and no message."""
    if is_tomcat_page(text):
        found = (pattern.search(text) for pattern in (_TOMCAT_MESSAGE, _TOMCAT_HEADING))
        texts = (_TAG.sub("", match[1]) for match in found if match)
        return unescape(next(filter(str.strip, texts), "")).strip()
    match = _TITLE.search(text)
    return unescape(match[2]) if match else ""


def permanent_refusal(response: Response) -> Refusal | None:
    """Return which permanent refusal *response* is: a 500 in Artifactory's own JSON; None if it may be transient."""
    if response.status_code != HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    messages = list(_messages(response.text))
    return next((refusal for refusal in _REFUSALS if any(map(refusal.words.search, messages))), None)


def _messages(text: str) -> list[str]:
    try:
        document = parse_json(text)
    except ValueError:
        return []
    found = [document.get(key) for key in ("errors", "messages")] if isinstance(document, dict) else []
    entries = [entry for each in found if isinstance(each, list) for entry in each]
    messages = [entry.get("message") for entry in entries if isinstance(entry, dict)]
    return [message for message in messages if isinstance(message, str)]
