"""A remote file for code that blocks, such as the standard library's readers of archives."""

import asyncio
import io
import os
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import IO, TypeVar

import anyio

from ..._errors import ArtifactoryError
from ..._scheduler import collapsed
from ..._threads import run
from .remote_file import RemoteFile

T = TypeVar("T")

# For each read, the thread waits for the event loop; the remote file caches larger blocks.
_BUFFER = 64 * 1024


async def run_on_file(file: RemoteFile, work: Callable[[IO[bytes]], T]) -> T:
    """
    Run *work* in a thread, with *file* as a blocking file object. If cancelled, *work* fails at its next read.

    Raises:
        ArtifactoryError: If a read failed and *work* then raised any error.
    """
    blocking = BlockingFile(file)
    results: list[T] = []

    async def work_in_thread() -> None:
        results.append(await run(work, io.BufferedReader(blocking, _BUFFER)))
        group.cancel_scope.cancel()

    try:
        async with collapsed(), anyio.create_task_group() as group:
            group.start_soon(work_in_thread)
            # A cancelled task waits for its thread first; so another task must release the thread.
            await blocking.serve()
    except Exception:
        # Libraries treat a lost connection as the end of the file, or as a damaged file.
        if blocking.failure is not None:
            raise blocking.failure from None
        raise
    return results[0]


class BlockingFile(io.RawIOBase):
    """
    A remote file as a blocking file object: each read waits in its thread for the event loop.

    Attributes:
        failure: What the first failed read raised, or None.
    """

    def __init__(self, file: RemoteFile) -> None:
        self.failure: ArtifactoryError | None = None
        self._file = file
        self._loop = asyncio.get_running_loop()
        self._position = 0
        self._asked: asyncio.Queue[tuple[Future[bytes], int, int]] = asyncio.Queue()
        self._reading: Future[bytes] | None = None
        self._ended = False
        self._lock = Lock()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._file.size}[whence]
        if base + offset < 0:
            raise ValueError(f"seek to {base + offset}")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # io passes a memoryview
        try:
            data = self._ask(len(buffer)).result()
        except ArtifactoryError as error:
            self.failure = self.failure or error
            raise
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _ask(self, size: int) -> "Future[bytes]":
        with self._lock:
            if self._ended:
                raise ValueError("the waiter is gone")
            self._reading = Future()
            self._loop.call_soon_threadsafe(self._asked.put_nowait, (self._reading, self._position, size))
            return self._reading

    async def serve(self) -> None:
        """Serve the reads of the thread until cancelled; then cancel the one that it waits for."""
        try:
            while True:
                reading, position, size = await self._asked.get()
                try:
                    await self._file.seek(position)
                    reading.set_result(await self._file.read(size))
                except ArtifactoryError as error:
                    reading.set_exception(error)
        finally:
            with self._lock:
                self._ended = True
                if self._reading is not None:
                    self._reading.cancel()
