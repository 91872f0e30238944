"""Path objects, similar to anyio.Path and pathlib."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import total_ordering
from pathlib import PurePosixPath

import aiohttp

from .._address import ItemURL, Locator, URLLike, check_name, expect_text, names_folder, parse_item_url
from .._errors import AlreadyExistsError, FolderNotEmptyError, InvalidArgumentError, InvalidURLError, NotFoundError
from .._models import FileInfo, FolderInfo
from .._protocol import expect_file, expect_folder
from .._session import state_of
from .._transfer.local_paths import relative_path
from .._transfer.receive.remote_file import RemoteFile
from .contents import open as open_file
from .contents import read_bytes, write_bytes
from .credentials import servers_for
from .items import exists, info
from .listing import glob, ls
from .mutations import delete, mkdir, move
from .session import item_of


def path(url: URLLike, *, session: aiohttp.ClientSession | None = None) -> "ArtifactoryPath":
    """
    Return a path object for a URL; no request.

    Args:
        url: URL of a file, a folder or a repository, which need not exist. Without a session, the context path of the
            server must be ``/artifactory`` or be in the user's configuration.
        session: Session for this path and paths derived from it; None opens one for each call.

    Raises:
        InvalidURLError: If *url* is not the URL of an item.
        SessionError: If *session* is closed, or belongs to another event loop or process.
        InvalidArgumentError: If *session* is not an aiohttp.ClientSession.
    """
    item = parse_item_url(url, servers_for(url)) if session is None else item_of(session, url)
    return ArtifactoryPath(item, session, names_folder=names_folder(url))


@total_ordering
class ArtifactoryPath(Locator):
    """
    The path of an item, with methods to query and change it; returned by :func:`path`.

    It works like ``anyio.Path``: methods that send requests are awaited, the others return at once. Names are not
    encoded; ``str(path)`` is the percent-encoded URL. Every function of this library accepts a path as a URL. Paths are
    immutable, hashable and ordered; a pickled path has no session.

    Two things differ from a local file system. The server creates missing parent folders of a file. And there are no
    locks: if a method checks the item before it changes it, another client may change it in between.
    """

    __slots__ = ("_item", "_names_folder", "_session")

    def __init__(
        self, item: ItemURL, session: aiohttp.ClientSession | None = None, *, names_folder: bool = False
    ) -> None:
        self._item = item
        self._session = session
        self._names_folder = names_folder  # created from a URL with a final slash

    def __str__(self) -> str:
        return str(self._item)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return self._item == other._item if isinstance(other, ArtifactoryPath) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._item)

    def __lt__(self, other: object) -> bool:
        return self._key < other._key if isinstance(other, ArtifactoryPath) else NotImplemented

    @property
    def target_url(self) -> str:
        """The URL as the target of a file, with a final slash if the path was created with one."""
        return f"{self}/" if self._names_folder else str(self)

    @property
    def _key(self) -> tuple[str, tuple[str, ...]]:
        return str(self._item.server), self.parts

    def __reduce__(self) -> tuple[Callable[[ItemURL, bool], "ArtifactoryPath"], tuple[ItemURL, bool]]:
        # A session belongs to one process, and has secrets.
        return _unpickled, (self._item, self._names_folder)

    def _with(self, item: ItemURL) -> "ArtifactoryPath":
        return type(self)(item, self._session)

    # Names

    @property
    def server(self) -> str:
        """Base address of the server."""
        return str(self._item.server)

    @property
    def repository(self) -> str:
        """Repository key."""
        return self._item.repository

    @property
    def path(self) -> str:
        """Path inside the repository, not encoded; ``""`` for the repository itself."""
        return self._item.path

    @property
    def parts(self) -> tuple[str, ...]:
        """Repository key and the names below it."""
        return (self._item.repository, *(self._item.path.split("/") if self._item.path else ()))

    @property
    def name(self) -> str:
        """Last part; the repository key for the repository itself."""
        return self._item.name

    @property
    def stem(self) -> str:
        """Name without its last suffix."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """Last suffix of the name with its dot, or ``""``."""
        return PurePosixPath(self.name).suffix

    @property
    def suffixes(self) -> list[str]:
        """All suffixes of the name with their dots."""
        return PurePosixPath(self.name).suffixes

    @property
    def parent(self) -> "ArtifactoryPath":
        """The parent folder; a repository is its own parent."""
        return self._with(self._item.parent)

    @property
    def parents(self) -> tuple["ArtifactoryPath", ...]:
        """All parent folders, from the nearest to the repository."""
        found: list[ArtifactoryPath] = []
        current = self
        while current.path:
            current = current.parent
            found.append(current)
        return tuple(found)

    def with_session(self, session: aiohttp.ClientSession | None) -> "ArtifactoryPath":
        """
        Return the same path with another session; None opens one for each call.

        Raises:
            SessionError: If *session* is closed, or belongs to another event loop or process.
            InvalidArgumentError: If *session* is not an aiohttp.ClientSession.
        """
        if session is not None:
            state_of(session)
        return type(self)(self._item, session, names_folder=self._names_folder)

    def joinpath(self, *others: str | PurePosixPath) -> "ArtifactoryPath":
        """
        Return a path below this one.

        Args:
            *others: Names, or relative paths with slashes; not encoded.

        Raises:
            InvalidURLError: If one starts with a slash, or a name is ``.`` or ``..``, or Artifactory does not accept
                it.
        """
        names = [name for other in others for name in self._names(other)]
        if not names:
            return self
        is_folder = names_folder(others[-1])
        return type(self)(self._item / "/".join(names), self._session, names_folder=is_folder)

    def _names(self, other: object) -> list[str]:
        text = str(other)
        if not isinstance(other, str | PurePosixPath) or text.startswith("/"):
            raise InvalidURLError(f"{self} / {other!r}: expected names, not an absolute path")
        return [check_name(name) for name in text.split("/") if name]

    def __truediv__(self, other: str | PurePosixPath) -> "ArtifactoryPath":
        return self.joinpath(other)

    def with_name(self, name: str) -> "ArtifactoryPath":
        """
        Return the path with another name.

        Raises:
            InvalidURLError: If Artifactory does not accept it as one name.
            InvalidArgumentError: If *name* is not a str, or the path is a repository.
        """
        if not self.path:
            raise InvalidArgumentError(f"{self}: is a repository, which has no other name")
        return self._with(self._item.parent / check_name(expect_text("name", name)))

    def with_stem(self, stem: str) -> "ArtifactoryPath":
        """Return the path with another stem; raises as :meth:`with_name` does."""
        return self.with_name(expect_text("stem", stem) + self.suffix)

    def with_suffix(self, suffix: str) -> "ArtifactoryPath":
        """
        Return the path with another last suffix.

        Args:
            suffix: The new suffix with its dot, or ``""`` to remove it.

        Raises:
            InvalidArgumentError: If *suffix* does not start with a dot, or is only a dot, or the path is a repository.
            InvalidURLError: If Artifactory does not accept the name.
        """
        if expect_text("suffix", suffix) and (not suffix.startswith(".") or suffix == "."):
            raise InvalidArgumentError(f"suffix {suffix!r}: expected a dot and at least one character")
        return self.with_name(self.stem + suffix)

    def is_relative_to(self, other: URLLike) -> bool:
        """Return whether this path is *other* or below it."""
        return self._below(other) is not None

    def relative_to(self, other: URLLike) -> PurePosixPath:
        """
        Return the path relative to *other*.

        Raises:
            InvalidArgumentError: If it is not below *other*; it is a ValueError, as in pathlib.
        """
        below = self._below(other)
        if below is None:
            raise InvalidArgumentError(f"{self}: is not below {other}")
        return PurePosixPath(*below)

    def _below(self, other: URLLike) -> tuple[str, ...] | None:
        base = self._resolved(other)
        count = len(base.parts)
        inside = self.server == base.server and self.parts[:count] == base.parts
        return self.parts[count:] if inside else None

    def _resolved(self, other: URLLike) -> "ArtifactoryPath":
        return other if isinstance(other, ArtifactoryPath) else path(other, session=self._session)

    def match(self, pattern: str) -> bool:
        """
        Return whether its last parts match *pattern*, as :meth:`pathlib.PurePath.match` does.

        Raises:
            InvalidArgumentError: If *pattern* is empty, or not a str.
        """
        if not expect_text("pattern", pattern):
            raise InvalidArgumentError("pattern is empty; expected one such as '*.bin'")
        return PurePosixPath(*self.parts).match(pattern)

    # Questions

    async def stat(self) -> FileInfo | FolderInfo:
        """
        Return the info of the item; one request, see :func:`info`.

        Raises:
            NotFoundError: If the item does not exist, or the user may not read it.
            ArtifactoryError: Otherwise the errors of :func:`info`, under the same conditions.
        """
        return await info(str(self), session=self._session)

    async def exists(self) -> bool:
        """Return whether the item exists; one request, see :func:`exists`."""
        return await exists(str(self), session=self._session)

    async def is_file(self) -> bool:
        """Return whether the item is a file; one request."""
        return isinstance(await self._look(), FileInfo)

    async def is_dir(self) -> bool:
        """Return whether the item is a folder or a repository; one request."""
        return isinstance(await self._look(), FolderInfo)

    async def _look(self) -> FileInfo | FolderInfo | None:
        try:
            return await self.stat()
        except NotFoundError:
            return None

    async def iterdir(self) -> AsyncIterator["ArtifactoryPath"]:
        """
        List the folder, one level, as entries arrive; one request, see :func:`ls`.

        Yields:
            The paths, in the server's order.

        Raises:
            NotFoundError: If the folder does not exist.
            NotAFolderError: If the item is a file.
            ResponseError, TransportError, ProtocolError: As for every request, see :ref:`errors-of-every-function`.
        """
        async with ls(str(self), session=self._session) as entries:
            async for entry in entries:
                yield self._with(self._item / entry.name)

    async def glob(self, pattern: str) -> AsyncIterator["ArtifactoryPath"]:
        """
        List the files and folders below this path that match a pattern, as they arrive; see :func:`glob`.

        Args:
            pattern: Pattern of relative paths, see :func:`walk`.

        Yields:
            The paths, in no particular order.

        Raises:
            InvalidArgumentError: If *pattern* is invalid.
            ArtifactoryError: Otherwise as in :meth:`iterdir`.
        """
        async with glob(str(self), pattern, folders=True, session=self._session) as entries:
            async for entry in entries:
                yield self._with(self._item / relative_path(self.path, entry.path))

    def rglob(self, pattern: str) -> AsyncIterator["ArtifactoryPath"]:
        """List the matching files and folders on all levels: ``glob("**/" + pattern)``."""
        return self.glob(f"**/{pattern}")

    # Content

    async def read_bytes(self) -> bytes:
        """Read the whole file; one request, see :func:`read_bytes`."""
        return await read_bytes(str(self), session=self._session)

    async def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """
        Read the whole file as text; one request, see :func:`read_bytes`. Line ends are not changed.

        Raises:
            UnicodeDecodeError: If the file is not text in this *encoding*.
        """
        return (await self.read_bytes()).decode(encoding, errors)

    async def write_bytes(
        self, data: bytes | bytearray | memoryview, *, parameters: Mapping[str, str | Sequence[str]] | None = None
    ) -> int:
        """Deploy *data* as the file; one request, see :func:`write_bytes`."""
        return await write_bytes(self.target_url, data, parameters=parameters, session=self._session)

    async def write_text(self, data: str, encoding: str = "utf-8", errors: str = "strict") -> int:
        """
        Deploy text as the file; one request, see :func:`write_bytes`. Line ends are not changed.

        Returns:
            Number of bytes.

        Raises:
            UnicodeEncodeError: If the *encoding* cannot express the text.
        """
        return await self.write_bytes(data.encode(encoding, errors))

    def open(self) -> AbstractAsyncContextManager[RemoteFile]:
        """Open the file for random access: ``async with path.open() as file:``, see :func:`open`."""
        return open_file(str(self), session=self._session)

    # Changes

    async def mkdir(self, *, parents: bool = False, exist_ok: bool = False) -> None:
        """
        Create a folder; one request, and one check each if *parents* or *exist_ok* is False.

        Args:
            parents: Whether to create missing parent folders.
            exist_ok: Whether to accept an existing folder.

        Raises:
            AlreadyExistsError: If the folder exists and *exist_ok* is False.
            NotFoundError: If the parent folder does not exist and *parents* is False.
            ArtifactoryError: See :func:`mkdir`.
        """
        if exist_ok and not self.path and await self.is_dir():
            return
        await mkdir(str(self), parents=parents, exist_ok=exist_ok, session=self._session)

    async def touch(self, *, exist_ok: bool = True) -> None:
        """
        Create an empty file if the item does not exist; one request, two if it is created.

        Raises:
            AlreadyExistsError: If the item exists and *exist_ok* is False.
            ArtifactoryError: See :func:`info` and :func:`write_bytes`.
        """
        if not await self.exists():
            await self.write_bytes(b"")
        elif not exist_ok:
            raise AlreadyExistsError(f"touch {self}: exists")

    async def unlink(self, *, missing_ok: bool = False) -> None:
        """
        Delete the file; two requests, the first checks that it is a file. To delete folders, use :func:`delete`.

        Raises:
            NotFoundError: If the file does not exist and *missing_ok* is False.
            NotAFileError: If the item is a folder.
            ArtifactoryError: See :func:`delete`.
        """
        found = await (self._look() if missing_ok else self.stat())
        if found is not None:
            expect_file(self._item, found)
            await delete(str(self), missing_ok=missing_ok, session=self._session)

    async def rmdir(self) -> None:
        """
        Delete the folder if it is empty; two requests. To delete a folder with content, use :func:`delete`.

        Raises:
            NotFoundError: If the folder does not exist.
            NotAFolderError: If the item is a file.
            FolderNotEmptyError: If the folder is not empty.
            ArtifactoryError: See :func:`delete`.
        """
        if children := expect_folder(self._item, await self.stat()).children:
            raise FolderNotEmptyError(
                f"rmdir {self}: has {len(children)} entries", hint="use delete() for a folder with content"
            )
        await delete(str(self), session=self._session)

    async def rename(self, target: URLLike) -> "ArtifactoryPath":
        """
        Move a file, or a folder with its content, to a new path; two requests, see :func:`move`.

        Returns:
            The new path.

        Raises:
            AlreadyExistsError: If the target exists.
            ArtifactoryError: See :func:`move`.
        """
        return await self._move(target, overwrite=False)

    async def replace(self, target: URLLike) -> "ArtifactoryPath":
        """
        Move like :meth:`rename`, but replace an existing file.

        Returns:
            The new path.

        Raises:
            AlreadyExistsError: If the target is a folder of another name.
            ArtifactoryError: See :func:`move`.
        """
        return await self._move(target, overwrite=True)

    async def _move(self, target: URLLike, *, overwrite: bool) -> "ArtifactoryPath":
        goal = self._resolved(target)
        if goal._names_folder:  # noqa: SLF001  # of the same class
            goal = goal.joinpath(self.name)
        await move(str(self), str(goal), overwrite=overwrite, session=self._session)
        return goal.with_session(self._session)


def _unpickled(item: ItemURL, names_folder: bool) -> ArtifactoryPath:
    return ArtifactoryPath(item, names_folder=names_folder)
