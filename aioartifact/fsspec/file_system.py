"""The file system: fsspec's operations, implemented with the public functions of this library."""

import os
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, suppress
from datetime import datetime
from functools import partial
from glob import has_magic
from typing import Any, NoReturn

import aiohttp
import anyio.to_thread
from fsspec.asyn import _run_coros_in_chunks, get_loop
from fsspec.callbacks import DEFAULT_CALLBACK, NoOpCallback
from fsspec.compression import compr
from fsspec.core import get_compression
from fsspec.dircache import DirCache
from fsspec.utils import isfilelike, stringify_path

import aioartifact

from .addresses import PROTOCOLS, item_url, parent_of, path_in, server_in
from .bases import AsyncFileSystem, sync_wrapper
from .caching import AdaptiveCache
from .entries import Entry, by_folder, entry_of, folder_entry, is_folder
from .options import JSON_OPTIONS, SESSION_OPTIONS, URL_SERVER, ConfiguredType, HiddenAuth
from .reading import RandomReader, ReadFile, StreamedFile
from .sessions import Manager, Sessions, wait_for
from .spans import MAX_GAP, Merged, Span, merge
from .spooled_upload import Staging
from .writing import AsyncWriteFile, CompressedFile, WriteFile

# Maximum number of entries of a cached listing: about 10 MB.
_MAX_REMEMBERED = 10_000


class ArtifactoryFileSystem(AsyncFileSystem, metaclass=ConfiguredType):
    """
    Artifactory as a file system of fsspec.

    Paths are ``repository/path``, not percent-encoded; the root lists the repositories. Full URLs
    (``artifactory+https://host/artifactory/repository/path``) are percent-encoded. Example::

        fs = fsspec.filesystem("artifactory", base_url="https://artifactory.example.com/artifactory")
        print(fs.ls("data-public/emodb", detail=False))

    Each event loop and process has its own session; it works after a fork. Pickles, JSON and repr contain no secret:
    credentials are looked up in each process, and a file system with explicit credentials cannot be pickled.

    Files are read in ranges. If a file is replaced while it is open, reading raises
    :class:`aioartifact.IntegrityError`. A file that is written is staged locally, and uploaded with its checksums when
    it is closed; files of a transaction are uploaded at its end, one after the other.

    Errors are those of this library, which are subclasses of ``FileNotFoundError``, ``PermissionError``,
    ``FileExistsError``, ``IsADirectoryError`` and ``OSError``. ``exists``, ``isfile`` and ``isdir`` return False, and
    ``walk``, ``find`` and ``glob`` return nothing, only if the item is missing; all other failures are raised. In calls
    from threads, a timeout is fsspec's ``FSTimeoutError``, with the error of this library as its cause.

    Args:
        base_url: Base address of the server. None means the server in the URL, otherwise the default server, see
            :func:`aioartifact.resolve_server`.
        auth: Credentials, ``(user, password)`` or a provider, see :func:`aioartifact.session`. None looks them up, see
            :func:`aioartifact.resolve_credentials`.
        retry, timeouts, limits, verify, cert, trust_env: As in :func:`aioartifact.session`.
        listings_expiry_time: Seconds for which listings and infos are cached; None for ever. Changes by this object are
            visible at once. A file is opened with the cached info: if it was replaced since, reading raises
            :class:`aioartifact.IntegrityError`, and opening it again finds the new content.
        use_listings_cache: Whether listings and infos are cached.
        max_paths: Maximum number of cached listings; None for no limit.
        batch_size: Files in flight in one call.
        asynchronous: Whether coroutines call the underscore methods, such as ``_cat_file``.
        loop: Event loop for calls from threads; None means fsspec's.
        skip_instance_cache: Whether to create a new object even if one with the same options exists.

    Raises:
        InvalidArgumentError: If an option is unknown, *auth* is neither credentials nor a provider, or *base_url* is
            not the server of the URL.
        InvalidURLError: If *base_url* is not the address of a server.
        ConfigurationError: If there is no *base_url*, no server in the URL, and no default server.

    See: https://filesystem-spec.readthedocs.io
    """

    protocol = PROTOCOLS
    root_marker = ""
    _pid: int

    def __init__(
        self,
        base_url: str | None = None,
        *,
        auth: Any = None,
        asynchronous: bool = False,
        loop: Any = None,
        batch_size: int | None = 64,
        listings_expiry_time: float | None = 10.0,
        **options: Any,
    ) -> None:
        session_options = {name: options.pop(name) for name in SESSION_OPTIONS if name in options}
        super().__init__(
            asynchronous=asynchronous,
            loop=loop,
            batch_size=batch_size,
            listings_expiry_time=listings_expiry_time,
            **options,
        )
        assert base_url is not None  # ConfiguredType found it
        self.base_url: str = base_url
        hidden: HiddenAuth | None = auth
        self._sessions = Sessions(partial(_new_session, base_url, hidden, session_options))
        self._infos = DirCache(listings_expiry_time=listings_expiry_time, **options)
        # An object rejects full URLs of other servers; the class accepts any.
        self._strip_protocol = self._strip  # type: ignore[method-assign]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    # Serialized forms

    def to_dict(self, *, include_password: bool = True) -> dict[str, Any]:
        """Return the class and its options, without options of the session such as credentials."""
        return {
            "cls": f"{type(self).__module__}:{type(self).__name__}",
            "protocol": PROTOCOLS[0],
            "args": (),
            **{name: self.storage_options[name] for name in JSON_OPTIONS if name in self.storage_options},
        }

    @property
    def fsid(self) -> str:
        """Identifier of the server."""
        return f"artifactory_{self.base_url}"

    # Loops and sessions

    @property
    def loop(self) -> Any:
        """Event loop for calls from threads."""
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._loop = None if self.asynchronous else get_loop()  # threads do not survive a fork
        return self._loop

    async def set_session(self) -> aiohttp.ClientSession:
        """Return the session of the running loop; opened if necessary, closed by :meth:`aclose`."""
        return await self._sessions.get()

    async def aclose(self) -> None:
        """Close the session of the running loop; the next request opens another."""
        await self._sessions.close()

    def close(self) -> None:
        """Close the session of calls from threads; the next call opens another."""
        if self.loop is not None:
            wait_for(self.loop, self.aclose)

    # Paths

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        return path_in(stringify_path(path))

    def _strip(self, path: Any) -> Any:
        if isinstance(path, list):
            return [self._strip(each) for each in path]
        return path_in(stringify_path(path), self.base_url)

    @staticmethod
    def _get_kwargs_from_urls(path: str) -> dict[str, str]:
        server = server_in(path)
        return {} if server is None else {URL_SERVER: server}

    def url_of(self, path: str) -> str:
        """Return the URL of *path*, for the functions of this library."""
        return item_url(self.base_url, self._strip_protocol(path))

    # Info and listings

    async def _info(self, path: str, refresh: bool = False, **kwargs: Any) -> Entry:
        path = self._strip_protocol(path)
        if not path:
            return folder_entry("")
        entry = None if refresh else self.remembered(path)
        if entry is None:
            found = await aioartifact.info(self.url_of(path), session=await self.set_session())
            entry = entry_of(path, found)
            self._infos[path] = entry
        return dict(entry)

    def remembered(self, path: str) -> Entry | None:
        """Return the cached entry of an item."""
        listed: Iterable[Entry] = self.dircache.get(parent_of(path), ())
        entry = next((each for each in listed if each["name"] == path), None)
        # Some listings have no sizes.
        return entry if entry is not None and entry["size"] is not None else self._infos.get(path)

    async def _exists(self, path: str, **kwargs: Any) -> bool:
        return await self._type(path) is not None

    async def _isfile(self, path: str) -> bool:
        return await self._type(path) == "file"

    async def _isdir(self, path: str) -> bool:
        return await self._type(path) == "directory"

    async def _type(self, path: str) -> str | None:
        with suppress(FileNotFoundError):
            return str((await self._info(path))["type"])
        return None

    async def _ls(self, path: str, detail: bool = True, refresh: bool = False, **kwargs: Any) -> Any:
        path = self._strip_protocol(path)
        entries = None if refresh else self.dircache.get(path)
        if entries is None:
            try:
                entries = await self._list(path)
            except NotADirectoryError:
                entries = [await self._info(path)]
            else:
                self.dircache[path] = entries
        return [dict(each) for each in entries] if detail else sorted(each["name"] for each in entries)

    async def _list(self, path: str) -> list[Entry]:
        if not path:
            found = await aioartifact.repositories(self.base_url, session=await self.set_session())
            return [folder_entry(repository.key) for repository in found]
        return await self._walked(path, depth=1, folders=True)

    async def _walked(self, path: str, *, depth: int | None, folders: bool) -> list[Entry]:
        repository = path.partition("/")[0]
        listing = aioartifact.walk(self.url_of(path), depth=depth, folders=folders, session=await self.set_session())
        return [entry_of(f"{repository}/{info.path}", info) async for info in listing]

    async def _find(
        self,
        path: str,
        maxdepth: int | None = None,
        withdirs: bool = False,
        **kwargs: Any,
    ) -> Any:
        path = self._strip_protocol(path)
        found = {entry["name"]: entry for entry in await self._tree(path, maxdepth, withdirs=withdirs)}
        if withdirs and path and path not in found and (found or await self._isdir(path)):
            found[path] = folder_entry(path)
        names = sorted(found)
        return {name: found[name] for name in names} if kwargs.get("detail") else names

    async def _tree(self, path: str, maxdepth: int | None, *, withdirs: bool) -> list[Entry]:
        """List all entries below *path* in one request; for a file, the file; nothing if it does not exist."""
        if not path:
            return await self._forest(maxdepth, withdirs=withdirs)
        try:
            found = await self._walked(path, depth=maxdepth, folders=withdirs)
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            return [await self._info(path)]
        for entry in found[:_MAX_REMEMBERED]:
            if entry["size"] is not None:
                self._infos[entry["name"]] = entry
        return [dict(entry) for entry in found]

    async def _forest(self, maxdepth: int | None, *, withdirs: bool) -> list[Entry]:
        repositories = await self._ls("")
        entries = list(repositories) if withdirs else []
        if maxdepth != 1:
            depth = None if maxdepth is None else maxdepth - 1
            for repository in repositories:
                entries += await self._tree(repository["name"], depth, withdirs=withdirs)
        return entries

    async def _walk(
        self,
        path: str,
        maxdepth: int | None = None,
        topdown: bool = True,
        on_error: str | Callable[[Exception], object] = "omit",
        **kwargs: Any,
    ) -> AsyncGenerator[tuple[str, Any, Any], None]:
        path, detail = self._strip_protocol(path), kwargs.get("detail", False)
        entries: list[Entry] = []
        try:
            entries = await self._tree(path, maxdepth, withdirs=True)
            if not entries and on_error != "omit":
                await self._info(path)
        except OSError as error:
            if not callable(on_error):
                raise
            on_error(error)
        folders = by_folder(path, (each for each in entries if each["name"] != path))
        for folder in sorted(folders, reverse=not topdown):
            if maxdepth is not None and _depth(folder) - _depth(path) >= maxdepth:
                continue
            both: tuple[Entry, Entry] = ({}, {})
            for entry in folders[folder]:
                both[not is_folder(entry)][entry["name"].rpartition("/")[2]] = entry
            if folder == path and [each["name"] for each in entries] == [path]:
                both[1][""] = entries[0]  # a file, as fsspec shows it
            yield (folder, *both) if detail else (folder, list(both[0]), list(both[1]))

    def walk(self, path: str, **options: Any) -> Iterator[tuple[str, Any, Any]]:
        """
        List the folders below *path*, each with its subfolders and files; one request for the whole tree.

        Args:
            path: Path of a folder.
            options: ``maxdepth``, ``topdown`` and ``detail`` of fsspec, and ``on_error`` for a missing folder:
                ``"omit"``, ``"raise"`` or a function. All other failures are raised.
        """

        async def walked() -> list[tuple[str, Any, Any]]:
            async with aclosing(self._walk(path, **options)) as folders:
                return [folder async for folder in folders]

        return iter(wait_for(self.loop, walked))

    async def _du(self, path: str, total: bool = True, maxdepth: int | None = None, **kwargs: Any) -> Any:
        found = await self._find(path, maxdepth=maxdepth, detail=True, **kwargs)
        sizes = {name: entry["size"] or 0 for name, entry in found.items()}
        return sum(sizes.values()) if total else sizes

    def invalidate_cache(self, path: str | None = None) -> None:
        """Discard cached infos of *path* and of everything below and above it; None discards all."""
        super().invalidate_cache(path)
        for cache in (self.dircache, self._infos):
            if path is None:
                cache.clear()
                continue
            changed = self._strip_protocol(path)
            for name in list(cache):
                if f"{name}/".startswith(f"{changed}/") or f"{changed}/".startswith(f"{name}/") or not name:
                    cache.pop(name, None)

    # Identifiers of content

    def created(self, path: str) -> datetime | None:
        """Return when a file or a folder was created."""
        created: datetime | None = self.info(path)["created"]
        return created

    def modified(self, path: str) -> datetime | None:
        """Return when a file or a folder was last modified."""
        modified: datetime | None = self.info(path)["modified"]
        return modified

    def ukey(self, path: str) -> str:
        """Return the SHA-256 of a file, else its SHA-1; one request."""
        entry = self.info(path, refresh=True)
        if is_folder(entry):
            raise aioartifact.NotAFileError(f"ukey {self.url_of(path)}: is a folder, which has no checksum")
        found = entry["sha256"] or entry["sha1"]
        if found is None:
            raise aioartifact.IntegrityError(f"ukey {self.url_of(path)}: the server has recorded no checksum")
        return str(found)

    def checksum(self, path: str) -> int:
        """Return :meth:`ukey` as a number."""
        return int(self.ukey(path), 16)

    def sign(self, path: str, expiration: int = 100, **kwargs: Any) -> NoReturn:
        """
        Not available.

        Raises:
            NotImplementedError: Always. Signed URLs need an add-on of Artifactory.
        """
        raise NotImplementedError(
            "Artifactory has no signed URLs that a client can compute; download the file, or grant anonymous read"
        )

    # Reading

    async def _cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        span = Span.of(start, end)
        if span == Span(0, None):
            return await aioartifact.read_bytes(self.url_of(path), session=await self.set_session())
        return (await self._read(path, span))[1]

    async def _read(self, path: str, span: Span) -> tuple[str | None, bytes]:
        """Read a span in one request, two if it counts from the end; return an identifier of the content, too."""
        start, end = span.request
        async with aioartifact.stream(
            self.url_of(path), start=start, end=end, session=await self.set_session()
        ) as body:
            data = b"".join([chunk async for chunk in body])
        return body.etag or body.info.checksums.sha256 or body.info.checksums.sha1, span.cut(data, body.info.size)

    async def _cat_ranges(
        self,
        paths: list[str],
        starts: int | Sequence[int | None] | None,
        ends: int | Sequence[int | None] | None,
        max_gap: int | None = None,
        batch_size: int | None = None,
        on_error: str = "return",
        **kwargs: Any,
    ) -> list[Any]:
        if not isinstance(paths, list):
            raise TypeError(f"paths is a {type(paths).__name__}; expected a list")
        spans = list(map(Span.of, _repeated(starts, len(paths)), _repeated(ends, len(paths))))
        if len(spans) != len(paths):
            raise ValueError(f"{len(paths)} paths, but {len(spans)} pairs of start and end")
        of_path: dict[str, list[int]] = {}
        for index, path in enumerate(paths):
            of_path.setdefault(self._strip_protocol(path), []).append(index)
        read = partial(self._read_spans, gap=MAX_GAP if max_gap is None else max_gap, batch_size=batch_size)
        of_files: list[Any] = await _run_coros_in_chunks(
            [read(path, [spans[index] for index in indices]) for path, indices in of_path.items()],
            batch_size=batch_size or self.batch_size,
            nofiles=True,
        )
        results: list[Any] = [None] * len(paths)
        for indices, found in zip(of_path.values(), of_files, strict=True):
            for index, each in zip(indices, found, strict=True):
                results[index] = each
        if on_error == "raise" and (failures := [each for each in results if isinstance(each, Exception)]):
            raise failures[0]
        return results

    async def _read_spans(
        self, path: str, spans: list[Span], *, gap: int, batch_size: int | None
    ) -> list[bytes | Exception]:
        """Read spans of one file, all of the same content; neighbouring ones in one request."""
        merged = merge(spans, gap)
        received: list[Any] = await _run_coros_in_chunks(
            [self._read(path, each.span) for each in merged],
            batch_size=batch_size or self.batch_size,
            nofiles=True,
            return_exceptions=True,
        )
        identities = {each[0] for each in received if isinstance(each, tuple) and each[1]}
        if len(identities) > 1:
            return [_changed(self.url_of(path))] * len(spans)
        if None in identities and len(merged) > 1:
            received = await self._read_from_one(path, merged)
        results: list[bytes | Exception] = [b""] * len(spans)
        for each, answer in zip(merged, received, strict=True):
            if isinstance(answer, Exception):
                for index, _ in each.members:
                    results[index] = answer
            else:
                for index, piece in each.pieces(answer[1]):
                    results[index] = piece
        return results

    async def _read_from_one(self, path: str, merged: Sequence[Merged]) -> list[tuple[None, bytes]]:
        """Read the spans from one open file, because the responses do not identify the content."""
        reader = RandomReader()
        size = (await reader.open(self, path)).size
        try:
            found: list[tuple[None, bytes]] = []
            for each in merged:
                start, end = each.span.request
                start, end = (max(0, size + start) if start < 0 else start), size if end is None else end
                data = await reader.read(start, end) if start < min(end, size) else b""
                found.append((None, each.span.cut(data, size)))
            return found
        finally:
            await reader.close()

    async def _get_file(self, rpath: str, lpath: Any, callback: Any = DEFAULT_CALLBACK, **kwargs: Any) -> None:
        url, session = self.url_of(rpath), await self.set_session()
        if isfilelike(lpath):
            async with aioartifact.stream(url, session=session) as body:
                async for chunk in body:
                    await anyio.to_thread.run_sync(lpath.write, chunk)
            return
        target = os.fspath(lpath)
        if await anyio.to_thread.run_sync(os.path.isdir, target):
            if await self._isdir(rpath):
                return
            raise aioartifact.LocalFileError(f"write {target}: is a folder", filename=target)
        try:
            await aioartifact.download(url, target, session=session, progress=_progress(callback))
        except aioartifact.NotAFileError:
            await anyio.to_thread.run_sync(partial(os.makedirs, target, exist_ok=True))

    def open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | str | None = None,
        cache_options: dict[str, Any] | None = None,
        compression: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """
        Open a file for reading or writing, as bytes or text.

        Args:
            path: Path of the file.
            mode: ``"rb"``, ``"wb"`` or ``"xb"``; without ``b`` for text.
            block_size: Bytes that the cache of the file requests at a time; None for 5 MiB.
            cache_options: Options of this cache.
            compression: A compression of fsspec, or ``"infer"`` to choose it by the suffix.
            kwargs: ``cache_type``: a cache of fsspec, or ``"adaptive"`` (the default), which reads ahead only for
                sequential reads. For text: ``encoding``, ``errors`` and ``newline``.

        Raises:
            FileNotFoundError: If a file to read does not exist.
            FileExistsError: If the mode is ``"xb"`` and the file exists.
            InvalidArgumentError: If the mode is another one: Artifactory cannot change a part of a file.
            ArtifactoryError: The errors of :func:`aioartifact.open`.
        """
        options = {"block_size": block_size, "cache_options": cache_options, **kwargs}
        compression = get_compression(self._strip_protocol(path), compression)
        if compression is None or "b" not in mode or "r" in mode:
            return super().open(path, mode, compression=compression, **options)
        file = super().open(path, mode, **options)
        return CompressedFile(compr[compression](file, mode="w"), file)

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | str | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        *,
        cache_type: str = AdaptiveCache.name,
        identity: str | None = None,
        **kwargs: Any,
    ) -> ReadFile | WriteFile:
        path = self._strip_protocol(path)
        self.url_of(path)
        if mode == "rb":
            return ReadFile(
                self, path, block_size=block_size, cache_type=cache_type, cache_options=cache_options, identity=identity
            )
        _check_mode(mode)
        if mode == "xb":
            wait_for(self.loop, self._refuse_existing, path)
        return WriteFile(self, path, mode, autocommit=autocommit)

    async def open_async(self, path: str, mode: str = "rb", **kwargs: Any) -> StreamedFile | AsyncWriteFile:
        """
        Open a file for coroutines: a stream to read, or a file that is uploaded when it is closed.

        Raises:
            ValueError: If *mode* is not ``"rb"``, ``"wb"`` or ``"xb"``, or *compression* is set.
            FileNotFoundError: If a file to read does not exist.
            FileExistsError: If *mode* is ``"xb"`` and the file exists.
        """
        if kwargs.get("compression"):
            raise ValueError("compression is not available in open_async()")
        path = self._strip_protocol(path)
        self.url_of(path)
        if mode == "rb":
            return await StreamedFile.open(self, path)
        _check_mode(mode)
        if mode == "xb":
            await self._refuse_existing(path)
        return AsyncWriteFile(self, path, mode)

    # Writing

    async def upload_staged(self, staging: Staging, path: str, *, exclusive: bool) -> None:
        """
        Upload the bytes written to a file.

        Raises:
            FileExistsError: If *exclusive* and the file exists.
            ArtifactoryError: The errors of :func:`aioartifact.deploy`.
        """
        if exclusive:
            await self._refuse_existing(path)
        try:
            await staging.upload(self.url_of(path), await self.set_session())
        finally:
            self.invalidate_cache(path)

    async def _refuse_existing(self, path: str) -> None:
        self.invalidate_cache(path)
        if await self._exists(path):
            raise aioartifact.AlreadyExistsError(f"create {self.url_of(path)}: exists")

    async def _pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **kwargs: Any) -> None:
        if mode == "create":
            await self._refuse_existing(path)
        try:
            await aioartifact.write_bytes(self.url_of(path), value, session=await self.set_session())
        finally:
            self.invalidate_cache(path)

    async def _put_file(
        self, lpath: Any, rpath: str, mode: str = "overwrite", callback: Any = DEFAULT_CALLBACK, **kwargs: Any
    ) -> None:
        source = os.fspath(lpath)
        if await anyio.to_thread.run_sync(os.path.isdir, source):
            await self._makedirs(rpath, exist_ok=True)
            return
        if mode == "create":
            await self._refuse_existing(rpath)
        try:
            await aioartifact.deploy(
                source, self.url_of(rpath), session=await self.set_session(), progress=_progress(callback)
            )
        finally:
            self.invalidate_cache(rpath)

    async def _mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        await self._make_folder(path, parents=create_parents, exist_ok=False)

    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        await self._make_folder(path, parents=True, exist_ok=exist_ok)

    async def _make_folder(self, path: str, *, parents: bool, exist_ok: bool) -> None:
        path = self._strip_protocol(path)
        if "/" not in path and await self._isdir(path):  # the root or a repository, which is not created like a folder
            if exist_ok:
                return
            raise aioartifact.AlreadyExistsError(f"mkdir {self.base_url}/{path}: exists")
        try:
            await aioartifact.mkdir(
                self.url_of(path), parents=parents, exist_ok=exist_ok, session=await self.set_session()
            )
        finally:
            self.invalidate_cache(path)

    # Copying, moving, deleting

    async def _cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        if await self._isdir(path1):
            await self._makedirs(path2, exist_ok=True)
            return
        try:
            await aioartifact.copy(self.url_of(path1), self.url_of(path2), session=await self.set_session())
        finally:
            self.invalidate_cache(path2)

    async def _mv_file(self, path1: str, path2: str) -> None:
        try:
            await aioartifact.move(self.url_of(path1), self.url_of(path2), session=await self.set_session())
        finally:
            self.invalidate_cache(path1)
            self.invalidate_cache(path2)

    async def _mv(
        self,
        path1: Any,
        path2: Any,
        recursive: bool = False,
        maxdepth: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Move files; a single item without patterns and depth is moved by the server."""
        if isinstance(path1, list) or has_magic(stringify_path(path1)) or maxdepth is not None:
            paths = await self._expand_path(path1, recursive=recursive, maxdepth=maxdepth)
            await self._copy(path1, path2, recursive=recursive, maxdepth=maxdepth, on_error="raise")
            await self._rm_files(paths)
            return
        source, target = self._strip_protocol(path1), self._strip_protocol(path2)
        is_dir = await self._isdir(source)
        if is_dir and not recursive:
            raise aioartifact.NotAFileError(f"move {self.url_of(source)}: is a folder", hint="pass recursive=True")
        if stringify_path(path2).endswith("/") or await self._isdir(target):
            target = "/".join(filter(None, (target, source.rpartition("/")[2])))
        if source != target:
            await self._mv_file(source, target)

    async def _rm_file(self, path: str, **kwargs: Any) -> None:
        # Artifactory deletes files and folders with the same request.
        if is_folder(await self._info(path, refresh=True)):
            raise aioartifact.NotAFileError(f"delete {self.url_of(path)}: is a folder", hint="pass recursive=True")
        await self._delete(path)

    async def _rm(
        self,
        path: Any,
        recursive: bool = False,
        batch_size: int | None = None,
        maxdepth: int | None = None,
        **kwargs: Any,
    ) -> None:
        if not recursive or maxdepth is not None:
            await self._rm_files(await self._expand_path(path, recursive=recursive, maxdepth=maxdepth), batch_size)
            return
        for each in await self._expand_path(path):
            await self._delete(each)

    async def _rm_files(self, paths: Sequence[str], batch_size: int | None = None) -> None:
        """Delete files, and then the folders among *paths* that are empty."""
        deleted = await _run_coros_in_chunks(
            [self._rm_file(path) for path in paths], batch_size=batch_size or self.batch_size, return_exceptions=True
        )
        failed = [(path, error) for path, error in zip(paths, deleted, strict=True) if isinstance(error, Exception)]
        folders = [path for path, error in failed if isinstance(error, aioartifact.NotAFileError) and len(paths) > 1]
        for path, error in failed:
            if path not in folders:
                raise error
        for folder in sorted(folders, reverse=True):
            with suppress(aioartifact.FolderNotEmptyError):
                await self._rmdir(folder)

    async def _rmdir(self, path: str) -> None:
        entries = await self._ls(path, refresh=True)
        if [each["name"] for each in entries] == [self._strip_protocol(path)]:
            raise aioartifact.NotAFolderError(f"rmdir {self.url_of(path)}: is a file")
        if entries:
            raise aioartifact.FolderNotEmptyError(f"rmdir {self.url_of(path)}: has entries")
        await self._delete(path)

    async def _delete(self, path: str) -> None:
        try:
            await aioartifact.delete(self.url_of(path), session=await self.set_session())
        finally:
            self.invalidate_cache(path)

    mv: Any = sync_wrapper(_mv)
    rmdir: Any = sync_wrapper(_rmdir)


def _new_session(base_url: str, auth: HiddenAuth | None, options: dict[str, Any]) -> Manager:
    return aioartifact.session(base_url, auth=None if auth is None else auth.auth, **options)  # type: ignore[arg-type]


def _check_mode(mode: str) -> None:
    if mode not in ("wb", "xb"):
        raise aioartifact.InvalidArgumentError(
            f"mode={mode!r}: expected 'rb', 'wb' or 'xb'", hint="a file of Artifactory is replaced as a whole"
        )


def _repeated(value: Any, count: int) -> Sequence[int | None]:
    return list(value) if isinstance(value, Iterable) else [value] * count


def _depth(path: str) -> int:
    return path.count("/") + 1 if path else 0


def _changed(url: str) -> aioartifact.IntegrityError:
    return aioartifact.IntegrityError(f"GET {url}: changed while it was read", hint="read all ranges again")


def _progress(callback: Any) -> aioartifact.Progress | None:
    """Report the bytes of one file to a callback of fsspec."""
    if isinstance(callback, NoOpCallback):
        return None

    def sink(event: aioartifact.TransferEvent) -> None:
        if event.total is not None:
            callback.set_size(event.total)
        if event.key:
            callback.absolute_update(event.bytes)

    return aioartifact.Progress(sink)
