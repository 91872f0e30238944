"""Lookup tables: the flavours of an artifact, in a CSV file next to them."""

from collections.abc import Mapping, Sequence

import aiohttp

from .._address import URLLike, text_of_server
from .._api.session import using
from .._api.versions import artifact_of, versions
from .._errors import InvalidArgumentError, LookupTableError, NotFoundError
from .._scheduler import run_many
from .._session import state_of
from .._versions import selection_of
from .table import Params, Table, Value, check_columns, check_mapping, check_params, uid_of
from .table_file import TableFile, table_file


class Lookup:
    """
    A table of the flavours of an artifact; :meth:`open` finds a table, :meth:`create` creates one.

    A flavour is a row: values by column, and an ID computed from them. Values are True, False, numbers, text or None.
    Files, IDs and rules are those of audfactory, so both libraries can read and write the same tables.

    Each call reads the table from the server. Changes by this class exclude each other, also in different processes.
    Changes by audfactory are not excluded: of two changes at the same time, one may be lost.

    Attributes:
        server: Base address of the server.
        repository: Repository key.
        group_id: Group ID of the table.
        name: Name of the table.
        version: Version of the table.
        url: URL of the table.
    """

    __slots__ = ("_file", "group_id", "name", "repository", "server", "url", "version")

    def __init__(
        self,
        server: URLLike,
        repository: str,
        group_id: str,
        *,
        version: str,
        name: str = "lookup",
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        self.server: str = text_of_server(server)
        self.repository: str = repository
        self.group_id: str = group_id
        self.name: str = name
        self.version: str = version
        self._file = table_file(server, repository, group_id, name, version, session)
        self.url: str = self._file.url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    @classmethod
    async def open(
        cls,
        server: URLLike,
        repository: str,
        group_id: str,
        *,
        name: str = "lookup",
        version: str | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> "Lookup":
        """
        Find a table; one request.

        ``Lookup(...)`` with a *version* does not check that the table exists, and sends no request.

        Args:
            server: Base address of the server.
            repository: Repository key.
            group_id: Group ID of the table.
            name: Name of the table.
            version: Version of the table; None means the latest.
            session: Session for all calls of the table; None opens one for each call.

        Raises:
            LookupTableError: If the table does not exist.
            InvalidURLError: If an argument cannot be a part of a URL.
            AuthenticationError, ForbiddenError: If access is refused.
            ResponseError, TransportError, ProtocolError: See :func:`versions`.
        """
        there = await cls.versions(server, repository, group_id, name=name, session=session)
        if version is None and not there:
            address = artifact_of(server, repository, group_id, name)
            raise LookupTableError(f"No lookup tables available under '{address}'")
        found = cls(server, repository, group_id, name=name, version=version or there[-1], session=session)
        if found.version not in there:
            raise LookupTableError(f"Lookup table '{found.url}' does not exist yet.")
        return found

    async def table(self) -> list[list[Value]]:
        """
        Return the table: the header, which starts with ``id``, then the rows; one request.

        Raises:
            LookupTableError: If the file is not a table.
            NotFoundError: If the table does not exist.
            AuthenticationError, ForbiddenError: If access is refused.
            ResponseError, TransportError, IntegrityError, ProtocolError: See :func:`read_bytes`.
        """
        return (await self._file.read()).as_lists()

    async def columns(self) -> list[str]:
        """
        Return the names of the columns without ``id``; one request.

        Raises:
            ArtifactoryError: The errors of :meth:`table`, under the same conditions.
        """
        return list((await self._file.read()).columns)

    async def ids(self) -> list[str]:
        """
        Return the IDs of the rows; one request.

        Raises:
            ArtifactoryError: The errors of :meth:`table`, under the same conditions.
        """
        return [row.uid for row in (await self._file.read()).rows]

    async def get(self, uid: str) -> dict[str, Value]:
        """
        Return the values of a row by column, empty if the row does not exist; one request.

        Raises:
            ArtifactoryError: The errors of :meth:`table`, under the same conditions.
        """
        return (await self._file.read()).row(uid)

    async def render(self) -> str:
        """
        Return the table as text with padded columns; one request.

        Raises:
            ArtifactoryError: The errors of :meth:`table`, under the same conditions.
        """
        return (await self._file.read()).render()

    async def find(self, params: Params) -> str:
        """
        Return the ID of the row with these values for all columns; one request.

        Values are compared as text: 1, 1.0 and True are different.

        Raises:
            LookupTableError: If the row does not exist.
            ArtifactoryError: The errors of :meth:`table`, under the same conditions.
        """
        wanted = check_mapping(params)
        return self._found(await self._file.read(), wanted)

    async def contains(self, params: Params) -> bool:
        """
        Return whether there is a row with these values for all columns; one request.

        Raises:
            ArtifactoryError: The errors of :meth:`table`, under the same conditions.
        """
        wanted = check_mapping(params)
        return (await self._file.read()).find(wanted) is not None

    async def append(self, params: Params) -> str:
        """
        Add a row; five requests.

        Args:
            params: A value for each column.

        Returns:
            ID of the row.

        Raises:
            LookupTableError: If the row exists, or *params* do not match the columns.
            InvalidArgumentError: If a value has another type, or is a text that would be read as a value of another
                type.
            ForbiddenError: If the user may not deploy, replace or delete the file.
            ArtifactoryError: The errors of :meth:`table`, under the same conditions.
        """
        row = check_params(params)
        uid = self._make_uid(row)
        return await self._file.change(lambda table: (table.with_row(uid, row), uid))

    async def extend(self, params: str | Sequence[str] | Params) -> list[list[Value]]:
        """
        Add columns; five requests.

        Args:
            params: Name of a column, several names, or a mapping of names to values, which are set in all rows. If the
                table has no rows, a value other than None adds the first one. Existing columns are not changed.

        Returns:
            The table.

        Raises:
            InvalidArgumentError: See :meth:`append`; or if a name cannot be that of a column.
            ForbiddenError: If the user may not deploy, replace or delete the file.
            ArtifactoryError: The errors of :meth:`table`, under the same conditions.
        """
        added = _column_values(params)

        def extended(table: Table) -> tuple[Table, list[list[Value]]]:
            wider = table.with_columns(added, self._make_uid)
            return wider, wider.as_lists()

        return await self._file.change(extended)

    async def remove(self, params: Params) -> str:
        """
        Remove the row with these values for all columns; five requests.

        Returns:
            The ID of the row.

        Raises:
            LookupTableError: If the row does not exist.
            ForbiddenError: If the user may not deploy, replace or delete the file.
            ArtifactoryError: The errors of :meth:`table`, under the same conditions.
        """
        wanted = check_mapping(params)

        def removed(table: Table) -> tuple[Table, str]:
            uid = self._found(table, wanted)
            return table.without_row(uid), uid

        return await self._file.change(removed)

    async def clear(self) -> None:
        """
        Remove all rows, and keep the columns; five requests.

        Raises:
            ForbiddenError: If the user may not deploy, replace or delete the file.
            ArtifactoryError: The errors of :meth:`table`, under the same conditions.
        """
        await self._file.change(lambda table: (Table(table.columns), None))

    def _found(self, table: Table, params: Params) -> str:
        uid = table.find(params)
        if uid is None:
            raise LookupTableError(f"Could not find requested entry '{params}' in version {self.version}")
        return uid

    def _make_uid(self, params: Params) -> str:
        return self.generate_uid(
            params=dict(sorted(params.items())),
            name=self.name,
            group_id=self.group_id,
            version=self.version,
            repository=self.repository,
        )

    @staticmethod
    def generate_uid(*, params: object, name: str, group_id: str, version: str, repository: str) -> str:
        """
        Return the ID of a row: a hash of the address of the table, and of the text of *params* in their order.

        Args:
            params: Values by column; :meth:`append` sorts them by column first.
            name: Name of the table.
            group_id: Its group ID.
            version: Its version.
            repository: Its repository.

        Returns:
            32 hexadecimal digits in five groups.
        """
        return uid_of(f"{params}{group_id}{name}{version}{repository}")

    @classmethod
    async def create(
        cls,
        server: URLLike,
        repository: str,
        group_id: str,
        version: str,
        params: Sequence[str] = (),
        *,
        name: str = "lookup",
        force: bool = False,
        session: aiohttp.ClientSession | None = None,
    ) -> str:
        """
        Create a table without rows; five requests.

        Args:
            server: Base address of the server.
            repository: Repository key.
            group_id: Group ID of the table.
            version: Version of the table, a semantic version.
            params: Names of the columns.
            name: Name of the table.
            force: Whether to replace an existing table.
            session: Session to use; None opens one for this call.

        Returns:
            URL of the table.

        Raises:
            LookupTableError: If the table exists and *force* is False.
            InvalidArgumentError: If a name cannot be that of a column, or *version* is not a semantic version.
            ForbiddenError: If the user may not deploy to this path.
            ArtifactoryError: The errors of :func:`write_bytes`, under the same conditions.
        """
        header = Table(tuple(check_columns(params)))
        if not selection_of().pick([version]):
            raise InvalidArgumentError(f"version={version!r}: expected a semantic version such as '1.0.0'")
        file = table_file(server, repository, group_id, name, version, session)
        await file.create(header, force=force)
        return file.url

    @classmethod
    async def delete(
        cls,
        server: URLLike,
        repository: str,
        group_id: str,
        version: str,
        *,
        name: str = "lookup",
        force: bool = True,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        """
        Delete a table with the folder of its version; five requests, six unless *force* is True.

        Args:
            server: Base address of the server.
            repository: Repository key.
            group_id: Group ID of the table.
            version: Version of the table.
            name: Name of the table.
            force: Whether the table may have rows.
            session: Session to use; None opens one for this call.

        Raises:
            LookupTableError: If the table does not exist, or has rows and *force* is False.
            ForbiddenError: If the user may not delete it.
            ArtifactoryError: The errors of :meth:`open` and :meth:`table`, under the same conditions.
        """
        await cls.open(server, repository, group_id, name=name, version=version, session=session)
        await table_file(server, repository, group_id, name, version, session).delete_folder(force=force)

    @classmethod
    async def exists(
        cls,
        server: URLLike,
        repository: str,
        group_id: str,
        version: str,
        *,
        name: str = "lookup",
        session: aiohttp.ClientSession | None = None,
    ) -> bool:
        """
        Return whether there is a table of this version; one request.

        Args:
            server: Base address of the server.
            repository: Repository key.
            group_id: Group ID of the table.
            version: Version of the table.
            name: Name of the table.
            session: Session to use; None opens one for this call.

        Raises:
            ArtifactoryError: The errors of :meth:`versions`, under the same conditions.
        """
        return version in await cls.versions(server, repository, group_id, name=name, session=session)

    @classmethod
    async def latest_version(
        cls,
        server: URLLike,
        repository: str,
        group_id: str,
        *,
        params: Params | None = None,
        name: str = "lookup",
        session: aiohttp.ClientSession | None = None,
    ) -> str | None:
        """
        Return the newest version of a table, or the newest one with a certain row; None if there is none.

        As in audfactory, it is the last of :meth:`versions`, which may be a pre-release. Requests are those of
        :meth:`versions`.

        Args:
            server: Base address of the server.
            repository: Repository key.
            group_id: Group ID of the table.
            params: Only versions that have a row with these values; None considers all versions.
            name: Name of the table.
            session: Session to use; None opens one for this call.

        Raises:
            ArtifactoryError: The errors of :meth:`versions`, under the same conditions.
        """
        found = await cls.versions(server, repository, group_id, params, name=name, session=session)
        return found[-1] if found else None

    @classmethod
    async def versions(
        cls,
        server: URLLike,
        repository: str,
        group_id: str,
        params: Params | None = None,
        *,
        name: str = "lookup",
        session: aiohttp.ClientSession | None = None,
    ) -> list[str]:
        """
        List the versions of a table, oldest first; one request, with *params* one more for each version.

        Args:
            server: Base address of the server.
            repository: Repository key.
            group_id: Group ID of the table.
            params: Only versions that have a row with these values; None lists all versions.
            name: Name of the table.
            session: Session to use; None opens one for this call.

        Raises:
            InvalidURLError: If an argument cannot be a part of a URL.
            LookupTableError: If a file is not a table; only with *params*.
            AuthenticationError, ForbiddenError: If access is refused.
            ResponseError, TransportError, ProtocolError: See :func:`versions`.
        """
        wanted = None if params is None else check_mapping(params)
        async with using(session) as opened:
            there = await versions(server, repository, group_id, name, denied="raise", session=opened)
            if wanted is None:
                return there

            async def look(version: str) -> tuple[str, bool]:
                file = table_file(server, repository, group_id, name, version, opened)
                return version, await _has(file, wanted)

            async with run_many(there, look, max_concurrency=state_of(opened).limits.max_concurrency) as results:
                having = {version async for version, has in results if has}
        return [version for version in there if version in having]


async def _has(file: TableFile, params: Params) -> bool:
    try:
        return (await file.read()).find(params) is not None
    except NotFoundError:
        return False


def _column_values(params: str | Sequence[str] | Params) -> dict[str, Value]:
    if isinstance(params, Mapping):
        check_params(params)
        return dict(params)
    return dict.fromkeys(check_columns([params] if isinstance(params, str) else params))
