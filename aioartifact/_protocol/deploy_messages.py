"""Requests that deploy a file, and the server's description of the stored file."""

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from .._address import ItemURL
from .._checksums import ALGORITHMS, Checksums, checksum_file, checksums_of
from .._errors import IntegrityError, StoredElsewhereError
from .._models import Response
from .error_responses import raise_for_status
from .json_values import parse_object, read_object, text_of
from .property_text import matrix_parameters
from .request import Request, Upload

# In the order of ALGORITHMS.
_CHECKSUM_HEADERS = ("X-Checksum-Sha256", "X-Checksum-Sha1", "X-Checksum-Md5")


def build_deploy(
    item: ItemURL, upload: Upload, checksums: Checksums, parameters: Mapping[str, str | Sequence[str]]
) -> Request:
    """
    Send a file; the server refuses it (409) unless its bytes have the given checksums.

    Raises:
        InvalidArgumentError: If a URL cannot contain a property name or value.

    See: JFrog REST API, "Deploy Artifact".
    """
    headers = {"Content-Type": "application/octet-stream"} | _checksum_headers(checksums)
    return Request("PUT", f"{item}{matrix_parameters(parameters)}", item.server, headers, upload)


def build_checksum_deploy(
    item: ItemURL, checksums: Checksums, parameters: Mapping[str, str | Sequence[str]]
) -> Request:
    """
    Deploy a file whose bytes the server already stores, under any name (404: it does not store them).

    Raises:
        InvalidArgumentError: If a URL cannot contain a property name or value.

    See: JFrog REST API, "Deploy Artifact by Checksum".
    """
    headers = {"X-Checksum-Deploy": "true"} | _checksum_headers(checksums)
    return Request("PUT", f"{item}{matrix_parameters(parameters)}", item.server, headers)


def _checksum_headers(checksums: Checksums) -> dict[str, str]:
    values = zip(_CHECKSUM_HEADERS, (checksums.sha256, checksums.sha1, checksums.md5), strict=True)
    return {name: value for name, value in values if value}


def read_deployed(item: ItemURL, request: Request, response: Response, sent: Checksums) -> str | None:
    """
    Check that the server recorded the bytes that were sent, under the path requested.

    The responses for checksum files and Maven metadata have no description; then there is nothing to compare.

    Returns:
        Key of the repository that holds the file if it is not the requested one, as with a virtual repository; else
        None.

    Raises:
        ResponseError: If the server refuses the request.
        IntegrityError: If it recorded other checksums.
        ProtocolError: If the response does not describe a file.
        StoredElsewhereError: If it stored the file under another path.
    """
    raise_for_status(request, response)
    is_described = checksum_file(item.path) is None and item.name != "maven-metadata.xml"
    if not response.content or (response.status_code != HTTPStatus.CREATED and not is_described):
        return None
    document = read_object(request, response)
    stated = document.get("checksums")
    if not _has_all(stated, sent):
        _check_recorded(item, request, checksums_of(stated), sent)
    return _check_place(item, request, document)


def is_stored_as_sent(item: ItemURL, content: bytes, sent: Checksums) -> bool:
    """
    Whether *content*, the body of a 201, states in the usual form that the server stored the sent bytes as *item*.

    If not, it may be an error or have another form: `read_deployed` decides.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(document, dict)
        and "errors" not in document
        and document.get("repo") == item.repository
        and document.get("path") == f"/{item.path}"
        and _has_all(document.get("checksums"), sent)
    )


def _has_all(stated: object, sent: Checksums) -> bool:
    """Whether the sent checksums are *stated* in the same form, so that they need not be parsed."""
    if not isinstance(stated, dict):
        return False
    values = ((stated.get(name), sent.get(name)) for name in ALGORITHMS)
    return all(ours is None or theirs == ours for theirs, ours in values)


def _check_recorded(item: ItemURL, request: Request, recorded: Checksums, sent: Checksums) -> None:
    for algorithm in ALGORITHMS:
        ours, theirs = sent.get(algorithm), recorded.get(algorithm)
        if ours and theirs and ours != theirs:
            raise IntegrityError(
                f"{request.method} {item}: {algorithm} is {ours}, server recorded {theirs}",
                algorithm=algorithm,
                expected=ours,
                actual=theirs,
                hint="the file may have changed while it was sent; deploy it again",
            )


def read_folder_made(item: ItemURL, request: Request, response: Response) -> None:
    """
    Check that the server made a folder under the path requested.

    Raises:
        ResponseError: If the server refuses the request.
        StoredElsewhereError: If it made another folder.
    """
    raise_for_status(request, response)
    if response.status_code == HTTPStatus.CREATED and response.content[:1] == b"{":
        _check_place(item, request, parse_object(request, response, response.text))


def _check_place(item: ItemURL, request: Request, document: Mapping[str, Any]) -> str | None:
    """Compare ``repo`` and ``path`` of a response with *item*; return the repository if only that differs."""
    repository = text_of(document.get("repo")) or item.repository
    path = text_of(document.get("path"))
    if path is not None and not _is_path_requested(item.path, path.strip("/")):
        raise stored_elsewhere(request.method, item, repository, path.strip("/"))
    return None if repository == item.repository else repository


def stored_elsewhere(method: str, item: ItemURL, repository: str, path: str) -> StoredElsewhereError:
    """Return the error for an item that the server stored under another repository or path."""
    actual = str(ItemURL(item.server, repository, path))
    return StoredElsewhereError(
        f"{method} {item}: the server stored it as {actual}",
        expected=str(item),
        actual=actual,
        hint="Artifactory cuts names at '!' and removes blanks at their end; choose another name",
    )


# Replaces SNAPSHOT in a repository with unique snapshots.
_BUILD = r"\d{8}\.\d{6}-\d+"
_SNAPSHOT = re.compile(rf"SNAPSHOT|{_BUILD}")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


def _is_path_requested(requested: str, answered: str) -> bool:
    """
    Whether *answered* is the path *requested*.

    Some releases encode the response in Latin-1, with ``?`` for other characters, so any text matches characters
    outside ASCII. Maven snapshots get a timestamp, or lose it, depending on the settings of the repository.
    """
    if requested == answered:
        return True
    folder, _, name = requested.rpartition("/")
    parts = _SNAPSHOT.split(name)
    snapshot = f"(?:SNAPSHOT|{_BUILD})"
    wanted = _lenient(f"{folder}/" if folder else "") + snapshot.join(map(_lenient, parts))
    return re.fullmatch(wanted, answered) is not None


def _lenient(text: str) -> str:
    """Return a regular expression for *text* in which characters outside ASCII match any others."""
    return "[^/]+".join(map(re.escape, _NOT_ASCII.split(text)))
