"""Many uploads: each becomes an outcome, and what the server has already is not sent again."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import aiohttp
from yarl import URL

from .._address import ItemURL, Locator, URLLike, is_url, names_folder, parse_item_url, quote_segment, text_of_url
from .._checksums import Checksums
from .._errors import ArtifactoryError, ForbiddenError, InvalidArgumentError
from .._files import Source, TreeFile
from .._progress import FileProgress, Progress
from .._reports import Outcome, Status
from .._session import state_of
from .accounting import failed
from .plan import Overwrite, has_content, is_worth_offering, item_below
from .recorded import Recorded
from .upload import read_file, send_file

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


@dataclass(slots=True)
class Deployer:
    """Deploys files below one folder of a server."""

    session: aiohttp.ClientSession
    target: ItemURL
    recorded: Recorded
    options: DeployOptions
    progress: Progress
    _taken: set[ItemURL] = field(default_factory=set)

    async def deploy(self, given: DeployItem | TreeFile) -> Outcome:
        """Deploy one file; what goes wrong with it becomes part of the outcome."""
        started = time.perf_counter()
        file = FileProgress(self.progress, str(self.target), "", listed_size(given))
        url, path = str(self.target), None
        try:
            path = _local_path(given)
            item = self._item(given, path)
            url = str(item)
            file = FileProgress(self.progress, url, os.path.basename(path), listed_size(given))
            with file:
                return await self._deploy(path, item, file, started)
        except ArtifactoryError as error:
            file.finish("failed")
            return failed(url, path, started, error)

    def _item(self, given: DeployItem | TreeFile, path: str) -> ItemURL:
        """Where *given* goes."""
        if isinstance(given, TreeFile):
            return item_below(self.target, given.relative)
        name = os.path.basename(path)
        where = text_of_url(given[1]) if isinstance(given, tuple) else name
        if names_folder(where):
            where += quote_segment(name) if is_url(where) else name
        if isinstance(given, tuple) and is_url(where):
            return parse_item_url(where, state_of(self.session).credentials)
        return item_below(self.target, where)

    async def _deploy(self, path: str, item: ItemURL, file: FileProgress, started: float) -> Outcome:
        if item in self._taken:
            raise InvalidArgumentError(f"{path}: another item of this call goes to {item} too")
        self._taken.add(item)
        if self.options.overwrite == "never" and await self.recorded.has(item):
            file.finish("skipped")
            return Outcome(str(item), path, "unchanged", seconds=time.perf_counter() - started)
        source = await read_file(path, Checksums())
        file.correct(source.size)
        unchanged = self.options.overwrite == "changed" and await self._is_there(item, source)
        if not unchanged:
            await self._send(source, item, file)
        file.finish("skipped" if unchanged else "transferred")
        status: Status = "unchanged" if unchanged else "deployed"
        return Outcome(str(item), path, status, source.size, source.checksums.sha256, time.perf_counter() - started)

    async def _is_there(self, item: ItemURL, source: Source) -> bool:
        try:
            found = await self.recorded.find(item)
        except ForbiddenError:
            return False  # who may deploy but not read finds out by deploying
        return found is not None and has_content(found, source.checksums)

    async def _send(self, source: Source, item: ItemURL, file: FileProgress) -> None:
        await send_file(
            self.session,
            source,
            item,
            parameters=self.options.parameters,
            by_checksum=is_worth_offering(source.size, self.options.min_checksum_deploy),
            progress=file,
        )


def _local_path(given: object) -> str:
    """
    The local path in an item, which may be malformed.

    Raises:
        InvalidArgumentError: It is.
    """
    match given:
        case TreeFile():
            return given.path
        case (str() | os.PathLike() as path, str() | URL() | Locator()) | (str() | os.PathLike() as path):
            if isinstance(text := os.fspath(path), str) and os.path.basename(text):
                return os.path.expanduser(text)  # keeps the text as it is otherwise
    raise InvalidArgumentError(f"item is a {type(given).__name__}; expected the path of a file, or a (path, url) pair")


def listed_size(given: object) -> int:
    """Bytes of an item, as far as a listing told."""
    return given.size if isinstance(given, TreeFile) else 0
