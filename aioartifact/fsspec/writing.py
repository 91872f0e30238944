"""Files open for writing: staged locally, and uploaded when they are closed."""

import io
import warnings
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

import anyio.to_thread

from .sessions import wait_for
from .spooled_upload import Staging

if TYPE_CHECKING:
    from .file_system import ArtifactoryFileSystem


class WriteFile(io.BufferedIOBase):
    """
    A file that is uploaded when it is closed, or at the end of a transaction.

    It is not uploaded if its ``with`` block ends with an exception, or if it is never closed.

    Attributes:
        fs: The file system.
        path: Path of the file.
        mode: ``"wb"`` or ``"xb"``.
        autocommit: Whether :meth:`close` uploads; otherwise :meth:`commit` does.
    """

    def __init__(self, fs: "ArtifactoryFileSystem", path: str, mode: str = "wb", *, autocommit: bool = True) -> None:
        self.fs = fs
        self.path = path
        self.mode = mode
        self.autocommit = autocommit
        self._staging = Staging()
        self._is_discarded = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.path!r}, mode={self.mode!r})"

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Append *data*."""
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        return self._staging.write(memoryview(data))

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self._staging.tell()

    def close(self) -> None:
        """
        Upload the file, unless it belongs to a transaction.

        Raises:
            FileExistsError: If the mode is ``"xb"`` and the file was created in the meantime.
            ArtifactoryError: The errors of :func:`aioartifact.deploy`; the existing file stays as it was.
        """
        if self.closed:
            return
        super().close()
        if self.autocommit:
            self.commit()

    def commit(self) -> None:
        """Upload the file, unless it was discarded; called at the end of a transaction."""
        if self._is_discarded:
            return
        try:
            wait_for(self.fs.loop, self.fs.upload_staged, self._staging, self.path, exclusive=self.mode == "xb")
        finally:
            self._staging.discard()

    def discard(self) -> None:
        """Discard the bytes; called if a transaction fails."""
        self._is_discarded = True
        self._staging.discard()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        elif not self.closed:
            super().close()
            self.discard()

    def __del__(self) -> None:
        if not self.closed:
            super().close()
            self.discard()
            warnings.warn(f"{self!r} was not closed: nothing was uploaded", ResourceWarning, source=self, stacklevel=2)


class CompressedFile(io.BufferedIOBase):
    """
    A file that compresses its bytes and passes them to another file; closing it closes both.

    Attributes:
        file: The file that the compressed bytes are written to.
    """

    def __init__(self, compressor: IO[bytes], file: WriteFile) -> None:
        self.file = file
        self._compressor = compressor

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Compress *data*, and append it."""
        return self._compressor.write(data)

    def close(self) -> None:
        """Finish the compressed bytes, and upload them; errors as in :meth:`WriteFile.close`."""
        if not self.closed:
            super().close()
            self._compressor.close()
            self.file.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None and not self.closed:
            super().close()
            self._compressor.close()
            self.file.__exit__(kind, error, traceback)
        self.close()

    def __del__(self) -> None:
        if not self.closed:  # the underlying file has a finalizer that discards the bytes
            super().close()
            self._compressor.close()


class AsyncWriteFile:
    """
    A file that coroutines write; uploaded when it is closed, unless its ``async with`` block ends with an exception.

    Attributes:
        fs: The file system.
        path: Path of the file.
        mode: ``"wb"`` or ``"xb"``.
        closed: Whether it is closed.
    """

    def __init__(self, fs: "ArtifactoryFileSystem", path: str, mode: str = "wb") -> None:
        self.fs = fs
        self.path = path
        self.mode = mode
        self.closed: bool = False
        self._staging = Staging()

    async def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append *data*."""
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        return await anyio.to_thread.run_sync(self._staging.write, data)

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self._staging.tell()

    async def flush(self, force: bool = False) -> None:
        """Do nothing: the file is uploaded when it is closed."""

    async def close(self) -> None:
        """Upload the file; errors as in :meth:`WriteFile.close`."""
        if self.closed:
            return
        self.closed = True
        try:
            await self.fs.upload_staged(self._staging, self.path, exclusive=self.mode == "xb")
        finally:
            self._staging.discard()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            await self.close()
        elif not self.closed:
            self.closed = True
            self._staging.discard()
