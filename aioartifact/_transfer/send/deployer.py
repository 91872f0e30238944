"""Many uploads: each has an outcome, and files that the server already has are not sent again."""

import os
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from math import inf
from typing import TypeAlias

import aiohttp
import anyio
from yarl import URL

from ..._address import (
    ItemURL,
    Locator,
    ServerURL,
    URLLike,
    is_url,
    names_folder,
    parse_item_url,
    quote_segment,
    text_of_url,
)
from ..._checksums import NO_CHECKSUMS, Algorithm, checksum_file, checksum_in
from ..._errors import ArtifactoryError, ForbiddenError, InvalidArgumentError
from ..._files import SMALL, Source, TreeFile, are_small
from ..._options import check_count
from ..._progress import FileProgress, Progress
from ..._protocol import matrix_parameters
from ..._reports import Outcome, Status
from ..._session import prepare_small_uploads, state_of
from ..._threads import run_short
from ..accounting import failed, in_chunks, settle, tracked
from ..local_paths import item_below
from ..overwrite import Overwrite, check_overwrite, has_content
from .file_upload import Parameters, read_file, send_file
from .remote_state import RemoteState
from .small_uploads import PlannedFile, SmallUploader

LocalPath: TypeAlias = str | os.PathLike[str]
DeployItem: TypeAlias = LocalPath | tuple[LocalPath, URLLike]


# About what a line of 100 MB/s carries in the time of one request to a far server.
MIN_CHECKSUM_DEPLOY = 10 * 1024 * 1024
# Limits of a group that one worker deploys: the number of small files, and the seconds that they take.
_MOST_IN_GROUP = 16
_GROUP_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """
    How files are deployed.

    Attributes:
        parameters: Properties of every file.
        min_checksum_deploy: Size from which on a file is first offered by its checksums, or None.
        overwrite: What to do about files that the server has.
    """

    parameters: Parameters
    min_checksum_deploy: int | None
    overwrite: Overwrite = "always"


def checked_options(
    parameters: Parameters | None, min_checksum_deploy: int | None, overwrite: Overwrite = "always"
) -> DeployOptions:
    """
    Return options for deploying, validated.

    Raises:
        InvalidArgumentError: If a URL cannot carry a property, *min_checksum_deploy* is not a number of bytes, or
            *overwrite* is not one of its values.
    """
    if not isinstance(parameters, Mapping | None):
        raise InvalidArgumentError(f"parameters is a {type(parameters).__name__}; expected a mapping of properties")
    matrix_parameters(parameters or {})
    if min_checksum_deploy is not None:
        check_count("min_checksum_deploy", min_checksum_deploy)
    check_overwrite(overwrite)
    return DeployOptions(dict(parameters or {}), min_checksum_deploy, overwrite)


@dataclass(frozen=True, slots=True)
class SmallGroup:
    """
    Small files for one server, which one worker deploys, one after the other.

    Attributes:
        files: The files.
    """

    files: Sequence[PlannedFile]


DeployWork: TypeAlias = DeployItem | TreeFile | SmallGroup


@dataclass(frozen=True, slots=True)
class _Plan:
    """
    An item of the caller.

    Attributes:
        given: The item.
        path: Local file; empty if the item is invalid.
        item: Where it goes; None if the item is invalid.
        main: The file that it is a checksum of, or None.
    """

    given: DeployItem | TreeFile
    path: str = ""
    item: ItemURL | None = None
    main: ItemURL | None = None

    @property
    def may_be_small(self) -> bool:
        """Whether the file can be uploaded in a group if it is small."""
        return self.main is None and self.item is not None and self.item.path != ""

    def file(self) -> PlannedFile:
        """Return the file of a valid item."""
        assert self.item is not None
        return PlannedFile(self.path, self.item, _name_of(self.given, self.path), listed_size(self.given))


class _FilesFirst:
    """Holds checksum files back until the files they belong to have been passed on."""

    def __init__(self) -> None:
        self._passed = set[ItemURL]()
        self._held: dict[ItemURL, list[_Plan]] = {}

    def pass_on(self, plan: _Plan) -> Iterator[_Plan]:
        """Yield *plan*, and what was held for it; nothing if it is held itself."""
        if plan.main is not None and plan.main not in self._passed:
            self._held.setdefault(plan.main, []).append(plan)
            return
        yield plan
        if plan.item is not None:
            self._passed.add(plan.item)
            yield from self._held.pop(plan.item, ())

    def remaining(self) -> Iterator[_Plan]:
        """Yield those whose files were not passed on."""
        for held in self._held.values():
            yield from held


@dataclass(slots=True)
class Deployer:
    """Deploys files below one folder of a server."""

    session: aiohttp.ClientSession
    target: ItemURL
    remote_state: RemoteState
    options: DeployOptions
    progress: Progress
    # For each item: an event while its upload is under way, then whether it succeeded.
    _runs: dict[ItemURL, anyio.Event | bool] = field(default_factory=dict)
    _seconds_per_file: float = inf

    async def work(
        self, items: Iterable[DeployItem | TreeFile] | AsyncIterable[DeployItem | TreeFile]
    ) -> AsyncGenerator[DeployWork, None]:
        """
        Yield *items*, consecutive small files in groups.

        A checksum file does not come before the file it belongs to, if that is among *items*.
        """
        order = _FilesFirst()
        async with aclosing(in_chunks(items, listed_size, self.progress)) as chunks:
            async for chunk in chunks:
                plans = [plan for given in chunk for plan in order.pass_on(self._plan(given))]
                for work in self._grouped(plans, await self._are_small(plans)):
                    yield work
        for plan in order.remaining():
            yield plan.given

    def _plan(self, given: DeployItem | TreeFile) -> _Plan:
        """Where *given* goes, and the file that it is a checksum of, if it is valid."""
        try:
            path = _local_path(given)
            item = self._item(given, path)
        except ArtifactoryError:
            return _Plan(given)
        claim = checksum_file(item.path)
        return _Plan(given, path, item, ItemURL(item.server, item.repository, claim[0]) if claim else None)

    async def _are_small(self, plans: Sequence[_Plan]) -> list[bool]:
        """Whether each file may be uploaded in a group."""
        if is_worth_offering(SMALL, self.options.min_checksum_deploy):
            return [False] * len(plans)
        if len(plans) == 1:  # a group of its own; its size is checked when it is read
            return [plans[0].may_be_small]
        unlisted = [plan.path for plan in plans if plan.may_be_small and not isinstance(plan.given, TreeFile)]
        looked = iter(await run_short(are_small, unlisted) if unlisted else ())
        return [
            plan.may_be_small and (plan.given.size <= SMALL if isinstance(plan.given, TreeFile) else next(looked))
            for plan in plans
        ]

    def _grouped(self, plans: Sequence[_Plan], small: Sequence[bool]) -> Iterator[DeployWork]:
        group: list[PlannedFile] = []
        for plan, is_small in zip(plans, small, strict=True):
            file = plan.file() if is_small else None
            if group and (file is None or len(group) >= self._group_size or not file.is_beside(group[0])):
                yield SmallGroup(group)
                group = []
            if file is None:
                yield plan.given
            else:
                group.append(file)
        if group:
            yield SmallGroup(group)

    @property
    def _group_size(self) -> int:
        """How many files one worker deploys as a group."""
        return max(1, min(_MOST_IN_GROUP, int(_GROUP_SECONDS / self._seconds_per_file)))

    async def do(self, work: DeployWork) -> Outcome | Sequence[Outcome]:
        """Deploy one file or a group; what goes wrong with a file becomes part of its outcome."""
        return await self._deploy_group(work.files) if isinstance(work, SmallGroup) else await self.deploy(work)

    async def _deploy_group(self, files: Sequence[PlannedFile]) -> list[Outcome]:
        started, ended = time.perf_counter(), anyio.Event()
        outcomes, own = list[Outcome](), list[PlannedFile]()
        for file in files:  # before the first upload, so that their checksum files wait for them
            if file.item in self._runs:
                outcomes.append(await self._tracked(file, partial(self._deploy, file.path, file.item)))
            else:
                self._runs[file.item] = ended
                own.append(file)
        try:
            async with aclosing(self._deployed_in_turn(own)) as deployed:
                async for file, outcome in deployed:
                    outcomes.append(outcome)
                    self._runs[file.item] = outcome.error is None
        finally:
            for file in own:
                if self._runs[file.item] is ended:
                    self._runs[file.item] = False
            ended.set()
        self._seconds_per_file = (time.perf_counter() - started) / len(files)
        return outcomes

    async def _deployed_in_turn(
        self, files: Sequence[PlannedFile]
    ) -> AsyncGenerator[tuple[PlannedFile, Outcome], None]:
        """Deploy *files* in order: those that the server does not have as small files, others the usual way."""
        uploader = await self._uploader(files[0].item.server) if files else None
        start = 0
        while start < len(files):
            new = list(takewhile(self._is_new, files[start:])) if uploader else []
            if uploader is None or not new:
                yield files[start], await self._deploy_usual_way(files[start])
                start += 1
                continue
            start += len(new)
            async with aclosing(uploader.upload(new)) as uploaded:
                async for file, outcome in uploaded:
                    yield file, await self._deploy_usual_way(file) if outcome is None else outcome

    async def _uploader(self, server: ServerURL) -> SmallUploader | None:
        try:
            uploads = await prepare_small_uploads(self.session, server)
        except ArtifactoryError:
            return None  # the upload of each file raises this error
        return None if uploads is None else SmallUploader(self.session, uploads, self.options.parameters, self.progress)

    def _is_new(self, file: PlannedFile) -> bool:
        """Whether *file* is to be sent whatever the server has, or the server is known not to have it."""
        return self.options.overwrite == "always" or self.remote_state.is_known_absent(file.item)

    async def _deploy_usual_way(self, file: PlannedFile) -> Outcome:
        """Deploy a file that is in `_runs` already."""
        return await self._tracked(file, partial(self._settled, file.path, file.item))

    async def _tracked(self, file: PlannedFile, do: Callable[[FileProgress], Awaitable[Outcome]]) -> Outcome:
        return await tracked(self.progress, str(file.item), file.path, do, name=file.name, size=file.size)

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
            name=_name_of(given, path),
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
            outcome = await self._settled(path, item, file)
            succeeded = True
        finally:
            self._runs[item] = succeeded
            ended.set()
        return outcome

    async def _settled(self, path: str, item: ItemURL, file: FileProgress) -> Outcome:
        source, is_new = await self._settle(path, item, file)
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
            ArtifactoryError: If that failed: the checksum would be set on an older file.
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

    async def _is_there(self, item: ItemURL, source: Source) -> bool:
        try:
            found = await self.remote_state.find(item)
        except ForbiddenError:
            return False  # a user who may not read may still deploy
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


def _name_of(given: DeployItem | TreeFile, path: str) -> str:
    """Name of a file, for display."""
    return given.relative if isinstance(given, TreeFile) else os.path.basename(path)


def listed_size(given: object) -> int:
    """Bytes of an item, if a listing reported them."""
    return given.size if isinstance(given, TreeFile) else 0


def is_worth_offering(size: int, least: int | None) -> bool:
    """Whether a file is so large that offering its checksums first may save time."""
    return least is not None and size >= max(least, 1)
