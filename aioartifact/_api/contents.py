"""Read files as streams, whole, or at random positions; write bytes."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from .._address import URLLike
from .._checksums import Checksums
from .._errors import InvalidArgumentError
from .._files import source_of_bytes
from .._models import FileInfo
from .._progress import FileProgress, Progress
from .._transfer.receive.content import Pin, required_pin
from .._transfer.receive.file_stream import FileStream, open_stream
from .._transfer.receive.remote_file import RemoteFile
from .._transfer.receive.streaming import read_range
from .._transfer.send.deployer import checked_options
from .._transfer.send.file_upload import SENT, Parameters, send_file
from .session import file_item_of, item_of, using

_FIELD_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")  # RFC 9110 section 5.5, without obs-text


@asynccontextmanager
async def stream(
    url: URLLike,
    *,
    start: int = 0,
    end: int | None = None,
    sha256: str | None = None,
    if_none_match: str | None = None,
    session: aiohttp.ClientSession | None = None,
) -> AsyncIterator[FileStream]:
    """
    Read a file as a stream, without a copy on disk; one request, two if its storage reports no checksums.

    ::

        async with aioartifact.stream(url) as body:
            print(body.info.size, body.etag)
            async for chunk in body:
                ...

    Interrupted reads resume, and never mix two contents. The whole file is verified after the last chunk: if size or
    checksum differs, the iteration raises instead of ending. Leaving the block early closes the connection.

    A file that is stored with a ``Content-Encoding`` is returned as it is stored; a coding that a proxy added is
    removed. Only the checksum of the whole file distinguishes the two, so a file with a ``Content-Encoding`` is
    received and verified before its first byte is returned, above 4 MiB in a temporary file.

    Args:
        url: URL of the file.
        start: Offset of the first byte. A negative one counts from the end of the file, and needs one more request.
        end: Offset after the last byte; None for the end of the file. Only the length of a range is verified, because
            checksums cover the whole file.
        sha256: Required SHA-256 in hexadecimal, for a whole file only. None verifies the checksums that the server
            reports.
        if_none_match: :attr:`FileStream.etag` of an earlier call, or a browser's ``If-None-Match`` field with one ETag.
            If the file has not changed, ``status`` is 304, and there are no bytes.
        session: Session to use; None opens one for this call.

    Yields:
        A :class:`FileStream`: an async iterator of chunks, with size, type, ETag and range of the file.

    Raises:
        InvalidArgumentError: If *start* is not an integer; *end* is not an integer of at least 0, is less than *start*,
            or is passed with a negative *start*; *sha256* is not 64 hexadecimal digits, or is passed for a range; or
            *if_none_match* is not an ETag. No request was sent.
        InvalidURLError: If *url* is not the URL of an item.
        NotFoundError: If the file does not exist.
        NotAFileError: If *url* is that of a folder.
        IntegrityError: If size or checksum differs from what the server reports, or from *sha256*; or the file changed
            while it was read.
        LocalFileError: If a temporary copy cannot be written.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Retrieve Artifact"; RFC 9110 sections 13.1.2 and 14.2.
    """
    _check_span(start, end, may_count_from_end=True)
    _check_etag(if_none_match)
    pin = _pin(sha256, start, end)
    async with (
        using(session, "stream") as opened,
        open_stream(opened, item_of(opened, url), start, end, pin, if_none_match) as body,
    ):
        yield body


def _check_etag(value: object) -> None:
    if value is not None and not (isinstance(value, str) and _FIELD_VALUE.fullmatch(value)):
        raise InvalidArgumentError(f"if_none_match={value!r}: expected an ETag")


async def read_bytes(
    url: URLLike,
    *,
    start: int = 0,
    end: int | None = None,
    sha256: str | None = None,
    session: aiohttp.ClientSession | None = None,
) -> bytes:
    """
    Read a file, or a part of it, into memory; one request, see :func:`stream`.

    Args:
        url: URL of the file.
        start: Offset of the first byte.
        end: Offset after the last byte; None for the end of the file.
        sha256: SHA-256 that the file must have, see :func:`stream`.
        session: Session to use; None opens one for this call.

    Returns:
        The bytes. A range that reaches beyond the end is shorter. If *start* equals *end*, the result is empty, and no
        request is sent.

    Raises:
        ArtifactoryError: The errors of :func:`stream`, under the same conditions.

    See: JFrog REST API, "Retrieve Artifact"; RFC 9110 section 14.2.
    """
    _check_span(start, end)
    pin = _pin(sha256, start, end)
    async with using(session, "read_bytes") as opened:
        item = item_of(opened, url)
        if start == end:
            return b""
        return await read_range(opened, item, start, end, pin)


def _pin(sha256: str | None, start: int, end: int | None) -> Pin | None:
    pin = required_pin(Checksums(sha256=sha256))
    if pin is not None and (start, end) != (0, None):
        raise InvalidArgumentError(
            f"sha256 for the bytes from {start} to {end or 'the end'}: a checksum is that of a whole file",
            hint="leave out start and end, or sha256",
        )
    return pin


def _check_span(start: object, end: object, *, may_count_from_end: bool = False) -> None:
    if not isinstance(start, int) or isinstance(start, bool) or (start < 0 and not may_count_from_end):
        what = "a whole number" if may_count_from_end else "a whole number of at least 0"
        raise InvalidArgumentError(f"start={start!r}: expected an offset, {what}")
    if end is None:
        return
    if not isinstance(end, int) or isinstance(end, bool) or end < 0:
        raise InvalidArgumentError(f"end={end!r}: expected an offset, a whole number of at least 0")
    if start < 0:
        raise InvalidArgumentError(f"start={start} with end={end}", hint="the last bytes end where the file ends")
    if end < start:
        raise InvalidArgumentError(f"end={end}: lies before start={start}")


@asynccontextmanager
async def open(
    url: URLLike, *, info: FileInfo | None = None, session: aiohttp.ClientSession | None = None
) -> AsyncIterator[RemoteFile]:
    """
    Open a file for random access; one request for the first 256 KiB, and one for each further range.

    In the block ``async with aioartifact.open(url) as file:``, use ``await file.seek(…)`` and ``await file.read(…)``.
    To read a whole file, use :func:`stream`: it verifies the checksum, which is impossible for ranges.

    If the server ignores ranges, reports different sizes, or sends neither ETag nor checksums, the file is downloaded
    once into a temporary copy (in memory up to 4 MiB), at the latest when more than the first 256 KiB are read.

    Args:
        url: URL of the file.
        info: Info of the file, for instance from a listing. If it has size and checksums, opening sends no request, and
            reading raises IntegrityError if the file has other content. None opens the current content.
        session: Session to use; None opens one for this block.

    Yields:
        The file.

    Raises:
        InvalidArgumentError: If *info* is not a :class:`FileInfo`; no request was sent.
        InvalidURLError: If *url* is not the URL of an item.
        NotFoundError: If the file does not exist.
        NotAFileError: If *url* is that of a folder.
        IntegrityError: If size or checksum of the temporary copy differs.
        LocalFileError: If a temporary copy cannot be written.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Retrieve Artifact"; RFC 9110 section 14.2.
    """
    if info is not None and not isinstance(info, FileInfo):
        raise InvalidArgumentError(f"info is a {type(info).__name__}; expected FileInfo or None")
    async with using(session, "open") as opened:
        item = item_of(opened, url)
        is_known = info is not None and info.size is not None and info.checksums
        opening = RemoteFile.described(opened, item, info) if info and is_known else RemoteFile.opened(opened, item)
        async with opening as file:
            yield file


async def write_bytes(
    url: URLLike,
    data: bytes | bytearray | memoryview,
    *,
    parameters: Parameters | None = None,
    session: aiohttp.ClientSession | None = None,
) -> int:
    """
    Upload bytes from memory, with their SHA-256 and SHA-1; one request. Otherwise like :func:`deploy`.

    Args:
        url: URL of the new file, without a final slash.
        data: Its bytes.
        parameters: Properties to set on the file; each value is a str or several.
        session: Session to use; None opens one for this call.

    Returns:
        Number of bytes.

    Raises:
        InvalidArgumentError: If *data* is not bytes, a property is malformed, or *url* is that of a repository; no
            request was sent.
        InvalidURLError: If *url* is not the URL of an item, ends in a slash, or has a name that Artifactory does not
            accept.
        NotAFileError: If the target is a folder.
        ForbiddenError: If the user may not deploy to this path, or may not replace the existing file.
        NotFoundError: If the repository does not exist.
        ConflictError: If the bytes were damaged in transit, or the rules of the repository exclude the path.
        BadRequestError: If a parent folder in the URL is a file.
        IntegrityError: If the server recorded other checksums.
        StoredElsewhereError: If the server stored the file under another path.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Deploy Artifact".
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InvalidArgumentError(f"data is a {type(data).__name__}; expected bytes", hint="encode text first")
    options, content = checked_options(parameters, None), bytes(data)
    async with using(session, "write_bytes") as opened:
        item = file_item_of(opened, url)
        unseen = FileProgress(Progress(), str(item), item.name)
        source = await source_of_bytes(content, SENT)
        await send_file(opened, source, item, parameters=options.parameters, by_checksum=False, progress=unseen)
    return len(content)
