"""Reads members of an archive on the server without the rest of it."""

import aiohttp

from ..._address import ItemURL, check_name
from ..._archives import check_size, is_served, list_members, read_member
from ..._checksums import digested
from ..._errors import (
    BadRequestError,
    ConnectionLostError,
    ForbiddenError,
    IntegrityError,
    InvalidURLError,
    NotFoundError,
    ProtocolError,
)
from ..._models import ArchiveMember
from ..._protocol import build_archive_member, read_expected_content
from ..._session import state_of, stream
from ..._threads import run
from .blocking_file import run_on_file
from .content import algorithms_for, check_received
from .remote_file import RemoteFile

_BATCH = 1024 * 1024
# Recorded for a server that refuses archive entries for lack of an add-on, so that none is requested again.
_ENTRIES = "archive-entries"
_LACKS = "add-on"


async def members_of(session: aiohttp.ClientSession, item: ItemURL) -> list[ArchiveMember]:
    """
    List the members of an archive, reading as few of its bytes as possible.

    Raises:
        ArchiveError: If it is not an archive, or is damaged.
        ArtifactoryError: If it cannot be read.
    """
    async with RemoteFile.opened(session, item) as file:
        return await run_on_file(file, lambda blocking: list_members(blocking, str(item)))


async def fetch_member(session: aiohttp.ClientSession, item: ItemURL, member: str, max_size: int) -> bytes:
    """
    Read one file of an archive: from the server if it can read archives, else from the archive's own bytes.

    Raises:
        NotFoundError: If there is no such archive, or no such file in it.
        ArchiveError: If it is not an archive, or damaged; or the file is larger than *max_size* bytes.
        ArtifactoryError: If it cannot be read.
    """
    refused = state_of(session).refused[item.server]
    if _ENTRIES not in refused and is_served(item.name) and _is_addressable(member):
        try:
            return await _served(session, item, member, max_size)
        except ForbiddenError as error:
            if _LACKS in error.server_message:
                refused.add(_ENTRIES)
        except (BadRequestError, NotFoundError, ProtocolError, IntegrityError, ConnectionLostError):
            pass  # a kind of archive that the server does not know, or a damaged response: the archive itself decides
    async with RemoteFile.opened(session, item) as file:
        content = await run_on_file(file, lambda blocking: read_member(blocking, str(item), member, max_size))
    if content is None:
        raise NotFoundError(
            f"GET {item}: the archive has no member {member!r}", method="GET", url=str(item), status=404
        )
    return content


async def _served(session: aiohttp.ClientSession, item: ItemURL, member: str, max_size: int) -> bytes:
    """
    Request a member from the server.

    Raises:
        ProtocolError: If nothing shows that the bytes are those of the member, whole and without a content coding.
        IntegrityError: If they do not have the checksum that the response states.
        ArtifactoryError: If they cannot be read.
    """
    request = build_archive_member(item, member)
    async with stream(session, request) as reply:
        if reply.status != 200:
            raise await reply.error()
        expected = read_expected_content(request, reply.chain)
        if expected.is_open_ended or expected.codings or expected.is_page:
            raise ProtocolError(f"{request.label}: the response cannot be verified")
        check_size(str(item), member, expected.size or 0, max_size)
        pieces, size = list[bytes](), 0
        while batch := await reply.next_batch(_BATCH):
            pieces += batch
            size += sum(map(len, batch))
            check_size(str(item), member, size, max_size)
        checksums = await run(digested, pieces, algorithms_for(expected.checksums))
        check_received(item, expected, size, checksums)
        return b"".join(pieces)


def _is_addressable(member: str) -> bool:
    """Whether a URL can name *member*; for some names the server would return the checksum of another member."""
    try:
        names = [check_name(part) for part in member.split("/")]
    except InvalidURLError:
        return False
    return not names[-1].lower().endswith((".sha1", ".sha256", ".md5"))
