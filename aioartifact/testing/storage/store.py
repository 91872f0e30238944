"""
Items and their metadata in SQLite, their bytes in a folder of blobs.

A put writes the blob first and commits one transaction after; in WAL mode a committed transaction survives the
death of the process, so what was acknowledged is never lost and what is listed always has its bytes. In return a
blob is deleted after the transaction that removed its last item, and when no lease holds it. Every method may be
called from any thread; one lock makes each of them atomic.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import RLock
from typing import Any

from ..repositories.definitions import Repository
from . import full_disk
from .blobs import Blobs, Content
from .data_folder import DATABASE, RESERVE
from .full_disk import Reserve
from .leases import Lease, current
from .schema import SCHEMA

# The digests that items no longer have: candidates for deletion. Temporary tables take part in transactions.
_UNLINKED = """
CREATE TEMP TABLE unlinked (sha256 TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP TRIGGER deleted AFTER DELETE ON main.items WHEN OLD.sha256 IS NOT NULL
    BEGIN INSERT OR IGNORE INTO unlinked VALUES (OLD.sha256); END;
CREATE TEMP TRIGGER overwritten AFTER UPDATE OF sha256 ON main.items WHEN OLD.sha256 <> NEW.sha256
    BEGIN INSERT OR IGNORE INTO unlinked VALUES (OLD.sha256); END;
"""

_COLUMNS = (
    "id, repo, path, name, type, size, created, modified, updated, created_by, modified_by, "
    "actual_sha1, actual_md5, sha256, original_sha1, original_md5, original_sha256"
)


_PERMITTED = "permitted(repo, path, name)"  # a function of Store._permit

Permitted = Callable[[str, str], bool]  # whether an action is allowed at a repository and path


def everywhere(_repo: str, _path: str) -> bool:
    """Permit everything."""
    return True


class ConflictError(Exception):
    """A folder is where a file should go, or a file where a folder should."""


class NotAFileError(ConflictError):
    """A folder is where a file should go."""

    def __init__(self, repo: str, path: str) -> None:
        super().__init__(f"Cannot deploy a file: {repo}:{path} is a folder")


class NotAFolderError(ConflictError):
    """
    A file is where a folder should be.

    Attributes:
        path: The path of that file.
    """

    def __init__(self, repo: str, path: str) -> None:
        super().__init__(f"Cannot make a folder: {repo}:{path} is a file")
        self.path = path


@dataclass(frozen=True, slots=True)
class Checksums:
    """Checksums of a file in hex; None for one that is not known."""

    sha1: str | None = None
    md5: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """
    One row of ``items``.

    Attributes:
        parent: Path of the folder it is in, ``"."`` for the repository root (and for the root itself).
        size: Bytes, 0 for folders.
        created: Epoch milliseconds, as *modified* and *updated*.
        sha1: Actual digest, None for folders, as *md5* and *sha256*.
        original_sha1: Client-supplied digest, as *original_md5* and *original_sha256*.
    """

    id: int
    repo: str
    parent: str
    name: str
    type: str
    size: int
    created: int
    modified: int
    updated: int
    created_by: str | None
    modified_by: str | None
    sha1: str | None
    md5: str | None
    sha256: str | None
    original_sha1: str | None
    original_md5: str | None
    original_sha256: str | None

    @property
    def is_folder(self) -> bool:
        """Whether this is a folder; the repository root is one."""
        return self.type == "folder"

    @property
    def content(self) -> Content:
        """What a file holds."""
        assert self.sha1 is not None
        assert self.md5 is not None
        assert self.sha256 is not None
        return Content(self.size, self.sha1, self.md5, self.sha256)

    @property
    def actual(self) -> Checksums:
        """The checksums of the bytes that are stored."""
        return Checksums(self.sha1, self.md5, self.sha256)

    @property
    def original(self) -> Checksums:
        """The checksums the client supplied."""
        return Checksums(self.original_sha1, self.original_md5, self.original_sha256)

    @property
    def path(self) -> str:
        """The path inside the repository without slashes at the ends, ``""`` for the root."""
        return join_path(self.parent, self.name)


@dataclass(frozen=True, slots=True)
class Stats:
    """Downloads of an item: how many, the last time (epoch milliseconds, None for never) and by whom."""

    downloads: int = 0
    downloaded: int | None = None
    downloaded_by: str | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """
    What a deploy records besides the bytes.

    Attributes:
        by: User name.
        now: Epoch milliseconds.
        created_by: Overrides the name of the creator; None keeps that of an existing file, else *by*.
        modified_by: Overrides the name of the last deployer; None for *by*.
        created: Overrides the creation time; None keeps that of an existing file, else *now*.
        modified: The client's ``Last-Modified``; None for *now*.
        original: Checksums the client supplied.
        properties: Values to set per key.
    """

    by: str
    now: int
    created_by: str | None = None
    modified_by: str | None = None
    created: int | None = None
    modified: int | None = None
    original: Checksums = Checksums()
    properties: Mapping[str, Sequence[str]] | None = None


def split_path(path: str) -> tuple[str, str]:
    """Split an item path into the columns ``path`` and ``name``; the root is ``(".", ".")``."""
    if not path:
        return ".", "."
    parent, _, name = path.rpartition("/")
    return parent or ".", name


def join_path(parent: str, name: str) -> str:
    """Undo :func:`split_path`."""
    if parent != ".":
        return f"{parent}/{name}"
    return "" if name == "." else name


def _item(row: tuple[Any, ...]) -> Item:
    return Item(*row)


def _connected(database: Path, *, durable: bool) -> sqlite3.Connection:
    # Transactions are the store's (isolation_level None), and its lock stands in for the thread check.
    with ExitStack() as resources:
        connection = resources.enter_context(
            closing(sqlite3.connect(database, isolation_level=None, check_same_thread=False))
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'NORMAL' if durable else 'OFF'}")
        # A checkpoint is the only time SQLite waits for the disk here; the default is one every 1000 pages.
        connection.execute("PRAGMA wal_autocheckpoint = 10000")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.executescript(SCHEMA)
        connection.executescript(_UNLINKED)
        resources.pop_all()
    return connection


class Store:
    """
    Items of all repositories of one server.

    Args:
        data: The folder that holds everything, as an absolute path; claimed by a ``DataFolder``.
        durable: Whether the folder outlives the process. If not, SQLite never waits for the disk.
    """

    def __init__(self, data: Path, *, durable: bool = True) -> None:
        self.blobs: Blobs = Blobs(data)
        self._database = data / DATABASE
        self._lock = RLock()
        self._folders: set[tuple[str, str]] = set()  # folders known to exist: spares a look-up per ancestor
        self._downloads: dict[int, Stats] = {}  # counted since the last flush_stats
        self._reserve = Reserve(data / RESERVE)
        self._reserve.spend()  # a server over a full disk must be able to start, and to delete
        self._connection = _connected(self._database, durable=durable)
        self.blobs.keep_only({digest for (digest,) in self._rows("SELECT DISTINCT sha256 FROM items")})
        self._reserve.restore()

    def close(self) -> None:
        """Write what is pending and close the database; on a full disk the last download counts are lost."""
        with self._lock:
            try:
                self._flush_stats_if_possible()
            finally:
                self._connection.close()

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """
        Open a second, read-only connection, for long queries in a thread of their own.

        It sees one state from its first to its last row, while deploys go on (WAL).
        """
        self._flush_stats_if_possible()
        connection = sqlite3.connect(f"{self._database.as_uri()}?mode=ro", uri=True, check_same_thread=False)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Make all changes of the block one, undone by an exception; a block inside another joins it."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
            unlinked = self._take_unlinked()
        self._remove_blobs(unlinked)
        self._reserve.restore()

    @contextmanager
    def lease(self) -> Iterator[Lease]:
        """Keep the blobs that the block stores or looks up, also after other requests have deleted their items."""
        lease = Lease(self.blobs.leases)
        try:
            with current(lease):
                yield lease
        finally:
            self.end_lease(lease)

    def end_lease(self, lease: Lease) -> None:
        """Release what *lease* holds, and delete what nothing refers to any more."""
        if digests := lease.end():
            self._remove_blobs(digests)
            self._reserve.restore()

    def _roll_back(self) -> None:
        if self._connection.in_transaction:  # some errors of SQLite undo it themselves
            self._connection.execute("ROLLBACK")
        self._folders.clear()

    def _take_unlinked(self) -> list[str]:
        """Return the digests that no item has any more since the last transaction."""
        if not self._rows("SELECT 1 FROM unlinked LIMIT 1"):
            return []
        rows = self._rows(
            "SELECT sha256 FROM unlinked AS old WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.sha256 = old.sha256)"
        )
        self._connection.execute("DELETE FROM unlinked")
        return [sha256 for (sha256,) in rows]

    def _remove_blobs(self, digests: Iterable[str]) -> None:
        """Delete the blobs that no item refers to and no lease holds, without keeping others waiting for all."""
        for sha256 in digests:
            with self._lock:
                if self._connection.in_transaction:  # may still be undone: its end decides
                    self._connection.execute("INSERT OR IGNORE INTO unlinked VALUES (?)", (sha256,))
                elif not self._exists("sha256 = ?", (sha256,)):
                    self.blobs.remove(sha256)

    def blob_of(self, item: Item) -> Path:
        """Return where the bytes of a file are; they stay until the lease of this context ends."""
        assert item.sha256 is not None
        self.blobs.leases.hold(item.sha256)
        return self.blobs.path(item.sha256)

    # Repositories

    def add_repository(self, repository: Repository, now: int) -> None:
        """Add *repository* with an empty root, or change the settings of the one with its key."""
        with self.transaction():
            self._connection.execute(
                "INSERT INTO repositories (key, configuration) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET configuration = excluded.configuration",
                (repository.key, json.dumps(asdict(repository))),
            )
            if repository.storage_key:
                self._ensure_folder(repository.storage_key, "", None, now)

    def remove_repository(self, repository: Repository) -> None:
        """Forget *repository* and everything in it."""
        self._reserve.spend()
        with self.transaction():
            self._folders.clear()
            self.flush_stats()
            self._connection.execute("DELETE FROM repositories WHERE key = ?", (repository.key,))
            self._connection.execute("DELETE FROM items WHERE repo = ?", (repository.storage_key,))

    def repositories(self) -> list[Repository]:
        """Return every repository in the order of their creation."""
        rows = self._rows("SELECT configuration FROM repositories ORDER BY position")
        settings = [json.loads(configuration) for (configuration,) in rows]
        return [Repository(**each | {"members": tuple(each["members"])}) for each in settings]

    # Reading

    def get(self, repo: str, path: str) -> Item | None:
        """Return the item at *path* (``""`` is the root), None where there is none."""
        with self._lock:
            rows = self._rows(
                f"SELECT {_COLUMNS} FROM items WHERE repo = ? AND path = ? AND name = ?",  # noqa: S608  # constant
                (repo, *split_path(path)),
            )
            return self._held(_item(rows[0])) if rows else None

    def children(self, folder: Item) -> list[Item]:
        """Return what is directly in *folder*: folders first, then case-sensitive by name."""
        rows = self._rows(
            f"SELECT {_COLUMNS} FROM items WHERE repo = ? AND path = ? AND name <> '.'"  # noqa: S608  # constant
            " ORDER BY type DESC, name",
            (folder.repo, folder.path or "."),
        )
        return [_item(row) for row in rows]

    def folders_with(self, folder: Item, name: str) -> list[str]:
        """Return the paths of the folders directly in *folder* that have a file whose name matches *name* (GLOB)."""
        condition, values = below(folder)
        rows = self._rows(
            f"SELECT DISTINCT path FROM items WHERE {condition} AND type = 'file' AND depth = ? AND name GLOB ?",  # noqa: S608
            (*values, _depth(folder.path) + 2, name),
        )
        return [path for (path,) in rows]

    def files(self, folder: Item, name: str) -> list[str]:
        """Return the paths of the files anywhere below *folder* whose names match *name* (GLOB)."""
        condition, values = below(folder)
        sql = f"SELECT path, name FROM items WHERE {condition} AND type = 'file' AND name GLOB ?"  # noqa: S608  # constants
        return [join_path(*row) for row in self._rows(sql, (*values, name))]

    def last_modified(self, item: Item, permitted: Permitted = everywhere) -> Item | None:
        """Return the file at or below *item* that changed last, of those *permitted*."""
        if not item.is_folder:
            return item
        condition, values = below(item)
        with self._lock:
            self._permit(permitted)
            rows = self._rows(
                f"SELECT {_COLUMNS} FROM items WHERE {condition} AND type = 'file' AND {_PERMITTED}"  # noqa: S608
                " ORDER BY modified DESC, path, name LIMIT 1",
                values,
            )
        return _item(rows[0]) if rows else None

    def weight(self, folder: Item) -> tuple[int, int]:
        """Return how many files there are below *folder*, and how many bytes they have."""
        condition, values = below(folder)
        sql = f"SELECT count(*), coalesce(sum(size), 0) FROM items WHERE {condition} AND type = 'file'"  # noqa: S608
        ((count, size),) = self._rows(sql, values)
        return count, size

    def find_content(self, *, sha256: str | None = None, sha1: str | None = None) -> list[Item]:
        """Return every file with this content, looked up by SHA-256, else by SHA-1."""
        column, digest = ("sha256", sha256) if sha256 else ("actual_sha1", sha1)
        with self._lock:
            rows = self._rows(f"SELECT {_COLUMNS} FROM items WHERE {column} = ?", (digest,))  # noqa: S608  # constants
            return [self._held(_item(row)) for row in rows]

    def properties(self, item: Item) -> dict[str, list[str]]:
        """Return the values of every property of *item*, keys sorted, values in the order they were set."""
        found: dict[str, list[str]] = {}
        for key, value in self._rows(
            "SELECT key, value FROM properties WHERE item_id = ? ORDER BY key, id", (item.id,)
        ):
            found.setdefault(key, []).append(value)
        return found

    def stats(self, item: Item) -> Stats:
        """Return the downloads of *item* so far."""
        self._flush_stats_if_possible()
        rows = self._rows("SELECT downloads, downloaded, downloaded_by FROM stats WHERE item_id = ?", (item.id,))
        return Stats(*rows[0]) if rows else Stats()

    # Writing

    def put(self, repo: str, path: str, content: Content, deployment: Deployment) -> Item:
        """
        Record the file whose blob is stored already; parents are made as needed.

        Other content than before drops the old properties and download counts; the same content keeps them.

        Raises:
            NotAFileError: If *path* is a folder.
            NotAFolderError: If one of its parents is a file.
        """
        with self.transaction():
            old = self.get(repo, path)
            if old and old.is_folder:
                raise NotAFileError(repo, path)
            parent, name = split_path(path)
            if old is None:
                self._ensure_folder(repo, "" if parent == "." else parent, deployment.by, deployment.now)
            elif old.sha256 != content.sha256:
                self._forget(old)
            self._upsert(repo, parent, name, content, deployment)
            item = self.get(repo, path)
            assert item is not None
            if deployment.properties:
                self._set_properties(item, deployment.properties)
            return item

    def overwrite(self, repo: str, path: str, data: bytes, now: int) -> None:
        """Put other content into an existing file, as if its owner had deployed it; nothing if there is none."""
        item = self.get(repo, path)
        if item and not item.is_folder:
            with self.lease():
                content = self.blobs.add(data)
                original = Checksums(content.sha1, content.md5, content.sha256)
                self.put(repo, path, content, Deployment(by=item.modified_by or "", now=now, original=original))

    def make_folder(self, repo: str, path: str, deployment: Deployment) -> Item:
        """
        Make a folder and its parents, or change the properties of an existing one.

        Raises:
            NotAFolderError: *path* or one of its parents is a file.
        """
        with self.transaction():
            self._ensure_folder(repo, path, deployment.by, deployment.now)
            item = self.get(repo, path)
            assert item is not None
            if deployment.properties:
                self._set_properties(item, deployment.properties)
            return item

    def set_properties(
        self,
        item: Item,
        properties: Mapping[str, Sequence[str]],
        *,
        recursive: bool,
        permitted: Permitted = everywhere,
    ) -> None:
        """Replace the values of each named key, with *recursive* also on what is *permitted* below."""
        with self.transaction():
            self.delete_properties(item, list(properties), recursive=recursive, permitted=permitted)
            items, values = _ids(item, recursive=recursive)
            for key, each in properties.items():
                self._connection.executemany(
                    f"INSERT INTO properties (item_id, key, value) SELECT id, ?, ? FROM ({items})",  # noqa: S608
                    [(key, value, *values) for value in dict.fromkeys(each)],
                )

    def delete_properties(
        self, item: Item, keys: Sequence[str] | None, *, recursive: bool, permitted: Permitted = everywhere
    ) -> None:
        """Delete the named keys (None for all), with *recursive* also on what is *permitted* below."""
        self._reserve.spend()
        with self.transaction():
            self._permit(permitted)
            items, values = _ids(item, recursive=recursive)
            sql = f"DELETE FROM properties WHERE item_id IN ({items})"  # noqa: S608  # constants
            if keys is None:
                self._connection.execute(sql, values)
            else:
                self._connection.executemany(f"{sql} AND key = ?", [(*values, key) for key in keys])

    def set_original(self, item: Item, algorithm: str, digest: str) -> None:
        """Record a client-supplied checksum; *algorithm* is ``sha1``, ``md5`` or ``sha256``."""
        with self.transaction():
            self._connection.execute(
                f"UPDATE items SET original_{algorithm} = ? WHERE id = ?",  # noqa: S608  # one of three words
                (digest, item.id),
            )

    def delete(self, item: Item, permitted: Permitted = everywhere, *, atomic: bool = False) -> bool:
        """
        Delete *item*, and everything below a folder; the root of a repository is emptied, not deleted.

        Args:
            item: What to delete.
            permitted: What is not stays, as do the folders it is in.
            atomic: Delete nothing where something is not permitted.

        Returns:
            Whether all of it went.
        """
        condition, values = below(item)
        self._reserve.spend()
        with self.transaction():
            self.flush_stats()  # the identity of what goes may be given to what comes
            if not item.is_folder:
                self._connection.execute("DELETE FROM items WHERE id = ?", (item.id,))
                return True
            self._permit(permitted)
            if atomic and self._exists(f"{condition} AND NOT {_PERMITTED}", values):
                return False
            sql = f"DELETE FROM items WHERE {condition} AND type = 'file' AND {_PERMITTED}"  # noqa: S608  # constants
            self._connection.execute(sql, values)
            return self.prune(item, permitted)

    def prune(self, item: Item, permitted: Permitted = everywhere) -> bool:
        """Delete *item* and the folders below it, as far as that is *permitted* and nothing is in them."""
        condition, values = below(item)
        with self.transaction():
            self._permit(permitted)
            self._folders.clear()
            for (depth,) in self._rows(
                f"SELECT DISTINCT depth FROM items WHERE {condition} ORDER BY depth DESC",  # noqa: S608  # constants
                values,
            ):
                self._connection.execute(
                    f"DELETE FROM items WHERE {condition} AND depth = ? AND type = 'folder' AND {_PERMITTED}"  # noqa: S608
                    " AND NOT EXISTS (SELECT 1 FROM items AS child WHERE child.repo = items.repo AND child.path ="
                    " CASE items.path WHEN '.' THEN items.name ELSE items.path || '/' || items.name END)",
                    (*values, depth),
                )
            if self._exists(condition, values):
                return False
            if item.path:
                self._connection.execute("DELETE FROM items WHERE id = ?", (item.id,))
            return True

    def duplicate(self, item: Item, repo: str, path: str, by: str, now: int) -> None:
        """
        Copy one file or folder with its dates, checksums and properties; its download counts stay behind.

        A file takes the place of a file; a folder that is there already stays as it is.

        Raises:
            ConflictError: If a folder is where the file should go, or the other way round, or a parent is a file.
        """
        parent, name = split_path(path)
        with self.transaction():
            old = self.get(repo, path)
            if old and old.is_folder != item.is_folder:
                raise ConflictError(f"{repo}:{path} is a {old.type}, not a {item.type}")
            if old and old.is_folder:
                return
            if old:
                self.delete(old)
            self._ensure_folder(repo, "" if parent == "." else parent, by, now)
            copied = self._connection.execute(
                "INSERT INTO items (repo, path, name, type, depth, size, created, modified, updated, created_by,"
                " modified_by, actual_sha1, actual_md5, sha256, original_sha1, original_md5, original_sha256)"
                " SELECT ?, ?, ?, type, ?, size, created, modified, ?, created_by,"
                " modified_by, actual_sha1, actual_md5, sha256, original_sha1, original_md5, original_sha256"
                " FROM items WHERE id = ?",
                (repo, parent, name, _depth(path), now, item.id),
            )
            self._connection.execute(
                "INSERT INTO properties (item_id, key, value)"
                " SELECT ?, key, value FROM properties WHERE item_id = ? ORDER BY id",
                (copied.lastrowid, item.id),
            )

    def count_download(self, item: Item, by: str, now: int) -> None:
        """Count one download; it is written with the next look at the statistics, as the real server does."""
        with self._lock:
            counted = self._downloads.get(item.id, Stats()).downloads
            self._downloads[item.id] = Stats(counted + 1, now, by)

    def flush_stats(self) -> None:
        """Write the downloads counted since the last time."""
        with self._lock:
            if not self._downloads:
                return
            with self.transaction():
                self._connection.executemany(
                    "INSERT INTO stats SELECT id, ?, ?, ? FROM items WHERE id = ?"  # the item may be gone by now
                    " ON CONFLICT (item_id) DO UPDATE SET downloads = downloads + excluded.downloads,"
                    " downloaded = excluded.downloaded, downloaded_by = excluded.downloaded_by",
                    [
                        (each.downloads, each.downloaded, each.downloaded_by, item_id)
                        for item_id, each in self._downloads.items()
                    ],
                )
            self._downloads.clear()

    def _flush_stats_if_possible(self) -> None:
        """Write the downloads counted so far; on a full disk they stay pending, since reading must go on."""
        try:
            self.flush_stats()
        except sqlite3.OperationalError as error:
            if not full_disk.is_full(error):
                raise

    # Pieces

    def _held(self, item: Item) -> Item:
        if item.sha256 is not None:
            self.blobs.leases.hold(item.sha256)
        return item

    def _rows(self, sql: str, values: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._connection.execute(sql, tuple(values)).fetchall()

    def _exists(self, condition: str, values: Iterable[object]) -> bool:
        return bool(self._rows(f"SELECT 1 FROM items WHERE {condition} LIMIT 1", values))  # noqa: S608  # constants

    def _permit(self, permitted: Permitted) -> None:
        """Let SQL ask whether something may be done to a row."""

        def may(repo: str, parent: str, name: str) -> bool:
            return permitted(repo, join_path(parent, name))

        self._connection.create_function("permitted", 3, may)

    def _ensure_folder(self, repo: str, path: str, by: str | None, now: int) -> None:
        if (repo, path) in self._folders:
            return
        found = self.get(repo, path)
        if found and not found.is_folder:
            raise NotAFolderError(repo, path)
        if found is None:
            parent, name = split_path(path)
            if path:
                self._ensure_folder(repo, "" if parent == "." else parent, by, now)
            self._connection.execute(
                "INSERT INTO items (repo, path, name, type, depth, created, modified, updated, created_by,"
                " modified_by) VALUES (?, ?, ?, 'folder', ?, ?, ?, ?, ?, ?)",
                (repo, parent, name, _depth(path), now, now, now, by, by),
            )
        self._folders.add((repo, path))

    def _upsert(self, repo: str, parent: str, name: str, content: Content, deployment: Deployment) -> None:
        now, by, original = deployment.now, deployment.by, deployment.original
        modified = now if deployment.modified is None else deployment.modified
        self._connection.execute(
            "INSERT INTO items (repo, path, name, type, depth, size, created, modified, updated, created_by,"
            " modified_by, actual_sha1, actual_md5, sha256, original_sha1, original_md5, original_sha256)"
            " VALUES (?, ?, ?, 'file', ?, ?, coalesce(?, ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (repo, path, name) DO UPDATE SET size = excluded.size, created = coalesce(?, created),"
            " modified = excluded.modified, updated = excluded.updated, modified_by = excluded.modified_by,"
            " created_by = coalesce(?, created_by),"
            " actual_sha1 = excluded.actual_sha1, actual_md5 = excluded.actual_md5, sha256 = excluded.sha256,"
            " original_sha1 = excluded.original_sha1, original_md5 = excluded.original_md5,"
            " original_sha256 = excluded.original_sha256",
            (
                *(repo, parent, name, _depth(join_path(parent, name)), content.size),
                *(deployment.created, now, modified, now, deployment.created_by or by, deployment.modified_by or by),
                *(content.sha1, content.md5, content.sha256),
                *(original.sha1, original.md5, original.sha256),
                *(deployment.created, deployment.created_by),
            ),
        )

    def _forget(self, item: Item) -> None:
        self._downloads.pop(item.id, None)
        self._connection.execute("DELETE FROM properties WHERE item_id = ?", (item.id,))
        self._connection.execute("DELETE FROM stats WHERE item_id = ?", (item.id,))

    def _set_properties(self, item: Item, properties: Mapping[str, Sequence[str]]) -> None:
        for key, values in properties.items():
            self._connection.execute("DELETE FROM properties WHERE item_id = ? AND key = ?", (item.id, key))
            self._connection.executemany(
                "INSERT INTO properties (item_id, key, value) VALUES (?, ?, ?)",
                [(item.id, key, value) for value in dict.fromkeys(values)],
            )


def _depth(path: str) -> int:
    return path.count("/") + 1 if path else 0


def below(folder: Item) -> tuple[str, tuple[str, ...]]:
    """Return the SQL condition for everything below *folder*, a range the index can answer, and its values."""
    if not folder.path:
        return "repo = ? AND NOT (path = '.' AND name = '.')", (folder.repo,)
    # One range, which takes in "folder-x" as well, and a filter: given two ranges, SQLite reads all of the repository.
    after = folder.path + "0"  # "0" is the character after "/"
    values = (folder.repo, folder.path, after, folder.path, folder.path + "/")
    return "repo = ? AND path >= ? AND path < ? AND (path = ? OR path >= ?)", values


def _ids(item: Item, *, recursive: bool) -> tuple[str, tuple[object, ...]]:
    """Return the SQL for the id of *item*, and of what is permitted below it, and its values."""
    if not recursive or not item.is_folder:
        return "SELECT ? AS id", (item.id,)
    condition, values = below(item)
    return f"SELECT ? AS id UNION ALL SELECT id FROM items WHERE {condition} AND {_PERMITTED}", (item.id, *values)  # noqa: S608


def walk(connection: sqlite3.Connection, folder: Item) -> Iterator[Item]:
    """Yield everything below *folder*, in the order of path and name."""
    condition, values = below(folder)
    sql = f"SELECT {_COLUMNS} FROM items WHERE {condition} ORDER BY path, name"  # noqa: S608  # constants
    return map(_item, connection.execute(sql, values))


def with_properties(connection: sqlite3.Connection, items: Iterable[Item]) -> set[int]:
    """Return the ids of those *items* that have properties."""
    ids = [item.id for item in items]
    marks = ", ".join("?" * len(ids))
    sql = f"SELECT DISTINCT item_id FROM properties WHERE item_id IN ({marks})"  # noqa: S608  # marks
    return {number for (number,) in connection.execute(sql, ids)}


def select(
    connection: sqlite3.Connection, condition: str, values: Iterable[object], order: str = ""
) -> Iterator[tuple[Item, Stats]]:
    """Yield the items that meet an SQL *condition* and their downloads, in the *order* of an SQL clause."""
    rows = connection.execute(
        f"SELECT {_COLUMNS}, coalesce(downloads, 0), downloaded, downloaded_by"  # noqa: S608  # constants
        f" FROM items LEFT JOIN stats ON item_id = items.id WHERE {condition} {order}",
        tuple(values),
    )
    return ((_item(row[:-3]), Stats(*row[-3:])) for row in rows)
