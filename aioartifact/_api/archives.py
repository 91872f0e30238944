"""Read archives on the server."""

import aiohttp

from .._address import URLLike
from .._errors import InvalidArgumentError
from .._models import ArchiveMember
from .._options import check_count
from .._transfer.receive.archive_members import fetch_member, members_of
from .items import item_of
from .session import using


async def list_archive(url: URLLike, *, session: aiohttp.ClientSession | None = None) -> list[ArchiveMember]:
    """
    List the members of a zip or tar file on the server.

    A zip file has a directory at its end: reading that takes one request for a file of up to 256 KiB, otherwise two or
    a few. Of an uncompressed tar file the headers of its members are read, of a compressed one everything, in requests
    of up to 4 MiB. The type is detected from the content, not the name. Works with any server and edition.

    Args:
        url: URL of the archive.
        session: Session to use; None opens one for this call.

    Returns:
        The members in the order of the archive. Names are not trusted, and may contain ``..``.

    Raises:
        InvalidURLError: If *url* is not the URL of an item.
        ArchiveError: If it is not an archive, or is damaged.
        NotFoundError: If the file does not exist.
        NotAFileError: If *url* is that of a folder.
        IntegrityError: If the file changed while it was read.
        ProtocolError: If the response is not valid HTTP, redirects badly, or does not state the size.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Retrieve Artifact"; RFC 9110 section 14.2.
    """
    async with using(session, "list_archive") as opened:
        return await members_of(opened, item_of(opened, url))


async def read_archive_member(
    url: URLLike, member: str, *, max_size: int = 2**30, session: aiohttp.ClientSession | None = None
) -> bytes:
    """
    Read one file out of a zip or tar file on the server, into memory.

    Artifactory Pro sends the member itself, in one request, usually without a checksum. Other editions refuse that;
    then it is read from the bytes of the archive as by :func:`list_archive`, and for a zip file its checksum is
    compared.

    Args:
        url: URL of the archive.
        member: Name of the member, as returned by :func:`list_archive`.
        max_size: Largest size in bytes; a larger member is not unpacked.
        session: Session to use; None opens one for this call.

    Returns:
        The content.

    Raises:
        InvalidArgumentError: If *member* is not a name, or *max_size* not an integer of at least 1; no request was
            sent.
        NotFoundError: If the archive or the member does not exist.
        ArchiveError: If it is not an archive, is damaged or encrypted, or if the member is not a file, or larger than
            *max_size*.
        ArtifactoryError: Otherwise the errors of :func:`list_archive`, under the same conditions.

    See: JFrog REST API, "Archive Entry Download".
    """
    check_count("max_size", max_size)
    if not member or not isinstance(member, str):
        raise InvalidArgumentError(f"member {member!r}: expected the name of a member")
    async with using(session, "read_archive_member") as opened:
        return await fetch_member(opened, item_of(opened, url), member, max_size)
