"""One Artifactory: its settings, items, accounts and clock, as handlers see it."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Literal, Protocol, TypeVar

from .accounts.auth import Accounts
from .clocks import Clock
from .profiles import Profile
from .protocol import formats
from .read_timeouts import ReadTimeouts
from .repositories.definitions import Repository, members_of, storing, with_caches
from .storage.part_uploads import MultipartUploads
from .storage.storage_summary import Summary
from .storage.store import Store
from .turnstile import Turnstile

MEGABYTE = 1 << 20  # bytes


@dataclass(slots=True)
class FolderDownload:
    """
    What may be downloaded as an archive.

    Attributes:
        max_size: Bytes of all files together.
        max_files: How many of them.
        max_parallel: How many archives may be under way at the same time.
        anonymous: Whether requests without credentials are let in.
        running: How many are under way.
    """

    max_size: int
    max_files: int
    max_parallel: int
    anonymous: bool
    running: int = 0


Edition = Literal["oss", "pro"]

T = TypeVar("T")


class InThread(Protocol):
    """Runs a blocking call in a thread and returns what it returns."""

    async def __call__(self, call: Callable[[], T], /) -> T: ...  # noqa: D102  # the class says it


@dataclass(slots=True)
class Instance:
    """
    Settings and state of one server.

    Attributes:
        context_path: ``"/artifactory"``, or ``""``.
        profile: The release it stands for.
        redirect_over: Files of at least this many bytes are served by the second origin; None for never.
        base_url: What links start with, unless a proxy says otherwise; ``""`` for the address of the request.
        clock: Returns epoch seconds.
        read_timeouts: Closes connections whose clients stop in the middle of a request.
        origin: Scheme, host and port, known once the server listens.
        storage_origin: The same of the second origin, which serves signed URLs.
        folder_download: What may be downloaded as an archive; None for nothing.
        uploads: The uploads in parts.
        storage_summary: What ``api/storageinfo`` answers; None until it is first asked.
        aql_turnstile: Lets as many AQL queries run at the same time as the release does.
        repositories: Every repository by its key, in the order of their creation; caches are among them.
    """

    store: Store
    accounts: Accounts
    executor: ThreadPoolExecutor
    context_path: str
    edition: Edition
    profile: Profile
    hide_unauthorized: bool
    zone: tzinfo
    redirect_over: int | None
    base_url: str
    clock: Clock
    read_timeouts: ReadTimeouts
    origin: str = ""
    storage_origin: str = ""
    storage_summary: Summary | None = None
    aql_turnstile: Turnstile = field(init=False)
    folder_download: FolderDownload | None = None
    uploads: MultipartUploads = field(init=False)
    repositories: dict[str, Repository] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.aql_turnstile = Turnstile(self.profile.aql_parallel)
        self.uploads = MultipartUploads(self.store)
        self._configure(self.store.repositories())

    def add_repository(self, repository: Repository) -> None:
        """Add a repository, or change the settings of the one with its key."""
        self.store.add_repository(repository, self.now_ms())
        self._configure(self.store.repositories())

    def remove_repository(self, repository: Repository) -> None:
        """Remove a repository with all its items, also from the virtual ones it is a member of."""
        with self.store.transaction():
            self.store.remove_repository(repository)
            for each in self.store.repositories():
                if repository.key in (each.deploy_to, *each.members):
                    self.store.add_repository(each.without(repository.key), self.now_ms())
        self._configure(self.store.repositories())

    def clear(self, accounts: Accounts) -> None:
        """Remove every repository with its items, and replace the accounts."""
        with self.store.transaction():
            for each in self.store.repositories():
                self.store.remove_repository(each)
        self.accounts = accounts
        self.uploads.clear()
        self.folder_download = None
        self.storage_summary = None
        self._configure(self.store.repositories())

    def _configure(self, configurations: list[Repository]) -> None:
        self.repositories = {each.key: each for each in with_caches(configurations)}
        self.accounts.remote_of = {each.cache.key: each.key for each in configurations if each.kind == "remote"}

    def storing(self, key: str) -> list[Repository]:
        """Return the repositories whose items show up in *key*, in the order they are searched."""
        repository = self.repositories.get(key)
        return storing(repository, self.repositories) if repository else []

    def virtual_members(self, key: str) -> list[str] | None:
        """Return the keys of the local repositories and caches behind a virtual one; None for any other key."""
        repository = self.repositories.get(key)
        if repository is None or repository.kind != "virtual":
            return None
        return [each.key for each in self.storing(key)]

    def virtuals_of(self, key: str) -> list[str]:
        """Return the virtual repositories in which the items of the repository *key* show up."""
        virtual = [each for each in self.repositories.values() if each.kind == "virtual"]
        return [each.key for each in virtual if any(held.key == key for held in self.storing(each.key))]

    def real_members(self, virtual: Repository) -> list[Repository]:
        """Return the local, remote and cache repositories behind a virtual one, in its order."""
        return members_of(virtual, self.repositories)

    def now_ms(self) -> int:
        """Return the present in epoch milliseconds."""
        return int(self.clock() * 1000)

    def iso(self, time_ms: int) -> str:
        """Print a time in the server's zone."""
        return formats.iso(time_ms, self.zone)

    async def in_thread(self, call: Callable[[], T], /) -> T:
        """
        Run a blocking *call* in one of the server's own threads, with the context of the caller.

        A cancelled caller waits for the thread before it goes on, so what the call uses can be closed after.
        """
        job = asyncio.get_running_loop().run_in_executor(self.executor, contextvars.copy_context().run, call)
        try:
            await settled(job)
        except asyncio.CancelledError:
            job.exception()  # mark the exception as retrieved
            raise
        return job.result()


async def settled(job: asyncio.Future[T]) -> None:
    """Wait for the end of *job*, however often the waiter is cancelled; only then be cancelled."""
    cancelled = False
    while not job.done():
        try:
            await asyncio.wait({job})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
