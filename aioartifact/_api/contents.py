"""Read files as streams, whole, or at random positions; write bytes."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from .._address import URLLike
from .._checksums import ALGORITHMS, Checksums, Digests
from .._errors import InvalidArgumentError
from .._files import Source
from .._models import FileInfo
from .._progress import FileProgress, Progress
from .._threads import run
from .._transfer.receive.content import Pin, required_pin
from .._transfer.receive.file_stream import FileStream, open_stream
from .._transfer.receive.remote_file import RemoteFile
from .._transfer.receive.streaming import read_range
from .._transfer.send.deployer import Parameters, checked_options
from .._transfer.send.file_upload import send_file
from .items import file_item_of, item_of
from .session import using

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
    Read a file as a stream, without a copy on disk; one request, or two if storage reports no checksums.

    ::

        async with aioartifact.stream(url) as body:
            print(body.info.size, body.etag)
            async for chunk in body:
                ...

    Interrupted reads resume, with bytes of the same content only. The whole file is verified after the last chunk: if
    size or checksum differs, the iteration raises instead of ending. Leaving the block early closes the connection.

    Bytes are returned as they are stored, even if labelled with a ``Content-Encoding``. A coding that was added in
    transit is removed. Only the checksum of the whole file shows that, so a labelled file is received and verified
    before its first byte is returned, above 4 MiB in a temporary file.

    Args:
        url: URL of the file.
        start: Offset of the first byte; if negative, the last ``-start`` bytes, for one request more.
        end: Offset after the last byte; None for the end of the file. Of a range only the length is verified, since
            checksums cover the whole file.
        sha256: SHA-256 that the file must have, in hexadecimal; only for a whole file. None: the checksums that the
            server reports are verified.
        if_none_match: :attr:`FileStream.etag` of an earlier call: if the file is still the same, no bytes follow, and
            ``status`` is 304. The ``If-None-Match`` field of a browser will do, if it has one ETag.
        session: Session to use; None opens one for this call.

    Yields:
        The stream: an asynchronous iterator of chunks, which knows size, type, ETag and range.

    Raises:
        InvalidArgumentError: If *start* is not an integer, *end* is not an integer of at least 0, is before *start* or
            passed with a negative one, *sha256* is not 64 hexadecimal digits, or is passed for a range, or
            *if_none_match* is not an ETag; no request was sent.
        InvalidURLError: If *url* is not the URL of an item.
        NotFoundError: If the file does not exist.
        NotAFileError: If *url* is that of a folder.
        IntegrityError: If size or checksum differs from what the server reports, or from *sha256*; or the file changed
            while it was read.
        ProtocolError: If the response is not Artifactory's, or a part has other bytes than requested.
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
        The bytes. A range that reaches beyond the end is shorter; if *start* equals *end*, the result is empty, without
        a request.

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

    ``async with aioartifact.open(url) as file:``, then ``await file.seek(…)`` and ``await file.read(…)``. Use
    :func:`stream` to read all of it: that verifies the bytes, which is impossible for ranges.

    If the server ignores ranges, contradicts itself about the size, or sends neither ETag nor checksums, the file is
    downloaded once into a temporary copy, in memory up to 4 MiB: at once, or when more than the first 256 KiB are read.

    Args:
        url: URL of the file.
        info: Info of the file, such as one of a listing: if it has size and checksums, opening sends no request, and
            all bytes must be of this content. None requests the present content.
        session: Session to use; None opens one for this block.

    Yields:
        The file.

    Raises:
        InvalidArgumentError: If *info* is not a :class:`FileInfo`; no request was sent.
        InvalidURLError: If *url* is not the URL of an item.
        NotFoundError: If the file does not exist.
        NotAFileError: If *url* is that of a folder.
        IntegrityError: If size or checksum of a copy differs.
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
    Upload bytes from memory; one request. Otherwise like :func:`deploy`.

    Args:
        url: URL of the new file, without a slash at its end.
        data: Its bytes.
        parameters: Properties to set on the file; a value may be a text or several.
        session: Session to use; None opens one for this call.

    Returns:
        Number of bytes.

    Raises:
        InvalidArgumentError: If *data* is not bytes, a property is malformed, or *url* is that of a repository; no
            request was sent.
        InvalidURLError: If *url* is not the URL of an item, ends in a slash (no request was sent), or has a name
            that Artifactory does not accept.
        NotAFileError: If the target is a folder.
        ForbiddenError: If the user may not deploy here, or may not replace the existing file.
        NotFoundError: If the local repository does not exist.
        ConflictError: If the bytes were damaged in transit, or the repository's rules refuse the path.
        BadRequestError: If the path of the URL leads through a file.
        IntegrityError: If the server has recorded other checksums.
        StoredElsewhereError: If the server stored the file under another path.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Deploy Artifact".
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InvalidArgumentError(f"data is a {type(data).__name__}; expected bytes", hint="encode text first")
    options, content = checked_options(parameters, None), bytes(data)
    async with using(session, "write_bytes") as opened:
        item = file_item_of(opened, url)
        source = Source("", len(content), await run(_hash, content), content)
        unseen = FileProgress(Progress(), str(item), item.name)
        await send_file(opened, source, item, parameters=options.parameters, by_checksum=False, progress=unseen)
    return len(content)


def _hash(content: bytes) -> Checksums:
    digests = Digests(ALGORITHMS)
    digests.update(content)
    return digests.checksums()
