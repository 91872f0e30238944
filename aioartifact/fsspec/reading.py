"""Files open for reading: with random access for threads, as a stream for coroutines."""

import asyncio
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from fsspec.spec import reopen

import aioartifact

from .bases import AbstractAsyncStreamedFile, AbstractBufferedFile
from .caching import AdaptiveCache
from .entries import Entry, entry_of, info_of
from .sessions import start, wait_for

if TYPE_CHECKING:
    from .file_system import ArtifactoryFileSystem


class RandomReader:
    """Reads ranges of a :class:`aioartifact.RemoteFile`, one at a time."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._turn = asyncio.Lock()

    async def open(self, fs: "ArtifactoryFileSystem", path: str) -> aioartifact.RemoteFile:
        """Open the file: one request, or none if its info is cached."""
        session, url = await fs.set_session(), fs.url_of(path)
        entry = fs.remembered(path)
        opened = aioartifact.open(url, info=info_of(url, entry) if entry else None, session=session)
        self._file = await self._stack.enter_async_context(opened)
        return self._file

    async def read(self, start: int, end: int) -> bytes:
        """Read bytes *start* to *end* of the content that was opened."""
        async with self._turn:
            await self._file.seek(start)
            return await self._file.read(end - start)

    async def close(self) -> None:
        """Release what the file holds."""
        await self._stack.aclose()


class ReadFile(AbstractBufferedFile):
    """
    A file that is read in ranges through a cache of fsspec.

    If the file is replaced on the server, also while this object is pickled, reading raises
    :class:`aioartifact.IntegrityError`.
    """

    def __init__(
        self,
        fs: "ArtifactoryFileSystem",
        path: str,
        *,
        block_size: Any = None,
        cache_type: str = AdaptiveCache.name,
        cache_options: dict[str, Any] | None = None,
        identity: str | None = None,
    ) -> None:
        self.closed = True  # until it is open
        self._reader = RandomReader()
        self._pid, self._loop = os.getpid(), fs.loop
        remote = wait_for(fs.loop, self._reader.open, fs, path)
        checksums = remote.info.checksums
        self.identity: str | None = checksums.sha256 or checksums.sha1 or remote.etag
        if identity is not None and identity != self.identity:
            wait_for(fs.loop, self._reader.close)
            raise aioartifact.IntegrityError(
                f"open {remote.url}: changed since this file was pickled", hint="open it again"
            )
        super().__init__(
            fs,
            path,
            mode="rb",
            block_size="default" if block_size is None else block_size,
            cache_type=cache_type,
            cache_options=cache_options,
            size=remote.size,
        )
        self.details: Entry = entry_of(path, remote.info)

    def _fetch_range(self, start: int, end: int) -> bytes:
        try:
            return wait_for(self.fs.loop, self._reader.read, start, end)
        except aioartifact.IntegrityError:
            self.fs.invalidate_cache(self.path)
            raise

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            super().close()
            wait_for(self.fs.loop, self._reader.close)

    def __del__(self) -> None:
        if not self.closed and self._pid == os.getpid():
            start(self._loop, self._reader.close)

    def __reduce__(self) -> tuple[Any, ...]:
        options = {"identity": self.identity}
        cache = self.cache.name if self.cache else "none"
        return reopen, (self.fs, self.path, "rb", self.blocksize, self.loc, self.size, True, cache, options)


class StreamedFile(AbstractAsyncStreamedFile):
    """A stream that coroutines read, in one request; verified after the last byte."""

    def __init__(
        self, fs: "ArtifactoryFileSystem", path: str, body: aioartifact.FileStream, stack: AsyncExitStack
    ) -> None:
        super().__init__(fs, path, mode="rb", cache_type="none", size=body.info.size or 0)
        self.size: int | None = body.info.size
        self.loc: int = 0
        self.details: Entry = entry_of(path, body.info)
        self._body = body
        self._stack = stack
        self._held = bytearray()
        self._pid, self._loop = os.getpid(), asyncio.get_running_loop()

    @classmethod
    async def open(cls, fs: "ArtifactoryFileSystem", path: str) -> "StreamedFile":
        """Open the file; one request."""
        stack = AsyncExitStack()
        stream = aioartifact.stream(fs.url_of(path), session=await fs.set_session())
        body = await stack.enter_async_context(stream)
        return cls(fs, path, body, stack)

    async def read(self, length: int | None = -1) -> bytes:
        """
        Read the next bytes; fewer than *length* only at the end.

        Raises:
            IntegrityError: At the end, if size or checksum differs.
        """
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        wanted = None if length is None or length < 0 else length
        while wanted is None or len(self._held) < wanted:
            chunk = await anext(self._body, None)
            if chunk is None:
                break
            self._held += chunk
        data = bytes(self._held[:wanted])
        del self._held[: len(data)]
        self.loc += len(data)
        return data

    def seek(self, loc: int, whence: int = 0) -> int:
        """Not available: a stream is only read forwards."""
        raise OSError("a stream cannot seek; use cat_file(path, start, end), or open() in a thread")

    def seekable(self) -> bool:
        """Return False."""
        return False

    async def close(self) -> None:
        """Close the file, and its connection if it was not read to the end."""
        self.closed = True
        await self._stack.aclose()

    def __del__(self) -> None:
        if not self.closed and self._pid == os.getpid():
            start(self._loop, self._stack.aclose)
