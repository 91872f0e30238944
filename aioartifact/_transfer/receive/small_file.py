"""Small files whose responses are plain: their checksums, and one thread job that verifies and writes many."""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..._address import ItemURL
from ..._checksums import NO_CHECKSUMS, Checksums
from ..._errors import LocalFileError, ProtocolError
from ..._files import write_file
from ..._protocol import build_download, read_expected_content
from ..._session import SmallResponse
from .content import Pin, contradicts, with_pin

_SHA256 = re.compile(rb"X-Checksum-Sha256:[\t ]*([0-9a-f]{64})[\t ]*\r\n", re.IGNORECASE)
_HTML = re.compile(rb"html", re.IGNORECASE)


@dataclass(slots=True)
class SmallFile:
    """
    A small file that was received.

    Attributes:
        target: Path that it is written to.
        body: Its bytes.
        checksums: What it must have; the strongest one is verified.
        needs_status: Whether the status of the written file is needed.
        status: Status right before the file was renamed onto the target; None if it is not needed, or none was written.
        is_damaged: Whether its bytes do not have the checksum.
        error: Why it could not be written.
    """

    target: str
    body: bytes
    checksums: Checksums
    needs_status: bool
    status: os.stat_result | None = None
    is_damaged: bool = False
    error: LocalFileError | None = None


def small_checksums(item: ItemURL, pin: Pin | None, response: SmallResponse, *, needs_all: bool) -> Checksums:
    """
    Return the checksums that the body of *response* must have.

    Args:
        item: The file.
        pin: What a listing or the caller says of it.
        response: The response.
        needs_all: Whether all known checksums are needed, and not only the one to verify.

    Returns:
        The checksums; empty if more requests are needed or it is an error: the response has none, contradicts the
        *pin*, or is a web page.
    """
    found = _SHA256.findall(response.fields)
    if len(found) == 1 and not needs_all and not _HTML.search(response.fields):
        sha256 = found[0].decode("ascii")
        if pin is None or (pin.size in (None, len(response.body)) and pin.checksums.sha256 == sha256):
            return Checksums(sha256)
    try:
        content = read_expected_content(build_download(item), [response.headers])
    except ProtocolError:
        return NO_CHECKSUMS
    if content.is_page or not content.checksums or contradicts(pin, content):
        return NO_CHECKSUMS
    return with_pin(content, pin).checksums


def place_small(files: Sequence[SmallFile]) -> None:
    """Verify *files*, and write each to its target; a failure is recorded in its file; blocks."""
    for file in files:
        strongest = file.checksums.strongest()
        assert strongest is not None, "those without a checksum go another way"
        algorithm, expected = strongest
        # Not for security: MD5 and SHA-1 then also work where FIPS mode forbids them.
        if hashlib.new(algorithm, file.body, usedforsecurity=False).hexdigest() != expected:
            file.is_damaged = True
            continue
        try:
            file.status = write_file(file.target, [file.body], needs_status=file.needs_status)
        except LocalFileError as error:
            file.error = error
