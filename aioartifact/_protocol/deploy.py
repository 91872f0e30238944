"""Deploying a file, and what the server recorded of it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from .._address import ItemURL
from .._checksums import ALGORITHMS, Checksums
from .._errors import IntegrityError
from .._models import Response
from .errors import raise_for_status
from .property_text import matrix_parameters
from .reading import checksums_of, read_object
from .request import Request, Upload


def build_deploy(
    item: ItemURL, upload: Upload, checksums: Checksums, parameters: Mapping[str, str | Sequence[str]]
) -> Request:
    """
    Send a file; the server refuses it (409) unless its bytes have the given checksums.

    Raises:
        InvalidArgumentError: A property name or value that a URL cannot carry.

    See: JFrog REST API, "Deploy Artifact".
    """
    headers = {"Content-Type": "application/octet-stream"} | _checksum_headers(checksums)
    return Request("PUT", f"{item}{matrix_parameters(parameters)}", item.server, headers, upload)


def build_checksum_deploy(
    item: ItemURL, checksums: Checksums, parameters: Mapping[str, str | Sequence[str]]
) -> Request:
    """
    Have the server make a file of bytes that it stores already, under whatever name (404: it has none such).

    Raises:
        InvalidArgumentError: A property name or value that a URL cannot carry.

    See: JFrog REST API, "Deploy Artifact by Checksum".
    """
    headers = {"X-Checksum-Deploy": "true"} | _checksum_headers(checksums)
    return Request("PUT", f"{item}{matrix_parameters(parameters)}", item.server, headers)


def _checksum_headers(checksums: Checksums) -> dict[str, str]:
    values = {name: checksums.get(name) for name in ALGORITHMS}
    return {f"X-Checksum-{name.capitalize()}": value for name, value in values.items() if value}


def read_deployed(item: ItemURL, request: Request, response: Response, sent: Checksums) -> None:
    """
    Check that the server recorded the bytes that were sent.

    Checksum siblings and Maven metadata are answered without a description; then there is nothing to compare.

    Raises:
        ResponseError: The server said no.
        IntegrityError: It recorded other checksums.
    """
    raise_for_status(request, response)
    if response.status_code != HTTPStatus.CREATED or not response.content:
        return
    recorded = checksums_of(read_object(request, response).get("checksums"))
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
