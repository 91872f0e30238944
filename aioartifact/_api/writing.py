"""
One writer at a time for a file that is read, changed and deployed again.

Artifactory has no lock, and deploys whatever `If-Match` says. So every writer deploys a flag of its own beside the
file, and then looks whether there are others: of two writers at least the one who looks later sees the other's. Who
sees another lowers the own flag, waits for a random time, and tries again.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import uuid4

import aiohttp
import anyio

from .._address import ItemURL
from .._errors import LookupTableError, NotFoundError
from .._listing import fetch_info
from .._models import FolderInfo
from .._protocol import build_delete
from .._session import ask, state_of
from .reading import write_bytes

_FLAG = ".writer"
_FIRST_WAIT, _MAX_WAIT = 0.05, 1.0
# A flag that stays for so long belongs to a writer who died, or might as well have.
_PATIENCE = 60.0
# What a cancelled writer takes to lower the flag.
_FAREWELL = 5.0


@asynccontextmanager
async def only_writer(session: aiohttp.ClientSession, file: ItemURL) -> AsyncIterator[None]:
    """
    Be the only one who writes *file*, among all who use this function; three requests if nobody else does.

    Raises:
        LookupTableError: It took so long that somebody else took this writer for dead.
        ResponseError: The server refuses the flag.
        TransportError: No answer came.
    """
    clock = state_of(session).clock
    flag = await _raise_alone(session, file)
    begin = clock.now()
    try:
        yield
        if clock.now() - begin > _PATIENCE and flag not in await _flags(session, file):
            raise LookupTableError(
                f"{file}: another writer took this one for dead", hint="look whether the change is there"
            )
    finally:
        await _lower(session, flag)


async def _raise_alone(session: aiohttp.ClientSession, file: ItemURL) -> ItemURL:
    clock = state_of(session).clock
    wait = _FIRST_WAIT
    seen: Mapping[ItemURL, float] = {}
    while True:
        # A new name each time: only the flag of who writes stays the same.
        flag = file.parent / f"{file.name}.{uuid4().hex}{_FLAG}"
        others = await _raise(session, file, flag)
        if not others:
            return flag
        now = clock.now()
        seen = {other: seen.get(other, now) for other in others}
        for other, since in seen.items():
            if now - since > _PATIENCE:
                await _lower(session, other)
        await clock.sleep(wait * (0.5 + clock.draw()))
        wait = min(2 * wait, _MAX_WAIT)


async def _raise(session: aiohttp.ClientSession, file: ItemURL, flag: ItemURL) -> set[ItemURL]:
    """Raise *flag*; if there are others, lower it again and tell which."""
    is_alone = False
    try:
        await write_bytes(str(flag), b"", session=session)
        others = await _flags(session, file) - {flag}
        is_alone = not others
    finally:
        if not is_alone:
            await _lower(session, flag)
    return others


async def _flags(session: aiohttp.ClientSession, file: ItemURL) -> set[ItemURL]:
    folder = await fetch_info(session, file.parent)
    children = folder.children if isinstance(folder, FolderInfo) else ()
    names = (child.name for child in children)
    return {file.parent / name for name in names if name.startswith(f"{file.name}.") and name.endswith(_FLAG)}


async def _lower(session: aiohttp.ClientSession, flag: ItemURL) -> None:
    with anyio.move_on_after(_FAREWELL, shield=True):
        try:
            await ask(session, build_delete(flag))
        except NotFoundError:
            return
