"""The file of a lookup table: read whole, changed by one writer at a time."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import aiohttp

from .._address import ItemURL, URLLike, check_name, expect_text
from .._api.contents import read_bytes, write_bytes
from .._api.items import exists
from .._api.mutations import delete
from .._api.session import using
from .._api.versions import artifact_of
from .._errors import LookupTableError
from .._session import state_of
from .table import Table, read_table
from .writer_lock import writer_lock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TableFile:
    """
    The file that holds a table.

    Attributes:
        item: The file.
        session: Session to use; None opens one for each call.
    """

    item: ItemURL
    session: aiohttp.ClientSession | None

    @property
    def url(self) -> str:
        return str(self.item)

    async def read(self) -> Table:
        async with self._opened() as session:
            return await self._fetch(session)

    async def change(self, change: Callable[[Table], tuple[Table, T]]) -> T:
        """Apply *change* to the table under its lock, and return the second value that *change* returns."""
        async with self._opened() as session, writer_lock(session, self.item):
            before = await self._fetch(session)
            after, result = change(before)
            if after != before:
                await self._store(session, after)
        return result

    async def create(self, table: Table, *, force: bool) -> None:
        async with self._opened() as session, writer_lock(session, self.item):
            if not force and await exists(self.url, session=session):
                raise LookupTableError(f"Lookup table '{self._label}' exists already.")
            await self._store(session, table)

    async def delete_folder(self, *, force: bool) -> None:
        async with self._opened() as session, writer_lock(session, self.item):
            if not force and (await self._fetch(session)).rows:
                raise LookupTableError(f"Cannot remove lookup table '{self._label}' if it is not empty.")
            await delete(str(self.item.parent), session=session)

    @property
    def _label(self) -> str:
        return self.item.name.removesuffix(".csv")

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[aiohttp.ClientSession]:
        async with using(self.session) as session:
            # The server was named, so its context path need not be guessed from the URL.
            await state_of(session).admit(self.item.server)
            yield session

    async def _fetch(self, session: aiohttp.ClientSession) -> Table:
        return read_table(await read_bytes(self.url, session=session), self.url)

    async def _store(self, session: aiohttp.ClientSession, table: Table) -> None:
        await write_bytes(self.url, table.encode(), session=session)


def table_file(
    server: URLLike, repository: str, group_id: str, name: str, version: str, session: aiohttp.ClientSession | None
) -> TableFile:
    """
    The file of the table of that name and version.

    Raises:
        InvalidURLError: If an argument cannot be a part of a URL.
    """
    folder = artifact_of(server, repository, group_id, name) / check_name(expect_text("version", version), "version")
    return TableFile(folder / check_name(f"{name}-{version}.csv"), session)
