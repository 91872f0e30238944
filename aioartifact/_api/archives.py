"""Read archives on the server."""

import aiohttp

from .._address import URLLike
from .._errors import InvalidArgumentError
from .._models import ArchiveMember
from .._options import check_count
from .._transfer.receive.archive_members import fetch_member, members_of
from .session import item_of, using


async def list_archive(url: URLLike, *, session: aiohttp.ClientSession | None = None) -> list[ArchiveMember]:
    """
    List the members of a zip or tar file on the server.

    Of a zip file, only the directory at its end is read: one request for a file of up to 256 KiB, otherwise two or a
    few. Of an uncompressed tar file, only the headers of the members are read; a compressed one is read completely, in
    requests of up to 4 MiB. The type is detected from the content, not the name. Works with every server and edition.

    Args:
        url: URL of the archive.
        session: Session to use; None opens one for this call.

    Returns:
        The members in the order of the archive. Do not trust their names, which may contain ``..``.

    Raises:
        InvalidURLError: If *url* is not the URL of an item.
        ArchiveError: If the file is not an archive, or is damaged.
        NotFoundError: If the file does not exist.
        NotAFileError: If *url* is that of a folder.
        IntegrityError: If the file changed while it was read.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Retrieve Artifact"; RFC 9110 section 14.2.
    """
    async with using(session, "list_archive") as opened:
        return await members_of(opened, item_of(opened, url))


async def read_archive_member(
    url: URLLike, member: str, *, max_size: int = 2**30, session: aiohttp.ClientSession | None = None
) -> bytes:
    """
    Read one member of a zip or tar file on the server into memory.

    Artifactory Pro sends the member in one request, usually without a checksum. Other editions refuse that request;
    then the member is read from the archive as by :func:`list_archive`. The checksum that a zip file records for it is
    verified.

    Args:
        url: URL of the archive.
        member: Name of the member, as returned by :func:`list_archive`.
        max_size: Maximum size in bytes; a larger member is not unpacked.
        session: Session to use; None opens one for this call.

    Returns:
        The content.

    Raises:
        InvalidArgumentError: If *member* is not a non-empty str, or *max_size* is not an integer of at least 1; no
            request was sent.
        NotFoundError: If the archive or the member does not exist.
        ArchiveError: If the archive is not one, is damaged or encrypted, or if the member is not a file or is larger
            than *max_size*.
        ArtifactoryError: Otherwise the errors of :func:`list_archive`, under the same conditions.

    See: JFrog REST API, "Archive Entry Download".
    """
    check_count("max_size", max_size)
    if not member or not isinstance(member, str):
        raise InvalidArgumentError(f"member {member!r}: expected the name of a member")
    async with using(session, "read_archive_member") as opened:
        return await fetch_member(opened, item_of(opened, url), member, max_size)
