"""One upload: hashed first, so that the server can refuse damaged bytes, then streamed from disk."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

import aiohttp

from .._address import ItemURL
from .._checksums import ALGORITHMS, Algorithm, Checksums
from .._files import file_size, hash_file, read_blocks
from .._progress import Progress
from .._protocol import Upload, build_deploy, read_deployed
from .._session import ask
from .._threads import run


async def send_file(
    session: aiohttp.ClientSession,
    path: str,
    item: ItemURL,
    *,
    known: Checksums,
    parameters: Mapping[str, str | Sequence[str]],
    progress: Progress,
) -> None:
    """
    Deploy the local file *path* as *item*, with the checksums that the caller does not already know computed.

    Raises:
        LocalFileError: The file cannot be read.
        InvalidArgumentError: A property that a URL cannot carry.
        ResponseError: The server said no; 409 where its bytes differ from the checksums.
        TransportError: No answer came.
        IntegrityError: The server recorded other checksums.
    """
    missing: list[Algorithm] = [name for name in ALGORITHMS if known.get(name) is None]
    size, computed = await run(hash_file, path, missing) if missing else (await run(file_size, path), Checksums())
    checksums = Checksums(**{name: known.get(name) or computed.get(name) for name in ALGORITHMS})
    progress.expect(files=1, size=size)

    sent = 0

    def show(total: int) -> None:
        nonlocal sent
        progress.advance(total - sent)
        sent = total

    async def blocks() -> AsyncGenerator[bytes, None]:
        show(0)  # an earlier pass came to nothing
        async with aclosing(read_blocks(path)) as source:
            async for block in source:
                yield block
                show(sent + len(block))

    request = build_deploy(item, Upload(blocks, size), checksums, parameters)
    try:
        read_deployed(item, request, await ask(session, request), checksums)
    except BaseException:
        show(0)
        progress.finish("failed", size)
        raise
    progress.finish("transferred")
