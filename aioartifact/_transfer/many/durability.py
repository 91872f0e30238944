"""Names that survive a crash of the machine: their folders are synced, one sync serving all that wait for it."""

from dataclasses import dataclass, field

import anyio

from ..._files import sync_folder
from ..._threads import run


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
