"""
A lock for a file that is read, changed and deployed again.

Artifactory has no locks, and ignores ``If-Match`` on a deployment. So each writer deploys a lock file of its own beside
the file, and then lists the folder for lock files of others: of two writers, at least the one that lists later sees the
other's. A writer that sees another removes its own lock file, waits for a random time, and tries again.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

import aiohttp
import anyio

from .._address import ItemURL
from .._api.contents import write_bytes
from .._errors import LookupTableError, NotFoundError
from .._listing import fetch_info
from .._models import FolderInfo
from .._protocol import build_delete
from .._session import fetch_response, state_of

_SUFFIX = ".writer"
_FIRST_WAIT, _MAX_WAIT = 0.05, 1.0
# Seconds after which a lock counts as left behind by a process that was killed.
_EXPIRES_AFTER = 60.0
# Seconds that a cancelled writer may take to remove its lock file.
_RELEASE_TIMEOUT = 5.0


@asynccontextmanager
async def writer_lock(session: aiohttp.ClientSession, file: ItemURL) -> AsyncIterator[None]:
    """
    Hold the lock of *file*, which excludes all others that use this function; three requests without contention.

    Raises:
        LookupTableError: If the block took so long that the lock expired, and another writer removed it.
        ResponseError: The server refuses the lock file.
        TransportError: No response was received.
    """
    clock = state_of(session).clock
    lock = await _acquire(session, file)
    begin = clock.now()
    try:
        yield
        if clock.now() - begin > _EXPIRES_AFTER and lock not in await _list_locks(session, file):
            raise LookupTableError(
                f"{file}: the lock expired and another writer took over", hint="check whether the change was written"
            )
    finally:
        await _remove(session, lock)


async def _acquire(session: aiohttp.ClientSession, file: ItemURL) -> ItemURL:
    clock = state_of(session).clock
    wait = _FIRST_WAIT
    seen: Mapping[ItemURL, float] = {}
    while True:
        # A new name each time, so that only the lock of a writer that holds it keeps its name.
        lock = file.parent / f"{file.name}.{uuid4().hex}{_SUFFIX}"
        others = await _try_to_acquire(session, file, lock)
        if not others:
            return lock
        now = clock.now()
        seen = {other: seen.get(other, now) for other in others}
        for other, since in seen.items():
            if now - since > _EXPIRES_AFTER:
                await _remove(session, other)
        await clock.sleep(wait * (0.5 + clock.draw()))
        wait = min(2 * wait, _MAX_WAIT)


async def _try_to_acquire(session: aiohttp.ClientSession, file: ItemURL, lock: ItemURL) -> set[ItemURL]:
    """Deploy *lock*; if there are other locks, remove it again and return them."""
    is_alone = False
    try:
        await write_bytes(str(lock), b"", session=session)
        others = await _list_locks(session, file) - {lock}
        is_alone = not others
    finally:
        if not is_alone:
            await _remove(session, lock)
    return others


async def _list_locks(session: aiohttp.ClientSession, file: ItemURL) -> set[ItemURL]:
    folder = await fetch_info(session, file.parent)
    children = folder.children if isinstance(folder, FolderInfo) else ()
    names = (child.name for child in children)
    return {file.parent / name for name in names if name.startswith(f"{file.name}.") and name.endswith(_SUFFIX)}


async def _remove(session: aiohttp.ClientSession, lock: ItemURL) -> None:
    with anyio.move_on_after(_RELEASE_TIMEOUT, shield=True):
        try:
            await fetch_response(session, build_delete(lock))
        except NotFoundError:
            return
