"""The folder that a bulk call writes to: its subfolders and names, the space on its disk, and syncs of its entries."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import anyio

from ..._errors import ArtifactoryError, InvalidArgumentError
from ..._files import (
    Staging,
    TargetFile,
    device_of,
    file_status,
    find_target,
    folds_names,
    free_space,
    make_folder,
    no_space,
    resolve_folder,
    sync_folder,
)
from ..._models import FileInfo
from ..._threads import run
from ..local_paths import check_inside, folded
from ..overwrite import Overwrite, additional_bytes

# How many folders are remembered as made; beyond that, all are forgotten and checked again.
_MAX_FOLDERS = 4096
T = TypeVar("T")


class Claim(NamedTuple):
    """
    A name that belongs to one item of a call.

    Attributes:
        real: The path that the item is written to, with all symbolic links followed.
        file: The file there.
    """

    real: str
    file: TargetFile


class Destination:
    """
    A folder that items are written to, each under a name of its own.

    Every method blocks, and is called by one thread at a time. Each name takes about 200 bytes of memory.
    """

    def __init__(self, root: str, *, durable: bool = False) -> None:
        self.root = root
        self._durable = durable
        self._real_root: str | None = None
        self._entered: dict[str, str] = {}
        self._with_records: set[str] = set()
        # Maps the digest of a folded name to that of the first name that folds to it. The twins are the digests of
        # the other such names, where the file system distinguishes them.
        self._first: dict[bytes, bytes] = {}
        self._twins: set[bytes] = set()

    def claim(self, target: str, url: str) -> Claim:
        """
        Reserve *target* for the item at *url*, and make its folder.

        Raises:
            InvalidArgumentError: If another item has this target, perhaps by another spelling or through a link.
            UnsafePathError: If a symbolic link to a folder leads out of the destination.
            LocalFileError: If the disk failed, or *target* is not a regular file, see `find_target`.
        """
        folder, name = os.path.split(target)
        real = self._enter(folder) + name
        file = find_target(target)
        if file.is_link:
            real, folder = file.path, os.path.dirname(file.path)
        exact, alike = _digest(real), folded(real)
        fold = exact if alike == real else _digest(alike)
        first = self._first.setdefault(fold, exact)
        if first is not exact:
            if first == exact or exact in self._twins or folds_names(folder):
                raise InvalidArgumentError(
                    f"{url}: another item of this call goes to {target} too", hint="give (url, path) pairs"
                )
            self._twins.add(exact)
        return Claim(real, file)

    def may_have_record(self, file: TargetFile) -> bool:
        """Whether an earlier run may have left a record beside *file*, which has been claimed."""
        return file.is_link or (bool(self._with_records) and os.path.dirname(file.path) in self._with_records)

    def _enter(self, folder: str) -> str:
        """Make *folder*, unless a link puts it outside the destination; return its real path and a separator."""
        real = self._entered.get(folder)
        if real is None:
            if self._real_root is None:
                make_folder(self.root, durable=self._durable)
                self._real_root = resolve_folder(self.root)
            # Checked before anything is made below: makedirs would follow the link.
            real = resolve_folder(folder)
            check_inside(self._real_root, real)
            make_folder(folder, durable=self._durable)
            if len(self._entered) >= _MAX_FOLDERS:
                self._entered.clear()
                self._with_records.clear()
            real = self._entered[folder] = os.path.join(real, "")
            if Staging.may_have_records(folder):
                self._with_records.add(folder)
        return real


def _digest(path: str) -> bytes:
    return hashlib.blake2b(path.encode(errors="surrogatepass"), digest_size=12).digest()


@dataclass(slots=True)
class _Folder:
    """A folder to sync: the number of requests, and how many of them are served."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    asked: int = 0
    served: int = 0


class FolderSyncs:
    """Syncs folders: requests during a sync share the next one."""

    def __init__(self) -> None:
        self._folders: dict[str, _Folder] = {}

    async def sync(self, path: str) -> None:
        """
        Wait until the names that are in the folder *path* now are on the disk itself.

        Raises:
            LocalFileError: If the disk failed.
        """
        folder = self._folders.setdefault(path, _Folder())
        folder.asked += 1
        mine = folder.asked
        async with folder.lock:
            if folder.served < mine:
                covered = folder.asked
                await run(sync_folder, path)
                folder.served = covered
        if folder.served == folder.asked:
            self._folders.pop(path, None)


def check_space(
    items: Sequence[T], place_of: Callable[[T], tuple[str, FileInfo | None]], overwrite: Overwrite, root: str
) -> None:
    """
    Make sure that *items* fit, as far as their sizes are listed; blocks.

    The sizes of local files are read only if the listed sizes together exceed the free space.

    Raises:
        LocalFileError: If they do not (ENOSPC).
    """
    free = free_space(root)
    total = sum(listed.size or 0 for listed in items if isinstance(listed, FileInfo))
    if free is None or total <= free:
        return
    for folder, needed in _needed(_placed(items, place_of), overwrite).values():
        free = free_space(folder)
        if free is not None and needed > free:
            raise no_space(folder, needed, free)


def _placed(
    items: Iterable[T], place_of: Callable[[T], tuple[str, FileInfo | None]]
) -> Iterable[tuple[str, FileInfo | None]]:
    for item in items:
        try:
            yield place_of(item)
        except ArtifactoryError:  # its outcome reports the error
            continue


def _needed(placed: Iterable[tuple[str, FileInfo | None]], overwrite: Overwrite) -> dict[int | None, tuple[str, int]]:
    """A folder and the bytes that are needed below it, for each file system."""
    folders: dict[str, int] = defaultdict(int)
    for path, listed in placed:
        folders[os.path.dirname(path)] += additional_bytes(overwrite, _size(path), listed)
    needed: dict[int | None, tuple[str, int]] = {}
    for folder, size in folders.items():
        device = device_of(folder)
        first, before = needed.get(device, (folder, 0))
        needed[device] = (first, before + size)
    return needed


def _size(path: str) -> int | None:
    try:
        status = file_status(path)
    except ArtifactoryError:
        return None
    return status.st_size if status else None
