"""Uploads, which Artifactory calls deploying."""

import os
from collections.abc import Mapping, Sequence

import aiohttp

from .._checksums import Checksums
from .._progress import Progress
from .._transfer.upload import send_file
from .items import item_of
from .session import using


async def deploy(
    path: str | os.PathLike[str],
    url: str,
    *,
    md5: str | None = None,
    sha1: str | None = None,
    sha256: str | None = None,
    parameters: Mapping[str, str | Sequence[str]] | None = None,
    session: aiohttp.ClientSession | None = None,
    progress: Progress | None = None,
) -> str:
    """
    Deploy a local file; one request.

    The file is hashed first, in a thread, and then streamed from disk. The server compares the bytes with the
    checksums and stores nothing if they differ; what it recorded is compared once more here. Folders on the way
    are made by the server. Deploying again replaces the file.

    Args:
        path: Local file.
        url: URL the file gets.
        md5: MD5 of the file, if known; None computes it.
        sha1: SHA-1 of the file, if known; None computes it.
        sha256: SHA-256 of the file, if known; None computes it.
        parameters: Properties to set on the file; a value may be a text or several.
        session: Session to use; None opens one for this call.
        progress: Counts the file and its bytes as they are sent.

    Returns:
        The URL given.

    Raises:
        FileNotFoundError: There is no such local file; no request was sent.
        LocalFileError: It cannot be read.
        InvalidArgumentError: A checksum or a property is malformed.
        InvalidURLError: *url* is not the URL of an item.
        AuthenticationError: Credentials are missing or wrong.
        ForbiddenError: This user may not deploy here, or not replace what is there.
        NotFoundError: There is no such local repository.
        ConflictError: The bytes differ from the checksums, or the repository's rules refuse the path.
        IntegrityError: The server recorded other checksums.
        ResponseError: The server said no for another reason.
        TransportError: No answer came.

    See: JFrog REST API, "Deploy Artifact".
    """
    known = Checksums(sha256=sha256, sha1=sha1, md5=md5)
    shown = progress or Progress()
    async with using(session) as opened:
        item = item_of(opened, url)
        await send_file(opened, os.fspath(path), item, known=known, parameters=parameters or {}, progress=shown)
    return url
