"""The bytes of a file that is written: in memory, then in a temporary file, until they are uploaded."""

import io
import os
import tempfile
from typing import IO

import aiohttp

import aioartifact

_IN_MEMORY = 8 * 1024 * 1024


class Staging:
    """
    Collects bytes, up to 8 MiB in memory, and uploads them with their checksums in one request.

    Attributes:
        path: Path of the temporary file, if it exists.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = io.BytesIO()
        self.path: str | None = None

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """
        Append *data*; blocks on the disk beyond 8 MiB.

        Raises:
            OSError: If the disk fails.
        """
        view = memoryview(data).cast("B")
        if self.path is None and self._file.tell() + view.nbytes > _IN_MEMORY:
            self._move_to_disk()
        self._file.write(view)
        return view.nbytes

    def _move_to_disk(self) -> None:
        descriptor, self.path = tempfile.mkstemp(prefix="aioartifact-")
        held, self._file = self._file, os.fdopen(descriptor, "wb")
        held.seek(0)
        self._file.write(held.read())

    def tell(self) -> int:
        """Return the number of bytes."""
        return self._file.tell()

    async def upload(self, url: str, session: aiohttp.ClientSession) -> None:
        """
        Upload the bytes; the file is replaced atomically.

        Raises:
            ArtifactoryError: The errors of :func:`aioartifact.deploy`.
        """
        if isinstance(self._file, io.BytesIO):
            await aioartifact.write_bytes(url, self._file.getvalue(), session=session)
            return
        assert self.path is not None
        self._file.close()
        await aioartifact.deploy(self.path, url, session=session)

    def discard(self) -> None:
        """Delete the bytes."""
        self._file.close()
        if self.path is not None:
            path, self.path = self.path, None
            os.unlink(path)  # noqa: PTH108  # at the end of the program, pathlib may be gone
