"""
The base classes from fsspec.

fsspec has no types, and a class without known bases has none either. So type checkers see bases without an interface,
whose attributes are Any.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import fsspec.asyn
import fsspec.caching
import fsspec.spec

__all__ = [
    "AbstractAsyncStreamedFile",
    "AbstractBufferedFile",
    "AsyncFileSystem",
    "BaseCache",
    "FileSystemType",
    "sync_wrapper",
]

if TYPE_CHECKING:

    class FileSystemType(type):
        """Metaclass of file systems."""

    class AsyncFileSystem(metaclass=FileSystemType):
        """See https://filesystem-spec.readthedocs.io."""

        def __init__(self, *args: Any, **kwargs: Any) -> None: ...
        def __getattr__(self, name: str) -> Any: ...
        def open(self, *args: Any, **kwargs: Any) -> Any:
            """Open a file."""

        def invalidate_cache(self, path: str | None = None) -> None:
            """Discard cached listings."""

    class AbstractBufferedFile:
        """See https://filesystem-spec.readthedocs.io."""

        def __init__(self, *args: Any, **kwargs: Any) -> None: ...
        def close(self) -> Any:
            """Close the file."""

        def __getattr__(self, name: str) -> Any: ...

    class AbstractAsyncStreamedFile(AbstractBufferedFile):
        """See https://filesystem-spec.readthedocs.io."""

    class BaseCache:
        """See https://filesystem-spec.readthedocs.io."""

        blocksize: int
        fetcher: Callable[[int, int], bytes]
        size: int

        def __init__(self, *args: Any, **kwargs: Any) -> None: ...
else:
    AsyncFileSystem = fsspec.asyn.AsyncFileSystem
    FileSystemType = type(AsyncFileSystem)
    AbstractBufferedFile = fsspec.spec.AbstractBufferedFile
    BaseCache = fsspec.caching.BaseCache
    AbstractAsyncStreamedFile = fsspec.asyn.AbstractAsyncStreamedFile

sync_wrapper: Any = fsspec.asyn.sync_wrapper
