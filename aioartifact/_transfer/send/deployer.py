"""Many uploads: each becomes an outcome, and what the server has already is not sent again."""

import os
import time
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import aiohttp
import anyio
from yarl import URL

from ..._address import ItemURL, Locator, URLLike, is_url, names_folder, parse_item_url, quote_segment, text_of_url
from ..._checksums import NO_CHECKSUMS, Algorithm, checksum_file, checksum_in
from ..._errors import ArtifactoryError, ForbiddenError, InvalidArgumentError
from ..._files import Source, TreeFile
from ..._options import check_count
from ..._progress import FileProgress, Progress
from ..._protocol import matrix_parameters
from ..._reports import Outcome, Status
from ..._scheduler import as_async
from ..._session import state_of
from ..accounting import failed, settle, tracked
from ..local_paths import item_below
from ..overwrite import Overwrite, check_overwrite, has_content
from .file_upload import read_file, send_file
from .remote_state import RemoteState

LocalPath: TypeAlias = str | os.PathLike[str]
Parameters: TypeAlias = Mapping[str, str | Sequence[str]]
DeployItem: TypeAlias = LocalPath | tuple[LocalPath, URLLike]


# About what a line of 100 MB/s carries in the time of one request to a far server.
MIN_CHECKSUM_DEPLOY = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """
    How files are deployed.

    Attributes:
        parameters: Properties of every file.
        min_checksum_deploy: Bytes from which on a file is offered by its checksums first, or None.
        overwrite: What to do about files that the server has.
    """

    parameters: Parameters
    min_checksum_deploy: int | None
    overwrite: Overwrite = "always"


def checked_options(
    parameters: Parameters | None, min_checksum_deploy: int | None, overwrite: Overwrite = "always"
) -> DeployOptions:
    """
    Return options for deploying, which make sense.

    Raises:
        InvalidArgumentError: A property that a URL cannot carry, no number of bytes, or no way to overwrite.
    """
    if not isinstance(parameters, Mapping | None):
        raise InvalidArgumentError(f"parameters is a {type(parameters).__name__}; expected a mapping of properties")
    matrix_parameters(parameters or {})
    if min_checksum_deploy is not None:
        check_count("min_checksum_deploy", min_checksum_deploy)
    check_overwrite(overwrite)
    return DeployOptions(dict(parameters or {}), min_checksum_deploy, overwrite)


@dataclass(slots=True)
class Deployer:
    """Deploys files below one folder of a server."""

    session: aiohttp.ClientSession
    target: ItemURL
    remote_state: RemoteState
    options: DeployOptions
    progress: Progress
    # Of each item: its event while it is under way, then whether it succeeded.
    _runs: dict[ItemURL, anyio.Event | bool] = field(default_factory=dict)

    async def deploy(self, given: DeployItem | TreeFile) -> Outcome:
        """Deploy one file; what goes wrong with it becomes part of the outcome."""
        started, path = time.perf_counter(), None
        try:
            path = _local_path(given)
            item = self._item(given, path)
        except ArtifactoryError as error:
            return settle(self.progress, failed(str(self.target), path, started, error), listed_size(given))
        return await tracked(
            self.progress,
            str(item),
            path,
            partial(self._deploy, path, item),
            name=given.relative if isinstance(given, TreeFile) else os.path.basename(path),
            size=listed_size(given),
        )

    def _item(self, given: DeployItem | TreeFile, path: str) -> ItemURL:
        """Where *given* goes."""
        if isinstance(given, TreeFile):
            return item_below(self.target, given.relative)
        name = os.path.basename(path)
        where = text_of_url(given[1]) if isinstance(given, tuple) else name
        if names_folder(where):
            where += quote_segment(name) if is_url(where) else name
        if isinstance(given, tuple) and is_url(where):
            return parse_item_url(where, state_of(self.session).servers)
        return item_below(self.target, where)

    async def _deploy(self, path: str, item: ItemURL, file: FileProgress) -> Outcome:
        if item in self._runs:
            raise InvalidArgumentError(f"{path}: another item of this call goes to {item} too")
        ended, succeeded = anyio.Event(), False
        self._runs[item] = ended
        try:
            source, is_new = await self._settle(path, item, file)
            succeeded = True
        finally:
            self._runs[item] = succeeded
            ended.set()
        status: Status = "deployed" if is_new else "unchanged"
        size, sha256 = (source.size, source.checksums.sha256) if source else (0, None)
        return Outcome(str(item), path, status, size, sha256)

    async def _settle(self, path: str, item: ItemURL, file: FileProgress) -> tuple[Source | None, bool]:
        """Send the file unless the server has it; return what was read of it, and whether it is new there."""
        claim = checksum_file(item.path)
        main = ItemURL(item.server, item.repository, claim[0]) if claim else item
        if claim:
            await self._wait_for(main, item)
        if self.options.overwrite == "never" and await self.remote_state.has(main):
            return None, False
        source = await read_file(path, NO_CHECKSUMS)
        file.correct(source.size)
        if self.options.overwrite == "changed":
            if claim and await self._is_claimed(main, claim[1], source):
                return source, False
            if not claim and await self._is_there(item, source):
                if self.options.parameters:
                    # Without its bytes: a deploy by checksum sets properties in every edition.
                    await self._send(source, item, file, by_checksum=True)
                return source, False
        offered = not claim and is_worth_offering(source.size, self.options.min_checksum_deploy)
        await self._send(source, item, file, by_checksum=offered)
        return source, True

    async def _wait_for(self, main: ItemURL, item: ItemURL) -> None:
        """
        Wait until the file that *item* is a checksum of has been deployed, if this call deploys it.

        Raises:
            ArtifactoryError: That failed: the checksum would be set on an older file.
        """
        run = self._runs.get(main)
        if isinstance(run, anyio.Event):
            await run.wait()
            run = self._runs[main]
        if run is False:
            raise ArtifactoryError(f"deploy {item}: was not sent, since {main.name} failed")

    async def _is_claimed(self, main: ItemURL, algorithm: Algorithm, source: Source) -> bool:
        """Whether the server has recorded the checksum in *source* for *main*."""
        claimed = checksum_in(source.content or b"", algorithm)
        try:
            return claimed is not None and await self.remote_state.checksum(main, algorithm) == claimed
        except ForbiddenError:
            return False

    async def files_first(
        self, items: Iterable[DeployItem | TreeFile] | AsyncIterable[DeployItem | TreeFile]
    ) -> AsyncGenerator[DeployItem | TreeFile, None]:
        """Pass *items* on, checksum files not before the files they belong to, as far as those are among them."""
        passed, early = set[ItemURL](), dict[ItemURL, list[DeployItem | TreeFile]]()
        async with aclosing(as_async(items)) as given:
            async for item in given:
                place, main = self._place_of(item)
                if main is not None and main not in passed:
                    early.setdefault(main, []).append(item)
                    continue
                yield item
                if place is not None:
                    passed.add(place)
                    for held in early.pop(place, ()):
                        yield held
        for rest in early.values():
            for held in rest:
                yield held

    def _place_of(self, given: DeployItem | TreeFile) -> tuple[ItemURL | None, ItemURL | None]:
        """Where *given* goes, and the file that it is a checksum of; None where it has none."""
        try:
            item = self._item(given, _local_path(given))
        except ArtifactoryError:
            return None, None
        claim = checksum_file(item.path)
        return item, ItemURL(item.server, item.repository, claim[0]) if claim else None

    async def _is_there(self, item: ItemURL, source: Source) -> bool:
        try:
            found = await self.remote_state.find(item)
        except ForbiddenError:
            return False  # who may deploy but not read finds out by deploying
        return found is not None and has_content(found, source.checksums)

    async def _send(self, source: Source, item: ItemURL, file: FileProgress, *, by_checksum: bool) -> None:
        await send_file(
            self.session,
            source,
            item,
            parameters=self.options.parameters,
            by_checksum=by_checksum,
            progress=file,
        )


def _local_path(given: object) -> str:
    """
    The local path in an item, which may be malformed.

    Raises:
        InvalidArgumentError: If it is.
    """
    match given:
        case TreeFile():
            return given.path
        case (str() | os.PathLike() as path, str() | URL() | Locator()) | (str() | os.PathLike() as path):
            if isinstance(text := os.fspath(path), str) and os.path.basename(text):
                return os.path.expanduser(text)  # keeps the text as it is otherwise
    raise InvalidArgumentError(f"item is a {type(given).__name__}; expected the path of a file, or a (path, url) pair")


def listed_size(given: object) -> int:
    """Bytes of an item, if a listing reported them."""
    return given.size if isinstance(given, TreeFile) else 0


def is_worth_offering(size: int, least: int | None) -> bool:
    """Whether a file is so large that asking for its bytes first may save time."""
    return least is not None and size >= max(least, 1)
