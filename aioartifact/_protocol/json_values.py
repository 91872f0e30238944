"""Parse responses: each reader keeps well-formed values, and reports what the server failed to send."""

from collections.abc import Mapping
from datetime import datetime
from json import JSONDecodeError
from typing import Any

from .._address import has_surrogates
from .._bodies import is_html, parse_json
from .._errors import ArtifactoryError, IncompleteListingError, ProtocolError
from .._models import Response
from .error_responses import raise_for_status, words_of_errors
from .request import Request

# In a document with nothing but "errors", the key occurs within this many bytes.
_BEGINNING = 64


def read_object(request: Request, response: Response) -> dict[str, Any]:
    """
    Read a JSON object.

    Raises:
        ResponseError: If the server refuses the request.
        ProtocolError: If the response is something else.
    """
    raise_for_status(request, response)
    return parse_object(request, response, response.text)


def parse_object(request: Request, response: Response, text: str) -> dict[str, Any]:
    """
    Parse *text*, the relevant part of the body of *response*, as a JSON object.

    Raises:
        ProtocolError: If it is something else, or a success that reports errors.
    """
    document = _parse(request, response, text)
    if not isinstance(document, dict):
        raise not_artifactory(request, f"a JSON {type(document).__name__}")
    if errors := document.get("errors"):
        raise reported_errors(request, errors)
    return document


def read_json(request: Request, response: Response) -> Any:
    """
    Read any JSON.

    Raises:
        ResponseError: If the server refuses the request.
        ProtocolError: If the response is something else.
    """
    raise_for_status(request, response)
    return _parse(request, response, response.text)


def _parse(request: Request, response: Response, text: str) -> Any:
    # Raised outside the except block: the exception of the standard library contains the whole text.
    try:
        return parse_json(text)
    except ValueError as error:
        reason = "" if isinstance(error, JSONDecodeError) else f": {error}"
    raise not_artifactory(
        request, "an HTML page" if is_html(response.headers) else f"something that is not JSON{reason}"
    )


def refuse_page(request: Request, response: Response) -> Response:
    """
    Return *response*, a success, unless it is a web page or reports errors: then the request had no effect.

    Raises:
        ProtocolError: If it is a web page, or a JSON object with errors.
    """
    if is_html(response.headers):
        raise not_artifactory(request, "an HTML page")
    if response.content[:1] == b"{" and b'"errors"' in response.content[:_BEGINNING]:
        read_object(request, response)
    return response


def objects_of(request: Request, document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the list of objects that *document* must have as *key*."""
    entries = document.get(key)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise missing_list(request, key)
    return entries


def name_of(request: Request, entry: Mapping[str, Any], key: str) -> str:
    """Return the name that *entry* must have as *key*; without halves of surrogate pairs, which JSON can contain."""
    name = entry.get(key)
    if not isinstance(name, str) or has_surrogates(name):
        raise not_artifactory(request, f"a response in which {key!r} is not a name")
    return name


def flag_of(request: Request, entry: Mapping[str, Any], key: str) -> bool:
    """Return the flag that *entry* must have as *key*; the documentation shows flags as text, servers send booleans."""
    value = entry.get(key)
    if not (isinstance(value, bool) or value in ("true", "false")):
        raise not_artifactory(request, f"an answer where {key!r} is neither true nor false")
    return is_true(value)


def missing_list(request: Request, key: str) -> ProtocolError:
    """Return the error for a response without its list: it must not be mistaken for an empty one."""
    return not_artifactory(request, f"JSON without {key!r}, a list of objects")


def reported_errors(request: Request, errors: object, *, has_rows: bool = False) -> ArtifactoryError:
    """Return the error for a success that reports *errors*; if it has rows, these may be incomplete."""
    kind = IncompleteListingError if has_rows else ProtocolError
    what = f"{request.label}: answered with success, and with errors: {words_of_errors(errors)}"
    return kind(what, hint="try again later")


def not_artifactory(request: Request, what: str) -> ProtocolError:
    return ProtocolError(
        f"{request.label}: answered with {what}", hint=f"is {request.server} the base URL of an Artifactory?"
    )


def is_true(value: object) -> bool:
    """Read a flag; the documentation shows flags as text, real servers send booleans."""
    return value is True or value == "true"


def text_of(value: object) -> str | None:
    return value if isinstance(value, str) else None


def date_of(value: object) -> datetime | None:
    try:
        date = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return date if date.tzinfo else None
