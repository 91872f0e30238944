"""Upload one file, which Artifactory calls deploying."""

import os

import aiohttp

from .._address import URLLike, names_folder, text_of_url
from .._checksums import Checksums
from .._options import check_path, given_or
from .._progress import FileProgress, Progress
from .._transfer.send.deployer import MIN_CHECKSUM_DEPLOY, checked_options, is_worth_offering
from .._transfer.send.file_upload import Parameters, read_file, send_file
from .session import file_item_of, using


async def deploy(
    path: str | os.PathLike[str],
    url: URLLike,
    *,
    md5: str | None = None,
    sha1: str | None = None,
    sha256: str | None = None,
    parameters: Parameters | None = None,
    min_checksum_deploy: int | None = MIN_CHECKSUM_DEPLOY,
    session: aiohttp.ClientSession | None = None,
    progress: Progress | None = None,
) -> str:
    """
    Upload a local file; one request, two for a large file whose bytes the server does not have yet.

    The file is hashed, then sent with its checksums. If the received bytes differ from these, the server stores
    nothing. The checksums that it recorded are compared, too. The server creates missing folders, and replaces an
    existing file. Example::

        folder = f"{server}/libs-release/org/acme/app/1.0/"
        await aioartifact.deploy("app-1.0.jar", folder, parameters={"build": "7"})

    Args:
        path: Local file.
        url: URL of the new file; with a final slash, URL of the folder in which the file keeps its name.
        md5: MD5 of the file, if known; None does not send it.
        sha1: SHA-1 of the file, if known; None computes it.
        sha256: SHA-256 of the file, if known; None computes it.
        parameters: Properties to set on the file; each value is a str or several.
        min_checksum_deploy: Minimum size in bytes for a deployment by checksums: if the server has a file with the same
            checksums, under any name, no bytes are sent. None disables this. So does *md5*, *sha1* or *sha256*,
            because a wrong checksum would not be noticed.
        session: Session to use; None opens one for this call.
        progress: Counts the file and its sent bytes.

    Returns:
        URL of the file.

    Raises:
        FileNotFoundError: If the local file does not exist; no request was sent.
        LocalFileError: If the local file cannot be read.
        InvalidArgumentError: If *path* is empty or not a path, a checksum or a property is malformed, *url* is that of
            a repository, *min_checksum_deploy* is not a number of bytes, or *progress* is not a :class:`Progress`; no
            request was sent.
        InvalidURLError: If *url* is not the URL of an item, or Artifactory does not accept a name in it.
        NotAFileError: If the target is a folder.
        ForbiddenError: If the user may not deploy to this path, or may not replace the existing file.
        NotFoundError: If the repository does not exist.
        ConflictError: If the bytes differ from the checksums, or the rules of the repository exclude the path.
        BadRequestError: If a parent folder in the URL is a file.
        IntegrityError: If the server recorded other checksums.
        StoredElsewhereError: If the server stored the file under another path.
        ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.

    See: JFrog REST API, "Deploy Artifact" and "Deploy Artifact by Checksum".
    """
    options = checked_options(parameters, min_checksum_deploy)
    known = Checksums(sha256=sha256, sha1=sha1, md5=md5)
    local, shown = check_path("path", path), given_or("progress", progress, Progress())
    async with using(session, "deploy") as opened:
        item = file_item_of(opened, url, os.path.split(local)[1])
        source = await read_file(local, known)
        shown.expect(files=1)
        file = FileProgress(shown, str(item), item.name)
        file.correct(source.size)
        by_checksum = not known and is_worth_offering(source.size, options.min_checksum_deploy)
        try:
            with file:
                await send_file(
                    opened, source, item, parameters=options.parameters, by_checksum=by_checksum, progress=file
                )
        except BaseException:
            file.finish("failed")
            raise
        file.finish("transferred")
    return str(item) if names_folder(url) else text_of_url(url)
